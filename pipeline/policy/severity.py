"""How much a change matters to a reader: points added up one reason at a time.

The measure is of the change and not of the clause: a typo in an arbitration clause is low, an arbitration clause
that was not there before is critical. The points are kept with the event.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from pipeline.events import Change, ChangeType, Fact
from pipeline.policy.circumstances import circumstances
from pipeline.policy.deontic import STRENGTH
from pipeline.policy.favour import size
from pipeline.policy.lean import lean
from pipeline.policy.quotes import edits, length
from pipeline.policy.tables import table
from pipeline.policy.tally import HIGH, LOW, MEDIUM, Context, Tally
from pipeline.policy.wording import body, shown

FORMAL = frozenset(
    {
        ChangeType.RENUMBERED,
        ChangeType.REFORMATTED,
        ChangeType.MOVED,
        ChangeType.DATE_ONLY,
        ChangeType.LINK_TARGET,
    }
)


def measure(change: Change, weights: Sequence[tuple[str, float, float]], *, context: Context) -> Tally:
    """Return the tally of a change, given (category, confidence, weight) for each of its categories."""
    tally = Tally()
    if change.type in FORMAL:
        tally.add(FORMAL_POINTS.get(change.type, 0.05), f"{change.type.value} only")
        return tally
    _category(tally, weights)
    tally.times(_substance(change), "substance of the wording changed")
    _facts(tally, change.facts)
    circumstances(tally, change, context)
    _direction(tally, change)
    _floor(tally, change)
    return tally


def _floor(tally: Tally, change: Change) -> None:
    """Raise a change to what its weightiest fact deserves by itself, in however harmless a clause."""
    least, why = max((_least(fact, change) for fact in change.facts), default=(0.0, ""))
    if tally.points < least:
        tally.add(round(least - tally.points, 2), why)
        tally.points = least  # exactly, not by a sum of rounded parts


def _least(fact: Fact, change: Change) -> tuple[float, str]:
    """Return the least points of a change in which a fact moved, and why.

    A meaning turned around is medium; a promise not to sell or share that is taken back is high; a number that
    moved against the reader is low, medium where it at least doubled or halved.
    """
    if not (fact.old and fact.new):
        return 0.0, ""
    if fact.kind == "reversal":
        return (MEDIUM, "a meaning is turned around") if is_small(change, fact) else (0.0, "")
    if fact.kind == "modality":
        return _least_of_turn(fact, change)
    if fact.direction < 0 and fact.kind in POINTS:
        return (MEDIUM, "a number moved far against the reader") if _is_far(fact) else (LOW, "a number moved")
    return 0.0, ""


def _least_of_turn(fact: Fact, change: Change) -> tuple[float, str]:
    was, now = ((side or {}).get("modality", "none") for side in (fact.old, fact.new))
    if not is_small(change, fact):
        return 0.0, ""
    if fact.direction < 0 and STRENGTH[was] <= -1 and _is_grave(fact):
        return HIGH, "a promise is taken back"
    ours = (fact.new or fact.old or {}).get("actor") != "other"
    whole = "none" not in (was, now) and (ours or min(STRENGTH[was], STRENGTH[now]) < 0)
    return (MEDIUM, f"{was} turned into {now}") if whole else (0.0, "")


def _is_grave(fact: Fact) -> bool:
    """Tell a turn of what others do with the reader's data: selling, sharing, tracking."""
    told = fact.new or fact.old or {}
    return told.get("actor") != "you" and str(told.get("verb", "")).startswith(tuple(table("verbs")["grave"]))


SMALL = 14  # words of an edit that turns one meaning; more is a passage written anew


def is_small(change: Change, fact: Fact) -> bool:
    """Tell a modal turned by a small edit from one inside a passage written anew."""
    near = [edit for edit in edits(change.redline) if edit.new[0] - 12 <= fact.start <= edit.new[1] + 12]
    span = change.new or change.old
    whole = span.text if span else ""
    return any(length(whole[slice(*edit.new)]) + (edit.old[1] - edit.old[0]) // 6 <= SMALL for edit in near)


def _direction(tally: Tally, change: Change) -> None:
    """Count what goes against the reader a little more, what favours the reader a little less."""
    way = lean(change)
    if way < 0 and change.type is ChangeType.REMOVED:
        tally.add(1.0, "a protection is removed")
    elif way < 0 and tally.points >= 1:
        tally.add(0.5, "against the reader")
    if way > 0:
        tally.times(0.85, "in the reader’s favour")


FORMAL_POINTS = {ChangeType.DATE_ONLY: 0.2, ChangeType.MOVED: 0.25, ChangeType.LINK_TARGET: 0.28}


def _category(tally: Tally, weights: Sequence[tuple[str, float, float]]) -> None:
    """Add the weight of the first category by its confidence, and a little for each further weighty one."""
    if not weights:
        tally.add(1.0, "unclassified")
        return
    ranked = sorted(weights, key=lambda item: -item[1] * item[2])
    name, sure, weight = ranked[0]
    tally.add(round(weight * sure, 2), f"{name} (weight {weight:.0f}, confidence {sure:.2f})")
    for name, sure, weight in ranked[1:3]:
        if weight >= 3 and sure >= 0.6:
            tally.add(round(0.4 * sure, 2), f"also {name}")


def _substance(change: Change) -> float:
    """Return how much of the clause's meaning the edit touches, 0.1 for a typo to 1 for a whole clause."""
    if change.type in (ChangeType.ADDED, ChangeType.REMOVED):
        return _weight_of_length(change)
    touched, kept = _words(change.redline, "+-"), _words(change.redline, "=")
    if any(fact.kind == "reversal" for fact in change.facts):
        return 0.8
    if _is_typo(change.redline):
        return 0.1
    share = touched / max(1.0, touched + 2.0 * kept)
    if any(fact.direction or _is_elsewhere(fact) for fact in change.facts):
        return 0.8  # what is stated by value moved, however few the words
    return round(min(1.0, max(0.25, 0.3 + 1.2 * share) if touched > 2 else 0.3), 2)


def _weight_of_length(change: Change) -> float:
    """A clause of a few words, such as a heading or a list entry, says less than a paragraph."""
    words = len(shown(change)[body(change) :].split())
    base = 0.35 if words <= 4 else 0.6 if words <= 10 else 0.85 if words <= 25 else 1.0
    return round(base * (0.7 if change.type is ChangeType.REMOVED and lean(change) >= 0 else 1.0), 2)


def _words(redline: Sequence[tuple[str, str]], ops: str) -> float:
    return float(sum(len(re.findall(r"\w+", text)) for op, text in redline if op in ops))


def _is_typo(redline: Sequence[tuple[str, str]]) -> bool:
    """Tell a slip of spelling: every replaced word is nearly its replacement, and no digit moved."""
    gone = " ".join(text for op, text in redline if op == "-").split()
    come = " ".join(text for op, text in redline if op == "+").split()
    if not redline or len(gone) != len(come) or len(gone) > 3:
        return False
    return all(_near(a, b) for a, b in zip(gone, come, strict=True))


def _near(a: str, b: str) -> bool:
    if any(char.isdigit() for char in a + b):
        return False
    plain_a, plain_b = re.sub(r"\W", "", a).lower(), re.sub(r"\W", "", b).lower()
    if plain_a == plain_b:
        return True
    if min(len(plain_a), len(plain_b)) < 4:
        return False
    shared = sum(x == y for x, y in zip(plain_a, plain_b, strict=False)) + sum(
        x == y for x, y in zip(plain_a[::-1], plain_b[::-1], strict=False)
    )
    return shared >= max(len(plain_a), len(plain_b)) - 1 and abs(len(plain_a) - len(plain_b)) <= 2


POINTS = {
    "money": 1.5,
    "limit": 0.7,
    "opt_out": 0.8,
    "retention": 0.8,
    "notice_period": 0.8,
    "venue": 0.8,
    "jurisdiction": 0.8,
    "age": 0.8,
    "deadline": 0.5,
    "percent": 0.6,
    "reversal": 1.0,
}


def _facts(tally: Tally, facts: Sequence[Fact]) -> None:
    """Add points for each kind of fact that moved, more where it moved against the reader or far."""
    seen: set[str] = set()
    for fact in facts:
        name = f"{fact.kind}{fact.direction}"
        if name in seen:
            continue
        seen.add(name)
        if fact.kind == "modality":
            tally.add(_turned(fact), f"{(fact.new or fact.old or {}).get('actor')}: {fact.note}")
        else:
            far = 1.5 if _is_far(fact) else 1.0
            side = 1.0 if fact.direction < 0 or _is_elsewhere(fact) else 0.5
            tally.add(round(POINTS.get(fact.kind, 0.2) * side * far, 2), f"{fact.kind}: {fact.note}")


def _turned(fact: Fact) -> float:
    """Return the points of a turned modal: most where what was ruled out is now allowed, or the reverse."""
    was, now = (STRENGTH[(side or {}).get("modality", "none")] for side in (fact.old, fact.new))
    if "none" in {(side or {}).get("modality") for side in (fact.old, fact.new)} and max(was, now) > 0:
        return 0.5 if fact.direction < 0 else 0.2  # a modal that came or went with the sentence around it
    if fact.direction >= 0:
        return 0.5
    return 2.4 if min(was, now) == STRENGTH["prohibition"] else 1.2


def _is_elsewhere(fact: Fact) -> bool:
    """Tell a law, a court or an age line that moved: it matters whichever way it went."""
    return fact.kind in ("venue", "jurisdiction", "age") and bool(fact.old and fact.new)


def _is_far(fact: Fact) -> bool:
    """Tell a value that at least doubled or halved, or a choice that is gone."""
    before, after = size(fact.old), size(fact.new)
    if fact.kind == "opt_out":
        return fact.new is None
    return bool(before and after) and not Decimal("0.5") < (after or 1) / (before or 1) < 2
