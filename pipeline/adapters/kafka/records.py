"""Events as records of Kafka, and records of Kafka as commands read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from pipeline.adapters.wire import headers, pack
from pipeline.events import Event
from pipeline.ports import Kept
from pipeline.topics import PLACES

Outgoing = tuple[
    str, bytes, bytes, list[tuple[str, bytes]], int | None
]  # topic, key, value, headers, ms since 1970


def records_of(events: Iterable[Event], prefix: str) -> Iterator[Outgoing]:
    """Yield the records that events are, on their topics with a prefix before the names."""
    for event in events:
        for topic, key in PLACES[type(event)]:
            yield (
                prefix + topic,
                key(event).encode(),
                pack(event),
                list(headers(event).items()),
                ms(event.at),
            )


def kept(record: Any, topic: str) -> Kept:
    """Return a record as commands read it, under the topic's name without the deployment's prefix."""
    return Kept(
        topic=topic,
        partition=record.partition,
        offset=record.offset,
        at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
        key=record.key,
        value=record.value,
        headers=dict(record.headers),
    )


def ms(moment: datetime | None) -> int | None:
    """Return a moment as Kafka's records carry it."""
    return None if moment is None else int(moment.timestamp() * 1000)
