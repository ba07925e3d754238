"""Alignment: which clause became which."""

from __future__ import annotations

import time

import pytest

from pipeline.policy.align import align, align_keys
from tests.policy.versions import edited, moved, paragraph, version, without


def test_equal_texts_link_in_place() -> None:
    """A version aligns with itself clause by clause, and nothing moved."""
    found = align(version().clauses, version().clauses)
    assert found.pairs == {at: at for at in range(len(version().clauses))}
    assert not found.moved


def test_move_is_one_clause() -> None:
    """Of a clause that changes places with the rest only the clause itself counts as moved."""
    new = version(moved("Fees are", "We may suspend")).clauses
    found = align(version().clauses, new)
    assert [new[at].text[:8] for at in found.moved] == ["Fees are"]


def test_heavy_edit_links() -> None:
    """A clause of which half was rewritten is still the same clause."""
    old = version().clauses
    new = edited(
        ("to advertisers. We share it only with processors", "to anybody. We lend it to partners")
    ).clauses
    found = align(old, new)
    assert len(found.pairs) == len(old) == len(new)


def test_split_and_merge() -> None:
    """The halves of a split clause both link to it, and the other way round they merge."""
    cut = edited((" We will tell you why", "\n\nWe will tell you why")).clauses
    apart, together = align(version().clauses, cut), align(cut, version().clauses)
    assert (len(apart.split), len(together.merged)) == (1, 1)


@pytest.mark.parametrize("count", [2, 5])
def test_identical_clauses_link_in_order(count: int) -> None:
    """Clauses of one wording link the first with the first."""
    keys = ["learn more"] * count
    assert align_keys(keys, keys).pairs == {at: at for at in range(count)}


def test_unrelated_texts_stay_apart() -> None:
    """Clauses of different matters are not linked because they share small words."""
    one = ["we store the name and the address that you gave to us when you opened the account"]
    two = ["any dispute is decided by the courts of the county where the carrier has its seat"]
    assert not align_keys(one, two).pairs


def test_removed_clause_has_no_link() -> None:
    """A clause that is gone links to nothing, and its neighbours do."""
    old, new = version().clauses, version(without("Our liability")).clauses
    found = align(old, new)
    gone = [clause.text for at, clause in enumerate(old) if at not in found.pairs]
    assert [text[:13] for text in gone] == [paragraph("Our liability")[:13]]


def test_heading_is_not_its_list_item() -> None:
    """An entry of a table of contents is not taken for the heading of the same words."""
    old = version("- Fees\n- Disputes\n\n# Fees\n\nFees are due.\n\n# Disputes\n\nCourts decide.").clauses
    new = version("# Fees\n\nFees are due.\n\n# Disputes\n\nCourts decide.").clauses
    assert not align(old, new).moved


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ([f"clause {n} about matter {n * 7} here" for n in range(20_000)],) * 2,
        (["the same words again"] * 20_000,) * 2,
        ([f"old {n} text {n}" for n in range(8_000)], [f"new {n} words {n}" for n in range(8_000)]),
    ],
    ids=["distinct", "identical", "rewritten"],
)
def test_many_clauses_are_bounded(old: list[str], new: list[str]) -> None:
    """Thousands of clauses align within seconds, whatever they say."""
    start = time.process_time()
    align_keys(old, new)
    assert time.process_time() - start < 20
