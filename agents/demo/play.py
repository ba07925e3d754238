"""The days, one after the other, with the real program in the middle; then the reckoning."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path

import structlog
from rich.console import Console

from agents.demo import show
from agents.demo.delivered import RAISED, alerts, told_items
from agents.demo.story import Day
from agents.demo.verdict import judged
from agents.demo.world import DemoWorld, until
from pipeline.config import Settings
from pipeline.events import Channel
from pipeline.ports import Clock

Start = Callable[[Settings, Clock], AbstractAsyncContextManager[object]]

DOCUMENT_READS = 3  # on every day: the first meets a change, the second confirms it
FEED_READS = 1
STILL_S = 0.8
LONGEST_DAY_S = 30.0  # a slow machine may take its time …
LONGEST_S = 70.0  # … but the whole ends, well or not


@contextmanager
def logging_to(path: Path) -> Iterator[None]:
    """Write what the program logs to a file for a while, one JSON object per line."""
    before = structlog.get_config()
    with path.open("w", encoding="utf-8") as file:
        structlog.configure(
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
            logger_factory=structlog.WriteLoggerFactory(file=file),
            cache_logger_on_first_use=False,
        )
        try:
            yield
        finally:
            structlog.configure(**before)


async def play(folder: Path, start: Start, console: Console) -> bool:
    """Run the demo and show it; True when the expected alerts, and no others, were delivered.

    `start` runs the whole program on settings and a clock for as long as its context lasts.
    """
    began = time.monotonic()
    async with DemoWorld(folder) as world:
        story, settings = world.story, world.settings()
        show.opening(console, len(story.days), len(story.documents), len(story.items))
        await world.advance(story.days[0])
        with logging_to(folder / show.LOG):
            async with start(settings, world.clock):
                await _days(world, settings, console)
        return _reckoned(world, settings, console, time.monotonic() - began)


def _reckoned(world: DemoWorld, settings: Settings, console: Console, seconds: float) -> bool:
    """Show what arrived and whether it is what had to."""
    found = alerts(world.received, settings)
    for alert in found:
        show.alert_view(console, alert, told_items(world.story, alert))
    show.latencies(console, found)
    checks = judged(world.story, world.inbox, settings)
    show.checks(console, checks)
    well = all(check.holds for check in checks)
    show.closing(console, world.folder, world.inbox, seconds, well=well)
    return well


async def _days(world: DemoWorld, settings: Settings, console: Console) -> None:
    ends = time.monotonic() + LONGEST_S
    for day in world.story.days:
        if day is not world.story.days[0]:  # the first has begun, so that the program finds a world
            await world.advance(day)
        await _day(world, settings, day, console, ends=ends)


async def _day(world: DemoWorld, settings: Settings, day: Day, console: Console, *, ends: float) -> None:
    """Let one day pass: until every source was read and everything that it set off has arrived."""
    began, before = time.monotonic(), len(world.received)
    with console.status(f"{day.date:%d %b %Y}  {day.title} …"):
        await world.polled(DOCUMENT_READS, FEED_READS)
        left_s = max(1.0, min(LONGEST_DAY_S, ends - time.monotonic()))
        await until(lambda: is_told(world, settings, day), left_s)
        await world.quiet(STILL_S)
    came = [arrival for arrival in world.received[before:] if arrival.channel is Channel.WEBHOOK]
    told = sum(arrival.body["type"] == RAISED for arrival in came)
    show.day_line(console, day, told, len(came) - told, time.monotonic() - began)


def is_told(world: DemoWorld, settings: Settings, day: Day) -> bool:
    """Say whether every alert that a day must bring has arrived, on every channel that asks for it."""
    today = [alert for alert in alerts(world.received, settings) if alert.at.date() == day.date]
    changes = {
        alert.document
        for alert in today
        if alert.kind == "change" and len(alert.messages) == len(settings.routes)
    }
    trouble = {alert.document for alert in today if alert.kind == "health"}
    watches = {watch for alert in today for watch in alert.data.get("watches", [])}
    due = {told.document for told in day.alerts}
    return changes >= due and trouble >= set(day.trouble) and watches >= set(day.tells)
