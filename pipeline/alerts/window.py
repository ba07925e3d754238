"""When what was gathered is told: some time after the first, or at an hour of the reader's day or week."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pipeline.alerts.hours import DAYS, on_the_wall
from pipeline.events import Gather


def next_close(gather: Gather, *, now: datetime, told_at: datetime | None) -> datetime:
    """Return when a window that opens now is told: after its wait and interval, or at the digest's next hour."""
    if gather.how == "group":
        waited = now + timedelta(seconds=gather.wait_s)
        return max(waited, told_at + timedelta(seconds=gather.interval_s)) if told_at else waited
    zone = ZoneInfo(gather.zone)
    today = now.astimezone(zone).date()
    days = [today + timedelta(days=ahead) for ahead in range(-1, 9)]
    wanted = [day for day in days if gather.how == "daily" or day.weekday() == gather.day]
    return min(moment for day in wanted if (moment := on_the_wall(day, gather.at, zone)) > now)


def asked(gather: Gather) -> str:
    """Return in words for a reader how alerts are gathered."""
    if gather.how == "group":
        by = "of one service" if gather.by == "service" else "of the route"
        apart = f"{_length(gather.wait_s)} after the first and {_length(gather.interval_s)} apart"
        return f"the alerts {by} are told together, {apart}"
    day = f"on {DAYS[gather.day]} " if gather.how == "weekly" else ""
    return f"a {gather.how} digest, told {day}at {gather.at // 60:02d}:{gather.at % 60:02d} ({gather.zone})"


def _length(seconds: float) -> str:
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds / unit:g} {name}"
    return f"{seconds:g} s"
