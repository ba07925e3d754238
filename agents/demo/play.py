"""The days, one after the other, with the real program in the middle; then the reckoning."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from rich.console import Console

from agents.demo import show
from agents.demo.inbox import Arrival
from agents.demo.story import Day
from agents.demo.verdict import alerts, judged, linked
from agents.demo.world import DemoWorld
from pipeline.config import Settings
from pipeline.ports import Clock

Start = Callable[[Settings, Clock], AbstractAsyncContextManager[object]]

READS = 3  # of every source on every day: the first meets the change, the second confirms it
STILL_S = 0.8


async def play(folder: Path, start: Start, console: Console) -> bool:
    """Run the demo and show it; True when the expected alerts, and no others, were delivered.

    `start` runs the whole program on settings and a clock for as long as its context lasts.
    """
    began = time.monotonic()
    async with DemoWorld(folder) as world:
        story, settings = world.story, world.settings()
        show.opening(console, len(story.days), len(story.documents), len(story.items))
        await world.advance(story.days[0])
        async with start(settings, world.clock):
            for number, day in enumerate(story.days):
                if number:
                    await world.advance(day)
                await _day(world, day, console)
        checks = judged(story, world.inbox, settings)
        found = alerts(world.inbox, settings)
        for alert in found:
            show.alert_view(console, alert, linked(story, world.inbox, alert) if alert.fetched_at else ())
        show.latencies(console, found)
        show.checks(console, checks)
        well = all(check.holds for check in checks)
        show.closing(console, folder, world.inbox, time.monotonic() - began, well=well)
    return well


async def _day(world: DemoWorld, day: Day, console: Console) -> None:
    """Let one day pass: until every source was read and everything that it set off has arrived."""
    began, before = time.monotonic(), len(world.received)
    due = sum(len(past.alerts) for past in world.story.days if past.date <= day.date)
    with console.status(f"{day.date:%d %b %Y}  {day.title} …"):
        await world.polled(READS)
        await world.arrived(due)
        await world.quiet(STILL_S)
    came = world.received[before:]
    show.day_line(console, day, *_tally(came), time.monotonic() - began)


def _tally(came: list[Arrival]) -> tuple[int, int]:
    told = {(arrival.what, arrival.alert_id) for arrival in came if arrival.alert_id}
    updates = {
        arrival.message_id for arrival in came if arrival.what != "alert" and arrival.channel == "webhook"
    }
    return len({alert for what, alert in told if what == "alert"}), len(updates)
