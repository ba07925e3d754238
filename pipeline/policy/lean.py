"""Whom a whole change favours: the reader (+1), the company (-1), or neither (0)."""

from __future__ import annotations

import re

from pipeline.events import Change, ChangeType
from pipeline.policy.deontic import duties
from pipeline.policy.taxonomy import taxonomy

REFUSALS = ("prohibition", "refrains", "no_entitlement")


def lean(change: Change) -> int:
    """Return the direction of a change from its facts, or where a clause came or went from its category.

    A new clause of a kind that binds readers (fees, arbitration, sharing) is against them, unless it says what
    the company does not do; a clause that goes is the reverse of one that comes.
    """
    told = sum(fact.direction for fact in change.facts if fact.old or fact.new)
    if change.type in (ChangeType.MODIFIED, ChangeType.MOVED_AND_MODIFIED):
        return _sign(told)
    if change.type not in (ChangeType.ADDED, ChangeType.REMOVED):
        return 0
    span = change.new or change.old
    kind = _kind(change.category, span.text if span else "")
    return kind if change.type is ChangeType.ADDED else -kind


def _kind(category: str, text: str) -> int:
    """Return whom a clause favours by its category, turned around where the company says what it does not do."""
    entry = taxonomy().get(category)
    if entry is None or not entry.added:
        return 0
    if entry.added < 0 and entry.id not in ALWAYS and spares(text):
        return 0
    own = [duty.modality for duty in duties(text) if duty.actor == "we"]
    refuses = bool(own) and sum(one in REFUSALS for one in own) * 2 > len(own)
    return -entry.added if refuses and entry.added < 0 and entry.id not in ALWAYS else entry.added


_SPARES = re.compile(
    r"\bwithout (?:collecting|sharing|storing|selling|using|disclosing|tracking)|"
    r"\bnever (?:share|sell|use|collect|stor)|"
    r"\b(?:do|does|will) not (?:collect|share|sell|stor|use|track|disclos|train|requir)|"
    r"\bonly (?:with|after) (?:your|obtaining)[^.]{0,20}(?:consent|permission)",
    re.IGNORECASE,
)


def spares(text: str) -> bool:
    """Tell a text that says in so many words what the company does not do, or only with consent."""
    return bool(_SPARES.search(text))


ALWAYS = ("liability_cap", "warranty_disclaimer", "indemnity", "arbitration_class_waiver", "termination")


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)
