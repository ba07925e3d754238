"""How alike two wordings are: cosine of IDF-weighted word 1- and 2-grams; the best pairing of two groups."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

Scores = NDArray[np.float32]
SHORT = 40  # characters: below this, n-grams are too few and characters are compared instead
BLOCK = 400  # rows or columns: above this, a pairing is made best-first instead of optimally
DENSE = 6_000_000  # cells: above this, only pairs that share a rare gram are scored


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

    def scores(self, rows: Sequence[int], columns: Sequence[int]) -> Scores:
        """Return the similarity, 0 to 1, of every row clause with every column clause."""
        table = np.zeros((len(rows), len(columns)), dtype=np.float32)
        postings: dict[str, list[tuple[int, float]]] = {}
        for column, j in enumerate(columns):
            for gram, weight in self.new[j].items():
                postings.setdefault(gram, []).append((column, weight))
        for row, i in enumerate(rows):
            self._score_row(table[row], self.old[i], postings)
            self._score_short(table[row], i, columns)
        return table

    def _score_row(
        self, line: Scores, vector: dict[str, float], postings: dict[str, list[tuple[int, float]]]
    ) -> None:
        row: dict[int, float] = {}
        for gram, weight in vector.items():
            for column, other in postings.get(gram, ()):
                row[column] = row.get(column, 0.0) + weight * other
        if row:
            line[list(row)] = list(row.values())

    def _score_short(self, line: Scores, i: int, columns: Sequence[int]) -> None:
        key = self.old_keys[i]
        if len(key) >= SHORT:
            return
        for column, j in enumerate(columns):
            other = self.new_keys[j]
            if len(other) < 2 * SHORT:
                line[column] = max(line[column], (fuzz.ratio(key, other) / 100 - 0.5) * 1.2)


def unit(vector: dict[str, float]) -> dict[str, float]:
    """Scale a vector to length one."""
    length = math.sqrt(sum(weight * weight for weight in vector.values())) or 1.0
    return {gram: weight / length for gram, weight in vector.items()}


def pairing(scores: Scores, threshold: float) -> list[tuple[int, int, float]]:
    """Return the one-to-one pairs (row, column, score) at or above the threshold that are best together."""
    if scores.size == 0 or float(scores.max()) < threshold:
        return []
    if min(scores.shape) == 1 or max(scores.shape) > BLOCK:
        return best_first(scores, threshold)
    from scipy.optimize import linear_sum_assignment  # a fifth of a second to import, and rarely needed

    rows, columns = linear_sum_assignment(scores, maximize=True)
    found = zip(rows.tolist(), columns.tolist(), scores[rows, columns].tolist(), strict=True)
    return [(row, column, score) for row, column, score in found if score >= threshold]


def best_first(scores: Scores, threshold: float) -> list[tuple[int, int, float]]:
    """Return pairs by taking the highest score left, again and again."""
    rows, columns = np.nonzero(scores >= threshold)
    values = scores[rows, columns]
    order = np.argsort(-values, kind="stable")
    used_rows: set[int] = set()
    used_columns: set[int] = set()
    found = []
    for k in order.tolist():
        row, column = int(rows[k]), int(columns[k])
        if row not in used_rows and column not in used_columns:
            used_rows.add(row)
            used_columns.add(column)
            found.append((row, column, float(values[k])))
    return found
