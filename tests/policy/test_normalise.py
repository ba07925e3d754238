"""Levels of normalisation, words, date lines and fingerprints."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pipeline.policy.clauses import segment
from pipeline.policy.normalise import fingerprint, is_date_line, level, levels, squashed, words_of
from tests.policy.versions import POLICY, edited, moved, version

LEVELS = [
    ("We keep data for 30 days.", "We keep data for 30 days.", "bytes"),
    ("We keep data for 30 days.", "We  keep\u00a0data for\u200b 30 days.", "unicode"),
    ('We don\'t keep "data".', "We don’t keep “data”.", "quotes"),
    ("Read [this](https://a.example/x?s=1).", "Read [this](https://a.example/x?s=2#top).", "link-parameters"),
    ("Read [this](https://a.example/x).", "Read [this](https://b.example/y).", "link-target"),
    ("We keep **data** here.", "We keep data here.", "markup"),
    ("Last updated: March 1, 2024", "Last updated: 2 April 2025", "dates"),
    ("1. We keep data here.", "2. We keep data here.", "numbering"),
    ("We keep third-party data.", "We keep Third Party data;", "case-punctuation"),
    ("We keep data for 30 days.", "We keep data for 31 days.", "words"),
    ("We may keep data.", "We will keep data.", "words"),
    ("We do not keep data.", "We do keep data.", "words"),
    ("It costs $5.", "It costs €5.", "words"),
    ("It costs 5%.", "It costs 5.", "words"),
    ("We are not able to.", "We are notable to.", "words"),
]


@pytest.mark.parametrize(("old", "new", "expected"), LEVELS)
def test_level_of_difference(old: str, new: str, expected: str) -> None:
    """Two clauses differ at the level that must be folded for them to be equal, never deeper."""
    assert level(segment(old)[0], segment(new)[0]) == expected


@pytest.mark.parametrize("number", ["30", "1.5", "15,000", "2024", "99.9"])
def test_numbers_are_words(number: str) -> None:
    """A number is kept whole and never folded away."""
    assert number in words_of(f"about {number} of them")


def test_unspaced_scripts() -> None:
    """Chinese gives a word per character, so that an edit shows where it is."""
    assert words_of("我们收集数据") == list("我们收集数据")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Last updated: March 1, 2024", True),
        ("Effective 2024-03-01", True),
        ("Stand: 15. Mai 2024", True),
        ("2024年5月1日", True),
        ("Updated over 7 months ago", True),
        (
            "These terms apply to you and to all that you have ever bought before May 1, 2024 from any of our shops",
            False,
        ),
        ("We keep data for 30 days", False),
        ("Opt out by May 1, 2024", False),
    ],
)
def test_date_line(text: str, expected: bool) -> None:
    """A line that only dates the document is told from a clause with a date in it."""
    assert is_date_line(text) is expected


def test_squashed_keeps_numbers_apart() -> None:
    """Two numbers do not grow together when spaces are folded."""
    assert squashed("30 60") != squashed("3060")


def test_fingerprint_leaves_out_flicker() -> None:
    """White space, quotes, markup and link parameters do not change the fingerprint."""
    flickering = edited(
        ("session=1", "session=2"), ("Example Terms", "Example\u00a0Terms"), ("do not", "**do** not")
    )
    assert fingerprint(flickering) == fingerprint(version())


@pytest.mark.parametrize(
    "other",
    [
        edited(("30 days", "31 days")),
        version(moved("Fees are", "We may suspend")),
        replace(version(), extractor="another"),
    ],
)
def test_fingerprint_keeps(other: object) -> None:
    """Words, order and the extractor's name are part of the fingerprint."""
    assert fingerprint(other) != fingerprint(version())  # type: ignore[arg-type]


def test_levels_explain_a_version() -> None:
    """Every level of a version's text can be shown, the links' parameters gone from the fourth on."""
    shown = levels(version(POLICY))
    assert "session" not in shown["link-parameters"]
