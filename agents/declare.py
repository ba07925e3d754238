"""The sources to poll: declared once on their topic, known on every process that polls them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from agents.rounds import Sources
from pipeline.events import DocumentSpec, FeedSpec, SourceDeclared
from pipeline.ports import Memory

S = TypeVar("S", DocumentSpec, FeedSpec)


@dataclass(frozen=True, slots=True)
class Declared:
    """The sources that this process's pollers read."""

    documents: Sources[DocumentSpec]
    feeds: Sources[FeedSpec]

    def take(self, source: SourceDeclared) -> None:
        """Poll a source from now on, or no longer."""
        if source.document:
            _take(self.documents, source.document, retired=source.retired)
        if source.feed:
            _take(self.feeds, source.feed, retired=source.retired)

    def keep_only(self, sources: Iterable[SourceDeclared]) -> None:
        """Poll no source but these."""
        kept = list(sources)
        self.documents.keep_only({source.document.id for source in kept if source.document})
        self.feeds.keep_only({source.feed.id for source in kept if source.feed})


def _take(sources: Sources[S], spec: S, *, retired: bool) -> None:
    if retired:
        sources.withdraw(spec.id)
    else:
        sources.declare(spec)


async def keep_source(event: SourceDeclared, *, memory: Memory[SourceDeclared], declared: Declared) -> None:
    """Keep a source, and have it polled, until it is retired."""
    if event.retired:
        memory.forget(event.key)
    else:
        memory.keep(event.key, event)
    declared.take(event)


def to_declare(known: Iterable[SourceDeclared], wanted: Iterable[SourceDeclared]) -> list[SourceDeclared]:
    """Return what must be published so that the known sources become the wanted ones."""
    before = {source.key: source for source in known}
    now = {source.key: source for source in wanted}
    changed = [source for key, source in now.items() if key not in before or before[key].spec != source.spec]
    retired = [
        msgspec.structs.replace(source, retired=True) for key, source in before.items() if key not in now
    ]
    return [*changed, *retired]
