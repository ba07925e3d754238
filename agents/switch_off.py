"""A destination that takes nothing is told of after a day and switched off after five; one that is gone, at once.

Operators hear of it by the routes that ask for trouble, the owner by mail at the subscription's contact. A mail to
the contact goes through the outbox like every other: it is retried, kept over restarts and in the ledger.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta

import structlog
from msgspec.structs import replace

from pipeline.alerts import health as fold
from pipeline.alerts import recipients
from pipeline.alerts.health import Health
from pipeline.alerts.render.words import instant
from pipeline.alerts.route import Decision, delivery, routes
from pipeline.events import (
    AlertRaised,
    AlertUpdated,
    DeliveryAttempted,
    Event,
    Severity,
    SubscriptionDeclared,
    derived_id,
)
from pipeline.ports import Memory

Find = Callable[[str], SubscriptionDeclared | None]
Subscriptions = Callable[[], Sequence[SubscriptionDeclared]]
FIRST_ATTEMPT = timedelta(hours=1)  # an alert is older than the first attempt to tell it
UNHEARD = "Add a route with only: {kinds: [health]}, or a contact: to this one"

logger = structlog.get_logger(__name__)


def among(subscriptions: Subscriptions) -> Find:
    """Return what finds a subscription by its id among those that are told."""
    return lambda name: next((one for one in subscriptions() if one.subscription_id == name), None)


async def switch_off(
    event: DeliveryAttempted, *, memory: Memory[Health], find: Find, subscriptions: Subscriptions
) -> AsyncIterator[Event]:
    """Take in how an attempt ended; warn where a destination ails, and switch it off where it is past hope.

    A repeat says the same again, under the same ids. One that is off, or was resumed since, is left as it is.
    """
    one = find(event.subscription_id)
    if one is None or recipients.is_owner(event.subscription_id):
        return
    before = memory.recall(event.subscription_id) or Health()
    if one.active:
        before = fold.resumed(before, one.declared_at)
    elif one.declared_at != event.attempted_at:
        return  # somebody switched it off: what was still under way says nothing new
    results, after = judged(before, fold.attempted(before, event), one, event)
    for result in results:
        yield result
    _log(results, one, subscriptions())
    if after != before:
        memory.keep(event.subscription_id, after)


def judged(
    before: Health, after: Health, one: SubscriptionDeclared, event: DeliveryAttempted
) -> tuple[list[Event], Health]:
    """Return what follows from how a subscription fares after an attempt, and what is remembered of it."""
    now = event.attempted_at
    if after.off_at:
        return [], after
    if reason := fold.why_off(after, now):
        off = replace(one, active=False, reason=reason, declared_at=now)
        return [off, *_told(one, notice(one, after, event))], replace(after, off_at=now)
    if fold.is_worrying(after, now):
        worry = warning(one, after, event)
        return _told(one, worry), replace(after, warning=worry)
    if before.warning and not after.failures:
        return _told(one, before.warning, healed(before, event)), after
    return [], after


def notice(one: SubscriptionDeclared, health: Health, event: DeliveryAttempted) -> AlertRaised:
    """Return the alert that tells those who ask for trouble that somebody is told no longer."""
    name = one.subscription_id
    since = (health.failing_since or event.attempted_at) - FIRST_ATTEMPT
    reason = fold.why_off(health, event.attempted_at).rstrip(".")
    return AlertRaised(
        alert_id=derived_id("alt", "off", name, event.attempted_at),
        kind="health",
        raised_at=event.attempted_at,
        title=f"{called(one)} is told no longer",
        summary=(
            f"The {one.channel.value} subscription was switched off: {reason}. Once it is back: "
            f"clausewire subscriptions resume {name}; then clausewire subscriptions recover {name} "
            f"--since {since:%Y-%m-%d} sends what it missed."
        ),
        severity=Severity.MEDIUM,
        cause_id=event.id,
    )


def warning(one: SubscriptionDeclared, health: Health, event: DeliveryAttempted) -> AlertRaised:
    """Return the alert that tells that a subscription takes nothing, before it is switched off."""
    since = fold.since(health)
    days = (event.attempted_at - since).days
    lasting = "a day" if days == 1 else f"{days} days"
    return AlertRaised(
        alert_id=derived_id("alt", "ailing", one.subscription_id, since),
        kind="health",
        raised_at=event.attempted_at,
        title=f"{called(one)} has taken nothing for {lasting}",
        summary=(
            f"The {one.channel.value} subscription fails: {fold.ailing(health).rstrip('.')}. It goes on being told, "
            f"and is switched off if it takes nothing until {instant(since + fold.PATIENCE)}."
        ),
        severity=Severity.LOW,
        cause_id=event.id,
    )


def healed(before: Health, event: DeliveryAttempted) -> AlertUpdated:
    """Return the update that closes a warning."""
    assert before.warning is not None, "only what was warned of heals"
    since = fold.since(before)
    return AlertUpdated(
        alert_id=before.warning.alert_id,
        updated_at=event.attempted_at,
        how="healed",
        cause_id=since.isoformat(),
        reason=f"it takes messages again; it took none since {instant(since)}",
    )


def called(one: SubscriptionDeclared) -> str:
    """Return what a subscription is called to a reader: its name, and which of its recipients is meant."""
    return f"{one.name} ({recipients.place(one)})" if recipients.is_part(one.subscription_id) else one.name


def _told(one: SubscriptionDeclared, alert: AlertRaised, update: AlertUpdated | None = None) -> list[Event]:
    """Return a notice for whoever asks for trouble, and the mail of it to the subscription's contact."""
    said = update or alert
    if not one.contact:
        return [said]
    owner = recipients.owner_id(one.subscription_id)
    decision = Decision(subscription_id=owner, deliver=True, reason=f"the contact of {one.name}")
    due = delivery(alert, decision, due_at=said.at, update=update)
    return [said, replace(due, thread=one.subscription_id)]


def _log(
    results: Sequence[Event], one: SubscriptionDeclared, subscriptions: Sequence[SubscriptionDeclared]
) -> None:
    """Log what was decided, and where nobody hears of it."""
    for alert in (result for result in results if isinstance(result, AlertRaised)):
        logger.warning("destination.trouble", subscription=one.subscription_id, reason=alert.summary)
        if not one.contact and not is_heard(alert, one, subscriptions):
            logger.warning("destination.unheard", subscription=one.subscription_id, remedy=UNHEARD)


def is_heard(
    alert: AlertRaised, one: SubscriptionDeclared, subscriptions: Sequence[SubscriptionDeclared]
) -> bool:
    """Say whether somebody else than the subscription itself is told of its trouble."""
    itself = recipients.whole_id(one.subscription_id)
    others = [other for other in subscriptions if recipients.whole_id(other.subscription_id) != itself]
    return any(decision.deliver for decision in routes(alert, others))
