"""One clause that stands in several places of a document, such as its European and its other terms, told once."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from pipeline.events import Change, Span
from pipeline.policy.severity import FORMAL

ALIKE = 0.8  # share of words that two copies have in common at least; amounts and addressees may differ
LEAST = 12  # words; shorter clauses are alike by chance
ASKED = 6  # groups with the same opening that a change is held against; boilerplate has thousands
OPENING = 5  # words that copies begin with alike


def groups(changes: Sequence[Change]) -> list[tuple[Change, ...]]:
    """Return the changes with the copies of each gathered behind it, in the order of the first of each."""
    told: list[list[Change]] = []
    begun: dict[tuple[object, ...], list[list[Change]]] = defaultdict(list)
    for change in changes:
        key = (change.type, *_words(_wording(change))[:OPENING])
        group = next((group for group in begun[key][-ASKED:] if _alike(group[0], change)), None)
        if group is None:
            group = []
            told.append(group)
            begun[key].append(group)
        group.append(change)
    return [tuple(group) for group in told]


def _alike(first: Change, other: Change) -> bool:
    """Tell two changes that say the same: both sides of both, word for word but for a few."""
    if first.type in FORMAL:
        return False
    pairs = ((first.old, other.old), (first.new, other.new))
    return all(_same(one, two) for one, two in pairs)


def _same(one: Span | None, two: Span | None) -> bool:
    if one is None or two is None:
        return one is two
    left, right = set(_words(one.text)), set(_words(two.text))
    shared = len(left & right)
    return shared >= ALIKE * len(left | right) and min(len(left), len(right)) >= LEAST


def _wording(change: Change) -> str:
    span = change.new or change.old
    return span.text if span else ""


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text.lower())
