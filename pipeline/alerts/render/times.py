"""Days and times as every channel says them, and from when a change counts."""

from __future__ import annotations

import re
from datetime import date, datetime

from pipeline.alerts.render.letters import count, one_line
from pipeline.events import AlertRaised

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)  # not calendar.month_name, which follows the locale


def day(moment: date) -> str:
    """Return a date in words: 17 October 2024."""
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}"


def days(first: date, last: date) -> str:
    """Return a span of days in words: 14 to 20 October 2024."""
    ends = (first.year, first.month, first.day), (last.year, last.month, last.day)
    if ends[0] == ends[1]:
        return day(last)
    same = 0 if first.year != last.year else 1 if first.month != last.month else 2
    start = (day(first), f"{first.day} {MONTHS[first.month - 1]}", str(first.day))[same]
    return f"{start} to {day(last)}"


def instant(moment: datetime) -> str:
    """Return a time in words, to the minute: 17 October 2024, 12:04 UTC."""
    return f"{day(moment)}, {moment:%H:%M} UTC"


def effective(alert: AlertRaised) -> str:
    """Return when the change comes into force, counted from when it was seen; empty when not known."""
    if not alert.effective_date:
        return ""
    on = _date(alert.effective_date)
    if on is None:
        return date_of(alert.effective_date)
    apart = (on - alert.raised_at.date()).days
    if apart == 0:
        return f"{day(on)}, the day it was seen"
    return f"{day(on)}, {_apart(abs(apart))} {'after' if apart > 0 else 'before'} it was seen"


def is_ahead(alert: AlertRaised) -> bool:
    """Say whether the date of an alert's document is one that it comes into force on, and not one long known."""
    given, seen = alert.effective_date or "", alert.raised_at.date().isoformat()
    return bool(given) and given[:10] >= seen[: len(given[:10])]


def in_force(alert: AlertRaised) -> str:
    """Return from when a coming text counts, in a few words; empty for one that has no date, or an old one."""
    return f"In force {effective(alert)}" if is_ahead(alert) else ""


def _apart(days: int) -> str:
    return count(days, "day") if days < 730 else f"{days // 365} years"


def date_of(given: str) -> str:
    """Return a date that a document gives in words, be it of a month only; one that cannot be read as it stands."""
    on = _date(given)
    return day(on) if on else _month(given) or one_line(given, 60)


def _date(given: str) -> date | None:
    try:
        return date.fromisoformat(given[:10])
    except ValueError:
        return None


def _month(given: str) -> str:
    """Return a date of a year and a month in words: 2024-11 is November 2024."""
    found = re.fullmatch(r"([0-9]{4})-(0[1-9]|1[0-2])", given)
    return f"{MONTHS[int(found[2]) - 1]} {found[1]}" if found else ""
