"""How alike two wordings are: cosine of IDF-weighted word 1- and 2-grams; the best pairs of two groups.

Pairs are taken best first. On edited documents that links as well as an optimal assignment does (measured), and
needs neither a table of all pairs nor a solver. The work is bounded: where many clauses meet, the grams that
most of them share, which say least, are left out.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from rapidfuzz import fuzz

Pair = tuple[int, int, float]

SHORT = 40  # characters: below this, n-grams are too few and characters are compared instead
WORK = 4_000_000  # visits of shared grams that one comparison of two groups may take
CELLS = 60_000  # pairs of short keys that are compared by characters at most


def grams(key: str) -> list[str]:
    """Return the words of a key and its pairs of neighbours."""
    words = key.split()
    return words + [f"{left} {right}" for left, right in pairwise(words)]


class Vectors:
    """Unit vectors of two groups of keys in the space of their n-grams, rare grams weighing more."""

    def __init__(self, old: Sequence[str], new: Sequence[str]) -> None:
        self.old_keys, self.new_keys = old, new
        counts = [Counter(grams(key)) for key in (*old, *new)]
        spread = Counter(gram for count in counts for gram in count)
        total = len(counts)
        weight = {gram: math.log(1 + total / seen) for gram, seen in spread.items()}
        vectors = [
            unit({gram: (1 + math.log(n)) * weight[gram] for gram, n in count.items()}) for count in counts
        ]
        self.old, self.new = vectors[: len(old)], vectors[len(old) :]

    def pairs(self, rows: Sequence[int], columns: Sequence[int], threshold: float) -> list[Pair]:
        """Return the one-to-one pairs (row index, column index, score) at or above the threshold, best first."""
        return best_first(self._alike(rows, columns, threshold) + self._short(rows, columns, threshold))

    def _alike(self, rows: Sequence[int], columns: Sequence[int], threshold: float) -> list[Pair]:
        postings: dict[str, list[tuple[int, float]]] = {}
        for j in columns:
            for gram, weight in self.new[j].items():
                postings.setdefault(gram, []).append((j, weight))
        limit = max(2, WORK // (1 + sum(len(self.old[i]) for i in rows)))
        found: list[Pair] = []
        for i in rows:
            scores: dict[int, float] = {}
            for gram, weight in self.old[i].items():
                there = postings.get(gram)
                if there is not None and len(there) <= limit:
                    for j, other in there:
                        scores[j] = scores.get(j, 0.0) + weight * other
            found += [(i, j, score) for j, score in scores.items() if score >= threshold]
        return found

    def _short(self, rows: Sequence[int], columns: Sequence[int], threshold: float) -> list[Pair]:
        """Compare short keys by characters: half alike is chance, all alike 0.6."""
        olds = [i for i in rows if len(self.old_keys[i]) < SHORT]
        news = [j for j in columns if len(self.new_keys[j]) < 2 * SHORT]
        if len(olds) * len(news) > CELLS:
            return []
        cutoff = 100 * (threshold / 1.2 + 0.5)
        found: list[Pair] = []
        for i in olds:
            for j in news:
                ratio = fuzz.ratio(self.old_keys[i], self.new_keys[j], score_cutoff=cutoff)
                if ratio:
                    found.append((i, j, (ratio / 100 - 0.5) * 1.2))
        return found


def unit(vector: dict[str, float]) -> dict[str, float]:
    """Scale a vector to length one."""
    length = math.sqrt(sum(weight * weight for weight in vector.values())) or 1.0
    return {gram: weight / length for gram, weight in vector.items()}


def best_first(pairs: list[Pair]) -> list[Pair]:
    """Return one-to-one pairs by taking the highest score left, again and again; of equals the first in order."""
    rows: set[int] = set()
    columns: set[int] = set()
    found: list[Pair] = []
    for row, column, score in sorted(pairs, key=lambda pair: (-pair[2], abs(pair[0] - pair[1]), pair[0])):
        if row not in rows and column not in columns:
            rows.add(row)
            columns.add(column)
            found.append((row, column, score))
    return found
