"""What a subscription missed: alerts that it wants and never took."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec.structs import replace

from pipeline.alerts import recipients
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
    apart: Mapping[str, SubscriptionDeclared] = recipients.NOBODY,
) -> list[DeliveryDue]:
    """Return what is due to a subscription of these alerts, oldest first; each says that it comes late.

    What it took is left out, and what was withdrawn or came from an archive. Ids are those of the first time, so
    that nothing is told twice. Each recipient of a list misses for themselves; who is off (`apart`) misses nothing.
    """
    events = list(raised)
    gone = {event.alert_id for event in events if isinstance(event, AlertWithdrawn)}
    taken = _taken(ledger)
    alerts = {event.id: event for event in events if isinstance(event, AlertRaised)}
    return [
        _late(alert, part, at)
        for alert in sorted(alerts.values(), key=lambda alert: (alert.at, alert.id))
        for part in recipients.reachable(subscription, apart)
        if alert.alert_id not in gone
        and alert.origin is not Origin.IMPORT
        and not any(delivery_id(alert.id, name) in taken for name in recipients.names(part))
        and routes(alert, [part])[0].deliver
    ]


def _taken(ledger: Iterable[Event]) -> set[str]:
    return {
        name
        for event in ledger
        if isinstance(event, DeliveryAttempted) and event.outcome == "sent"
        for name in (event.delivery_id, *event.members)
    }


def _late(alert: AlertRaised, part: SubscriptionDeclared, at: datetime) -> DeliveryDue:
    decision = routes(alert, [part])[0]
    told = replace(decision, reason=f"recovered: {decision.reason}")
    return delivery(replace(alert, replayed=True), told, due_at=at)
