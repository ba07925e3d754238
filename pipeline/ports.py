"""The outside world as we wish it were: tiny protocols, each named for our need."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol, TypeVar

from msgspec import Struct

from pipeline.events import BodyRef, DeliveryDue, Event
from pipeline.news.feed import RawFeed
from pipeline.polling import Fetched, PollState, Validators
from pipeline.trace import Trace, within

V = TypeVar("V")


class RewriteRequest(Struct, frozen=True, kw_only=True):
    """A summary to be said in other words, and the texts that it may draw on: (old, new) of the leading changes."""

    summary: str
    texts: tuple[tuple[str, str], ...] = ()
    service: str = ""
    document: str = ""
    words: int = 90


class Clock(Protocol):
    """Tells the time, aware UTC, and waits."""

    def now(self) -> datetime: ...

    async def sleep(self, seconds: float) -> None: ...


class Blobs(Protocol):
    """A content-addressed store of bytes. Both raise StoreError when it cannot serve now."""

    async def put(self, data: bytes, *, media_type: str = "application/octet-stream") -> BodyRef: ...

    async def get(self, ref: BodyRef) -> bytes: ...


class Memory(Protocol[V]):
    """What a step remembers under the key of the event at hand.

    What is kept becomes lasting only after everything that the step yielded was published: publish, then remember.
    """

    def recall(self, key: str) -> V | None: ...

    def keep(self, key: str, value: V) -> None: ...

    def forget(self, key: str) -> None: ...


class Publisher(Protocol):
    """Puts events on their topics, in order; returns once the log has them. StoreError when it cannot now."""

    async def publish(self, event: Event) -> None: ...

    async def publish_all(self, events: Iterable[Event]) -> None: ...


class Values(Protocol):
    """A content-addressed store of values too large for a record: versions, ledgers, full change lists."""

    async def put(self, value: Struct) -> BodyRef: ...

    async def get(self, ref: BodyRef, kind: type[V]) -> V: ...


class Staging(Protocol):
    """Holds back what one event's step keeps, until `settle` makes it lasting."""

    def __enter__(self) -> Staging: ...

    def __exit__(self, *exc: object) -> None: ...

    def clear(self) -> None: ...

    async def settle(self) -> None: ...


class Fetches(Protocol):
    """Reads a URL politely; FetchError (kind, remedy) when it cannot be read now."""

    async def fetch(
        self,
        url: str,
        *,
        validators: Validators | None = None,
        respect_robots: bool = True,
        accept: str = "",
        language: str = "",
    ) -> Fetched: ...


class Renders(Protocol):
    """Shows a page as its scripts leave it; FetchError (kind, remedy) when that cannot be done now."""

    async def render(self, url: str, *, language: str = "") -> Fetched: ...


class Rewrites(Protocol):
    """Says a summary in other words; None when it cannot, or not in time. What it says is checked by the caller."""

    async def rewrite(self, request: RewriteRequest) -> str | None: ...


class ParsesFeeds(Protocol):
    """Parses a feed off the event loop; FetchError(kind="feed") when the bytes are none."""

    async def parse(self, body: bytes, *, content_type: str, url: str) -> RawFeed: ...


class PollMemory(Protocol):
    """What the pollers remember of each source, across restarts."""

    async def load(self, source_id: str) -> PollState | None: ...

    async def save(self, state: PollState) -> None: ...


class Receipt(Protocol):
    """What a channel gives back for a message it took."""

    @property
    def status(self) -> int | None: ...

    @property
    def response(self) -> str: ...

    @property
    def receipt(self) -> dict[str, str]: ...


class Notifier(Protocol):
    """Sends one message to one destination: DeliveryError to try again, RefusedError to give up.

    `parent` is the receipt of the message that this one belongs under, None when it opens the thread.
    """

    async def send(self, due: DeliveryDue, *, parent: dict[str, str] | None) -> Receipt: ...


class Kept(Struct, frozen=True, kw_only=True):
    """A record as it lies in the log, with its place and time."""

    topic: str
    partition: int
    offset: int
    at: datetime
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes] = {}


class Follower(Protocol):
    """Topics that every process reads whole: `backlog` is what lies there unread, `tail` what comes, for ever."""

    async def backlog(self) -> list[Event]: ...

    def tail(self) -> AsyncIterator[Event]: ...


class History(Protocol):
    """What happened, readable at any time, and appendable beside a running program."""

    def topics(self) -> dict[str, int]: ...

    def records(
        self, topic: str, *, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[Kept]: ...

    def append(self, events: Iterable[Event], *, prefix: str = "") -> int: ...

    def put_back(self, topic: str, key: bytes, value: bytes, attributes: dict[str, str]) -> None: ...

    def drop(self, prefix: str) -> list[str]: ...


class ReplayLog(History, Protocol):
    """History as a replay needs it: where its topics begin and end, what a group has done, records one by one.

    A group's name is told without the deployment's prefix, as a topic's is.
    """

    def spans(self, topic: str) -> list[tuple[int, int]]: ...

    def committed(self, group: str, topic: str) -> dict[int, int]: ...

    def declare(self, prefix: str, partitions: int) -> None: ...

    def forget(self, group: str) -> bool: ...

    def fetch(self, topic: str, partition: int, offset: int) -> Kept | None: ...

    def news(self, topic: str, seen: dict[int, int]) -> list[Kept]: ...


class Scope(Struct, frozen=True, kw_only=True):
    """What a replay runs again: a topic up to the end offset of each partition, under a group, into shadow topics."""

    topic: str
    ends: tuple[int, ...]
    group: str
    prefix: str


class Portion(Protocol):
    """A partition of a topic while this process alone runs it again.

    `begin` returns what was remembered when it was last left, by key; `read` what comes next, and `at_end` whether
    that was all; `save` makes what was read done, with what came of it: all of it or nothing. ClaimLostError when
    the partition has gone to another process.
    """

    @property
    def number(self) -> int: ...

    @property
    def at_end(self) -> bool: ...

    async def begin(self) -> dict[str, bytes]: ...

    async def read(self) -> list[Kept]: ...

    async def save(self, results: Iterable[Event], states: Mapping[str, bytes]) -> None: ...


class Meter(Protocol):
    """Is told what happened, and counts it by words of closed lists; never fails and never waits.

    `handled` is told of each record that a stage was through with (`outcome`: done, passed, retried, rejected,
    crashed) and what it took, None where that says nothing; `published` of each event that the log has;
    `delivered` of each attempt; `polled` of each read of a source (`kind`: document or feed).
    """

    def handled(self, stage: str, outcome: str, seconds: float | None = None) -> None: ...

    def published(self, event: Event) -> None: ...

    def delivered(self, channel: str, outcome: str) -> None: ...

    def polled(self, kind: str, outcome: str, seconds: float) -> None: ...


class Unmetered:
    """A meter that nobody reads."""

    def handled(self, stage: str, outcome: str, seconds: float | None = None) -> None: ...

    def published(self, event: Event) -> None: ...

    def delivered(self, channel: str, outcome: str) -> None: ...

    def polled(self, kind: str, outcome: str, seconds: float) -> None: ...


class Tracer(Protocol):
    """Opens a span around work that belongs to a trace; what is published inside carries it on."""

    def span(self, name: str, trace: Trace) -> AbstractContextManager[None]: ...


class Untraced:
    """A tracer that records nothing: the trace is carried on as it came."""

    def span(self, name: str, trace: Trace) -> AbstractContextManager[None]:
        return within(trace)
