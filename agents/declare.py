"""The sources to poll: declared once on their topic, known on every process that polls them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from pipeline.events import DocumentSpec, FeedSpec, SourceDeclared
from pipeline.ports import Memory


async def keep_source(event: SourceDeclared, *, memory: Memory[SourceDeclared]) -> None:
    """Keep a source until it is retired."""
    if event.retired:
        memory.forget(event.key)
    else:
        memory.keep(event.key, event)


def to_declare(known: Iterable[SourceDeclared], wanted: Iterable[SourceDeclared]) -> list[SourceDeclared]:
    """Return what must be published so that the known sources become the wanted ones."""
    before = {source.key: source for source in known}
    now = {source.key: source for source in wanted}
    changed = [source for key, source in now.items() if key not in before or before[key].spec != source.spec]
    retired = [msgspec.structs.replace(source, retired=True) for key, source in before.items() if key not in now]
    return [*changed, *retired]


def documents(sources: Iterable[SourceDeclared]) -> dict[str, DocumentSpec]:
    """Return the documents among sources, by id."""
    return {source.key: source.document for source in sources if source.document}


def feeds(sources: Iterable[SourceDeclared]) -> dict[str, FeedSpec]:
    """Return the feeds among sources, by id."""
    return {source.key: source.feed for source in sources if source.feed}
