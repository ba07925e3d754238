"""Fakes written by hand, each keeping the promise of its port."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from msgspec import Struct

from pipeline.errors import PipelineError, RejectError
from pipeline.events import BodyRef, DeliveryDue, Event

T = TypeVar("T")
NOON = datetime(2024, 10, 17, 12, tzinfo=UTC)


class MemoryBlobs:
    """Blobs in memory."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    async def put(self, data: bytes, *, media_type: str = "application/octet-stream") -> BodyRef:
        ref = BodyRef(sha256=hashlib.sha256(data).hexdigest(), size=len(data), media_type=media_type)
        self.held[ref.sha256] = data
        return ref

    async def get(self, ref: BodyRef) -> bytes:
        if ref.sha256 not in self.held:
            raise RejectError(f"body {ref.sha256} is not here")
        return self.held[ref.sha256]


class FixedClock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self, moment: datetime = NOON) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    async def sleep(self, seconds: float) -> None:
        return None


class ListLog:
    """A log that keeps what was published in a list, and fails as often as it is told to."""

    def __init__(self, *, failures: Iterable[PipelineError] = ()) -> None:
        self.published: list[Event] = []
        self._failures = list(failures)

    async def publish(self, event: Event) -> None:
        await self.publish_all([event])

    async def publish_all(self, events: Iterable[Event]) -> None:
        if self._failures:
            raise self._failures.pop(0)
        self.published.extend(events)


class Taken(Struct, frozen=True, kw_only=True):
    """The receipt of a channel that takes everything."""

    status: int | None = 200
    response: str = "ok"
    receipt: dict[str, str] = {}


@dataclass
class Mailbox:
    """A notifier that keeps what it was sent, and fails as often as it is told to."""

    failures: list[PipelineError] = field(default_factory=list)
    sent: list[DeliveryDue] = field(default_factory=list)

    async def send(self, due: DeliveryDue, *, parent: dict[str, str] | None) -> Taken:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(due)
        return Taken(receipt={"ts": str(len(self.sent))})


@dataclass
class Message:
    """Where a record lies."""

    topic: str = "pages.fetched"
    partition: int = 0
    offset: int = 0
    headers: dict[str, bytes] = field(default_factory=dict)


@dataclass
class Record:
    """A record as a stream hands it out."""

    value: bytes | None
    key: bytes | None = b"k"
    message: Message = field(default_factory=Message)
    acked: bool = False

    def ack(self) -> None:
        self.acked = True


class Stream:
    """A stream of given records that then ends."""

    def __init__(self, records: Iterable[Record]) -> None:
        self.records = list(records)

    def noack(self) -> Stream:
        return self

    async def events(self) -> Any:
        for record in self.records:
            yield record
