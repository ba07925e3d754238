"""When a subscription may be told, in its reader's time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerts.hours import hours, opens_at, why_held
from pipeline.errors import ConfigError
from pipeline.events import Hours, Severity

OFFICE = hours("mon-fri 08:00-18:00", zone="Europe/Berlin", urgent=Severity.CRITICAL)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (utc(2024, 10, 17, 6, 0), None),  # Thursday, 08:00 in Berlin
        (utc(2024, 10, 17, 5, 59), utc(2024, 10, 17, 6, 0)),
        (utc(2024, 10, 17, 15, 59), None),
        (utc(2024, 10, 17, 16, 0), utc(2024, 10, 18, 6, 0)),
        (utc(2024, 10, 18, 16, 0), utc(2024, 10, 21, 6, 0)),  # Friday evening
        (utc(2024, 10, 26, 12, 0), utc(2024, 10, 28, 7, 0)),  # the clock is set back that Sunday
        (utc(2024, 3, 30, 12, 0), utc(2024, 4, 1, 6, 0)),  # and forward that one
    ],
)
def test_message_waits_for_the_office(now: datetime, until: datetime | None) -> None:
    """Outside its hours a message waits for the next beginning, on the wall clock of the reader."""
    assert opens_at(OFFICE, Severity.HIGH, now) == until


def test_grave_message_waits_for_nothing() -> None:
    """What reaches the urgent severity is told at any hour."""
    assert opens_at(OFFICE, Severity.CRITICAL, utc(2024, 10, 19, 3)) is None


def test_hours_may_pass_midnight() -> None:
    """Hours that end before they begin end on the next day."""
    night = hours("sat 22:00-02:00")
    assert opens_at(night, Severity.LOW, utc(2024, 10, 20, 1, 59)) is None
    assert opens_at(night, Severity.LOW, utc(2024, 10, 20, 2, 0)) == utc(2024, 10, 26, 22, 0)


def test_hour_left_out_begins_at_its_end() -> None:
    """Hours that begin in the hour that summer time leaves out begin when the clock has jumped."""
    gap = hours("sun 02:30-05:00", zone="Europe/Berlin")
    assert opens_at(gap, Severity.LOW, utc(2024, 3, 31, 0, 0)) == utc(2024, 3, 31, 1, 30)


def test_no_hours_hold_nothing() -> None:
    """Without hours everything is told at once."""
    assert opens_at(None, Severity.INFO, utc(2024, 1, 1)) is None


@given(st.integers(0, 60 * 24 * 400), st.integers(0, 1439), st.integers(1, 1440), st.sampled_from(
    ["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"]))  # fmt: skip
def test_wait_ends_in_open_hours(minute: int, start: int, end: int, zone: str) -> None:
    """Whenever a message is held, it may go at the time that it is held until, and that is within nine days."""
    week = Hours(zone=zone, days=(0, 3, 6), start=start, end=end)
    now = utc(2024, 1, 1) + timedelta(minutes=minute)
    until = opens_at(week, Severity.LOW, now)
    if until:
        assert now < until <= now + timedelta(days=9)
        assert opens_at(week, Severity.LOW, until) is None


@pytest.mark.parametrize(
    "written",
    [
        "",
        "always",
        "mon-fri",
        "25:00-26:00",
        "08:00",
        "mon-xyz 08:00-18:00",
        "08:60-09:00",
        "24:00-08:00",
        "08:00-08:00",
    ],
)
def test_hours_that_are_none_are_refused(written: str) -> None:
    """What is no hours of a week is told with an example."""
    with pytest.raises(ConfigError):
        hours(written)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "", "\x00", "a" * 5000])
def test_zone_that_is_none_is_refused(zone: str) -> None:
    """A time zone that there is not is told, whatever its name."""
    with pytest.raises(ConfigError):
        hours("08:00-18:00", zone=zone)


def test_reason_tells_the_local_time() -> None:
    """The reason for waiting names the day and hour on the reader's wall."""
    assert "Monday, 21 October 2024, 08:00 (Europe/Berlin)" in why_held(OFFICE, utc(2024, 10, 21, 6))
