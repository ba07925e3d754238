"""Where a few words turn a meaning around: a denial added or taken away, or a word changed for its opposite.

Modals are read by `deontic`; here are the denials without one ("are not refundable") and pairs of opposites.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.events import Fact
from pipeline.policy.deontic import Hunk, direction, duties, hunks, words

DENIAL = re.compile(r"(?:not|never|no|nor|neither|without|cannot|\w+n['’]t)", re.IGNORECASE)
_PREFIX = re.compile(r"(?:un|non|in|im|ir|il|dis)(?=\w{4})", re.IGNORECASE)
_OPPOSITES = (
    ("optional", "mandatory"),
    ("optional", "required"),
    ("voluntary", "mandatory"),
    ("voluntary", "required"),
    ("including", "excluding"),
    ("include", "exclude"),
    ("includes", "excludes"),
    ("allowed", "prohibited"),
    ("allowed", "forbidden"),
    ("permitted", "prohibited"),
    ("permitted", "forbidden"),
    ("allow", "prohibit"),
    ("accept", "reject"),
    ("before", "after"),
    ("more", "less"),
    ("increase", "decrease"),
    ("enabled", "disabled"),
    ("on", "off"),
    ("always", "never"),
    ("free", "paid"),
    ("with", "without"),
    ("all", "no"),
    ("any", "no"),
    ("public", "private"),
    ("only", "not"),
)
FEW = 3  # words at most on either side of an edit that turns a meaning by itself


def reversals(old: str, new: str) -> Iterator[Fact]:
    """Yield the small edits that turn a meaning without a modal, with whom that favours where it can be told.

    Offsets are in the new text; the quote is what stands there now, or the word after a denial that is gone.
    """
    left, right = words(old), words(new)
    for hunk in hunks(left, right):
        gone, come = _side(left, hunk[1], hunk[2]), _side(right, hunk[3], hunk[4])
        turned = 0 if _is_idiom(left, hunk[1]) or _is_idiom(right, hunk[3]) else _turned(gone, come)
        if turned and not (_is_modal(old, left, hunk[1:3]) or _is_modal(new, right, hunk[3:])):
            yield _fact(new, right, hunk, turned, (gone, come))


def _side(found: list[re.Match[str]], start: int, end: int) -> tuple[str, ...]:
    return tuple(word[0].lower() for word in found[start:end] if word[0][0].isalnum())


def _is_idiom(found: list[re.Match[str]], start: int) -> bool:
    """Tell "whether or not", which denies nothing, by the word before an edit."""
    return 0 < start <= len(found) and found[start - 1][0].lower() in ("or", "whether")


def _is_modal(text: str, found: list[re.Match[str]], span: tuple[int, ...]) -> bool:
    """Tell whether a stretch of words shares a character with a modal, which `deontic` reads."""
    start, end = span
    return end > start and any(
        duty.start < found[end - 1].end() and found[start].start() < duty.end for duty in duties(text)
    )


def _turned(gone: tuple[str, ...], come: tuple[str, ...]) -> int:
    """Return +1 where an edit affirms what was denied, -1 where it denies, 2 for opposites, 0 for none of these."""
    if max(len(gone), len(come)) > FEW:
        return 0
    denied, denies = (sum(bool(DENIAL.fullmatch(word)) for word in side) for side in (gone, come))
    if denied != denies and len(gone) + len(come) - denied - denies <= 1:
        return 1 if denied > denies else -1
    if len(gone) == len(come) == 1:
        return _pair(gone[0], come[0])
    return 0


def _pair(gone: str, come: str) -> int:
    """Return how one word turns another: by a prefix that denies it, or as its opposite."""
    for first, second, sign in ((gone, come, -1), (come, gone, 1)):
        match = _PREFIX.match(second)
        if match and second[match.end() :].lstrip("-") == first:
            return sign
    known = (gone, come) in _OPPOSITES or (come, gone) in _OPPOSITES
    return 2 if known else 0


def _fact(
    new: str,
    right: list[re.Match[str]],
    hunk: Hunk,
    turned: int,
    sides: tuple[tuple[str, ...], tuple[str, ...]],
) -> Fact:
    place = right[hunk[3]] if hunk[4] > hunk[3] else right[min(hunk[3], len(right) - 1)] if right else None
    start, end = place.span() if place else (0, 0)
    following = right[hunk[4]][0].lower() if hunk[4] < len(right) else ""
    was, now = (" ".join(side) for side in sides)
    return Fact(
        kind="reversal",
        old={"words": was},
        new={"words": now},
        quote=new[start:end],
        start=start,
        end=end,
        direction=direction("we", -2, 2, following) * turned
        if abs(turned) == 1 and _judged(following)
        else 0,
        note=f"{was or 'nothing'} → {now or 'nothing'}",
    )


def _judged(word: str) -> bool:
    """Tell a word whose good or harm to the reader is known: then who gains can be told."""
    return direction("we", -2, 2, word) != 0
