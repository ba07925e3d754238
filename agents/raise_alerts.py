"""From changes and stories to alerts: what is worth telling, when it is sure enough to be told."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from pipeline.alerts.alert import AlertingState, StoryState, change_alert, is_told_at_once, story_alert
from pipeline.alerts.alert import settled as settled_alert
from pipeline.events import (
    AlertUpdated,
    BodyRef,
    ChangeSettled,
    ClausesChanged,
    Event,
    StoryUpdated,
    Verdict,
)
from pipeline.ports import Memory, Values


async def raise_alerts(
    event: ClausesChanged | ChangeSettled, *, values: Values, memory: Memory[AlertingState]
) -> AsyncIterator[Event]:
    """Raise an alert for a change that readers would want to hear of, once it is confirmed or grave."""
    state = memory.recall(event.key) or AlertingState()
    if event.id in state.seen:
        return
    results, state = (
        await _changed(event, state, values)
        if isinstance(event, ClausesChanged)
        else await _settled(event, state, values)
    )
    for result in results:
        yield result
    memory.keep(event.key, state.noted(event.id))


async def _changed(
    event: ClausesChanged, state: AlertingState, values: Values
) -> tuple[list[Event], AlertingState]:
    if event.verdict is not Verdict.CHANGED:
        return [], state
    if is_told_at_once(event):
        return [change_alert(event)], state.told(event.id)
    return [], state.held(event.id, await values.put(event))


async def _settled(
    event: ChangeSettled, state: AlertingState, values: Values
) -> tuple[list[Event], AlertingState]:
    ref = state.holding(event.change_id)
    if ref is not None:
        return await _released(event, state, ref, values)
    if event.change_id in state.alerts:
        return [settled_alert(event)], state
    return [], state


async def _released(
    event: ChangeSettled, state: AlertingState, ref: BodyRef, values: Values
) -> tuple[list[Event], AlertingState]:
    """Tell a held change that was confirmed; drop one that was withdrawn; leave the rest."""
    if event.how == "withdrawn":
        return [], state.dropped(event.change_id)
    if event.how != "confirmed":
        return [], state
    change = msgspec.structs.replace(await values.get(ref, ClausesChanged), confirmed=True)
    return [change_alert(change)], state.told(event.change_id)


async def raise_story_alerts(event: StoryUpdated, *, memory: Memory[StoryState]) -> AsyncIterator[Event]:
    """Raise one alert per story that satisfies a watch, and update it when more outlets report it."""
    state = memory.recall(event.key) or StoryState()
    if not event.matches or event.id in state.seen:
        return
    alert = story_alert(event)
    if not state.told:
        yield alert
    else:
        newest = event.entries[-1]
        yield AlertUpdated(
            alert_id=alert.alert_id,
            updated_at=event.at,
            how="coverage",
            cause_id=event.id,
            coverage=alert.coverage[-1:],
            reason=f"{newest.outlet} reports it too: {newest.title}",
        )
    memory.keep(event.key, StoryState(told=True, seen=(*state.seen, event.id)[-32:]))
