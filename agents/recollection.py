"""What history holds under an id, and what it amounts to for a document: found by reading the topics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from agents.detect_changes import detect_changes
from agents.replay import decoded
from pipeline.errors import RejectError
from pipeline.events import (
    AlertRaised,
    Change,
    ChangeSettled,
    ClausesChanged,
    Comparison,
    Event,
    PageState,
    Version,
    VersionRecorded,
)
from pipeline.policy.identity import Ledger
from pipeline.policy.lifecycle import DocumentState
from pipeline.ports import History, Memory, Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """History read for what it says of changes and clauses."""

    history: History
    values: Values
    decode: Callable[[bytes | None], Event]

    def events(self, topic: str) -> Iterator[Event]:
        """Yield the events of a topic; what is none of ours is passed over."""
        yield from decoded(self.history.records(topic), self.decode)

    def alert(self, alert_id: str) -> AlertRaised | None:
        """Return an alert."""
        found = (event for event in self.events("alerts.raised") if isinstance(event, AlertRaised))
        return next((event for event in found if event.alert_id == alert_id), None)

    def change_set(self, change_id: str) -> ClausesChanged | None:
        """Return a change set."""
        return next((event for event in self.change_sets() if event.id == change_id), None)

    def change_sets(self) -> Iterator[ClausesChanged]:
        """Yield every change set."""
        return (event for event in self.events("clauses.changed") if isinstance(event, ClausesChanged))

    def settled(self, change_id: str) -> list[ChangeSettled]:
        """Return what became of a change set, each outcome once, in order of time."""
        found = (event for event in self.events("clauses.changed") if isinstance(event, ChangeSettled))
        mine = {event.id: event for event in found if event.change_id == change_id}
        return sorted(mine.values(), key=lambda event: event.settled_at)

    def versions(self, document_id: str = "") -> list[VersionRecorded]:
        """Return the recorded versions of a document, or of all, in the order of the log."""
        found = (event for event in self.events("versions.recorded") if isinstance(event, VersionRecorded))
        return [event for event in found if document_id in {"", event.document.id}]

    async def all_changes(self, event: ClausesChanged) -> Sequence[Change]:
        """Return every change of a set, those too that did not fit in its record."""
        if event.all_changes is None:
            return event.changes
        return (await self.values.get(event.all_changes, Comparison)).changes

    async def texts(self, event: ClausesChanged) -> tuple[Version, Version] | None:
        """Return both versions of a change set, None where one is not in the store any more."""
        recorded = self.versions(event.document.id)
        marks = {found.fingerprint: found.version for found in recorded if found.version}
        old, new = marks.get(event.old_fingerprint), marks.get(event.new_fingerprint)
        if old is None or new is None:
            return None
        try:
            return await self.values.get(old, Version), await self.values.get(new, Version)
        except RejectError:
            return None

    async def state(
        self, versions: Iterable[VersionRecorded], memory: Memory[DocumentState]
    ) -> DocumentState | None:
        """Return what is known of a document once its versions are read in order, as the program reads them."""
        key = ""
        for event in versions:
            key = event.key
            async for _ in detect_changes(event, values=self.values, memory=memory):
                pass
        return memory.recall(key) if key else None

    async def ledger(
        self, versions: Sequence[VersionRecorded], memory: Memory[DocumentState]
    ) -> tuple[Ledger, Version] | None:
        """Return a document's ledger and its present version with the clauses' permanent ids; None before the first."""
        good = [event for event in versions if event.state is PageState.OK]
        state = await self.state(good, memory)
        if state is None or state.ledger is None or state.head is None:
            return None
        return await self.values.get(state.ledger, Ledger), await self.values.get(state.head.version, Version)
