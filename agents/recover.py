"""What a subscription missed: alerts that it wants and never took."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec.structs import replace

from pipeline.alerts import recipients
from pipeline.alerts.gather import gathered
from pipeline.alerts.route import Decision, delivery, delivery_id, routes
from pipeline.events import (
    AlertRaised,
    AlertWithdrawn,
    DeliveryAttempted,
    DeliveryDue,
    DeliveryGathered,
    Event,
    Origin,
    SubscriptionDeclared,
)


def missed(
    subscription: SubscriptionDeclared,
    raised: Iterable[Event],
    ledger: Iterable[Event],
    *,
    at: datetime,
    apart: Mapping[str, SubscriptionDeclared] = recipients.NOBODY,
    gatherings: Iterable[Event] = (),
) -> list[DeliveryDue]:
    """Return what is due to a subscription of these alerts, oldest first; each says that it comes late.

    What it took is left out, and what was withdrawn or came from an archive. Ids are those of the first time, so
    that nothing is told twice; what waits to be told with others (`gatherings`) is not missed yet. Each recipient of
    a list misses for themselves; who is off (`apart`) misses nothing.
    """
    events = list(raised)
    gone = {event.alert_id for event in events if isinstance(event, AlertWithdrawn)}
    ended = [event for event in ledger if isinstance(event, DeliveryAttempted)]
    taken = _taken(ended) | _waiting(gatherings, ended)
    alerts = {event.id: event for event in events if isinstance(event, AlertRaised)}
    return [
        _late(alert, decision, at)
        for alert in sorted(alerts.values(), key=lambda alert: (alert.at, alert.id))
        for part in recipients.reachable(subscription, apart)
        if alert.alert_id not in gone
        and alert.origin is not Origin.IMPORT
        and not any(delivery_id(alert.id, name) in taken for name in recipients.names(part))
        for decision in routes(alert, [part])
        if decision.deliver
    ]


def _taken(ledger: Iterable[DeliveryAttempted]) -> set[str]:
    return {
        name for event in ledger if event.outcome == "sent" for name in (event.delivery_id, *event.members)
    }


def _waiting(gatherings: Iterable[Event], ledger: Iterable[DeliveryAttempted]) -> set[str]:
    """Return the deliveries that wait for others, or whose message is under way: gathered, and not over since."""
    over = {
        name: event.attempted_at
        for event in sorted(ledger, key=lambda event: event.attempted_at)
        if event.outcome != "failed"
        for name in (event.delivery_id, *event.members)
    }
    return {
        event.due.delivery_id
        for event in gatherings
        if isinstance(event, DeliveryGathered)
        and ((ended_at := over.get(event.due.delivery_id)) is None or ended_at < event.due.due_at)
    }


def asked_for(
    dues: Iterable[DeliveryDue],
    subscription: SubscriptionDeclared,
    apart: Mapping[str, SubscriptionDeclared] = recipients.NOBODY,
) -> list[Event]:
    """Return what was missed as the subscription takes it: each at once, or to be told together."""
    parts = {part.subscription_id: part for part in recipients.reachable(subscription, apart)}
    return [gathered(due, parts[due.subscription_id]) for due in dues]


def _late(alert: AlertRaised, decision: Decision, at: datetime) -> DeliveryDue:
    told = replace(decision, reason=f"recovered: {decision.reason}")
    return delivery(replace(alert, replayed=True), told, due_at=at)
