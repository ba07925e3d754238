"""States that return: a page that goes back to an earlier version, or is served in variants by turns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

MEMORY = 30  # earlier states looked through, as measured on Open Terms Archive's histories
NEARLY = 0.2  # of the distance to the last state: an earlier one that close is the one to compare with

Wording = Counter[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """An earlier state that a version goes back to: how many versions ago it stood, and whether word for word."""

    ago: int
    exact: bool


def wording(keys: Sequence[str]) -> Wording:
    """Return what a version says, whatever the order."""
    return Counter(keys)


def returned(new: Wording, old: Wording, history: Sequence[Wording]) -> Return | None:
    """Return the earlier state that `new` goes back to; `history` is oldest first and may end with `old`.

    A state counts when it is worded like `new`, or differs from it by a fifth of what `old` differs by, at
    most: then the page is served in variants, and the variant's own last state is the one to compare with.
    """
    away = distance(new, old)
    if away == 0:
        return None
    recent = list(enumerate(reversed(history)))[:MEMORY]
    near = [(distance(new, state), ago) for ago, state in recent if distance(state, old) > 0]
    if not near:
        return None
    least, ago = min(near)
    return Return(ago=ago, exact=least == 0) if least <= NEARLY * away else None


def distance(one: Wording, two: Wording) -> int:
    """Return how many characters of clauses stand in one of two states only."""
    only = (one - two) + (two - one)
    return sum(len(text) * n for text, n in only.items())
