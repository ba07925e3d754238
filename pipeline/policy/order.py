"""The common order of two lists: the longest run of links that does not cross itself."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence

_LINK = 1_000_000  # what a link counts beside its text, so that text only decides between equals


def backbone(
    pairs: Sequence[tuple[int, int]], size: Callable[[int], int] = lambda _: 0
) -> set[tuple[int, int]]:
    """Return the longest increasing run of pairs (sorted by old index), of equals the one with the most text.

    `size` gives the text of an old index, in characters. Takes n log n steps for n pairs.
    """
    tails: list[tuple[int, int]] = []  # (new index, weight of the best run that ends there), both increasing
    owner: dict[int, int] = {}
    before: list[int] = []
    for k, (old, new) in enumerate(pairs):
        at = bisect_right(tails, (new, 1 << 62))
        weight = (tails[at - 1][1] if at else 0) + _LINK + size(old)
        before.append(owner[tails[at - 1][0]] if at else -1)
        end = at
        while end < len(tails) and tails[end][1] <= weight:
            end += 1
        tails[at:end] = [(new, weight)]
        owner[new] = k
    spine: set[tuple[int, int]] = set()
    k = owner[tails[-1][0]] if tails else -1
    while k >= 0:
        spine.add(pairs[k])
        k = before[k]
    return spine
