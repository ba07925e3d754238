"""Runs of clauses cut up anew without a word changing: another page's line breaks, a PDF's pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.events import Clause
from pipeline.policy.align import Alignment
from pipeline.policy.normalise import squashed

Run = tuple[list[int], list[int]]


def reflows(old: Sequence[Clause], new: Sequence[Clause], found: Alignment) -> Iterator[Run]:
    """Yield the runs (old indexes, new indexes) that spell the same, differently cut."""
    for olds, news in _runs(len(old), len(new), found):
        if (len(olds), len(news)) != (1, 1) and _spelt(old, olds) == _spelt(new, news):
            yield olds, news


def _spelt(clauses: Sequence[Clause], places: list[int]) -> str:
    return squashed(" ".join(f"{clauses[at].number} {clauses[at].text}" for at in places))


def _runs(old: int, new: int, found: Alignment) -> Iterator[Run]:
    """Yield the runs between neighbouring equal clauses in the common order, both sides non-empty."""
    i0 = j0 = 0
    edges = [
        (i, j)
        for i, j in sorted(found.pairs.items())
        if j not in found.moved and found.scores.get(j, 0.0) >= 1.0
    ]
    for i, j in [*edges, (old, new)]:
        if i > i0 and j > j0:
            yield list(range(i0, i)), list(range(j0, j))
        i0, j0 = i + 1, j + 1
