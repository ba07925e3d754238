"""Each recipient of a mail subscription is told alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from pipeline.alerts import recipients
from pipeline.alerts.silence import concerns
from pipeline.events import Channel, SilenceDeclared, SubscriptionDeclared
from tests.alerts.samples import SEEN

LEGAL = SubscriptionDeclared(
    subscription_id="legal",
    name="Legal",
    channel=Channel.EMAIL,
    declared_at=SEEN,
    target={
        "to": ["Anna <anna@example.org>", "bo@example.org", "ANNA@example.org"],
        "from": "cw@example.org",
    },
)
ANNA, BO = recipients.parts(LEGAL)


def test_each_recipient_is_a_part() -> None:
    """Every address is told once, in the order of the list, with all else as it was asked for."""
    assert [one.target["to"] for one in (ANNA, BO)] == [["Anna <anna@example.org>"], ["bo@example.org"]]
    assert replace(ANNA, subscription_id="legal", target=LEGAL.target) == LEGAL


@pytest.mark.parametrize(
    "one",
    [
        replace(LEGAL, target={"to": ["anna@example.org"]}),
        replace(LEGAL, channel=Channel.WEBHOOK, target={"url": "https://h.example"}),
    ],
)
def test_single_destination_stays_as_it_is(one: SubscriptionDeclared) -> None:
    """What leads to one place has no parts, and so keeps its identities."""
    assert recipients.parts(one) == (one,)


def test_who_left_is_off_alone() -> None:
    """A recipient who left is off, from then on, with that reason; the other is told."""
    left = replace(ANNA, active=False, reason="unsubscribed", declared_at=SEEN + timedelta(hours=1))
    anna, bo = recipients.parts(LEGAL, {left.subscription_id: left})
    assert (anna.active, anna.reason, anna.declared_at) == (False, "unsubscribed", left.declared_at)
    assert bo.active


def test_list_that_is_off_is_off_for_all() -> None:
    """The pause of a list is that of every recipient, whatever was declared of one of them."""
    off = replace(LEGAL, active=False, reason="holidays")
    assert [one.reason for one in recipients.parts(off, {ANNA.subscription_id: ANNA})] == ["holidays"] * 2


@pytest.mark.parametrize(
    ("asked", "told", "is_meant"),
    [
        ("legal", ANNA, True),
        (ANNA.subscription_id, ANNA, True),
        (BO.subscription_id, ANNA, False),
        ("other", ANNA, False),
    ],
)
def test_silence_of_a_list_is_that_of_its_recipients(
    asked: str, told: SubscriptionDeclared, is_meant: bool
) -> None:
    """A silence for a list holds for each recipient, one for a recipient for them alone."""
    silence = SilenceDeclared(
        silence_id="s", matchers=(), starts_at=SEEN, ends_at=SEEN, declared_at=SEEN, subscriptions=(asked,)
    )
    assert concerns(silence, told.subscription_id) is is_meant


def test_contact_is_told_of_nothing_else() -> None:
    """The contact is a mailbox under the list's own name; without one there is none."""
    found = recipients.owner(replace(LEGAL, contact="it@example.org"))
    assert found is not None
    assert (found.subscription_id, found.target["to"]) == ("legal/owner", ["it@example.org"])
    assert recipients.owner(LEGAL) is None
