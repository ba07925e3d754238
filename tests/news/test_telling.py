"""Words, and the normal forms of amounts, numbers and dates."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.news.telling import facts, quotes, same_day, stem, stems, tokens, whole_day


@pytest.mark.parametrize(
    "text",
    [
        "$15,000",
        "USD 15,000",
        "15,000 USD",
        "15k dollars",
        "US$15,000",
        "15 thousand dollars",
        "$15k",
        "15000 dollars",
    ],
)
def test_same_amount(text: str) -> None:
    """One sum has one form, however it is printed."""
    assert facts(f"a penalty of {text} applies").amounts == {"USD 15000"}


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("one million posts", {"1000000"}),
        ("a million posts", {"1000000"}),
        ("1,000,000 posts", {"1000000"}),
        ("half a million users", {"500000"}),
        ("for up to 18 months", {"18 month"}),
        ("in any 24-hour period", {"24 hour"}),
        ("thirty days", {"30 day"}),
        ("a rate of 36%", {"36 percent"}),
        ("in 2024 there were 3 of 12", set()),
    ],
)
def test_numbers(text: str, numbers: set[str]) -> None:
    """A large number, or one with a unit, is kept in digits; a year or a small bare number is not."""
    assert facts(text).numbers == numbers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("effective November 15, 2024", {"2024-11-15"}),
        ("effective 15 November 2024", {"2024-11-15"}),
        ("on 2024-11-15.", {"2024-11-15"}),
        ("Starting Nov. 15, X will", {"--11-15"}),
        ("on November 15th", {"--11-15"}),
        ("February 30, 2024", set()),
        ("it may 5 times", {"--05-05"}),
    ],
)
def test_dates(text: str, expected: set[str]) -> None:
    """A date is kept in ISO form, without a year where none is printed; a day that no month has is none."""
    assert facts(text).dates == expected


@pytest.mark.parametrize(
    ("printed", "same"), [("2024-11-15", True), ("--11-15", True), ("2023-11-15", False), ("--11-16", False)]
)
def test_same_day(printed: str, same: bool) -> None:
    """A date without a year names that day of any year, one with a year that year's."""
    assert same_day(printed, "2024-11-15") is same


@pytest.mark.parametrize(
    ("day", "expected"), [("2024-11-15", date(2024, 11, 15)), ("2024-11", None), ("", None)]
)
def test_whole_day(day: str, expected: date | None) -> None:
    """Only a full ISO date is a day; a month or nothing is not."""
    assert whole_day(day) == expected


@pytest.mark.parametrize(
    "forms",
    [
        "train trains trained training",
        "policy policies",
        "share shares shared sharing",
        "block blocked blocking",
    ],
)
def test_stems(forms: str) -> None:
    """The forms of one word have one stem."""
    assert len({stem(form) for form in forms.split()}) == 1


def test_artificial_intelligence() -> None:
    """The long and the short name of one thing are one word."""
    assert stems("artificial intelligence") == stems("AI") == ["ai"]


@pytest.mark.parametrize("text", ["“a right”", '"a right"', "«a right»", "„a right“"])
def test_quotes(text: str) -> None:
    """What stands between quotation marks is found, whichever kind they are."""
    assert quotes(f"It grants {text} to all.") == ["a right"]


@given(st.text())
def test_token_places(text: str) -> None:
    """Every word stands where it says, whatever the text."""
    assert all(0 <= start < end <= len(text) and word for word, start, end in tokens(text))


@given(st.text())
def test_any_facts(text: str) -> None:
    """Any text whatever has facts or none, and never fails."""
    assert facts(text).amounts >= frozenset()
