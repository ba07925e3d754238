"""What is known of a document over time: its accepted state, the states before, what awaits confirmation.

Pure decisions on frozen state. A change is provisional until a second read agrees or it has stood for hours; it
is withdrawn when the page goes back first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import msgspec

from pipeline.events import (
    BodyRef,
    Change,
    ChangeSettled,
    ClausesChanged,
    PageRef,
    ReminderSet,
    Value,
    VersionRecorded,
    derived_id,
)

RECENT_STATES = 30  # a state that returns within so many is recognised (28 % of archived changes are returns)
SEEN_EVENTS = 64
STANDS_AFTER = timedelta(hours=6)
INLINE_BYTES = 300_000  # of changes in one record; the rest is referred to


class Head(Value, frozen=True, kw_only=True):
    """One accepted state of a document."""

    fingerprint: str
    version: BodyRef
    page: PageRef
    extractor: str = ""


class Provisional(Value, frozen=True, kw_only=True):
    """A change that was found and not yet confirmed, and the state it would go back to."""

    change_id: str
    before: Head


class DocumentState(Value, frozen=True, kw_only=True):
    """Everything remembered of one document between two events."""

    head: Head | None = None
    recent: tuple[Head, ...] = ()
    provisional: Provisional | None = None
    ledger: BodyRef | None = None
    seen: tuple[str, ...] = ()


def noted(seen: Sequence[str], event_id: str, *, keep: int = SEEN_EVENTS) -> tuple[str, ...]:
    """Return the bounded memory of handled events with one more."""
    return (*seen, event_id)[-keep:]


def head_of(event: VersionRecorded, version: BodyRef) -> Head:
    """Return the state that a recorded version stands for."""
    return Head(fingerprint=event.fingerprint, version=version, page=event.page, extractor=event.extractor)


def advanced(state: DocumentState, head: Head, *, ledger: BodyRef | None = None) -> DocumentState:
    """Return the state after a version was accepted; the one before it joins the recent ones."""
    others = tuple(old for old in state.recent if old.fingerprint != head.fingerprint)
    before = (state.head,) if state.head and state.head.fingerprint != head.fingerprint else ()
    recent = tuple({old.fingerprint: old for old in (*others, *before)}.values())[-RECENT_STATES:]
    return msgspec.structs.replace(state, head=head, recent=recent, ledger=ledger or state.ledger)


def settled(provisional: Provisional, event: VersionRecorded, how: str, reason: str) -> ChangeSettled:
    """Return the event that confirms or withdraws a provisional change."""
    return ChangeSettled(
        document_id=event.document.id,
        change_id=provisional.change_id,
        settled_at=event.at,
        how=how,
        reason=reason,
    )


def reminders(change: ClausesChanged) -> list[ReminderSet]:
    """Return what falls due after a change: that it stood for hours, and the day it comes into force."""
    due = [] if change.confirmed else [("confirm", change.at + STANDS_AFTER)]
    day = _day(change.effective_date)
    if day and day > change.at.date():
        due.append(("in-force", datetime.combine(day, time(), tzinfo=UTC)))
    return [
        ReminderSet(
            reminder_id=derived_id("rem", change.id, what),
            what=what,
            due_at=due_at,
            set_at=change.at,
            document_id=change.document.id,
            change_id=change.id,
        )
        for what, due_at in due
    ]


def _day(text: str | None) -> date | None:
    """Return the day that a date names; none where it names a month, on which nothing falls due."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def counts(changes: Sequence[Change]) -> dict[str, int]:
    """Return how many changes there are of each type."""
    tally: dict[str, int] = {}
    for change in changes:
        tally[change.type.value] = tally.get(change.type.value, 0) + 1
    return tally
