"""When a failed delivery is tried again, and how an attempt is told."""

from datetime import timedelta

import pytest

from pipeline.alerts import attempt
from pipeline.errors import DeliveryError, RefusedError
from pipeline.events import Channel
from tests.alerts.samples import SEEN, due, updated

SCHEDULE_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)


def waits(channel: Channel, delivery_id: str = "dlv-1") -> list[float]:
    """The seconds between attempts until the delivery is given up."""
    found: list[float] = []
    while again := attempt.retry_at(channel, delivery_id, len(found) + 1, failed_at=SEEN):
        found.append((again - SEEN).total_seconds())
    return found


def test_webhook_schedule() -> None:
    """Webhooks are tried ten times, after the waits of Standard Webhooks' example and up to a tenth more."""
    assert all(
        wait <= found < wait * 1.1 for wait, found in zip(SCHEDULE_S, waits(Channel.WEBHOOK), strict=True)
    )


@pytest.mark.parametrize("channel", list(Channel))
def test_every_channel_ends(channel: Channel) -> None:
    """Each channel tries again at growing distances, and gives up."""
    assert 1 <= len(waits(channel)) < 12


def test_jitter_is_derived() -> None:
    """The same delivery waits the same time again; another one another time."""
    assert waits(Channel.WEBHOOK) == waits(Channel.WEBHOOK) != waits(Channel.WEBHOOK, "dlv-2")


@pytest.mark.parametrize(
    ("hint_s", "least_s", "most_s"),
    [(3_600, 3_600, 3_600), (1, 5, 5.5), (86_400, 86_400, 86_400), (10**9, 86_400, 86_400), (None, 5, 5.5)],
)
def test_hint_lengthens(hint_s: float | None, least_s: float, most_s: float) -> None:
    """Retry-After is honoured in full up to a day, and never shortens a wait."""
    again = attempt.retry_at(Channel.WEBHOOK, "dlv-1", 1, failed_at=SEEN, hint_s=hint_s)
    assert again is not None
    assert least_s <= (again - SEEN).total_seconds() <= most_s


@pytest.mark.parametrize(
    ("error", "number", "outcome"),
    [
        (DeliveryError("no answer", ambiguous=True), 1, "failed"),
        (DeliveryError("no answer"), 10, "gave-up"),
        (RefusedError("gone", status=410), 1, "refused"),
    ],
)
def test_error_becomes_outcome(error: DeliveryError | RefusedError, number: int, outcome: str) -> None:
    """A failure is tried again until the last attempt; a refusal ends it at once."""
    event = attempt.failed(due(), error, channel=Channel.WEBHOOK, attempt=number, at=SEEN)
    assert event.outcome == outcome
    assert (event.retry_at is not None) == (outcome == "failed")


def test_failure_says_what_to_do() -> None:
    """The remedy stands in the record beside the fact."""
    error = RefusedError("not found", remedy="Invite the app")
    assert attempt.failed(due(), error, channel=Channel.SLACK, attempt=1, at=SEEN).reason == (
        "not found. Invite the app"
    )


def test_sent_keeps_receipt() -> None:
    """A sent update is recorded as one, with what the channel gave back, trimmed."""
    event = attempt.sent(
        due(updated()), attempt=2, at=SEEN, status=200, response="x" * 9_999, receipt={"ts": "1.2"}
    )
    assert (event.what, event.alert_id, event.receipt) == ("update", "alt-aaaa", {"ts": "1.2"})
    assert len(event.response) == 2_000


def test_whole_schedule_lasts_three_days() -> None:
    """A receiver that is down for 75 hours still gets the last attempt."""
    assert timedelta(hours=75) < timedelta(seconds=sum(waits(Channel.WEBHOOK))) < timedelta(hours=84)
