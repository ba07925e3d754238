"""The pollers' decisions: when a source is due, what an answer means, when people are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from pipeline.errors import FetchError
from pipeline.events import FetchOutcome
from pipeline.polling import (
    DAY_S,
    Fetched,
    Health,
    PollState,
    Reading,
    Validators,
    after_failure,
    after_hold,
    after_success,
    backoff_s,
    fresh_state,
    is_news,
    next_due,
    read_answer,
    read_error,
    retry_after,
    usable_validators,
)

NOW = datetime(2024, 10, 17, 8, 0, tzinfo=UTC)
FAILED = Reading(outcome=FetchOutcome.FAILED, health=Health.FAILING, reason="status 500")


def answered(status: int, **headers: str) -> Fetched:
    given_headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fetched(
        url="u", status=status, final_url="u", fetched_at=NOW, elapsed_s=0.1, headers=given_headers
    )


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("Thu, 17 Oct 2024 08:02:00 GMT", 120),
        ("Thu, 17 Oct 2024 07:00:00 GMT", 0),
        ("999999999", DAY_S),
        ("Fri, 17 Oct 2094 08:00:00 GMT", DAY_S),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("٣", None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    """Retry-After is read as seconds or as a date, bounded to a day, and nonsense is none."""
    assert retry_after(value, now=NOW) == seconds


@pytest.mark.parametrize(
    ("fetched", "outcome", "health"),
    [
        (answered(200), FetchOutcome.OK, Health.OK),
        (answered(204), FetchOutcome.OK, Health.OK),
        (answered(304), FetchOutcome.UNCHANGED, Health.OK),
        (answered(206), FetchOutcome.FAILED, Health.FAILING),
        (answered(302), FetchOutcome.FAILED, Health.FAILING),
        (answered(401), FetchOutcome.BLOCKED, Health.BLOCKED),
        (answered(403), FetchOutcome.BLOCKED, Health.BLOCKED),
        (answered(404), FetchOutcome.FAILED, Health.GONE),
        (answered(410), FetchOutcome.FAILED, Health.GONE),
        (answered(429), FetchOutcome.BLOCKED, Health.BLOCKED),
        (answered(500), FetchOutcome.FAILED, Health.FAILING),
        (answered(503), FetchOutcome.FAILED, Health.FAILING),
        (answered(403, cf_mitigated="challenge"), FetchOutcome.BLOCKED, Health.BLOCKED),
        (answered(503, cf_mitigated="challenge"), FetchOutcome.BLOCKED, Health.BLOCKED),
        (answered(202, x_amzn_waf_action="challenge"), FetchOutcome.BLOCKED, Health.BLOCKED),
    ],
)
def test_answers(fetched: Fetched, outcome: FetchOutcome, health: Health) -> None:
    """An answer's status and the marks of bot protections say what it means for the source."""
    reading = read_answer(fetched)
    assert (reading.outcome, reading.health) == (outcome, health)


def test_robots_block() -> None:
    """What robots.txt forbids is blocked, and the reason names it."""
    reading = read_error(FetchError("robots.txt of x disallows y", kind="robots"))
    assert (reading.outcome, reading.health) == (FetchOutcome.BLOCKED, Health.BLOCKED)
    assert "robots.txt" in reading.reason


def test_back_off_doubles() -> None:
    """A failing source is retried soon, then ever later, at least once a day."""
    waits = [backoff_s(3600, failures) for failures in (1, 2, 3, 7, 20, 10_000)]
    assert waits == [60, 120, 240, 3840, DAY_S, DAY_S]


def test_back_off_when_blocked() -> None:
    """Who refused us is asked no sooner than the next ordinary poll."""
    assert backoff_s(3600, 1, blocked=True) == 3600


@given(st.floats(1, 10 * DAY_S), st.integers(1, 5000), st.floats(0, 1, exclude_max=True), st.floats(0, DAY_S))
def test_never_given_up(interval_s: float, failures: int, jitter: float, asked_s: float) -> None:
    """Whatever happened, a source is due again: not before the server's wish, and within days."""
    due = next_due(NOW, backoff_s(interval_s, failures), jitter=jitter, at_least_s=asked_s)
    assert NOW + timedelta(seconds=asked_s) <= due + timedelta(milliseconds=1)
    assert due <= NOW + timedelta(seconds=1.1 * max(interval_s, DAY_S) + 60)


def test_people_hear_sparingly() -> None:
    """Of 40 failures an hour apart people hear the first, the third, and one a day after that."""
    state, told_at = PollState(source_id="s"), []
    for hour in range(40):
        now = NOW + timedelta(hours=hour)
        told = is_news(state, FAILED, now)
        if told:
            told_at.append(hour)
        state = after_failure(state, FAILED, now=now, interval_s=3600, jitter=0.5, told=told)
    assert told_at == [0, 2, 26]


def test_other_trouble_is_news() -> None:
    """A source that failed and is now blocked is told again."""
    state = after_failure(PollState(source_id="s"), FAILED, now=NOW, interval_s=60, jitter=0, told=True)
    blocked = Reading(outcome=FetchOutcome.BLOCKED, health=Health.BLOCKED, reason="status 403")
    assert is_news(state, blocked, NOW + timedelta(minutes=1))


def test_success_heals() -> None:
    """A read that works ends the trouble and forgets the reason."""
    state = after_failure(PollState(source_id="s"), FAILED, now=NOW, interval_s=60, jitter=0, told=True)
    healed = after_success(state, answered(200), now=NOW, interval_s=60, jitter=0.5)
    assert (healed.health, healed.failures, healed.reason, healed.failing_since) == (Health.OK, 0, "", None)
    assert healed.due_at == NOW + timedelta(seconds=60)


def test_hold_is_no_failure() -> None:
    """A host that asked us to wait leaves the source's health as it was."""
    held = after_hold(
        PollState(source_id="s"), FetchError("wait", kind="held", retry_after_s=90), now=NOW, jitter=0
    )
    assert (held.failures, held.due_at) == (0, NOW + timedelta(seconds=90))


def test_validators_rest_once_a_day() -> None:
    """Once a day a page is read in full, since an ETag can lie."""
    known = Validators(url="u", etag='"1"')
    state = PollState(source_id="s", validators=known, full_read_at=NOW)
    assert usable_validators(state, NOW + timedelta(hours=23)) == known
    assert usable_validators(state, NOW + timedelta(hours=24)) is None


def test_a_304_keeps_validators() -> None:
    """A 304 without an ETag leaves the ones that we have."""
    known = Validators(url="u", etag='"1"')
    state = PollState(source_id="s", validators=known, full_read_at=NOW)
    assert after_success(state, answered(304), now=NOW, interval_s=60, jitter=0).validators == known


@pytest.mark.parametrize(
    ("hops", "moved_to"),
    [(("301 v", "308 u"), "u"), (("301 v", "302 u"), ""), ((), "")],
    ids=["for good", "for now", "not at all"],
)
def test_moved(hops: tuple[str, ...], moved_to: str) -> None:
    """Permanent redirects are told with their end, and the source's own address is not given up."""
    fetched = structs.replace(answered(200), redirects=hops)
    after = after_success(PollState(source_id="s", url="old"), fetched, now=NOW, interval_s=60, jitter=0)
    assert (after.moved_to, after.url) == (moved_to, "old")


def test_new_address() -> None:
    """A source that moved is asked at once and without the old address's validators."""
    state = PollState(source_id="s", url="old", validators=Validators(url="old"), due_at=NOW)
    moved = fresh_state(state, "s", "new")
    assert moved == structs.replace(state, url="new", validators=None, due_at=None)
