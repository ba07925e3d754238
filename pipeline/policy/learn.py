"""The recipe for learning labels of short legal texts from examples, on a CPU, in a minute.

Five linear views of a text are averaged: support vectors over words and word pairs, plain and balanced, over
characters, and over words weighed by naive Bayes log-count ratios (Wang and Manning 2012), and a balanced logistic
regression. Each label's threshold comes from cross-validation inside the training rows. Where every training
text has a label, so has every answer. Needs scikit-learn (extra `learn`); nothing here is used when the product
runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from pipeline.errors import ConfigError

Floats = NDArray[np.float64]
FOLDS = 4
SEED = 7
LEAST = 8  # texts


@dataclass(frozen=True)
class View:
    """One way of looking at texts: its vectoriser and one fitted classifier per label."""

    vectors: Any
    models: tuple[Any, ...]
    ratios: tuple[Floats, ...] = ()

    def scores(self, texts: Sequence[str]) -> Floats:
        """Return a score for each text (rows) and label (columns)."""
        matrix = self.vectors.transform(texts)
        return np.column_stack([self._score(matrix, place) for place in range(len(self.models))])

    def _score(self, matrix: csr_matrix, place: int) -> Floats:
        weighed = _weighed(matrix, self.ratios[place]) if self.ratios else matrix
        return np.asarray(self.models[place].decision_function(weighed))


@dataclass(frozen=True)
class Model:
    """A trained recipe: its labels, its views with the scale of their scores, and a threshold per label."""

    labels: tuple[str, ...]
    views: tuple[View, ...]
    middle: tuple[Floats, ...]
    spread: tuple[Floats, ...]
    thresholds: Floats
    always: bool

    def margins(self, texts: Sequence[str]) -> Floats:
        """Return how far each label's score lies above its threshold, for each text."""
        parts = zip(self.views, self.middle, self.spread, strict=True)
        return (
            sum(((view.scores(texts) - mid) / wide for view, mid, wide in parts), start=np.zeros(1))
            - self.thresholds
        )

    def predict(self, text: str) -> dict[str, float]:
        """Return the labels of a text with a confidence between a half and one, surest first."""
        return self.predict_all([text])[0]

    def predict_all(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """Return the labels of each text, as `predict` does."""
        return [self._told(row) for row in self.margins(texts)] if texts else []

    def _told(self, row: Floats) -> dict[str, float]:
        kept = [place for place in np.argsort(-row, kind="stable") if row[place] >= 0]
        if not kept and self.always:
            kept = [int(np.argmax(row))]
        return {
            self.labels[place]: round(float(1 / (1 + np.exp(-max(0.0, row[place])))), 3) for place in kept
        }


def train(rows: Iterable[tuple[str, set[str]]]) -> Model:
    """Return a model of the rows (text, labels); a label needs an example and a counter-example.

    Raises ConfigError without rows or without labels, and where scikit-learn is not installed.
    """
    texts, marks, labels = _table(list(rows))
    held = _held_out(texts, marks)
    views = _views(texts, marks)
    middle = tuple(scores.mean(axis=0) for scores in held)
    spread = tuple(scores.std(axis=0) + 1e-9 for scores in held)
    joined = sum(((s - m) / w for s, m, w in zip(held, middle, spread, strict=True)), start=np.zeros(1))
    thresholds = np.array([_threshold(joined[:, place], marks[:, place]) for place in range(len(labels))])
    return Model(labels, views, middle, spread, thresholds, bool(marks.any(axis=1).all()))


def _table(rows: list[tuple[str, set[str]]]) -> tuple[list[str], NDArray[np.int8], tuple[str, ...]]:
    labels = tuple(sorted({label for _, found in rows for label in found}))
    if len(rows) < LEAST or not labels:
        raise ConfigError(
            f"there is nothing to learn from in {len(rows)} texts",
            remedy=f"give {LEAST} or more rows of text,label",
        )
    marks = np.array([[label in found for label in labels] for _, found in rows], dtype=np.int8)
    return [text for text, _ in rows], marks, labels


def _held_out(texts: Sequence[str], marks: NDArray[np.int8]) -> list[Floats]:
    """Return each view's scores for every text from models that did not see it."""
    fold = np.random.default_rng(SEED).permutation(len(texts)) % min(FOLDS, len(texts))
    held: list[Floats] = []
    for one in range(fold.max() + 1):
        inside, outside = np.flatnonzero(fold != one).tolist(), np.flatnonzero(fold == one).tolist()
        views = _views([texts[row] for row in inside], marks[inside])
        held = held or [np.zeros(marks.shape) for _ in views]
        for place, view in enumerate(views):
            held[place][outside] = view.scores([texts[row] for row in outside])
    return held


def _views(texts: Sequence[str], marks: NDArray[np.int8]) -> tuple[View, ...]:
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.svm import LinearSVC
    except ImportError as error:
        raise ConfigError("learning needs scikit-learn", remedy="install the extra `learn`") from error
    rare = 2 if len(texts) > 200 else 1  # texts that a term has to stand in
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=rare, strip_accents="unicode")
    chars = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, min_df=2 * rare - 1)
    by_words, by_chars = words.fit_transform(texts), chars.fit_transform(texts)
    ratios = tuple(_ratio(by_words, column) for column in marks.T)
    odds = partial(LogisticRegression, C=10, class_weight="balanced", solver="liblinear")
    even = partial(LinearSVC, C=0.3, class_weight="balanced", random_state=SEED)
    return (
        View(words, _fitted(even, by_words, marks)),
        View(words, _fitted(partial(LinearSVC, C=0.3, random_state=SEED), by_words, marks)),
        View(chars, _fitted(partial(LinearSVC, C=0.3, random_state=SEED), by_chars, marks)),
        View(words, _fitted(partial(LinearSVC, C=0.1, random_state=SEED), by_words, marks, ratios), ratios),
        View(words, _fitted(odds, by_words, marks)),
    )  # fmt: skip


def _fitted(
    make: Any, matrix: csr_matrix, marks: NDArray[np.int8], ratios: tuple[Floats, ...] = ()
) -> tuple[Any, ...]:
    """Return one classifier per label; a label without both kinds of example gets one that says so."""
    models = []
    for place, column in enumerate(marks.T):
        weighed = _weighed(matrix, ratios[place]) if ratios else matrix
        models.append(
            make().fit(weighed, column) if 0 < column.sum() < len(column) else Constant(float(column[0]))
        )
    return tuple(models)


@dataclass(frozen=True)
class Constant:
    """What is learnt of a label that all rows have, or none."""

    value: float

    def decision_function(self, matrix: csr_matrix) -> Floats:
        """Return the same score for every row."""
        return np.full(matrix.shape[0], self.value * 2 - 1)


def _ratio(matrix: csr_matrix, column: NDArray[np.int8]) -> Floats:
    """Return the log-count ratio of each term between the texts with a label and those without."""
    seen = (matrix > 0).astype(np.float64)
    inside = np.asarray(seen[column == 1].sum(axis=0)).ravel() + 1.0
    outside = np.asarray(seen[column == 0].sum(axis=0)).ravel() + 1.0
    ratio: Floats = np.log((inside / inside.sum()) / (outside / outside.sum()))
    return ratio


def _weighed(matrix: csr_matrix, ratio: Floats) -> csr_matrix:
    return csr_matrix(matrix.multiply(ratio))


def _threshold(scores: Floats, truth: NDArray[np.int8]) -> float:
    """Return the score that parts a label's texts from the others with the best F1.

    F1 is averaged over neighbouring cuts, a tenth of the label's texts wide, so that one lucky row does not decide.
    """
    order = np.argsort(-scores, kind="stable")
    right = np.cumsum(truth[order])
    f1 = 2 * right / (np.arange(1, len(scores) + 1) + truth.sum())
    width = int(0.1 * truth.sum()) | 1
    smooth = np.convolve(np.pad(f1, width // 2, mode="edge"), np.ones(width) / width, "valid")
    best = int(np.argmax(smooth))
    return float((scores[order[best]] + scores[order[min(best + 1, len(scores) - 1)]]) / 2)


def measured(model: Model, rows: Sequence[tuple[str, set[str]]]) -> tuple[float, float, dict[str, float]]:
    """Return macro F1, micro F1 and F1 per label in per cent, over the labels of the rows."""
    labels = sorted({label for _, found in rows for label in found})
    told = model.predict_all([text for text, _ in rows])
    counts = np.array([_counts(label, told, rows) for label in labels], dtype=np.float64)
    each = 200 * counts[:, 0] / np.maximum(1, counts.sum(axis=1) + counts[:, 0])
    micro = 200 * counts[:, 0].sum() / max(1.0, counts.sum() + counts[:, 0].sum())
    return float(each.mean()), float(micro), dict(zip(labels, each.tolist(), strict=True))


def _counts(
    label: str, told: list[dict[str, float]], rows: Sequence[tuple[str, set[str]]]
) -> tuple[int, int, int]:
    """Return how often a label was right, wrong and missed."""
    pairs = [(label in answer, label in found) for answer, (_, found) in zip(told, rows, strict=True)]
    return pairs.count((True, True)), pairs.count((True, False)), pairs.count((False, True))
