"""From alerts to deliveries due: who hears of it, and why."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import datetime

import msgspec

from pipeline.alerts.gather import gathered, passing
from pipeline.alerts.route import Decision, delivery, routes
from pipeline.alerts.silence import concerns, holding
from pipeline.events import (
    AlertRaised,
    AlertUpdated,
    AlertWithdrawn,
    Channel,
    Coverage,
    DeliveryDue,
    DeliveryGathered,
    Event,
    Origin,
    SilenceDeclared,
    SubscriptionDeclared,
    Value,
)
from pipeline.ports import Memory

Subscriptions = Callable[[], Sequence[SubscriptionDeclared]]
Silences = Callable[[datetime], Sequence[SilenceDeclared]]
Told = AlertRaised | AlertUpdated | AlertWithdrawn


class RoutedState(Value, frozen=True, kw_only=True):
    """What is remembered per alert: the alert with all that became known, and updates that came before it."""

    alert: AlertRaised | None = None
    early: tuple[AlertUpdated, ...] = ()
    withdrawn: bool = False
    untold: tuple[
        str, ...
    ] = ()  # subscriptions that a silence kept from the alert, and so from all that follows
    seen: tuple[str, ...] = ()
    gathered: dict[
        str, tuple[str, ...]
    ] = {}  # group → subscriptions whose alert went there, and what follows


def no_silences(at: datetime) -> Sequence[SilenceDeclared]:
    """Return what is silenced where nobody silences anything."""
    return ()


async def route_alerts(
    event: Told,
    *,
    subscriptions: Subscriptions,
    memory: Memory[RoutedState],
    silences: Silences = no_silences,
) -> AsyncIterator[Event]:
    """Decide for every subscription whether it hears of an alert, and of what became known of it since.

    What a silence held back at the time of the alert is not told later either: its followers would stand alone.
    """
    state = memory.recall(event.key) or RoutedState()
    if event.id in state.seen:
        return
    state = msgspec.structs.replace(state, seen=(*state.seen, event.id)[-64:])
    before = state.alert
    state, told = _taken(state, event)
    if told and (alert := state.alert):
        hears, state = _unsilenced(state, event, subscriptions(), silences(event.at))
        dues = deliveries(alert, event, hears, before=before)
        state, results = _gathered(state, dues, hears)
        for result in results:
            yield result
    memory.keep(event.key, state)


def _gathered(
    state: RoutedState, dues: Iterable[DeliveryDue], hears: Iterable[SubscriptionDeclared]
) -> tuple[RoutedState, list[Event]]:
    """Return what is due as its subscriptions take it, and the state that knows where each one's alert was gathered.

    What follows an alert goes the way that the alert went, however its subscription gathers since.
    """
    by_id = {one.subscription_id: one for one in hears}
    groups = {one: group for group, members in state.gathered.items() for one in members}
    results: list[Event] = []
    for due in dues:
        follows = due.update or due.withdrawal
        group = groups.get(due.subscription_id, "")
        one = by_id[due.subscription_id]
        result = passing(due, one) if follows and not group else gathered(due, one, group=group)
        if isinstance(result, DeliveryGathered) and not result.passing:
            groups[due.subscription_id] = result.group
        results.append(result)
    members: dict[str, list[str]] = {}
    for one_id, group in groups.items():
        members.setdefault(group, []).append(one_id)
    known = {group: tuple(ids) for group, ids in members.items()}
    return msgspec.structs.replace(state, gathered=known), results


def _unsilenced(
    state: RoutedState,
    event: Told,
    subscriptions: Sequence[SubscriptionDeclared],
    silences: Sequence[SilenceDeclared],
) -> tuple[Sequence[SubscriptionDeclared], RoutedState]:
    """Return who hears of an event, and the state that remembers who does not."""
    if not silences and not state.untold:
        return subscriptions, state
    alert, untold = state.alert, set(state.untold)
    assert alert is not None, "only what was raised is told"
    met = holding(alert, silences, at=event.at)  # once, for all subscriptions
    quiet = {
        one.subscription_id
        for one in subscriptions
        if any(concerns(silence, one.subscription_id) for silence in met)
    }
    if isinstance(event, AlertRaised):
        state = msgspec.structs.replace(state, untold=tuple(sorted(quiet)))
    return [one for one in subscriptions if one.subscription_id not in quiet | untold], state


def _taken(state: RoutedState, event: Told) -> tuple[RoutedState, bool]:
    """Return the state with the event taken in, and whether there is anything to tell."""
    if isinstance(event, AlertRaised):
        if state.alert:
            return state, False
        alert = event
        for update in state.early:
            alert = updated(alert, update)
        return msgspec.structs.replace(state, alert=alert, early=()), True
    if isinstance(event, AlertWithdrawn):
        return msgspec.structs.replace(state, withdrawn=True), state.alert is not None and not state.withdrawn
    if state.alert is None:  # news of a change that is not told yet: told with it
        return msgspec.structs.replace(state, early=(*state.early, event)[-16:]), False
    return msgspec.structs.replace(state, alert=updated(state.alert, event)), not state.withdrawn


def updated(alert: AlertRaised, update: AlertUpdated) -> AlertRaised:
    """Return the alert as it stands once the update is known."""
    known = {_covering(alert, found): found for found in (*alert.coverage, *update.coverage)}
    return msgspec.structs.replace(
        alert,
        coverage=tuple(known.values()),
        confirmed=alert.confirmed or update.how == "confirmed",
    )


def _covering(alert: AlertRaised, found: Coverage) -> tuple[str, str]:
    """Return what coverage counts as one: a story for a change, an entry for a story."""
    return found.story_id, found.url if alert.kind == "story" else ""


def deliveries(
    alert: AlertRaised,
    event: Told,
    subscriptions: Sequence[SubscriptionDeclared],
    *,
    before: AlertRaised | None = None,
) -> list[DeliveryDue]:
    """Return what is due to the subscriptions that want the alert. `before` is the alert as it stood until now.

    History put in from an archive is not announced. News of an alert is mailed once, not outlet by outlet.
    """
    if alert.origin is Origin.IMPORT:
        return []
    told_before = isinstance(event, AlertUpdated) and event.how == "coverage" and before and before.coverage
    wanted = [one for one in subscriptions if not (told_before and one.channel is Channel.EMAIL)]
    return [_due(alert, event, decision) for decision in routes(alert, wanted) if decision.deliver]


def _due(alert: AlertRaised, event: Told, decision: Decision) -> DeliveryDue:
    return delivery(
        alert,
        decision,
        due_at=event.at,
        update=event if isinstance(event, AlertUpdated) else None,
        withdrawal=event if isinstance(event, AlertWithdrawn) else None,
    )
