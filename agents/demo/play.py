"""The days, one after the other, with the real program in the middle; then the reckoning."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

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
LONGEST_S = 12.0


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
                await _day(world, settings, day, console)
        checks = judged(story, world.inbox, settings)
        found = alerts(world.received, settings)
        for alert in found:
            show.alert_view(console, alert, told_items(story, alert))
        show.latencies(console, found)
        show.checks(console, checks)
        well = all(check.holds for check in checks)
        show.closing(console, folder, world.inbox, time.monotonic() - began, well=well)
    return well


async def _day(world: DemoWorld, settings: Settings, day: Day, console: Console) -> None:
    """Let one day pass: until every source was read and everything that it set off has arrived."""
    began, before = time.monotonic(), len(world.received)
    with console.status(f"{day.date:%d %b %Y}  {day.title} …"):
        await world.polled(DOCUMENT_READS, FEED_READS)
        await until(lambda: is_told(world, settings, day), LONGEST_S)
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
