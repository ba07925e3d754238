"""Redlines: they spell both sides, cut no word, and never blur a number, a modal verb or a negation."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.policy.redline import redline, tokens

WORDS = st.lists(
    st.sampled_from(
        [
            "we",
            "may",
            "will",
            "not",
            "30",
            "1,000",
            "data",
            "don’t",
            " ",
            "  ",
            "\n",
            ",",
            ".",
            "é",
            "数",
            "क्षि",
        ]
    ),
    max_size=18,
).map("".join)


def side(ops: tuple[tuple[str, str], ...], sign: str) -> str:
    return "".join(text for op, text in ops if op in ("=", sign))


@given(old=WORDS | st.text(max_size=40), new=WORDS | st.text(max_size=40))
def test_spells_both_sides(old: str, new: str) -> None:
    """Unchanged and struck words give the old text, unchanged and inserted ones the new text, exactly."""
    ops = redline(old, new)
    assert (side(ops, "-"), side(ops, "+")) == (old, new)


@given(old=WORDS, new=WORDS)
def test_cuts_no_word(old: str, new: str) -> None:
    """Every boundary of an operation is a boundary between words."""
    for sign, text in (("-", old), ("+", new)):
        ends = set()
        at = 0
        for token in tokens(text):
            at += len(token)
            ends.add(at)
        spaces = {at for at, char in enumerate(text, 1) if char.isspace() or text[at : at + 1].isspace()}
        at = 0
        for op, part in redline(old, new):
            if op in ("=", sign):
                at += len(part)
                assert at in ends | spaces


@pytest.mark.parametrize(
    ("old", "new", "marks"),
    [
        ("We may share it.", "We will share it.", [("-", "may"), ("+", "will")]),
        ("We will not sell it.", "We will sell it.", [("-", "not ")]),
        ("Kept for 30 days.", "Kept for 90 days.", [("-", "30"), ("+", "90")]),
        ("We don’t sell it.", "We do sell it.", [("-", "don’t"), ("+", "do")]),
        ("up to $100 now", "up to $15,000 now", [("-", "100"), ("+", "15,000")]),
        ("on the 1st day", "on the 2nd day", [("-", "1st"), ("+", "2nd")]),
        ("an opt-in choice", "an opt-out choice", [("-", "opt-in"), ("+", "opt-out")]),
        ("the quick brown fox", "a slow brown fox", [("-", "the quick"), ("+", "a slow")]),
    ],
)
def test_marks(old: str, new: str, marks: list[tuple[str, str]]) -> None:
    """The marks are the words that a careful editor would mark."""
    assert [op for op in redline(old, new) if op[0] != "="] == marks


def test_guarded_words_stand_alone() -> None:
    """Beside other edits a modal verb, a number and a negation keep marks of their own."""
    ops = redline("You may share it for 30 days", "You will not sell it for 90 days")
    assert {("-", "may"), ("+", "will"), ("+", "not"), ("-", "30"), ("+", "90")} <= set(ops)


def test_giant_clause_is_bounded() -> None:
    """A clause of half a megabyte with a few edits takes a moment, not minutes."""
    words = [f"word{number % 9000}" for number in range(60_000)]
    start = time.process_time()
    ops = redline(
        " ".join(words), " ".join([*words[:100], "may", *words[100:40_000], "not", *words[40_001:]])
    )
    assert [text for op, text in ops if op == "+"] == ["may ", "not"]
    assert time.process_time() - start < 10
