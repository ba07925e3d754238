"""A destination that wants no more is switched off, once, and operators hear of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from agents.switch_off import switch_off
from pipeline.events import AlertRaised, Channel, DeliveryAttempted, SubscriptionDeclared
from tests.fakes import NOON

HOOK = SubscriptionDeclared(subscription_id="hook", name="Hook", channel=Channel.WEBHOOK, declared_at=NOON)
GONE = DeliveryAttempted(
    delivery_id="dlv-1",
    subscription_id="hook",
    thread="t",
    alert_id="alt-1",
    attempt=1,
    outcome="refused",
    attempted_at=NOON + timedelta(hours=1),
    reason="the endpoint is gone (410) and wants no more.",
    disable=True,
)


async def test_gone_endpoint_is_switched_off() -> None:
    """An endpoint that answered 410 is paused with that reason, and who asks for trouble is told."""
    off, told = [event async for event in switch_off(GONE, subscriptions=lambda: [HOOK])]
    assert isinstance(off, SubscriptionDeclared)
    assert isinstance(told, AlertRaised)
    assert (off.active, off.reason, told.kind) == (False, GONE.reason, "health")


@pytest.mark.parametrize(
    ("event", "known"),
    [
        (replace(GONE, disable=False), HOOK),
        (GONE, replace(HOOK, active=False)),
        (GONE, replace(HOOK, subscription_id="other")),
        (GONE, replace(HOOK, declared_at=NOON + timedelta(hours=2))),
    ],
    ids=["failure", "off", "other", "resumed"],
)
async def test_others_stay_as_they_are(event: DeliveryAttempted, known: SubscriptionDeclared) -> None:
    """An ordinary failure, a subscription that is off, and one resumed since change nothing."""
    assert [event async for event in switch_off(event, subscriptions=lambda: [known])] == []
