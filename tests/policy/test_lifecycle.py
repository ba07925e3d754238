"""What is known of a document over time: accepted states, what awaits confirmation, what falls due."""

from __future__ import annotations

import msgspec
import pytest

from pipeline.events import BodyRef, ClausesChanged, DocumentSpec, Evidence, PageRef, Verdict
from pipeline.policy.lifecycle import (
    RECENT_STATES,
    DocumentState,
    Head,
    advanced,
    noted,
    reminders,
)
from tests.fakes import NOON

BODY = BodyRef(sha256="ab" * 32, size=1)
PAGE = PageRef(page_id="page-1", url="https://x", final_url="https://x", fetched_at=NOON, body=BODY)
CHANGE = ClausesChanged(
    document=DocumentSpec(id="x/terms", service="X", name="Terms", url="https://x"),
    old_fingerprint="a",
    new_fingerprint="b",
    verdict=Verdict.CHANGED,
    evidence=Evidence(new=PAGE),
)


def head(mark: str) -> Head:
    return Head(fingerprint=mark, version=BODY, page=PAGE)


def due(**fields: object) -> dict[str, str]:
    """Return what falls due after a change, and on which day."""
    change = msgspec.structs.replace(CHANGE, **fields)
    return {reminder.what: f"{reminder.due_at:%Y-%m-%d}" for reminder in reminders(change)}


def test_coming_day_is_remembered() -> None:
    """A change that comes into force later is told again on that day, and confirmed by standing for hours."""
    assert due(effective_date="2024-11-15") == {"confirm": "2024-10-17", "in-force": "2024-11-15"}


@pytest.mark.parametrize("stated", [None, "2024-10-01", "2024-10-17", "2025-12", "soon"])
def test_no_other_day_is(stated: str | None) -> None:
    """A day that has passed, a mere month or no date sets no reminder."""
    assert due(effective_date=stated, confirmed=True) == {}


def test_states_are_remembered_once_each() -> None:
    """A state that came back moves to the front of the recent ones; it is not kept twice."""
    state = DocumentState()
    for mark in "abab":
        state = advanced(state, head(mark))
    assert (state.head, [old.fingerprint for old in state.recent]) == (head("b"), ["a"])


def test_memory_of_states_is_bounded() -> None:
    """Only so many earlier states are remembered, the newest of them."""
    state = DocumentState()
    for number in range(100):
        state = advanced(state, head(str(number)))
    assert [len(state.recent), state.recent[-1].fingerprint] == [RECENT_STATES, "98"]


def test_memory_of_events_is_bounded() -> None:
    """The newest handled events are remembered."""
    assert noted(["a", "b", "c"], "d", keep=2) == ("c", "d")
