"""What falls due on a day: kept from the reminders topic, rung when its time comes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

import msgspec

from pipeline.events import ChangeSettled, Event, GatheringDue, ReminderSet
from pipeline.ports import Clock, Memory, Publisher

HOW = {"confirm": "confirmed", "in-force": "in-force"}
WHY = {"confirm": "it has stood since it was first seen", "in-force": "the day has come that the page named"}


class Reminders(Protocol):
    """The reminders of this process's partitions."""

    def items(self) -> Iterable[tuple[str, ReminderSet]]: ...


async def keep_reminder(event: ReminderSet, *, memory: Memory[ReminderSet]) -> None:
    """Keep a reminder until it is done."""
    if event.done:
        memory.forget(event.key)
    else:
        memory.keep(event.key, event)


async def ring(reminders: Reminders, *, log: Publisher, clock: Clock, every_s: float = 1.0) -> None:
    """Tell what fell due, for ever: first the event itself, then that the reminder is done."""
    rung: set[str] = set()  # a reminder leaves the calendar a moment after its bell
    while True:
        now = clock.now()
        due = [reminder for _, reminder in reminders.items() if reminder.due_at <= now]
        for reminder in due:
            if reminder.id not in rung:
                await log.publish_all(bell(reminder))
        rung = {reminder.id for reminder in due}
        await asyncio.sleep(every_s)


def bell(reminder: ReminderSet) -> list[Event]:
    """Return what a reminder gives rise to when its time has come."""
    fallen = _gathered(reminder) if reminder.what == "gather" else _settled(reminder)
    return [fallen, msgspec.structs.replace(reminder, done=True)]


def _settled(reminder: ReminderSet) -> ChangeSettled:
    return ChangeSettled(
        document_id=reminder.document_id,
        change_id=reminder.change_id,
        settled_at=reminder.due_at,
        how=HOW[reminder.what],
        reason=WHY[reminder.what],
    )


def _gathered(reminder: ReminderSet) -> GatheringDue:
    return GatheringDue(
        subscription_id=reminder.subscription_id,
        group=reminder.group,
        window=reminder.window,
        due_at=reminder.due_at,
    )
