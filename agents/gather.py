"""From deliveries that wait to one message about all of them: taken in, closed when their time comes, told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from agents.route_alerts import Silences, no_silences
from pipeline.alerts import gather as fold
from pipeline.alerts.gather import Gathering
from pipeline.alerts.silence import silenced
from pipeline.events import (
    AlertRaised,
    DeliveryDue,
    DeliveryGathered,
    Event,
    GatheringClosed,
    GatheringDue,
    SilenceDeclared,
)
from pipeline.ports import Clock, Memory


async def gather(
    event: DeliveryGathered | GatheringDue | GatheringClosed,
    *,
    memory: Memory[Gathering],
    clock: Clock,
    silences: Silences = no_silences,
) -> AsyncIterator[Event]:
    """Let a delivery wait for others, or tell what waits.

    When its time has come a window is closed by an event on the same topic, which holds what is silenced by then: who
    reads the log again, after a crash too, makes the same message of it.
    """
    state = memory.recall(event.key) or Gathering()
    results: tuple[Event, ...]
    if isinstance(event, GatheringDue):
        results = _closing(state, event, silences(event.due_at))
    elif isinstance(event, GatheringClosed):
        state, results = fold.closed(state, event, now=clock.now())
    else:
        state, results = fold.taken(state, event, now=clock.now())
    for result in results:
        yield result
    memory.keep(event.key, state)


def _closing(state: Gathering, event: GatheringDue, silences: Sequence[SilenceDeclared]) -> tuple[Event, ...]:
    """Return the event that closes the window at hand; none for a window that was closed before."""
    if event.window != state.window:
        return ()
    quiet = {
        due.alert.alert_id: why
        for due in state.members
        if due.alert and (why := _silenced(due, due.alert, silences, at=event.due_at))
    }
    closing = GatheringClosed(
        subscription_id=event.subscription_id,
        group=event.group,
        window=event.window,
        closed_at=event.due_at,
        silenced=quiet,
    )
    return (closing,)


def _silenced(
    due: DeliveryDue, alert: AlertRaised, silences: Sequence[SilenceDeclared], *, at: datetime
) -> str:
    """Return why a delivery is not told, empty when it is; what lacks some of its clauses is muted by none of them."""
    whole = sum(alert.counts.values()) <= len(alert.changes)
    met = [one for one in silences if whole or all(matcher.what != "clause" for matcher in one.matchers)]
    return silenced(alert, due.subscription_id, met, at=at)
