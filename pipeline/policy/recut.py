"""Cut one version's text at the other's clause boundaries, when the same text was cut up quite differently.

A PDF gives pages or lines where a web page gives paragraphs and items; an archive may have lost all structure.
Clause by clause nearly everything then differs, word by word nearly nothing does. The side with fewer clauses
is cut where the words of the other side's clauses begin, so that only what reads differently is left to tell.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from pipeline.events import Clause
from pipeline.policy.align import Alignment
from pipeline.policy.guard import alike
from pipeline.policy.normalise import words_of
from pipeline.policy.redline import tokens
from pipeline.policy.wordrun import Span, spans

LINKED = 0.7  # share of linked text above which the clauses fit each other well enough
ALIKE = 0.85  # likeness of vocabularies below which the text itself is another
SIZE = 0.7  # the shorter text over the longer, at least
COARSER = 1.5  # clauses of the finer side for one of the coarser, at least


class Word(NamedTuple):
    """A word of a clause: folded, with the clause's index and the offsets in its text."""

    folded: str
    clause: int
    start: int
    end: int


def is_cut_anew(found: Alignment, old: Sequence[str], new: Sequence[str]) -> bool:
    """Tell whether two lists of keys say much the same, cut up differently."""
    counts = sorted((len(old), len(new)))
    sizes = sorted((sum(map(len, old)), sum(map(len, new))))
    return (
        min(found.linked) < LINKED
        and counts[1] >= COARSER * counts[0]
        and counts[0] > 0
        and sizes[0] >= SIZE * sizes[1]
        and alike(old, new) >= ALIKE
    )


def recut(coarse: Sequence[Clause], fine: Sequence[Clause]) -> tuple[Clause, ...]:
    """Return the coarse clauses' text, cut where the fine clauses begin; offsets are those of the coarse ones."""
    words, ours = _words(coarse), _words(fine, numbered=True)
    starts = _starts(ours, len(fine))
    mapping = spans([word.folded for word in ours], [word.folded for word in words])
    edges = [0, *(_projected(mapping, start) for start in starts[1:]), len(words)]
    made = []
    for at, clause in enumerate(fine):
        part = words[edges[at] : edges[at + 1]]
        number = words_of(clause.number)
        if number and [word.folded for word in part[: len(number)]] == number:
            part = part[len(number) :]
        if part:
            after = words[edges[at + 1]] if edges[at + 1] < len(words) else None
            made.append(_clause(clause, part, after, coarse))
    return tuple(made)


def _words(clauses: Sequence[Clause], *, numbered: bool = False) -> list[Word]:
    found: list[Word] = []
    for index, clause in enumerate(clauses):
        if numbered:
            found += [Word(word, index, 0, 0) for word in words_of(clause.number)]
        at = 0
        for token in tokens(clause.text):
            if token[0].isalnum():
                found.append(Word(token.replace("’", "'").casefold(), index, at, at + len(token)))
            at += len(token)
    return found


def _starts(words: Sequence[Word], count: int) -> list[int]:
    """Return where each clause's words begin; of a clause without words, where the next one's do."""
    indexes = [word.clause for word in words]
    return [bisect_left(indexes, clause) for clause in range(count)]


def _projected(mapping: Sequence[Span], at: int) -> int:
    """Return the place on the other side of the word with a given index; inside a replaced run, its end."""
    span = next(
        span for span in mapping[bisect_left(mapping, at, key=lambda span: span.i1) :] if span.i1 >= at
    )
    if span.same:
        return span.j0 + at - span.i0
    return span.j0 if at == span.i0 else span.j1


def _clause(fine: Clause, part: Sequence[Word], after: Word | None, coarse: Sequence[Clause]) -> Clause:
    """Return a clause with the fine one's place and the coarse side's words."""
    pieces = []
    for index in range(part[0].clause, part[-1].clause + 1):
        text = coarse[index].text
        start = part[0].start if index == part[0].clause else 0
        cut = after is not None and after.clause == index
        pieces.append(text[start : after.start if cut and after is not None else len(text)].strip())
    first, last = coarse[part[0].clause], coarse[part[-1].clause]
    text = " ".join(piece for piece in pieces if piece)
    return replace(fine, id=first.id, text=text, raw="", links=(), start=first.start, end=last.end)
