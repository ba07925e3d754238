"""Texts that were cut up anew, and references that follow a renumbering."""

from __future__ import annotations

import pytest

from pipeline.events import Clause
from pipeline.policy.recut import recut
from pipeline.policy.references import followed
from tests.policy.versions import version


def clauses(*texts: str) -> list[Clause]:
    return [
        Clause(id=f"c{at}", text=text, start=at * 100, end=at * 100 + 90) for at, text in enumerate(texts)
    ]


FINE = clauses("Your account", "You must be 13 years old.", "Keep your password safe.")

CUTS = [
    (("Your account You must be 13 years old. Keep your password safe.",), [clause.text for clause in FINE]),
    (
        ("Your account You must", "be 13 years old. Keep your password safe."),
        [clause.text for clause in FINE],
    ),
    (
        ("Your account You must be 16 years old. Keep your password safe.",),
        ["Your account", "You must be 16 years old.", "Keep your password safe."],
    ),
    (("Your account Keep your password safe.",), ["Your account", "Keep your password safe."]),
]


@pytest.mark.parametrize(("coarse", "expected"), CUTS)
def test_recut(coarse: tuple[str, ...], expected: list[str]) -> None:
    """The text is cut where the other side's clauses begin, whatever was edited in it."""
    assert [clause.text for clause in recut(clauses(*coarse), FINE)] == expected


def test_offsets_lead_back() -> None:
    """A clause cut anew stands within the clauses that it was cut from."""
    old = version("Your account You must be 13 years old. Keep your password safe.")
    for clause in recut(old.clauses, FINE):
        assert clause.text in old.text[clause.start : clause.end]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see Section 7", "see Section 8"),
        ("under § 7.2 above", "under § 8.2 above"),
        ("sections 9 and 7", "sections 9 and 7"),
        ("within 7 days", "within 7 days"),
    ],
)
def test_followed(text: str, expected: str) -> None:
    """Only a number that names a clause follows it."""
    assert followed(text, {"7": "8"}) == expected
