"""What falls due rings once: a change that stood, a day that came, a window that is to be told."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from agents.remind import bell, ring
from pipeline.events import ChangeSettled, Event, GatheringDue, ReminderSet
from tests.fakes import NOON, FixedClock, ListLog


def reminder(what: str) -> ReminderSet:
    return ReminderSet(
        reminder_id=f"rem-{what}", what=what, due_at=NOON, set_at=NOON - timedelta(hours=1), document_id="x/terms",
        change_id="chg-1", subscription_id="desk", group="group:x", window="win-1",
    )  # fmt: skip


class Calendar:
    """Reminders that leave when their end comes back from the log."""

    def __init__(self, log: ListLog, *kept: ReminderSet) -> None:
        self.log, self.kept = log, kept

    def items(self) -> list[tuple[str, ReminderSet]]:
        done = {event.key for event in self.log.published if isinstance(event, ReminderSet)}
        return [(one.key, one) for one in self.kept if one.key not in done]


@pytest.mark.parametrize(
    ("what", "event"),
    [
        ("confirm", ChangeSettled),
        ("in-force", ChangeSettled),
        ("gather", GatheringDue),
    ],
)
def test_bell_says_what_fell_due(what: str, event: type[Event]) -> None:
    """A reminder gives rise to its event, at the time that it was set for, and then to its own end."""
    first, done = bell(reminder(what))
    assert (type(first), first.at) == (event, NOON)
    assert isinstance(done, ReminderSet)
    assert done.done


def test_window_is_named() -> None:
    """Which window of which group is to be told is said."""
    first = bell(reminder("gather"))[0]
    assert isinstance(first, GatheringDue)
    assert (first.key, first.window) == ("desk|group:x", "win-1")


async def test_rings_once_when_its_time_comes() -> None:
    """Nothing rings before its time, and nothing twice."""
    log, clock = ListLog(), FixedClock(NOON - timedelta(seconds=1))
    ringing = asyncio.create_task(ring(Calendar(log, reminder("gather")), log=log, clock=clock, every_s=0.01))
    await asyncio.sleep(0.05)
    early = len(log.published)
    clock.moment = NOON
    await asyncio.sleep(0.1)
    ringing.cancel()
    await asyncio.gather(ringing, return_exceptions=True)
    assert (early, len(log.published)) == (0, 2)
