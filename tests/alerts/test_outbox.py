"""What one subscription is still to be told: order kept, repeats recognised, memory bounded."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerts import attempt, outbox
from pipeline.alerts.outbox import SETTLED, Outbox
from pipeline.errors import DeliveryError, RefusedError
from pipeline.events import Channel, DeliveryAttempted, DeliveryDue
from tests.alerts.samples import SEEN, alert, due, updated, withdrawn

LATER = SEEN + timedelta(days=9)


def filled(*dues: DeliveryDue) -> Outbox:
    box = Outbox()
    for event in dues:
        box = outbox.due(box, event)
    return box


def sent(event: DeliveryDue, at: datetime = SEEN, **receipt: str) -> DeliveryAttempted:
    return attempt.sent(event, attempt=1, at=at, receipt=receipt)


def failed(event: DeliveryDue, number: int = 1, error: Any = None) -> DeliveryAttempted:
    error = error or DeliveryError("no answer")
    return attempt.failed(event, error, channel=Channel.WEBHOOK, attempt=number, at=SEEN)


FIRST = due(alert(), "dlv-1")
UPDATE = due(updated(), "dlv-2", alert=alert())
SECOND = due(alert(alert_id="alt-bbbb"), "dlv-3")
WITHDRAWAL = due(withdrawn(), "dlv-4", alert=alert())


def test_due_is_next() -> None:
    """What is due comes up when its time has come, not before."""
    box = filled(FIRST)
    assert outbox.next_up(box, SEEN) == FIRST
    assert outbox.next_up(box, SEEN - timedelta(seconds=1)) is None


@pytest.mark.parametrize(("attempts", "ahead_h", "waits"), [(0, 2, False), (1, 2, True), (1, 48, False)])
def test_clock_set_back_holds_nothing_up(attempts: int, ahead_h: int, waits: bool) -> None:
    """What fell due by a clock that was hours ahead is sent; a retry that lies no further than any wait is waited for."""
    box = filled(msgspec.structs.replace(FIRST, due_at=SEEN + timedelta(hours=ahead_h)))
    pending = msgspec.structs.replace(box.pending[0], attempts=attempts)
    up = outbox.next_up(msgspec.structs.replace(box, pending=(pending,)), SEEN)
    assert (up is None) == waits


def test_update_waits_for_alert() -> None:
    """While the alert waits for its next attempt, its update waits too."""
    box = outbox.attempted(filled(FIRST, UPDATE), failed(FIRST))
    assert outbox.next_up(box, SEEN + timedelta(seconds=1)) is None
    assert outbox.next_up(box, SEEN + timedelta(seconds=9)) == FIRST


def test_later_alert_does_not_overtake() -> None:
    """A later alert of the thread waits until the earlier one is given up."""
    box = filled(FIRST, SECOND)
    box = outbox.attempted(box, failed(FIRST, 9))
    assert outbox.next_up(box, LATER) == FIRST
    box = outbox.attempted(box, failed(FIRST, 10))
    assert outbox.next_up(box, LATER) == SECOND


def test_sent_frees_next() -> None:
    """After the alert its update comes up, under the alert's message."""
    box = outbox.attempted(filled(FIRST, UPDATE), sent(FIRST, ts="1.1", channel="C1"))
    assert outbox.next_up(box, SEEN) == UPDATE
    assert outbox.parent(box, UPDATE) == {"ts": "1.1", "channel": "C1"}


def test_second_alert_has_root_as_parent() -> None:
    """A later alert belongs under the message that opened the thread; its updates under its own."""
    box = outbox.attempted(filled(FIRST, SECOND), sent(FIRST, ts="1.1"))
    assert outbox.parent(box, SECOND) == {"ts": "1.1"}
    box = outbox.attempted(box, sent(SECOND, ts="2.2"))
    assert outbox.parent(box, due(updated(alert_id="alt-bbbb"), "dlv-9")) == {"ts": "2.2"}


def test_first_alert_has_no_parent() -> None:
    """What opens the thread has nothing above it."""
    assert outbox.parent(filled(FIRST), FIRST) is None


def test_update_of_untold_alert_stands_alone() -> None:
    """An update of an alert that was refused never touches another alert's message."""
    box = outbox.attempted(filled(FIRST, SECOND), sent(FIRST, ts="1.1"))
    box = outbox.attempted(box, failed(SECOND, 1, RefusedError("too long")))
    assert outbox.parent(box, due(updated(alert_id="alt-bbbb"), "dlv-9")) is None


def test_earlier_updates_go_along() -> None:
    """An update carries those told before it, so that the message can show its present state."""
    news = due(updated("coverage"), "dlv-8", alert=alert())
    box = outbox.attempted(outbox.attempted(filled(FIRST, UPDATE, news), sent(FIRST)), sent(UPDATE))
    following = outbox.next_up(box, SEEN)
    assert following is not None
    assert [told.how for told in following.earlier] == ["confirmed"]


@pytest.mark.parametrize("box", [filled(FIRST), outbox.attempted(filled(FIRST), sent(FIRST))])
def test_repeated_due_changes_nothing(box: Outbox) -> None:
    """A delivery that is pending or was sent is not taken in again."""
    assert outbox.due(box, FIRST) is box


@pytest.mark.parametrize("event", [sent(FIRST), failed(FIRST), failed(FIRST, 1, RefusedError("gone"))])
def test_repeated_attempt_changes_nothing(event: DeliveryAttempted) -> None:
    """The same attempt folded twice leaves the outbox as once."""
    box = outbox.attempted(filled(FIRST), event)
    assert outbox.attempted(box, event) is box


def test_given_up_can_be_asked_for() -> None:
    """What was refused is not sent again by a repeat, but by one who asks for it later."""
    box = outbox.attempted(filled(FIRST), failed(FIRST, 1, RefusedError("not found")))
    assert outbox.due(box, FIRST) is box
    asked = msgspec.structs.replace(FIRST, due_at=SEEN + timedelta(hours=1))
    assert outbox.next_up(outbox.due(box, asked), LATER) == asked


def test_wakes_for_retry() -> None:
    """The outbox tells when its next attempt is due, and nothing when it is empty."""
    failure = failed(FIRST)
    assert outbox.wake_at(outbox.attempted(filled(FIRST), failure)) == failure.retry_at
    assert outbox.wake_at(outbox.attempted(filled(FIRST), sent(FIRST))) is None


def test_attempts_are_counted() -> None:
    """The next attempt knows its number."""
    box = filled(FIRST)
    assert outbox.attempt_of(box, FIRST) == 1
    assert outbox.attempt_of(outbox.attempted(box, failed(FIRST, 3)), FIRST) == 4


def test_withdrawn_unsent_is_silent() -> None:
    """An alert withdrawn before anybody was told is not sent, nor its update, nor the withdrawal."""
    box = filled(FIRST, UPDATE, SECOND, WITHDRAWAL)
    assert [event.delivery_id for event, _ in outbox.overtaken(box)] == ["dlv-1", "dlv-2", "dlv-4"]
    assert outbox.next_up(box, SEEN) == SECOND


def test_withdrawn_after_lost_answer_is_told() -> None:
    """An alert that may have arrived is settled and then withdrawn in the open."""
    lost = failed(FIRST, 1, DeliveryError("no answer", ambiguous=True))
    box = outbox.due(outbox.attempted(filled(FIRST), lost), WITHDRAWAL)
    assert outbox.overtaken(box) == ()
    assert outbox.next_up(box, LATER) == FIRST


def test_skipped_leaves() -> None:
    """A delivery recorded as skipped is pending no more."""
    box = filled(FIRST, WITHDRAWAL)
    for event, reason in outbox.overtaken(box):
        box = outbox.attempted(box, attempt.skipped(event, reason, at=SEEN))
    assert box.pending == ()


def test_memory_is_bounded() -> None:
    """However long a thread lives, what is remembered of it is not."""
    box = Outbox()
    for number in range(2 * SETTLED):
        event = due(alert(alert_id=f"alt-{number}"), f"dlv-{number}")
        box = outbox.attempted(outbox.due(box, event), sent(event, ts=str(number)))
    assert len(box.settled) == SETTLED
    assert len(msgspec.json.encode(box)) < 60_000
    assert box.root == {"ts": "0"}


def test_survives_the_changelog() -> None:
    """An outbox reads back from JSON as it was."""
    box = outbox.attempted(filled(FIRST, UPDATE, SECOND), sent(FIRST, ts="1.1"))
    assert msgspec.json.decode(msgspec.json.encode(box), type=Outbox) == box


def test_day_of_outage_loses_nothing() -> None:
    """A receiver that is down for a day gets everything afterwards, once and in order."""
    up_at = SEEN + timedelta(hours=24)
    dues = [due(alert(alert_id=f"alt-{n}"), f"dlv-{n}", due_at=SEEN + timedelta(hours=n)) for n in range(30)]
    box, told, attempts, now = Outbox(), [], 0, SEEN
    while len(told) < len(dues):
        for event in dues:
            box = outbox.due(box, event) if event.due_at <= now else box
        while up := outbox.next_up(box, now):
            number, attempts = outbox.attempt_of(box, up), attempts + 1
            error = DeliveryError("down")
            event = (
                attempt.failed(up, error, channel=Channel.WEBHOOK, attempt=number, at=now)
                if now < up_at
                else attempt.sent(up, attempt=number, at=now)
            )
            told += [up.delivery_id] if event.outcome == "sent" else []
            box = outbox.attempted(box, event)
        now += timedelta(minutes=1)
    assert told == [event.delivery_id for event in dues]
    assert attempts < len(dues) + 10


@given(st.lists(st.sampled_from(("sent", "failed", "repeat")), max_size=40))
def test_nothing_lost_or_doubled(script: list[str]) -> None:
    """Whatever fails and repeats, each delivery is sent once and in the order in which it fell due."""
    dues = [due(alert(alert_id=f"alt-{n}"), f"dlv-{n}") for n in range(4)]
    box, told, now = filled(*dues), [], SEEN
    for step in [*script, *["sent"] * 4]:
        if step == "repeat":
            box = filled_again(box, dues)
        elif up := outbox.next_up(box, now):
            number = outbox.attempt_of(box, up)
            event = failed(up, number) if step == "failed" and number < 10 else sent(up)
            told += [up.delivery_id] if event.outcome == "sent" else []
            box = outbox.attempted(outbox.attempted(box, event), event)
        now += timedelta(days=2)
    assert told == [f"dlv-{n}" for n in range(4)]


def filled_again(box: Outbox, dues: list[DeliveryDue]) -> Outbox:
    for event in dues:
        box = outbox.due(box, event)
    return box
