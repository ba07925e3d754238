"""Clauses edited by known insertions, deletions and replacements, and how well a redline finds them again."""

from __future__ import annotations

import difflib
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.policy.redline import redline, tokens

Ops = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Edit:
    """An edited clause: both texts, which characters were struck and inserted, how many edits were made."""

    old: str
    new: str
    struck: frozenset[int]
    inserted: frozenset[int]
    count: int


@dataclass(frozen=True, slots=True)
class Score:
    """Precision, recall and F1 of marked characters in per cent, marks per edit, CPU milliseconds a clause."""

    precision: float
    recall: float
    f1: float
    hunks: float
    cost: float


def edits(clauses: Sequence[str], *, count: int = 600, seed: int = 17) -> Iterator[Edit]:
    """Yield clauses with one to four known edits each, four words apart at least."""
    rng = random.Random(seed)
    pool = [text for text in clauses if 25 <= len(text.split()) <= 200]
    for _ in range(count):
        yield _edited(rng.choice(pool).split(), rng.choice(pool).split(), rng)


def _edited(words: list[str], donor: list[str], rng: random.Random) -> Edit:
    places = _places(len(words), rng)
    old: list[tuple[str, bool]] = []
    new: list[tuple[str, bool]] = []
    at = 0
    for place in places:
        old += [(word, False) for word in words[at:place]]
        new += [(word, False) for word in words[at:place]]
        kind, size = rng.choice(("insert", "delete", "replace")), rng.randint(1, 4)
        gone = [] if kind == "insert" else words[place : place + size]
        start = rng.randrange(max(1, len(donor) - size))
        come = [] if kind == "delete" else donor[start : start + size]
        old += [(word, True) for word in gone]
        new += [(word, True) for word in come]
        at = place + len(gone)
    old += [(word, False) for word in words[at:]]
    new += [(word, False) for word in words[at:]]
    return Edit(_spelt(old), _spelt(new), _marked(old), _marked(new), len(places))


def _places(length: int, rng: random.Random) -> list[int]:
    places: list[int] = []
    for place in sorted(rng.sample(range(2, length - 6), min(rng.randint(1, 4), length - 8))):
        if not places or place - places[-1] > 8:
            places.append(place)
    return places


def _spelt(words: Sequence[tuple[str, bool]]) -> str:
    return " ".join(word for word, _ in words)


def _marked(words: Sequence[tuple[str, bool]]) -> frozenset[int]:
    marked: set[int] = set()
    at = 0
    for word, changed in words:
        if changed:
            marked.update(range(at, at + len(word)))
        at += len(word) + 1
    return frozenset(marked)


def by_difflib(old: str, new: str) -> Ops:
    """Redline by difflib over words, the usual way."""
    left, right = tokens(old), tokens(new)
    ops: list[tuple[str, str]] = []
    for tag, i0, i1, j0, j1 in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag == "equal":
            ops.append(("=", "".join(left[i0:i1])))
            continue
        ops += [op for op in (("-", "".join(left[i0:i1])), ("+", "".join(right[j0:j1]))) if op[1]]
    return ops


def score(samples: Sequence[Edit], make: Callable[[str, str], Ops] = redline) -> Score:
    """Mark a redline on known edits, by the characters it marks (spaces apart)."""
    hit = marked = true = hunks = count = 0
    start = time.process_time()
    made = [make(sample.old, sample.new) for sample in samples]
    spent = time.process_time() - start
    for sample, ops in zip(samples, made, strict=True):
        for side, text, known in (("-", sample.old, sample.struck), ("+", sample.new, sample.inserted)):
            said = {at for at in _said(ops, side) if not text[at].isspace()}
            hit, marked, true = hit + len(said & known), marked + len(said), true + len(known)
        hunks += _hunks(ops)
        count += sample.count
    precision, recall = 100 * hit / marked, 100 * hit / true
    f1 = 2 * precision * recall / (precision + recall)
    return Score(precision, recall, f1, hunks / count, 1000 * spent / len(samples))


def _said(ops: Ops, side: str) -> set[int]:
    said: set[int] = set()
    at = 0
    for op, text in ops:
        if op == side:
            said.update(range(at, at + len(text)))
        if op in ("=", side):
            at += len(text)
    return said


def _hunks(ops: Ops) -> int:
    """Count the marks a reader sees: runs of edits that nothing but white space parts."""
    found, open_mark = 0, False
    for op, text in ops:
        if op != "=":
            found += not open_mark
            open_mark = True
        elif text.strip():
            open_mark = False
    return found
