"""Whether a new version is a readable version of its document at all, judged against the one before it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from pipeline.events import PageState, Version
from pipeline.policy.align import Alignment
from pipeline.policy.language import detect
from pipeline.policy.normalise import words_of

LINKED = 0.25  # share of each side's text that must be linked, or the new text is held for another document
ALIKE = (
    0.45  # likeness of the two vocabularies above which little linked text is a rewrite, not a replacement
)
FOREIGN = 0.5  # share of linked text above which a language is not asked for
LOST = 0.4  # share of the old text that must be gone at the end for a page to be called truncated
LOST_MOST = 0.75  # share of the old text that must be gone anywhere, with nothing new beside what is left
STAYED = 0.95  # share of the text before the cut that a truncated page still has, and of its own that is old
LEAST = 8  # clauses of the old version below which nothing can be said of truncation


def broken(
    old: Version, new: Version, found: Alignment, keys: tuple[Sequence[str], Sequence[str]]
) -> PageState:
    """Return in which way `new` is no version of the document of `old`, OK when it is one.

    `keys` are those of the old and the new clauses that were aligned.
    """
    if not old.clauses:
        return PageState.OK
    if not any(keys[1]):
        return PageState.EMPTY
    if min(found.linked) < FOREIGN and _is_foreign(old, new):
        return PageState.LANGUAGE
    if _is_cut(found, *keys):
        return PageState.TRUNCATED
    if max(found.linked) < LINKED and alike(*keys) < ALIKE and not _same_title(old, new):
        return PageState.REPLACED
    return PageState.OK


def _is_foreign(old: Version, new: Version) -> bool:
    before, after = old.language or detect(old.text), new.language or detect(new.text)
    return bool(before and after) and before[:2] != after[:2] and detect(old.text) != detect(new.text)


def _is_cut(found: Alignment, old: Sequence[str], new: Sequence[str]) -> bool:
    """Tell whether the new text is the old one without its end, or hardly more than a piece of the old one."""
    same = {i: j for i, j in found.pairs.items() if old[i] == new[j]}
    if len(old) < LEAST or not same:
        return False
    last = max(same)
    before, after = _size(old[: last + 1]), _size(old[last + 1 :])
    kept = _size([old[i] for i in same])
    if kept <= (1 - LOST_MOST) * (before + after) and kept >= STAYED * _size(new):
        return True
    return (
        after >= LOST * (before + after)
        and kept >= STAYED * before
        and kept >= STAYED * (_size(new) - len(new[-1]))
        and len(new) - len(same) <= 1
    )


def _size(keys: Sequence[str]) -> int:
    return sum(map(len, keys))


def alike(old: Sequence[str], new: Sequence[str]) -> float:
    """Return how alike two vocabularies are: the cosine of the logarithms of their word counts."""
    one, two = _vocabulary(old), _vocabulary(new)
    shared = sum(weight * two.get(word, 0.0) for word, weight in one.items())
    return shared / (_length(one) * _length(two) or 1.0)


def _vocabulary(keys: Sequence[str]) -> dict[str, float]:
    counts = Counter(word for text in keys for word in text.split() if len(word) > 3 or not word.isascii())
    return {word: 1 + math.log(n) for word, n in counts.items()}


def _length(vector: dict[str, float]) -> float:
    return math.sqrt(sum(weight * weight for weight in vector.values()))


def _same_title(old: Version, new: Version) -> bool:
    before, after = set(words_of(_title(old))), set(words_of(_title(new)))
    return bool(before) and 2 * len(before & after) > len(before | after)


def _title(version: Version) -> str:
    heading = next((clause.text for clause in version.clauses if clause.kind == "heading"), "")
    return version.title or heading
