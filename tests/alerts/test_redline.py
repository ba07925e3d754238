"""A redline cut to size keeps its spans whole, and tells every cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerts.render.redline import CUT, clip, joined, shown, spans_of, words
from pipeline.alerts.render.text import markdown, redline
from pipeline.events import Change, ChangeType, Span
from tests.alerts import samples

LONG = " ".join(f"word{n}" for n in range(2_000))


def test_short_stays_whole() -> None:
    """A redline that fits is shown as it is."""
    spans = (("=", "We keep it "), ("-", "90 days"), ("+", "18 months"))
    assert clip(spans, 100).spans == spans


def test_context_gives_way_first() -> None:
    """Unchanged text is shortened to what touches the change; the change stays whole."""
    found = clip((("=", LONG), ("-", "90 days"), ("+", "18 months"), ("=", LONG)), 300)
    assert ("-", "90 days") in found.spans
    assert ("+", "18 months") in found.spans
    assert found.words_left == 0


def test_both_sides_share_room() -> None:
    """Where old and new words are both too long, both are shown in part, and both say how much is missing."""
    found = clip((("-", LONG), ("+", LONG)), 500)
    assert [op for op, _ in found.spans] == ["-", CUT, "+", CUT]
    assert sum(words(text) for op, text in found.spans if op in "+-") + found.words_left == 4_000


def test_small_change_beside_large_stays() -> None:
    """A short change keeps all its words next to a long one."""
    found = clip((("-", "ninety days"), ("+", LONG)), 300)
    assert found.spans[0] == ("-", "ninety days")


def test_cut_falls_between_words() -> None:
    """A long added clause ends after a whole word, with the number of the words that follow."""
    ((_, text), (_, mark)) = clip((("+", LONG),), 200).spans
    assert LONG.startswith(text + " ")
    assert mark == f" … [{2_000 - words(text):,} more words] "


def test_emoji_stays_whole() -> None:
    """A text without blanks is not cut inside a joined emoji."""
    family = "👩‍👩‍👧‍👦"
    ((_, text), *_) = clip((("+", family * 200),), 150).spans
    assert text == family * (len(text) // len(family))


def test_without_redline_both_texts() -> None:
    """A change that carries no redline shows its old text removed and its new text added."""
    found = Change(
        type=ChangeType.MODIFIED,
        clause_id="c",
        old=Span(text="old", start=0, end=3),
        new=Span(text="new", start=0, end=3),
    )
    assert spans_of(found) == (("-", "old"), ("+", "new"))


def test_unshowable_is_left_out() -> None:
    """Control characters, reordering marks and half characters are not shown."""
    change = samples.change("a\x00b\x1b[31m\u202ec\ud83d\r\nd")
    assert shown(change, 100).spans == (("+", "ab[31mc\nd"),)


@given(samples.redlines, st.integers(80, 3_000))
def test_shown_is_verbatim(spans: tuple[tuple[str, str], ...], limit: int) -> None:
    """Every piece shown stands in the redline, in order, under its own op; no word is told of twice."""
    found, at = clip(spans, limit), 0
    for op, text in found.spans:
        if op == CUT:
            continue
        while at < len(spans) and not (spans[at][0] == op and text in spans[at][1]):
            at += 1
        assert at < len(spans)
    assert found.words_left >= 0


@given(samples.redlines, st.integers(200, 3_000))
def test_limit_holds(spans: tuple[tuple[str, str], ...], limit: int) -> None:
    """What is shown stays near the limit, whatever the redline."""
    assert sum(len(text) for _, text in clip(spans, limit).spans) <= limit + 250


@given(samples.redlines)
def test_joined_loses_nothing(spans: tuple[tuple[str, str], ...]) -> None:
    """Joining the spans of an uncut redline gives back the old text and the new."""
    found = clip(spans, 10**9).spans
    for side in ("=-", "=+"):
        assert "".join(text for op, text in found if op in side) == "".join(
            text for op, text in spans if op in side
        )


@pytest.mark.parametrize(
    ("spans", "told"),
    [
        ((("=", "for "), ("-", "90"), ("+", "180"), ("=", " days")), "for [-90-]{+180+} days"),
        ((("-", " gone "), ("=", "x")), " [-gone-] x"),
        ((("+", "  "),), "  "),
    ],
)
def test_text_redline(spans: tuple[tuple[str, str], ...], told: str) -> None:
    """In text, removed and added words stand between marks that touch them."""
    assert redline(spans) == told


def test_markdown_redline() -> None:
    """In Markdown the words' own markup is inert."""
    spans = (("=", "a *b* "), ("-", "_c_ "), ("+", "<d> [e](f)"))
    assert markdown(spans) == r"a \*b\* ~~\_c\_~~ **\<d\> \[e\](f)**"


@pytest.mark.parametrize(
    ("spans", "whole"),
    [
        (  # the words of a phrase that policy marks one by one
            (
                ("=", "We "),
                ("+", "agree that we "),
                ("+", "will"),
                ("+", " "),
                ("+", "not"),
                ("+", " share."),
            ),
            (("=", "We "), ("+", "agree that we will not share.")),
        ),
        (
            (
                ("-", "March"),
                ("+", "May"),
                ("=", " "),
                ("-", "14"),
                ("+", "23"),
                ("-", ","),
                ("+", ","),
                ("=", " 2024"),
            ),
            (("-", "March 14,"), ("+", "May 23,"), ("=", " 2024")),
        ),
        ((("-", "a"), ("+", "b"), ("-", "c"), ("+", "d")), (("-", "ac"), ("+", "bd"))),
        ((("=", "x"), ("-", ","), ("+", ","), ("=", "y")), (("=", "x,y"),)),
        ((("-", "a"), ("=", " "), ("-", "b")), (("-", "a"), ("=", " "), ("-", "b"))),
        ((("=", "x "), ("+", "new"), ("=", " ")), (("=", "x "), ("+", "new"), ("=", " "))),
        ((), ()),
    ],
)
def test_neighbours_are_one(spans: tuple[tuple[str, str], ...], whole: tuple[tuple[str, str], ...]) -> None:
    """Changes side by side, or with but a blank between them, are told as one phrase for another."""
    assert joined(spans) == whole


@given(samples.redlines)
def test_joining_loses_nothing(spans: tuple[tuple[str, str], ...]) -> None:
    """The old text and the new are the same before and after neighbours are joined, and none are left apart."""
    found = joined(spans)
    for side in ("=-", "=+"):
        assert "".join(text for op, text in found if op in side) == "".join(
            text for op, text in spans if op in side
        )
    assert all(
        (one[0], other[0]) in {("=", "-"), ("=", "+"), ("-", "+"), ("-", "="), ("+", "=")}
        for one, other in pairwise(found)
    )
