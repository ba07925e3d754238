"""Documents are dated by what they say of themselves, in many languages, and not by what they mention."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.events import Version
from pipeline.policy.dates import dates, effective_date, find

GOLD = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data/facts/documents.jsonl").read_text("utf-8").splitlines()
]
UNDATED = [
    "Effective until November 15, 2024",
    "The General Data Protection Regulation took effect on 25 May 2018.",
    "Copyright © 2021 Example, Inc.",
    "The previous version was effective January 1, 2020.",
    "Starting in April 2023, posts that violate our policy are labelled.",
    "See ![image](https://example.org/?version=2.3.53).",
    "We were founded in July 2017.",
    "",
]
SPELLINGS = [
    ("15 November 2024", "2024-11-15"),
    ("November 15th, 2024", "2024-11-15"),
    ("15. November 2024", "2024-11-15"),
    ("15 de noviembre de 2024", "2024-11-15"),
    ("1er novembre 2024", "2024-11-01"),
    ("2024年11月15日", "2024-11-15"),
    ("2024년 11월 15일", "2024-11-15"),
    ("15/11/2024", "2024-11-15"),
    ("11/15/2024", "2024-11-15"),
    ("15.11.2024", "2024-11-15"),
    ("10-JUN-2021", "2021-06-10"),
    ("March 2022", "2022-03"),
]


def _version(text: str) -> Version:
    return Version(text=text, clauses=())


@pytest.mark.parametrize("row", GOLD, ids=lambda row: row["source"][-40:])
def test_labelled_document(row: dict[str, Any]) -> None:
    """Every labelled document yields the date it gives itself."""
    fact = effective_date(_version(row["text"]))
    assert fact is not None
    assert (fact.new or {})["date"] == row["date"]


@pytest.mark.parametrize("text", UNDATED)
def test_no_date(text: str) -> None:
    """A date that is not the document's own is not taken for it."""
    assert effective_date(_version(text)) is None


@pytest.mark.parametrize(("written", "iso"), SPELLINGS)
def test_spelling(written: str, iso: str) -> None:
    """A date is read in every spelling and language that policies use."""
    assert [found.iso for found in find(f"on {written} they")] == [iso]


def test_ambiguous_order() -> None:
    """A numeric date whose day and month could be swapped is flagged."""
    fact = effective_date(_version("Last updated: 01/02/2025"))
    assert fact is not None
    assert (fact.new or {})["ambiguous"] is True


def test_lone_date() -> None:
    """A date alone under the title counts as published."""
    fact = effective_date(_version("Privacy Policy\n====\n\nNovember 3, 2023\n\nYour privacy matters."))
    assert (fact.new if fact else None) == {"date": "2023-11-03", "kind": "published"}


def test_both_dates() -> None:
    """The date in force wins over the date of the last update; both are told."""
    version = _version("Terms\n\nUpdated November 14, 2023\n\nEffective: January 31, 2024\n\nText.")
    assert [(fact.new or {})["kind"] for fact in dates(version)] == ["updated", "in_force"]
    fact = effective_date(version)
    assert (fact.new or {})["date"] == "2024-01-31" if fact else False


def test_existing_users() -> None:
    """A date for existing users is a kind of its own."""
    fact = effective_date(_version("For existing users, these terms become effective on 1 August 2023."))
    assert (fact.new or {})["kind"] == "applies_to_existing_users" if fact else False


def test_far_future() -> None:
    """A date many years ahead of the reading is not believed."""
    assert (
        effective_date(_version("Effective: March 1, 2093"), seen_at=datetime(2024, 1, 1, tzinfo=UTC)) is None
    )


def test_offsets() -> None:
    """A date's evidence stands at its offsets."""
    text = "Terms\n\nLast updated on 3 June 2024."
    fact = effective_date(_version(text))
    assert fact is not None
    assert text[fact.start : fact.end] == fact.quote == "3 June 2024"
