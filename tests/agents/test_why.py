"""Why somebody was told of an alert that was gathered with others, and what they missed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from agents.recover import asked_for, missed
from agents.why import why
from pipeline.alerts import attempt
from pipeline.alerts import gather as fold
from pipeline.alerts.gather import Gathering
from pipeline.alerts.route import delivery_id
from pipeline.errors import RefusedError
from pipeline.events import (
    Channel,
    DeliveryDue,
    DeliveryGathered,
    Event,
    Gather,
    GatheringClosed,
    SubscriptionDeclared,
)
from tests.alerts.samples import DOCUMENT, SEEN, alert, due, subscription, updated, withdrawn

MAIL = replace(subscription(), channel=Channel.EMAIL, gather=Gather(how="daily", zone="Europe/Berlin"))
DESK = replace(subscription(), gather=Gather(how="group"))
RAISED = [alert(alert_id=f"alt-{n}", document=replace(DOCUMENT, id=f"x/{n}")) for n in range(3)]


def told(number: int) -> DeliveryDue:
    return due(RAISED[number], delivery_id(f"alt-{number}", "sub-1"), thread=f"x/{number}", reason="all")


def log(one: SubscriptionDeclared, *dues: DeliveryDue, closes: bool = False) -> list[Event]:
    """Return what is on record after deliveries were gathered and, where it closes, told."""
    state, events = Gathering(), []
    for asked in dues:
        event = fold.gathered(asked, one)
        assert isinstance(event, DeliveryGathered)
        state, results = fold.taken(state, event, now=SEEN)
        events += [event, *results]
    if closes:
        group = event.group
        closing = GatheringClosed(
            subscription_id="sub-1", group=group, window=state.window, closed_at=state.closes_at or SEEN
        )
        events += fold.closed(state, closing, now=SEEN)[1]
        events += [
            attempt.sent(event, attempt=1, at=SEEN + timedelta(days=1))
            for event in list(events)
            if isinstance(event, DeliveryDue)
        ]
    return events


def lines(one: SubscriptionDeclared, events: list[Event], number: int = 0) -> str:
    return "\n".join(why(one, [RAISED[number]], events))


def test_waiting_alert_says_until_when() -> None:
    """An alert that waits for the digest says how it is gathered, and when it will be told by the reader's clock."""
    said = lines(MAIL, log(MAIL, told(0), told(1)))
    assert "gathered: a daily digest, told at 08:00 (Europe/Berlin)" in said
    assert "waits, and will be told Friday, 18 October 2024, 08:00 (Europe/Berlin)" in said


@pytest.mark.parametrize("one", [MAIL, DESK])
def test_told_alert_says_in_which_message(one: SubscriptionDeclared) -> None:
    """An alert that was told with others says in which delivery, with how many, and how that fared."""
    events = log(one, told(0), told(1), told(2), closes=True)
    message = next(event for event in events if isinstance(event, DeliveryDue))
    said = lines(one, events)
    assert f"told in {message.delivery_id}" in said
    assert "with 2 other alerts" in said
    assert "sent  attempt 1" in said


def test_lone_alert_says_that_it_was_sent() -> None:
    """An alert that nothing came to join is told as an ordinary one, and says so."""
    said = lines(DESK, log(DESK, told(0), closes=True))
    assert "gathered: the alerts of one service" in said
    assert "told in" not in said
    assert "sent  attempt 1" in said


def test_withdrawn_while_it_waited_says_so() -> None:
    """An alert that was withdrawn in time says that nobody was told."""
    gone = due(withdrawn(alert_id="alt-0"), "dlv-w", alert=RAISED[0])
    events = log(MAIL, told(0), told(1))
    events += fold.taken(
        fold.taken(Gathering(), fold.gathered(told(0), MAIL), now=SEEN)[0],  # type: ignore[arg-type]
        fold.gathered(gone, MAIL, group="digest"),  # type: ignore[arg-type]
        now=SEEN,
    )[1]
    assert "skipped  the alert was withdrawn before it was told here" in lines(MAIL, events)


def test_news_is_told_where_it_is() -> None:
    """News of an alert is listed beside it, each with what became of it."""
    news = due(updated("in-force", "alt-0"), "dlv-u", alert=RAISED[0])
    said = lines(MAIL, log(MAIL, told(0), told(1), news, closes=True))
    assert "in-force due" in said
    assert said.count("told in dlv-") == 2


def test_what_waits_is_not_missed() -> None:
    """What waits to be told with others is neither lost nor sent twice by a recovery."""
    found = missed(MAIL, RAISED, [], at=SEEN, gatherings=log(MAIL, told(0), told(1)))
    assert [one.alert.alert_id for one in found if one.alert] == ["alt-2"]


@pytest.mark.parametrize(("refused", "again"), [(False, ["alt-2"]), (True, ["alt-0", "alt-1", "alt-2"])])
def test_what_a_message_told_is_not_missed(refused: bool, again: list[str]) -> None:
    """What a gathered message told is not missed; where that message was refused all of it is."""
    events = log(MAIL, told(0), told(1), closes=True)
    message = next(event for event in events if isinstance(event, DeliveryDue))
    at = SEEN + timedelta(days=1)
    ended = (
        attempt.failed(message, RefusedError("no"), channel=Channel.EMAIL, attempt=1, at=at)
        if refused
        else attempt.sent(message, attempt=1, at=at)
    )
    found = missed(MAIL, RAISED, [ended], at=at, gatherings=events)
    assert [one.alert.alert_id for one in found if one.alert] == again


def test_what_was_missed_is_told_together() -> None:
    """A recovery is gathered as the subscription asks for it, not poured out one by one."""
    found = missed(MAIL, RAISED, [], at=SEEN)
    assert [type(event) for event in asked_for(found, MAIL)] == [DeliveryGathered] * 3
    assert asked_for(found, replace(MAIL, gather=None)) == found
