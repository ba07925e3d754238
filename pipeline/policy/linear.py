"""A small linear text model: one sum of weights per label over the words and word pairs of a text.

Trained by `deploy/model/train.py` and shipped as one file; it needs numpy only and gives the same figures
everywhere.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
WORD = re.compile(r"[a-z][a-z'’-]+")


def terms(text: str) -> Counter[str]:
    """Return the words of a text and its pairs of neighbouring words, counted."""
    words = WORD.findall(text.lower())
    counts = Counter(words)
    counts.update(f"{first} {second}" for first, second in pairwise(words))
    return counts


@dataclass(frozen=True)
class Linear:
    """Weights over terms: rows are terms, columns labels; `idf` weighs terms and `scale` undoes the int8 storage."""

    labels: tuple[str, ...]
    index: dict[str, int]
    idf: Floats
    weights: NDArray[np.int8]
    scale: Floats
    bias: Floats

    def odds(self, text: str) -> dict[str, float]:
        """Return the log-odds of each label for a text."""
        rows, values = self._vector(text)
        sums = (
            (values @ self.weights[rows].astype(np.float32)) * self.scale + self.bias if rows else self.bias
        )
        return dict(zip(self.labels, sums.tolist(), strict=True))

    def _vector(self, text: str) -> tuple[list[int], Floats]:
        """Return the known terms of a text and their tf-idf values, scaled to length one."""
        found = [(self.index[term], count) for term, count in terms(text).items() if term in self.index]
        rows = [row for row, _ in found]
        counts = np.array([count for _, count in found], dtype=np.float32)
        values = (1.0 + np.log(counts)) * self.idf[rows] if rows else counts
        length = float(np.sqrt((values * values).sum())) or 1.0
        return rows, (values / length).astype(np.float32)


@cache
def shipped() -> Linear:
    """Return the packaged model of the taxonomy's categories."""
    path = Path(__file__).resolve().parents[2] / "deploy" / "model" / "categories.npz"
    with np.load(path, allow_pickle=False) as data:
        words = bytes(data["terms"]).decode().split("\n")
        labels = tuple(bytes(data["labels"]).decode().split("\n"))
        index = {word: row for row, word in enumerate(words)}
        return Linear(labels, index, data["idf"], data["weights"], data["scale"], data["bias"])
