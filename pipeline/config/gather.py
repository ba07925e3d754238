"""How a route's alerts are gathered: in groups, as a daily or a weekly digest."""

from __future__ import annotations

from pipeline.alerts.hours import DAYS, minute_of_day, zone_of
from pipeline.config.reading import Item, Table
from pipeline.config.sections import choice
from pipeline.config.values import duration
from pipeline.errors import ConfigError
from pipeline.events import Gather, Severity

GROUP_KEYS = ("by", "wait", "interval")
DIGEST_KEYS = ("digest", "at", "day", "zone")
BY = ("service", "all")
DIGESTS = ("daily", "weekly")
REMEDY = 'Write gather: {by: service} for groups, or gather: {digest: daily, at: "08:00"}'


def gather(item: Item | None) -> Gather | None:
    """Return how a route gathers, None where each alert is told at once."""
    table = item.table((*GROUP_KEYS, *DIGEST_KEYS, "urgent")) if item else None
    if table is None:
        return None
    urgent = table.get("urgent")
    grave = Severity(choice(urgent, tuple(Severity))) if urgent else None
    if not any(name in table for name in (*GROUP_KEYS, *DIGEST_KEYS)):
        table.wrong("this gathers nothing", REMEDY)
        return None
    return _digest(table, grave) if any(name in table for name in DIGEST_KEYS) else _group(table, grave)


def _group(table: Table, urgent: Severity | None) -> Gather:
    by, wait, interval = (table.get(name) for name in GROUP_KEYS)
    return Gather(
        how="group",
        by=choice(by, BY) if by else "service",
        wait_s=duration(wait, zero=True) if wait else 30.0,
        interval_s=duration(interval, zero=True) if interval else 300.0,
        urgent=urgent,
    )


def _digest(table: Table, urgent: Severity | None) -> Gather | None:
    for name in GROUP_KEYS:
        if found := table.get(name):
            found.wrong(f'a digest has no "{name}"', f"Leave it out, or leave out {', '.join(DIGEST_KEYS)}")
    written = table.need("digest", "Say how often: digest: daily, or digest: weekly")
    how = choice(written, DIGESTS) if written else "daily"
    day, at, zone = table.get("day"), table.get("at"), table.get("zone")
    if day and how == "daily":
        day.wrong("a daily digest has no day", "Leave it out, or write digest: weekly")
    return Gather(
        how=how,
        day=DAYS.index(choice(day, DAYS)) if day else 0,
        at=_minute(at) if at else 480,
        zone=_zone(zone) if zone else "UTC",
        urgent=urgent,
    )


def _minute(item: Item) -> int:
    """Return a minute of the day; YAML 1.1 takes 18:30 without quotes for a number, and its words are the same."""
    try:
        return minute_of_day(item.text() if item.kind in {"a table", "a list"} else str(item.node.value))
    except ConfigError as error:
        item.wrong(str(error.args[0]), error.remedy)
        return 0


def _zone(item: Item) -> str:
    try:
        return zone_of(item.text()).key
    except ConfigError as error:
        item.wrong(str(error.args[0]), error.remedy)
        return "UTC"
