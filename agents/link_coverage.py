"""Joins changes and stories of one service: which story reports which change, whichever came first."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pipeline.alerts.alert import alert_id_of
from pipeline.events import AlertUpdated, Coverage, Event, ServiceTouched
from pipeline.news import correlate
from pipeline.news.correlate import Ledger
from pipeline.ports import Memory


async def link_coverage(event: ServiceTouched, *, memory: Memory[Ledger]) -> AsyncIterator[Event]:
    """Tell the alert of a change which stories report it."""
    ledger = memory.recall(event.key) or Ledger()
    links: list[tuple[str, Coverage]] = []
    if event.change:
        ledger, coverages = correlate.add_change(ledger, event.change)
        links = [(event.change.id, coverage) for coverage in coverages]
    elif event.story:
        ledger, found = correlate.add_story(ledger, event.story)
        links = [(change.id, coverage) for change, coverage in found]
    for change_id, coverage in links:
        yield covered(event, change_id, coverage)
    memory.keep(event.key, ledger)


def covered(event: ServiceTouched, change_id: str, coverage: Coverage) -> AlertUpdated:
    """Return the update that tells an alert of its coverage."""
    return AlertUpdated(
        alert_id=alert_id_of(change_id),
        updated_at=event.at,
        how="coverage",
        cause_id=f"{coverage.story_id} {event.cause.id}",
        coverage=(coverage,),
        reason=f"{coverage.outlet} reports it: {coverage.title}",
    )
