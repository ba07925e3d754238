"""What a replay is about: which history, as it lay when it was begun, run again by which code."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

import msgspec
import zstandard

from pipeline.events import Value, derived_id
from pipeline.ports import Scope
from pipeline.topics import SHADOW

V = TypeVar("V")
PAGES, ALERTS = "pages.fetched", "alerts.raised"
GROUP = "clausewire-replay-"
SUMS = ""  # the key of a partition's sums among the documents' states


class Wanted(Value, frozen=True, kw_only=True):
    """Which history is to be run again: times at or after `since` and before `until`, some documents or all."""

    since: datetime | None = None
    until: datetime | None = None
    documents: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The same replay has the same name."""
        return derived_id("rp", self.since or "", self.until or "", *sorted(self.documents))[:11]

    @property
    def prefix(self) -> str:
        """What the names of its shadow topics begin with."""
        return f"{SHADOW}{self.name}."

    @property
    def group(self) -> str:
        """The consumer group that it runs under."""
        return GROUP + self.name

    def reaches(self, moment: datetime) -> bool:
        """Say whether a time is not before what is asked for."""
        return self.since is None or moment >= self.since

    def covers(self, moment: datetime) -> bool:
        """Say whether a result of that time is asked for."""
        return self.reaches(moment) and (self.until is None or moment < self.until)


class Plan(Value, frozen=True, kw_only=True):
    """A replay as it was begun: the pages that there were then, and the code that runs them again.

    `spans` is the first offset and the end of each partition; `last` the time of the newest settled change: the
    reminders that rang by then ring in the replay too.
    """

    wanted: Wanted
    spans: tuple[tuple[int, int], ...]
    last: datetime
    code: str

    @property
    def scope(self) -> Scope:
        ends = tuple(end for _, end in self.spans)
        return Scope(topic=PAGES, ends=ends, group=self.wanted.group, prefix=self.wanted.prefix)

    @property
    def total(self) -> int:
        """Records to be gone through."""
        return sum(end - first for first, end in self.spans)

    def done(self, committed: dict[int, int]) -> int:
        """Return how many records are through, of the next offsets that the group committed."""
        return sum(max(0, committed.get(n, 0) - first) for n, (first, _) in enumerate(self.spans))


class Sums(Value, frozen=True, kw_only=True):
    """What a replay counts per partition: pages in the range, and results."""

    pages: int = 0
    results: int = 0


def packed(value: Value) -> bytes:
    """Return a value as a replay remembers it: JSON, compressed."""
    return zstandard.compress(msgspec.json.encode(value))


def unpacked(data: bytes | None, kind: type[V]) -> V:
    """Return the value that was packed."""
    return msgspec.json.decode(zstandard.decompress(data or b""), type=kind)
