"""Why somebody was told of an alert, or was not: from what was decided, what is silenced, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from pipeline.alerts.hours import opens_at, why_held
from pipeline.alerts.route import routes
from pipeline.alerts.silence import silenced
from pipeline.events import (
    AlertRaised,
    AlertUpdated,
    AlertWithdrawn,
    DeliveryAttempted,
    DeliveryDue,
    Event,
    Origin,
    SilenceDeclared,
    SubscriptionDeclared,
)


def why(
    subscription: SubscriptionDeclared,
    known: Sequence[Event],
    outbox: Iterable[Event],
    *,
    silences: Iterable[SilenceDeclared] = (),
) -> Iterator[str]:
    """Yield the reasons, one line each. `known` is the alert with its updates, `outbox` what was due and attempted."""
    raised = next(event for event in known if isinstance(event, AlertRaised))
    ours = [event for event in outbox if _is_of(event, raised.alert_id, subscription.subscription_id)]
    due = {event.id: event for event in ours if isinstance(event, DeliveryDue)}
    yield f"{raised.alert_id}  {raised.severity.value}  {raised.title}"
    if not due:
        yield f"not told: {_refusal(subscription, raised, list(silences))}"
    for one in due.values():
        until = opens_at(subscription.hours, raised.severity, one.due_at)
        if subscription.hours and until:
            yield why_held(subscription.hours, until)
        yield from _told(one, [event for event in ours if isinstance(event, DeliveryAttempted)])
    for event in known:
        if isinstance(event, AlertWithdrawn):
            yield f"withdrawn {event.at:%Y-%m-%d %H:%M} UTC: {event.reason}"


def _is_of(event: Event, alert_id: str, subscription_id: str) -> bool:
    if isinstance(event, DeliveryAttempted):
        return (event.alert_id, event.subscription_id) == (alert_id, subscription_id)
    return (
        isinstance(event, DeliveryDue)
        and event.subscription_id == subscription_id
        and event.alert is not None
        and event.alert.alert_id == alert_id
    )


def _refusal(
    subscription: SubscriptionDeclared, raised: AlertRaised, silences: Sequence[SilenceDeclared]
) -> str:
    """Return why nothing was due, as the subscription stands now and as the silences stood then."""
    if raised.origin is Origin.IMPORT:
        return "it was put in from an archive, and history is not announced"
    created = subscription.created_at
    if created and created > raised.at:
        return f"the subscription was made later, {created:%Y-%m-%d %H:%M} UTC"
    quiet = silenced(raised, subscription.subscription_id, silences, at=raised.at)
    if quiet:
        return quiet
    decision = routes(raised, [subscription])[0]
    if not decision.deliver:
        return decision.reason
    open_now = routes(raised, [replace(subscription, active=True)])[0]
    return f"nothing was decided then; today it would be told: {open_now.reason}"


def _told(due: DeliveryDue, attempts: Sequence[DeliveryAttempted]) -> Iterator[str]:
    kind = due.withdrawal or due.update
    what = kind.how if isinstance(kind, AlertUpdated) else "withdrawal" if kind else "alert"
    yield f"{what} due {due.due_at:%Y-%m-%d %H:%M} UTC: {due.reason}"
    made = {event.id: event for event in attempts if event.delivery_id == due.delivery_id}
    if not made:
        yield "  not attempted yet"
    for event in sorted(made.values(), key=lambda event: (event.attempted_at, event.attempt)):
        yield "  " + line(event)


def line(event: DeliveryAttempted) -> str:
    """Return an attempt in one line."""
    said = f"{event.attempted_at:%Y-%m-%d %H:%M:%S}  {event.outcome}"
    facts = [
        f"attempt {event.attempt}" if event.attempt else "",
        f"status {event.status}" if event.status else "",
        f"in {event.duration_s:.2f} s" if event.duration_s else "",
        event.reason,
        f"again at {event.retry_at:%Y-%m-%d %H:%M}" if event.retry_at else "",
    ]
    return "  ".join([said, *filter(None, facts)])
