"""History run again: the same steps over recorded pages, into shadow topics, without delivering anything.

A replay reads each document's pages from their beginning, so that it stands at `since` where the program stood, and
rings the reminders that fell due in between; what it would have alerted is compared with what was. It goes through a
partition page by page: what came of a few pages, how each document was left and how far it is are made lasting at
once, so that a replay that was killed goes on, in any process, and nothing stands twice in its shadow topics.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
import zstandard

from agents.rerun import Rerun, Standing
from pipeline.errors import ClaimLostError, DecodeError, RejectError
from pipeline.events import (
    AlertRaised,
    Event,
    EventRejected,
    PageFetched,
    Value,
    derived_id,
)
from pipeline.policy.extract import EXTRACTOR
from pipeline.ports import History, Kept, Portion, ReplayLog, Scope
from pipeline.topics import PLAN, SHADOW, STATES

PAGES, ALERTS = "pages.fetched", "alerts.raised"
GROUP = "clausewire-replay-"
SUMS = ""  # the key of a partition's sums among the documents' states

V = TypeVar("V")
Decode = Callable[[bytes | None], Event]
Lines = Callable[[Standing], Rerun]


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

    def covers(self, moment: datetime) -> bool:
        """Say whether a result of that time is asked for."""
        return (self.since is None or moment >= self.since) and (self.until is None or moment < self.until)


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


@dataclass(kw_only=True)
class Report:
    """What a replay found: pages, results, the alerts it would raise, and how they compare with the published."""

    pages: int = 0
    results: int = 0
    alerts: list[str] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        return not self.missing and not self.extra


def code_of(version: str) -> str:
    """Return what stands for the code that runs history again."""
    return f"{version} {EXTRACTOR}"


def planned(log: ReplayLog, wanted: Wanted, *, code: str, anew: bool = False) -> Plan:
    """Return the replay that was begun and is to be gone on with, else a new one.

    Anew begins one that was asked to, that other code began, or that is through while history has grown since.
    ClaimLostError when it is to begin anew and others are at work on it.
    """
    known, now = known_plan(log, wanted), _plan(log, wanted, code)
    if known and not anew and known.code == code:
        finished = known.done(log.committed(wanted.group, PAGES)) >= known.total
        if not finished or (known.spans, known.last) == (now.spans, now.last):
            return known
    clear(log, wanted.prefix, wanted.group)
    log.declare(wanted.prefix, max(1, len(now.spans)))
    log.put_back(wanted.prefix + PLAN, b"plan", msgspec.json.encode(now), {})
    return known_plan(log, wanted) or now  # who comes at the same time takes the first


def clear(log: ReplayLog, prefix: str, group: str) -> list[str]:
    """Delete a replay: its shadow topics, and what its group committed; ClaimLostError while it is at work."""
    if not log.forget(group):
        raise ClaimLostError(
            "another process is at work on this replay", remedy="wait for it, or stop it first"
        )
    return log.drop(prefix)


def known_plan(log: ReplayLog, wanted: Wanted) -> Plan | None:
    """Return the plan of a replay that was begun."""
    for record in log.records(wanted.prefix + PLAN):
        return msgspec.json.decode(record.value or b"", type=Plan)
    return None


def _plan(log: ReplayLog, wanted: Wanted, code: str) -> Plan:
    spans = tuple(log.spans(PAGES))
    return Plan(wanted=wanted, spans=spans, last=last_moment(log), code=code)


def last_moment(history: History) -> datetime:
    """Return the time of the newest change or settlement."""
    times = (record.at for record in history.records("clauses.changed"))
    return max(times, default=datetime.min.replace(tzinfo=UTC))


async def work(portions: AsyncIterator[Portion], plan: Plan, *, lines: Lines, decode: Decode) -> None:
    """Run the partitions that come to this process, until there are none left."""
    async for portion in portions:
        try:
            await Stretch(portion, plan, lines, decode).run()
        except ClaimLostError:
            continue  # it has gone to another process, which goes on after the last commit


class Stretch:
    """One partition on its way: what is remembered of its documents lies here packed, a few kilobytes each."""

    def __init__(self, portion: Portion, plan: Plan, lines: Lines, decode: Decode) -> None:
        self._portion = portion
        self._plan = plan
        self._wanted = plan.wanted
        self._lines = lines
        self._decode = decode
        self._states: dict[str, bytes] = {}
        self._changed: dict[str, bytes] = {}
        self._found: list[Event] = []
        self._sums = Sums()

    async def run(self) -> None:
        """Go through the partition from where it was left."""
        begun = await self._portion.begin()
        packed = begun.pop(SUMS, None)
        self._sums = _unpacked(packed, Sums) if packed else Sums()
        self._states = begun
        through = False
        while not through:
            for record in await self._portion.read():
                await self._record(record)
            through = self._portion.at_end
            if through:
                await self._ring()
            await self._save()

    async def _record(self, record: Kept) -> None:
        event = self._page(record)
        if event is None:
            return
        line = self._line(event.key)
        try:
            async for result in line.page(event):
                self._keep(result, self._wanted.since is None or result.at >= self._wanted.since)
        except RejectError as error:
            self._found.append(_rejected(event, record, error))
        self._leave(event.key, line)
        in_range = self._wanted.since is None or event.at >= self._wanted.since
        self._sums = msgspec.structs.replace(self._sums, pages=self._sums.pages + in_range)

    def _page(self, record: Kept) -> PageFetched | None:
        if self._wanted.until and record.at >= self._wanted.until:
            return None
        try:
            event = self._decode(record.value)
        except DecodeError:
            return None
        if not isinstance(event, PageFetched):
            return None
        documents = self._wanted.documents
        return event if not documents or event.key in documents else None

    async def _ring(self) -> None:
        """Ring, at the end, what fell due by the time that history reaches to."""
        moment = self._wanted.until or self._plan.last
        for key in sorted(self._states):
            line = self._line(key)
            before = len(line.left.calendar)
            async for result in line.until(moment):
                self._keep(result, self._wanted.covers(result.at))
            if len(line.left.calendar) != before:
                self._leave(key, line)

    def _keep(self, result: Event, is_wanted: bool) -> None:
        if is_wanted:
            self._found.append(result)
            self._sums = msgspec.structs.replace(self._sums, results=self._sums.results + 1)

    def _line(self, key: str) -> Rerun:
        packed = self._states.get(key)
        return self._lines(_unpacked(packed, Standing) if packed else Standing())

    def _leave(self, key: str, line: Rerun) -> None:
        self._states[key] = self._changed[key] = _packed(line.left)

    async def _save(self) -> None:
        await self._portion.save(self._found, {**self._changed, SUMS: _packed(self._sums)})
        self._found, self._changed = [], {}


def _packed(value: Value) -> bytes:
    return zstandard.compress(msgspec.json.encode(value))


def _unpacked(packed: bytes | None, kind: type[V]) -> V:
    return msgspec.json.decode(zstandard.decompress(packed or b""), type=kind)


def _rejected(event: PageFetched, record: Kept, error: RejectError) -> EventRejected:
    return EventRejected(
        stage="replay",
        reason=str(error),
        remedy=error.remedy,
        rejected_at=event.at,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        origin_key=event.key,
    )


def compared(log: ReplayLog, plan: Plan, decode: Decode) -> Report:
    """Return what a replay that is through found, and how its alerts compare with the published: by their ids."""
    wanted, report = plan.wanted, Report()
    documents = _sum_up(log, wanted, report)
    now: dict[str, tuple[str, str]] = {}
    for event in decoded(log.records(wanted.prefix + ALERTS), decode):
        if isinstance(event, AlertRaised):
            document = event.document.id if event.document else ""
            now[event.alert_id] = (f"{document} {event.at.isoformat()} {event.alert_id}", line_of(event))
    report.alerts = [line for _, line in sorted(now.values())]
    before = published(log, decode, wanted.since, wanted.until, documents)
    report.missing, report.extra = sorted(before - now.keys()), sorted(now.keys() - before)
    for event in decoded(log.records(wanted.prefix + "events.rejected"), decode):
        if isinstance(event, EventRejected):
            report.rejected.append(f"{event.origin_key} of {event.at:%Y-%m-%d %H:%M}: {event.reason}")
    report.rejected.sort()
    return report


def _sum_up(log: ReplayLog, wanted: Wanted, report: Report) -> set[str]:
    """Take the counts of a replay into its report; return the documents that were run again."""
    documents, sums = set[str](), dict[int, Sums]()
    for record in log.records(wanted.prefix + STATES):
        key = (record.key or b"").decode()
        documents.add(key)
        if key == SUMS:
            sums[record.partition] = _unpacked(record.value, Sums)
    report.pages = sum(one.pages for one in sums.values())
    report.results = sum(one.results for one in sums.values())
    return documents - {SUMS}


def line_of(alert: AlertRaised) -> str:
    """Return an alert on one line."""
    return f"{alert.at:%Y-%m-%d %H:%M}  {alert.severity.value:<8}  {alert.alert_id}  {alert.title}"


def published(
    history: History,
    decode: Decode,
    since: datetime | None,
    until: datetime | None,
    documents: Sequence[str] | set[str],
) -> set[str]:
    """Return the ids of the alerts about changes of documents that were published in a range."""
    events = decoded(history.records(ALERTS, since=since, until=until), decode)
    return {
        event.alert_id
        for event in events
        if isinstance(event, AlertRaised) and event.document and event.document.id in documents
    }


def decoded(records: Iterable[Kept], decode: Decode) -> Iterable[Event]:
    """Yield the events of records; what is no event of ours was rejected then and is passed over now."""
    for record in records:
        try:
            yield decode(record.value)
        except DecodeError:
            continue
