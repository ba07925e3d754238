"""History run again: the same steps over recorded pages, into shadow topics, without delivering anything.

A replay reads each document's pages from their beginning, so that it stands at `since` where the program stood, and
rings the reminders that fell due in between; what it would have alerted is compared with what was.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from agents.detect_changes import detect_changes
from agents.extract_versions import ReadingState, extract_versions
from agents.raise_alerts import raise_alerts
from agents.remind import bell
from pipeline.alerts.alert import AlertingState
from pipeline.errors import DecodeError, RejectError
from pipeline.events import (
    AlertRaised,
    AlertUpdated,
    AlertWithdrawn,
    ChangeSettled,
    ClausesChanged,
    Event,
    PageFetched,
    ReminderSet,
    VersionRecorded,
)
from pipeline.policy.lifecycle import DocumentState
from pipeline.ports import Blobs, History, Kept, Memory, Values

Alert = AlertRaised | AlertUpdated | AlertWithdrawn
FAR = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Memories:
    """What the replayed steps remember, apart from what the program does."""

    reading: Memory[ReadingState]
    documents: Memory[DocumentState]
    alerting: Memory[AlertingState]


@dataclass(kw_only=True)
class Report:
    """What a replay found: events by topic, the alerts it would raise, and how they compare with the published."""

    pages: int = 0
    results: list[Event] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)

    @property
    def alerts(self) -> list[AlertRaised]:
        return [event for event in self.results if isinstance(event, AlertRaised)]

    @property
    def equal(self) -> bool:
        return not self.missing and not self.extra


@dataclass(kw_only=True)
class Rerun:
    """The policy line without the log: pages in, everything that follows from them out."""

    blobs: Blobs
    values: Values
    memories: Memories
    _calendar: list[tuple[datetime, str, ReminderSet]] = field(default_factory=list)

    async def page(self, event: PageFetched) -> AsyncIterator[Event]:
        """Yield what follows from a page, and before it what fell due in the meantime."""
        async for result in self.until(event.at):
            yield result
        async for result in self._follow(event):
            yield result

    async def until(self, moment: datetime) -> AsyncIterator[Event]:
        """Ring what falls due up to a moment."""
        while self._calendar and self._calendar[0][0] <= moment:
            _, _, reminder = heapq.heappop(self._calendar)
            for event in bell(reminder):
                if isinstance(event, ChangeSettled):
                    async for result in self._follow(event):
                        yield result

    async def _follow(self, event: Event) -> AsyncIterator[Event]:
        if not isinstance(event, PageFetched):
            yield event
        if isinstance(event, ReminderSet):
            heapq.heappush(self._calendar, (event.due_at, event.id, event))
        for step in self._steps(event):
            async for result in step:
                async for further in self._follow(result):
                    yield further

    def _steps(self, event: Event) -> list[AsyncIterator[Event]]:
        m = self.memories
        if isinstance(event, PageFetched):
            return [extract_versions(event, blobs=self.blobs, values=self.values, memory=m.reading)]
        if isinstance(event, VersionRecorded):
            return [detect_changes(event, values=self.values, memory=m.documents)]
        if isinstance(event, ClausesChanged | ChangeSettled):
            return [raise_alerts(event, values=self.values, memory=m.alerting)]
        return []


async def replay(
    history: History,
    *,
    rerun: Callable[[], Rerun],
    decode: Callable[[bytes | None], Event],
    since: datetime | None = None,
    until: datetime | None = None,
    documents: Sequence[str] = (),
    progress: Callable[[int], None] = lambda pages: None,
) -> Report:
    """Run the recorded pages of documents (all when none is named) again and compare with what was published."""
    report, pages = Report(), pages_by_document(history, decode, documents, until)
    for _, events in sorted(pages.items()):
        line = rerun()
        for event in events:
            await _one(line, event, report, since)
            progress(report.pages)
        async for result in line.until(until or last_moment(history)):
            _keep(report, result, since, until)
    _compare(report, published(history, decode, since, until, set(pages)))
    return report


async def _one(line: Rerun, event: PageFetched, report: Report, since: datetime | None) -> None:
    try:
        async for result in line.page(event):
            _keep(report, result, since, None)
    except RejectError as error:
        report.rejected.append(f"{event.document.id} of {event.at:%Y-%m-%d %H:%M}: {error}")
    report.pages += since is None or event.at >= since


def _keep(report: Report, result: Event, since: datetime | None, until: datetime | None) -> None:
    if (since is None or result.at >= since) and (until is None or result.at < until):
        report.results.append(result)


def pages_by_document(
    history: History,
    decode: Callable[[bytes | None], Event],
    documents: Sequence[str],
    until: datetime | None,
) -> dict[str, list[PageFetched]]:
    """Return the recorded pages of each document in the order of the log."""
    pages: dict[str, list[PageFetched]] = defaultdict(list)
    for event in decoded(history.records("pages.fetched", until=until), decode):
        if isinstance(event, PageFetched) and (not documents or event.document.id in documents):
            pages[event.document.id].append(event)
    return pages


def published(
    history: History,
    decode: Callable[[bytes | None], Event],
    since: datetime | None,
    until: datetime | None,
    documents: set[str],
) -> set[str]:
    """Return the ids of the alerts about changes of documents that were published in a range."""
    events = decoded(history.records("alerts.raised", since=since, until=until), decode)
    return {
        event.alert_id
        for event in events
        if isinstance(event, AlertRaised) and event.document and event.document.id in documents
    }


def decoded(records: Iterable[Kept], decode: Callable[[bytes | None], Event]) -> Iterable[Event]:
    """Yield the events of records; what is no event of ours was rejected then and is passed over now."""
    for record in records:
        try:
            yield decode(record.value)
        except DecodeError:
            continue


def last_moment(history: History) -> datetime:
    """Return the time of the newest settled change: the reminders that rang by then ring in a replay too."""
    times = [record.at for record in history.records("clauses.changed")]
    return max(times, default=datetime.min.replace(tzinfo=UTC))


def _compare(report: Report, before: set[str]) -> None:
    now = {alert.alert_id for alert in report.alerts}
    report.missing = sorted(before - now)
    report.extra = sorted(now - before)
