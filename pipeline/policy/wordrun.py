"""How one run of words became another: spans that stayed and spans that were replaced, in bounded time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rapidfuzz.distance import Indel

from pipeline.policy.order import backbone

CELLS = 100_000_000  # size of an exact comparison, in pairs of words, above which rare words anchor it first
WINDOW = 4_000  # words of each side that are compared at once where nothing anchors them


class Span(NamedTuple):
    """A run of tokens of the old side that became a run of the new one, or stayed."""

    i0: int
    i1: int
    j0: int
    j1: int
    same: bool


def spans(left: Sequence[str], right: Sequence[str]) -> list[Span]:
    """Return spans, equal and replaced ones, that tile both lists."""
    whole = Span(0, len(left), 0, len(right), False)
    return (_opcodes if len(left) * len(right) <= CELLS else _anchored)(left, right, whole)


def _opcodes(left: Sequence[str], right: Sequence[str], span: Span) -> list[Span]:
    i0, i1, j0, j1, _ = span
    codes: dict[str, int] = {}
    one = [codes.setdefault(token, len(codes)) for token in left[i0:i1]]
    two = [codes.setdefault(token, len(codes)) for token in right[j0:j1]]
    return [
        Span(i0 + op.src_start, i0 + op.src_end, j0 + op.dest_start, j0 + op.dest_end, op.tag == "equal")
        for op in Indel.opcodes(one, two)
    ]


def _anchored(left: Sequence[str], right: Sequence[str], span: Span) -> list[Span]:
    """Cut an oversized comparison at words that stand once on each side, and the rest into windows."""
    i, i1, j, j1, _ = span
    found: list[Span] = []
    for a, b in [*_anchors(left, right, span), (i1, j1)]:
        small = (a - i) * (b - j) <= CELLS
        found += (_opcodes if small else _windowed)(left, right, Span(i, a, j, b, False))
        if a < i1:
            found.append(Span(a, a + 1, b, b + 1, True))
        i, j = a + 1, b + 1
    return found


def _windowed(left: Sequence[str], right: Sequence[str], span: Span) -> list[Span]:
    """Compare window by window, each begun where the last long equal run of the one before ended."""
    i, i1, j, j1, _ = span
    found: list[Span] = []
    while i < i1 and j < j1:
        window = _opcodes(left, right, Span(i, min(i1, i + WINDOW), j, min(j1, j + WINDOW), False))
        if window[-1].i1 < i1 or window[-1].j1 < j1:
            window = _settled(window)
        found += window
        i, j = window[-1].i1, window[-1].j1
    return [*found, Span(i, i1, j, j1, False)]


def _settled(found: list[Span]) -> list[Span]:
    """Return the spans of a window up to its last long equal run, beyond which the window's end may mislead."""
    last = max(
        (k for k, span in enumerate(found) if span.same and span.i1 - span.i0 > 8), default=len(found) - 1
    )
    return found[: last + 1]


def _anchors(left: Sequence[str], right: Sequence[str], span: Span) -> list[tuple[int, int]]:
    here, there = _once(left, span.i0, span.i1), _once(right, span.j0, span.j1)
    return sorted(backbone([(i, there[token]) for token, i in here.items() if token in there]))


def _once(items: Sequence[str], start: int, end: int) -> dict[str, int]:
    """Return the places of the tokens that stand once in a range, in order."""
    seen: dict[str, int] = {}
    for index in range(start, end):
        seen[items[index]] = -1 if items[index] in seen else index
    return {token: index for token, index in seen.items() if index >= 0}
