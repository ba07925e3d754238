"""A destination that wants no more (410 Gone) is switched off, and operators hear of it by another way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

from msgspec.structs import replace

from pipeline.events import (
    AlertRaised,
    DeliveryAttempted,
    Event,
    Severity,
    SubscriptionDeclared,
    derived_id,
)


async def switch_off(
    event: DeliveryAttempted, *, subscriptions: Callable[[], Sequence[SubscriptionDeclared]]
) -> AsyncIterator[Event]:
    """Pause the subscription of an attempt that was told to stop; a repeat, or one already off, changes nothing."""
    if not event.disable:
        return
    for one in subscriptions():
        if one.subscription_id == event.subscription_id and _is_news(one, event):
            yield replace(one, active=False, reason=event.reason, declared_at=event.attempted_at)
            yield notice(one, event)


def notice(one: SubscriptionDeclared, event: DeliveryAttempted) -> AlertRaised:
    """Return the alert that tells those who ask for trouble that somebody is told no longer."""
    return AlertRaised(
        alert_id=derived_id("alt", "off", one.subscription_id, event.attempted_at),
        kind="health",
        raised_at=event.attempted_at,
        title=f"{one.name} is told no longer",
        summary=(
            f"The {one.channel.value} subscription was switched off: {event.reason} What it misses can be sent once "
            f"it is back: clausewire subscriptions resume {one.subscription_id}, then recover."
        ),
        severity=Severity.MEDIUM,
        cause_id=event.id,
    )


def _is_news(one: SubscriptionDeclared, event: DeliveryAttempted) -> bool:
    """Say whether the subscription is on, and was so at the attempt: one resumed since is not switched off again."""
    return one.active and one.declared_at <= event.attempted_at
