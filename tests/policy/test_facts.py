"""Facts are found by value, and a change of one is told with its direction."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.events import Fact
from pipeline.policy.facts import changed_facts, facts, values

GOLD = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data/facts/sentences.jsonl").read_text("utf-8").splitlines()
]
MOVED: list[tuple[str, str, str, int]] = [
    ("We keep your data for 30 days.", "We keep your data for 90 days.", "retention", -1),
    ("We keep logs for 90 days.", "We keep logs for 30 days.", "retention", 1),
    ("We retain data for 30 days.", "We retain data as long as necessary.", "retention", -1),
    ("We give 30 days notice of changes.", "We give 7 days notice of changes.", "notice_period", -1),
    ("The fee is $5 per month.", "The fee is $10 per month.", "money", -1),
    ("A refund of $5 is paid.", "A refund of $10 is paid.", "money", 1),
    ("You may make 500 requests per minute.", "You may make 100 requests per minute.", "limit", -1),
    ("Data is used only if you opt in.", "Data is used unless you opt out.", "opt_out", -1),
    ("We may share your data.", "We will share your data.", "modality", -1),
    ("We will notify you of changes.", "We may notify you of changes.", "modality", -1),
    ("We will not share your data.", "We may share your data.", "modality", -1),
    ("We do not sell your data.", "We sell your data.", "modality", -1),
    ("You may not copy it.", "You may copy it.", "modality", 1),
    ("Courts located in San Francisco, California.", "Courts located in Tarrant County, Texas.", "venue", 0),
    ("You must be at least 13 years old.", "You must be at least 16 years old.", "age", -1),
]
EQUAL = [
    ("We keep it for thirty (30) days.", "We keep it for 30 days."),
    ("Stored for 24 hours.", "Stored for one day."),
    ("We keep it for twelve months.", "We keep it for 1 year."),
    ("The fee is $1,000.", "The fee is USD 1000."),
    ("Effective March 1, 2025", "Effective 1 March 2025"),
    ("Effective: 2025-03-01", "Effective 1 March 2025"),
]


@pytest.mark.parametrize("row", GOLD, ids=lambda row: row["text"][:40])
def test_labelled_sentence(row: dict[str, Any]) -> None:
    """Every labelled sentence yields its facts and no others."""
    found = [(fact.kind, fact.new or {}) for fact in values(row["text"])]
    wanted = [(fact["fact"], fact["value"]) for fact in row["facts"]]
    assert sorted(kind for kind, _ in found) == sorted(kind for kind, _ in wanted)
    assert all(
        any(kind == one and value.items() <= new.items() for one, new in found) for kind, value in wanted
    )


@pytest.mark.parametrize(("old", "new", "kind", "direction"), MOVED)
def test_moved_value(old: str, new: str, kind: str, direction: int) -> None:
    """A value that moved is a fact of its kind, told from the reader's side."""
    told = {fact.kind: fact.direction for fact in changed_facts(old, new)}
    assert told[kind] == direction


@pytest.mark.parametrize(("old", "new"), EQUAL)
def test_other_spelling(old: str, new: str) -> None:
    """The same value in another spelling is no change."""
    assert changed_facts(old, new) == ()


def test_liquidated_damages() -> None:
    """An amount carries what it is counted per and the window it holds for."""
    text = "liable for accessing more than 1,000,000 posts in any 24-hour period - $15,000 USD per 1,000,000 posts"
    money = next(fact for fact in facts(text) if fact.kind == "money")
    assert money.new == {
        "amount": "15000",
        "currency": "USD",
        "per_quantity": 1000000,
        "per_unit": "posts",
        "window": "P1D",
    }


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    """Every fact of any text quotes the text at its offsets."""
    assert all(text[fact.start : fact.end] == fact.quote for fact in facts(text))


@given(
    st.text(alphabet="may will not share 30 days $5. ", max_size=80),
    st.text(alphabet="may will not share 30 days $5. ", max_size=80),
)
def test_any_pair(old: str, new: str) -> None:
    """A changed fact quotes the new text, or the old one where the fact is gone."""
    assert all(_stands(fact, old, new) for fact in changed_facts(old, new))


def _stands(fact: Fact, old: str, new: str) -> bool:
    return fact.quote in (new[fact.start : fact.end], old[fact.start : fact.end])


def test_no_change() -> None:
    """A text has no changed facts against itself."""
    assert changed_facts("We keep it 30 days.", "We keep it 30 days.") == ()
