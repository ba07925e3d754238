"""The policy line without the log, for one document at a time: a page in, everything that follows from it out.

Reminders ring in between, in the order of their times, as they rang then. What the steps remember of a document is
one value, so that a replay can be left after any page and gone on with in another process.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heapify, heappop, heappush
from typing import Generic, TypeVar

from agents.detect_changes import detect_changes
from agents.extract_versions import ReadingState, extract_versions
from agents.raise_alerts import raise_alerts
from agents.remind import bell
from pipeline.alerts.alert import AlertingState
from pipeline.events import (
    ChangeSettled,
    ClausesChanged,
    Event,
    PageFetched,
    ReminderSet,
    Value,
    VersionRecorded,
)
from pipeline.policy.lifecycle import DocumentState
from pipeline.ports import Blobs, Values

V = TypeVar("V")


class Standing(Value, frozen=True, kw_only=True):
    """A document as a replay left it: what each step remembers, and what is still to ring."""

    reading: ReadingState | None = None
    document: DocumentState | None = None
    alerting: AlertingState | None = None
    calendar: tuple[ReminderSet, ...] = ()


class Slot(Generic[V]):
    """A step's memory of one document."""

    def __init__(self, value: V | None) -> None:
        self.value = value

    def recall(self, key: str) -> V | None:
        return self.value

    def keep(self, key: str, value: V) -> None:
        self.value = value

    def forget(self, key: str) -> None:
        self.value = None


@dataclass(kw_only=True)
class Rerun:
    """One document's line, from how it was left to how it is left again."""

    blobs: Blobs
    values: Values
    _reading: Slot[ReadingState] = field(default_factory=lambda: Slot(None))
    _document: Slot[DocumentState] = field(default_factory=lambda: Slot(None))
    _alerting: Slot[AlertingState] = field(default_factory=lambda: Slot(None))
    _calendar: list[tuple[datetime, str, ReminderSet]] = field(default_factory=list)

    @classmethod
    def over(cls, blobs: Blobs, values: Values, left: Standing) -> Rerun:
        """Return the line of a document as it was left."""
        calendar = [(reminder.due_at, reminder.id, reminder) for reminder in left.calendar]
        heapify(calendar)
        return cls(
            blobs=blobs,
            values=values,
            _reading=Slot(left.reading),
            _document=Slot(left.document),
            _alerting=Slot(left.alerting),
            _calendar=calendar,
        )

    @property
    def left(self) -> Standing:
        """What is to be remembered of the document."""
        return Standing(
            reading=self._reading.value,
            document=self._document.value,
            alerting=self._alerting.value,
            calendar=tuple(reminder for _, _, reminder in sorted(self._calendar)),
        )

    async def page(self, event: PageFetched) -> AsyncIterator[Event]:
        """Yield what follows from a page, and before it what fell due in the meantime."""
        async for result in self.until(event.at):
            yield result
        async for result in self._follow(event):
            yield result

    async def until(self, moment: datetime) -> AsyncIterator[Event]:
        """Ring what falls due up to a moment."""
        while self._calendar and self._calendar[0][0] <= moment:
            _, _, reminder = heappop(self._calendar)
            for event in bell(reminder):
                if isinstance(event, ChangeSettled):
                    async for result in self._follow(event):
                        yield result

    async def _follow(self, event: Event) -> AsyncIterator[Event]:
        if not isinstance(event, PageFetched):
            yield event
        if isinstance(event, ReminderSet):
            heappush(self._calendar, (event.due_at, event.id, event))
        for step in self._steps(event):
            async for result in step:
                async for further in self._follow(result):
                    yield further

    def _steps(self, event: Event) -> Sequence[AsyncIterator[Event]]:
        if isinstance(event, PageFetched):
            return [extract_versions(event, blobs=self.blobs, values=self.values, memory=self._reading)]
        if isinstance(event, VersionRecorded):
            return [detect_changes(event, values=self.values, memory=self._document)]
        if isinstance(event, ClausesChanged | ChangeSettled):
            return [raise_alerts(event, values=self.values, memory=self._alerting)]
        return []
