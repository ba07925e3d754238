"""What a subscription missed: alerts that it wants and never took."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from pipeline.alerts.route import delivery, delivery_id, routes
from pipeline.events import (
    AlertRaised,
    AlertWithdrawn,
    DeliveryAttempted,
    DeliveryDue,
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
) -> list[DeliveryDue]:
    """Return what is due to a subscription of these alerts, oldest first; each says that it comes late.

    What it took is left out, and what was withdrawn or came from an archive. Ids are those of the first time, so
    that nothing is told twice.
    """
    events = list(raised)
    gone = {event.alert_id for event in events if isinstance(event, AlertWithdrawn)}
    taken = {
        event.delivery_id
        for event in ledger
        if isinstance(event, DeliveryAttempted) and event.outcome == "sent"
    }
    alerts = {event.id: event for event in events if isinstance(event, AlertRaised)}
    return [
        _late(alert, subscription, at)
        for alert in sorted(alerts.values(), key=lambda alert: (alert.at, alert.id))
        if alert.alert_id not in gone
        and alert.origin is not Origin.IMPORT
        and delivery_id(alert.id, subscription.subscription_id) not in taken
        and routes(alert, [replace(subscription, active=True)])[0].deliver
    ]


def _late(alert: AlertRaised, subscription: SubscriptionDeclared, at: datetime) -> DeliveryDue:
    decision = routes(alert, [replace(subscription, active=True)])[0]
    told = replace(decision, reason=f"recovered: {decision.reason}")
    return delivery(replace(alert, replayed=True), told, due_at=at)
