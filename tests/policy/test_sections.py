"""A heading that comes, goes or moves with its clause is told with it."""

from __future__ import annotations

import pytest

from pipeline.events import Change, Version
from pipeline.policy.clauses import segment
from pipeline.policy.compare import compare

BEGIN = "# Terms\n\n## Data\n\nWe retain your data for 30 days after you close your account.\n\n"
FEES = "## Fees\n\nFees are billed monthly in advance and are not refundable.\n\n"
COURTS = "## Courts\n\nDisputes are resolved by the courts of the county where you live.\n\n"
NESTED = (
    "## Claims\n\n### Notice\n\nTell us of a claim within sixty days of the event.\n\nA late claim is void.\n"
)


def changes(old: str, new: str) -> list[tuple[str, str]]:
    """Return type and words of each change, in the order of the page."""
    found = compare(*(Version(text=text, clauses=segment(text)) for text in (old, new))).changes
    return [(change.type.value, words(change)) for change in sorted(found, key=place)]


def words(change: Change) -> str:
    span = change.new or change.old
    return span.text if span else ""


def place(change: Change) -> int:
    span = change.new or change.old
    return span.start if span else 0


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (BEGIN + FEES, BEGIN + FEES + COURTS, [("added", "Courts\nDisputes are")]),
        (BEGIN + FEES + COURTS, BEGIN + FEES, [("removed", "Courts\nDisputes are")]),
        (BEGIN, BEGIN + NESTED, [("added", "Claims\nNotice\nTell us"), ("added", "A late claim is void.")]),
        (
            BEGIN + FEES,
            BEGIN + FEES.replace("## Fees", "## Fees and refunds"),
            [("modified", "Fees and refunds")],
        ),
    ],
    ids=["added", "removed", "nested", "heading alone"],
)
def test_section_is_one_change(old: str, new: str, told: list[tuple[str, str]]) -> None:
    """A heading and the first clause under it are one change; a heading that changes alone is one of its own."""
    found = changes(old, new)
    assert [kind for kind, _ in found] == [kind for kind, _ in told]
    assert all(text.startswith(begin) for (_, text), (_, begin) in zip(found, told, strict=True))


def test_redline_of_a_section_is_whole() -> None:
    """The redline of an added section inserts heading and clause, and its offsets hold both."""
    old, new = BEGIN, BEGIN + COURTS
    (change,) = compare(*(Version(text=text, clauses=segment(text)) for text in (old, new))).changes
    assert change.redline == (("+", words(change)),)
    assert change.new is not None
    assert new[change.new.start : change.new.end].startswith("## Courts")
