"""When a destination that only fails is switched off."""

from datetime import timedelta

import pytest

from pipeline.alerts import attempt, health
from pipeline.alerts.health import Health
from pipeline.errors import DeliveryError, RefusedError
from pipeline.events import Channel, DeliveryAttempted
from tests.alerts.samples import SEEN, due


def ended(error: DeliveryError | RefusedError | None, number: int = 1, days: float = 0) -> DeliveryAttempted:
    at = SEEN + timedelta(days=days)
    if error is None:
        return attempt.sent(due(), attempt=number, at=at)
    return attempt.failed(due(), error, channel=Channel.WEBHOOK, attempt=number, at=at)


def after(*events: DeliveryAttempted) -> Health:
    state = Health()
    for event in events:
        state = health.attempted(state, event)
    return state


FAILED = ended(DeliveryError("no answer"))
GIVEN_UP = ended(DeliveryError("no answer"), number=10, days=3)


@pytest.mark.parametrize(
    ("events", "days", "is_off"),
    [
        ((), 9, False),
        ((FAILED,), 4, False),
        ((FAILED,), 9, False),
        ((FAILED, GIVEN_UP), 4, False),
        ((FAILED, GIVEN_UP), 6, True),
        ((FAILED, GIVEN_UP, ended(None, days=4)), 9, False),
    ],
)
def test_off_after_five_days(events: tuple[DeliveryAttempted, ...], days: float, is_off: bool) -> None:
    """Five days of nothing but failures, a delivery given up among them, switch a destination off; a success forgives."""
    assert bool(health.why_off(after(*events), SEEN + timedelta(days=days))) is is_off


def test_gone_is_off_at_once() -> None:
    """A destination that says it wants no more is switched off at once."""
    gone = ended(RefusedError("the endpoint is gone (410)", status=410, disable=True))
    assert health.why_off(after(gone), SEEN) == "the endpoint is gone (410)"


def test_reason_reads_well() -> None:
    """The reason says since when, how often and what the last failure was."""
    assert health.why_off(after(FAILED, GIVEN_UP), SEEN + timedelta(days=6)) == (
        "nothing was taken since 17 October 2024, 09:04 UTC in 2 attempts; the last: no answer"
    )


@pytest.mark.parametrize(("days", "is_worrying"), [(0.9, False), (1.1, True)])
def test_worrying_after_a_day(days: float, is_worrying: bool) -> None:
    """A day of nothing but failures is worth a warning."""
    assert health.is_worrying(after(FAILED), SEEN + timedelta(days=days)) is is_worrying


def test_fault_of_ours_changes_nothing() -> None:
    """What failed on our side says nothing of the destination."""
    assert after(ended(DeliveryError("our server is away", ours=True))) == Health()


def test_late_repeat_changes_nothing() -> None:
    """A failure from before the last success, seen again, does not count anew."""
    well = after(FAILED, ended(None, days=1))
    assert health.attempted(well, FAILED) == well


def test_resumed_is_fresh() -> None:
    """What was declared anew since it began to fail starts afresh, and what was not does not."""
    ailing = after(FAILED, GIVEN_UP)
    assert health.resumed(ailing, SEEN + timedelta(days=4)).failures == 0
    assert health.resumed(ailing, SEEN - timedelta(days=4)) == ailing
