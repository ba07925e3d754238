"""Stacked pages: the coming and the current text on one page, told apart; all other pages left whole."""

from __future__ import annotations

import time

import pytest

from pipeline.policy.normalise import keys_of
from pipeline.policy.stack import stack
from tests.policy.versions import POLICY, edited, stacked, version

COMING = edited(("12 dollars", "15 dollars"), ("may suspend", "will suspend")).text


def test_parts_are_told_apart() -> None:
    """The coming part is the one that differs from what was in force, the current part the one that does not."""
    found = stack(version(stacked(COMING)), keys_of(version().clauses))
    assert found is not None
    assert "15 dollars" in " ".join(clause.text for clause in found.coming)
    assert "12 dollars" in " ".join(clause.text for clause in found.current)


def test_notices_alone_tell() -> None:
    """With nothing known before, the notices say which part is which."""
    found = stack(version(stacked(COMING)))
    assert found is not None
    assert "15 dollars" in found.text.text


def test_current_part_first() -> None:
    """A page may show the text in force first and the coming one below it."""
    current = POLICY.replace("# Example Terms", "# Example Terms\n\nEffective until November 15, 2024", 1)
    coming = COMING.replace(
        "# Example Terms", "# Example Terms\n\nThis version will go into effect on November 15, 2024", 1
    )
    found = stack(version(f"{current}\n{coming}"))
    assert found is not None
    assert "15 dollars" in " ".join(clause.text for clause in found.coming)


def test_notices_are_kept_apart() -> None:
    """The sentences that announce are no clauses of either part."""
    found = stack(version(stacked(COMING)))
    assert found is not None
    assert len(found.notices) >= 2
    assert not {clause.start for clause in found.notices} & {
        clause.start for clause in found.coming + found.current
    }


WHOLE = {
    "an ordinary page": POLICY,
    "a notice of a coming version": POLICY.replace(
        "Last updated: March 1, 2024", "These terms will go into effect on November 15, 2024."
    ),
    "two regions": POLICY + "\n# Terms for Europe\n\n" + POLICY,
    "a list of archived versions": POLICY
    + "\n- Previous terms, effective until June 1, 2020\n- Older terms, until 2018\n",
    "nothing": "",
}


@pytest.mark.parametrize("text", WHOLE.values(), ids=WHOLE.keys())
def test_other_pages_stay_whole(text: str) -> None:
    """A page without both signs, a notice and its text twice, is one version."""
    assert stack(version(text)) is None


def test_many_notices_are_bounded() -> None:
    """A page of nothing but notices takes no longer than its size warrants."""
    page = version("Effective until November 15, 2024, and then no more.\n\n" * 4_000)
    start = time.process_time()
    stack(page)
    assert time.process_time() - start < 10
