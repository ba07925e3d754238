"""History run again: the same steps over recorded pages, into shadow topics, without delivering anything.

A replay reads each document's pages from their beginning, so that it stands at `since` where the program stood, and
rings the reminders that fell due in between; what it would have alerted is compared with what was. It goes through a
partition page by page: what came of a few pages, how each document was left and how far it is are made lasting at
once, so that a replay that was killed goes on, in any process, and nothing stands twice in its shadow topics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from agents.plan import ALERTS, PAGES, SUMS, Plan, Sums, Wanted, unpacked
from pipeline.errors import ClaimLostError, DecodeError
from pipeline.events import (
    AlertRaised,
    Event,
    EventRejected,
)
from pipeline.ports import History, Kept, ReplayLog
from pipeline.topics import PLAN, STATES

Decode = Callable[[bytes | None], Event]


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


def planned(
    log: ReplayLog,
    wanted: Wanted,
    *,
    code: str,
    anew: bool = False,
    say: Callable[[str], None] = lambda words: None,
) -> Plan:
    """Return the replay that was begun and is to be gone on with, else a new one.

    Anew begins one that was asked to, that other code began (`code`), or that is through while history has grown.
    ClaimLostError when it is to begin anew and others are at work on it.
    """
    known, now = known_plan(log, wanted), _plan(log, wanted, code)
    if known and not anew and known.code == code:
        finished = known.done(log.committed(wanted.group, PAGES)) >= known.total
        if not finished or (known.spans, known.last) == (now.spans, now.last):
            return known
    if known and not anew:
        say("begins again: " + ("history has grown" if known.code == code else "other code began it"))
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
    before = published(log, decode, wanted, documents)
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
            sums[record.partition] = unpacked(record.value, Sums)
    report.pages = sum(one.pages for one in sums.values())
    report.results = sum(one.results for one in sums.values())
    return documents - {SUMS}


def line_of(alert: AlertRaised) -> str:
    """Return an alert on one line."""
    return f"{alert.at:%Y-%m-%d %H:%M}  {alert.severity.value:<8}  {alert.alert_id}  {alert.title}"


def published(history: History, decode: Decode, wanted: Wanted, documents: set[str]) -> set[str]:
    """Return the ids of the alerts about changes of documents that were published in a range."""
    events = decoded(history.records(ALERTS, since=wanted.since, until=wanted.until), decode)
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
