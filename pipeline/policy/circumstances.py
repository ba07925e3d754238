"""What makes a change weigh more whatever its subject: rights given up, reach into the past, novelty, short notice.

Direction, retroactivity, notice, breadth and novelty follow the FTC's view of quiet or retroactive changes (guidance
of 13 February 2024).
"""

from __future__ import annotations

import re

from pipeline.events import Change, ChangeType
from pipeline.policy.tally import Context, Tally
from pipeline.policy.taxonomy import taxonomy

_RIGHT_GIVEN_UP = re.compile(
    r"\bwaive|give up|jointly and severally|liquidated damages|irrevocabl|perpetual|"
    r"without (?:prior )?notice|sole discretion|for any (?:or no )?reason|binding arbitration|"
    r"class[- ]action",
    re.IGNORECASE,
)
_OTHERS_PURPOSES = re.compile(
    r"(?:their|its) own (?:independent )?purposes|train (?:their|its|our|ai|artificial|machine|generative)",
    re.IGNORECASE,
)
_EVERYONE = re.compile(
    r"\ball (?:users|of your|content|data|information)\b|\bany (?:content|information|data)\b|\beveryone\b",
    re.IGNORECASE,
)
_BACKWARDS = re.compile(
    r"retroactiv|previously (?:collected|provided|posted)|already (?:collected|provided|posted)|"
    r"past (?:content|data|conversations)|before (?:the )?(?:effective|these|this)",
    re.IGNORECASE,
)
_DEFAULT_IN = re.compile(r"(?:if you do not|unless you) (?:opt|object|turn|disable|choose)", re.IGNORECASE)
_MINORS = re.compile(r"\b(?:child|children|minors?|teens?)\b", re.IGNORECASE)


def circumstances(tally: Tally, change: Change, context: Context) -> None:
    """Add what the words that a change brings in, and its notice, say of its weight."""
    text = _come(change)
    for pattern, points, why in (
        (_RIGHT_GIVEN_UP, 1.5, "a right is given up or discretion widened"),
        (_OTHERS_PURPOSES, 1.2, "others use it for purposes of their own"),
        (_BACKWARDS, 1.0, "reaches back in time"),
        (_DEFAULT_IN, 0.8, "holds unless the reader acts"),
        (_EVERYONE, 0.3, "concerns everyone"),
        (_MINORS, 0.3, "concerns minors"),
    ):
        match = pattern.search(text)
        if match:
            tally.add(points * (1.0 if change.type is ChangeType.ADDED else 0.7), f"{why} (“{match[0]}”)")
    if change.type is ChangeType.ADDED and taxonomy()["liability_cap"].denies(text):
        tally.add(1.0, "the reader is made to pay")
    _novelty(tally, change, text, context)
    _notice(tally, context)


def emphasis(text: str) -> tuple[int, ...]:
    """Return where the weightiest turns of phrase of a text stand, weightiest first."""
    cues = (_RIGHT_GIVEN_UP, _OTHERS_PURPOSES, _DEFAULT_IN, _BACKWARDS)
    return tuple(match.start() for match in (cue.search(text) for cue in cues) if match)


def _come(change: Change) -> str:
    """Return the words that a change brings in: all of an added clause, the inserted words of an edited one."""
    if change.type is ChangeType.ADDED:
        return change.new.text if change.new else ""
    return " ".join(text for op, text in change.redline if op == "+")


def _novelty(tally: Tally, change: Change, text: str, context: Context) -> None:
    """Add points where an added clause speaks of things that the old document never named."""
    words = set(re.findall(r"[a-z]{5,}", text.lower()))
    if change.type is not ChangeType.ADDED or len(words) < 8 or not context.known:
        return
    share = len(words - context.known) / len(words)
    if share >= 0.15:
        tally.add(round(min(1.0, 2 * share), 2), f"{share:.0%} of its terms are new to the document")


def _notice(tally: Tally, context: Context) -> None:
    if context.seen_at is None or context.effective is None or tally.points < 3:
        return
    days = (context.effective - context.seen_at.date()).days
    if days < 30:
        tally.add(0.3, f"{max(days, 0)} days of notice" if days > 0 else "no notice")
