"""When a subscription wants to be told: business hours and quiet hours in its reader's time zone.

Local times are those of the wall: where a clock is set forward an hour that is left out begins at its end, where it
is set back the first of the two counts (PEP 495, fold 0).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipeline.errors import ConfigError
from pipeline.events import Hours, Severity

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTE = timedelta(minutes=1)


def opens_at(hours: Hours | None, severity: Severity, now: datetime) -> datetime | None:
    """Return until when a message is kept back; None when it may go now."""
    if hours is None or (hours.urgent and severity.rank >= hours.urgent.rank):
        return None
    zone = ZoneInfo(hours.zone)
    local = now.astimezone(zone)
    spans = [_span(hours, local, zone, days) for days in range(-1, 9)]
    open_ones = [span for span in spans if span]
    if any(begin <= now < end for begin, end in open_ones):
        return None
    return min((begin for begin, _ in open_ones if begin > now), default=None)


def why_held(hours: Hours, until: datetime) -> str:
    """Return in words for a reader why a message is kept back."""
    local = until.astimezone(ZoneInfo(hours.zone))
    return f"outside its hours: held until {local:%A, %d %B %Y, %H:%M} ({hours.zone})"


def hours(written: str, *, zone: str = "UTC", urgent: Severity | None = None) -> Hours:
    """Return the hours that `mon-fri 08:00-18:00` spells; ConfigError says what to write instead."""
    found = re.fullmatch(
        r"\s*(?:([a-z]{3}(?:\s*[-,]\s*[a-z]{3})*)\s+)?(\d{1,2}:\d{2})\s*[-–]\s*(\d{1,2}:\d{2})\s*",
        written.lower(),
    )
    if not found:
        raise ConfigError(f'"{written[:60]}" is no hours of a week', remedy="Write mon-fri 08:00-18:00")
    start, end = minutes(found[2]), minutes(found[3])
    if start in {1440, end}:
        raise ConfigError(f'"{written[:60]}" is no length of time', remedy="Write mon-fri 08:00-18:00")
    made = Hours(zone=zone, days=_days(found[1] or "mon-sun"), start=start, end=end, urgent=urgent)
    zone_of(made.zone)
    return made


def minutes(written: str) -> int:
    """Return the minutes of the day that `08:30` spells, up to 24:00; ConfigError for none."""
    hour, _, minute = written.partition(":")
    total = int(hour) * 60 + int(minute) if hour.isdecimal() and minute.isdecimal() else -1
    if not 0 <= total <= 1440 or int(minute) > 59:
        raise ConfigError(f'"{written[:20]}" is no time of a day', remedy="Write 08:30")
    return total


def minute_of_day(written: str) -> int:
    """Return the minute of the day that `08:30` spells, before 24:00; ConfigError for none."""
    minute = minutes(written)
    if minute == 1440:
        raise ConfigError('"24:00" is the next day', remedy="Write 00:00")
    return minute


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone; ConfigError where there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(
            f'there is no time zone "{name[:60]}"', key="zone", remedy="Write one such as Europe/Berlin"
        ) from None


def _days(written: str) -> tuple[int, ...]:
    days: list[int] = []
    for part in written.replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            raise ConfigError(f'"{part[:20]}" is no day', remedy=f"Write one of {', '.join(DAYS)}")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        days += [day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)]
    return tuple(sorted(set(days)))


def _span(hours: Hours, local: datetime, zone: ZoneInfo, days: int) -> tuple[datetime, datetime] | None:
    """Return the open hours that begin some days from a local time, in UTC; None where that day has none."""
    day = (local + timedelta(days=days)).date()
    if day.weekday() not in hours.days:
        return None
    length = (hours.end - hours.start) % 1440 or 1440
    return on_the_wall(day, hours.start, zone), on_the_wall(day, hours.start + length, zone)


def on_the_wall(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """Return when the clocks of a zone show a minute of a day, in UTC."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=None)  # noqa: DTZ001  # of the wall, made aware below
    return (midnight + minute * MINUTE).replace(tzinfo=zone).astimezone(UTC)
