"""Gathered messages in the outbox: alone, with news under them, and without what was withdrawn before they were sent."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from pipeline.alerts import attempt, outbox
from pipeline.alerts.outbox import GATHERED, Outbox
from pipeline.alerts.route import delivery_id
from pipeline.errors import DeliveryError
from pipeline.events import Channel, DeliveryAttempted, DeliveryDue, Severity
from tests.alerts.samples import DOCUMENT, SEEN, alert, change, due, updated, withdrawn

GROUP = "group:x"


def member(number: int) -> DeliveryDue:
    raised = alert(alert_id=f"alt-{number}", document=replace(DOCUMENT, id=f"x/{number}"))
    return due(raised, delivery_id(raised.id, "sub-1"), thread=f"x/{number}")


def message(*numbers: int, name: str = "dlv-g") -> DeliveryDue:
    return DeliveryDue(
        delivery_id=name, subscription_id="sub-1", thread=GROUP, due_at=SEEN, gathered="group",
        members=tuple(map(member, numbers)),
    )  # fmt: skip


def news(number: int) -> DeliveryDue:
    told = updated("in-force", f"alt-{number}")
    return due(told, f"dlv-u{number}", thread=GROUP, gathered="group", alert=alert(alert_id=told.alert_id))


def gone(number: int) -> DeliveryDue:
    told = withdrawn(alert_id=f"alt-{number}")
    return due(told, f"dlv-w{number}", thread=GROUP, gathered="group", alert=alert(alert_id=told.alert_id))


def filled(*dues: DeliveryDue) -> Outbox:
    box = Outbox()
    for event in dues:
        box = outbox.due(box, event)
    return box


def sent(event: DeliveryDue, **receipt: str) -> DeliveryAttempted:
    return attempt.sent(event, attempt=1, at=SEEN, receipt=receipt)


def test_message_says_what_it_stands_for() -> None:
    """How a gathered message fared is recorded with the deliveries that it stands for."""
    event = sent(message(1, 2))
    assert (event.what, event.alert_id, event.members) == (
        "group", "", (member(1).delivery_id, member(2).delivery_id),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("severities", "gravest"), [(("low", "critical", "high"), "critical"), (("info", "info"), "info")]
)
def test_message_is_as_grave_as_its_gravest(severities: tuple[str, ...], gravest: str) -> None:
    """One grave alert lets the whole message break through quiet hours."""
    one = message(*range(len(severities)))
    graded = tuple(
        replace(member, alert=alert(severity=Severity(severity)))
        for member, severity in zip(one.members, severities, strict=True)
    )
    assert attempt.gravity(replace(one, members=graded)) == gravest


def test_message_stands_alone() -> None:
    """A gathered message opens a thread of its own, however many came before it."""
    box = outbox.attempted(filled(message(1, 2)), sent(message(1, 2), ts="1.1"))
    assert outbox.parent(box, message(3, 4, name="dlv-h")) is None


def test_news_goes_into_its_thread() -> None:
    """News of an alert belongs under the message that told it, and names no message to change."""
    box = outbox.attempted(filled(message(1, 2)), sent(message(1, 2), ts="1.1", channel="C1"))
    box = outbox.attempted(
        outbox.due(box, message(3, 4, name="dlv-h")), sent(message(3, 4, name="dlv-h"), ts="2.2")
    )
    assert outbox.parent(box, news(2)) == {"channel": "C1", "thread_ts": "1.1"}


def test_second_news_finds_the_thread_too() -> None:
    """The reply before it is not mistaken for the alert's own message."""
    box = outbox.attempted(filled(message(1, 2)), sent(message(1, 2), ts="1.1"))
    box = outbox.attempted(outbox.due(box, news(2)), sent(news(2), ts="1.2", thread_ts="1.1"))
    assert outbox.parent(box, gone(2)) == {"thread_ts": "1.1"}


def test_news_of_what_was_not_told_here_stands_alone() -> None:
    """News of an alert that no message of the group told belongs under none."""
    box = outbox.attempted(filled(message(1, 2)), sent(message(1, 2), ts="1.1"))
    assert outbox.parent(box, news(9)) is None


def test_withdrawn_member_leaves() -> None:
    """An alert withdrawn before its message was sent is not in it, and its withdrawal is not told."""
    box = filled(message(1, 2), gone(2))
    up = outbox.next_up(box, SEEN)
    assert up is not None
    assert [attempt.alert_id(one) for one in up.members] == ["alt-1"]
    assert [event.delivery_id for event, _ in outbox.overtaken(box)] == [member(2).delivery_id, "dlv-w2"]


def test_skips_reach_the_outbox_of_the_group() -> None:
    """What leaves a message is recorded with the message's thread, where the outbox hears of it."""
    assert {event.thread for event, _ in outbox.overtaken(filled(message(1, 2), gone(2)))} == {GROUP}


@pytest.mark.parametrize("folded", [1, 2])
def test_leaving_survives_a_crash(folded: int) -> None:
    """After one skip or both the message tells what is left, and the withdrawal is never told."""
    box = filled(message(1, 2), gone(2))
    for event, reason in outbox.overtaken(box)[:folded]:
        skip = attempt.skipped(event, reason, at=SEEN)
        assert outbox.is_pending(box, skip)
        box = outbox.attempted(box, skip)
        assert not outbox.is_pending(box, skip)
    assert [event.delivery_id for event, _ in outbox.overtaken(box)] == ["dlv-w2"][folded - 1 :]
    up = outbox.next_up(box, SEEN)
    assert up is not None
    assert attempt.members(up) == (member(1).delivery_id,)


def test_message_of_nothing_is_not_sent() -> None:
    """Where every alert was withdrawn there is no message."""
    box = filled(message(1), gone(1))
    assert outbox.next_up(box, SEEN) is None
    for event, reason in outbox.overtaken(box):
        box = outbox.attempted(box, attempt.skipped(event, reason, at=SEEN))
    assert box.pending == ()


def test_maybe_told_is_withdrawn_in_the_open() -> None:
    """A message that may have arrived keeps all its alerts, and the withdrawal follows it."""
    lost = attempt.failed(
        message(1, 2), DeliveryError("no answer", ambiguous=True), channel=Channel.SLACK, attempt=1, at=SEEN
    )
    box = outbox.due(outbox.attempted(filled(message(1, 2)), lost), gone(2))
    assert outbox.overtaken(box) == ()


def test_alert_skipped_before_a_crash_takes_its_withdrawal() -> None:
    """Of an ordinary alert too: once it is recorded as skipped, its withdrawal is never told."""
    box = filled(member(1), gone(1))
    (first, reason), *_ = outbox.overtaken(box)
    box = outbox.attempted(box, attempt.skipped(first, reason, at=SEEN))
    assert [event.delivery_id for event, _ in outbox.overtaken(box)] == ["dlv-w1"]


def test_memory_of_messages_is_bounded() -> None:
    """However long a group lives, only the alerts of its last messages are remembered."""
    box = Outbox()
    for number in range(GATHERED):
        one = message(2 * number, 2 * number + 1, name=f"dlv-{number}")
        box = outbox.attempted(outbox.due(box, one), sent(one, ts=str(number)))
    assert len(box.together) == GATHERED // 2
    assert outbox.parent(box, news(2 * GATHERED - 1)) == {"thread_ts": str(GATHERED - 1)}


def test_messages_that_wait_share_the_room() -> None:
    """However many large messages are held back, what is remembered of them fits into a record."""
    text = "word " * 8_000
    large = [
        replace(message(1), delivery_id=f"dlv-{n}", members=tuple(
            replace(member(100 * n + at), alert=alert(change(text), alert_id=f"alt-{n}-{at}")) for at in range(15)
        )) for n in range(8)
    ]  # fmt: skip
    assert len(msgspec.json.encode(filled(*large))) < 1024 * 1024
