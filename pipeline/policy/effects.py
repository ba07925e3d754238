"""What a change means, for whom, what a reader does about it and how sure that is; said only where it is plain."""

from __future__ import annotations

import re

from pipeline.events import Change, ChangeType, Severity
from pipeline.policy.choices import mechanism
from pipeline.policy.circumstances import emphasis
from pipeline.policy.classify import UNCLASSIFIED
from pipeline.policy.lean import REFUSALS, lean, spares
from pipeline.policy.quotes import quote
from pipeline.policy.taxonomy import taxonomy
from pipeline.policy.wording import body, is_english, is_heading, shown

SURE, LIKELY = 0.85, 0.65  # confidence in the subject above which it is told without, and with, a reservation
OWED = "Whoever breaks it owes the company money."
UNMOVED = "Its numbers and duties stay as they were."


def meaning(change: Change) -> list[str]:
    """Return the sentences on effect, people and remedy, in this order; none for a text that is not English."""
    category = taxonomy().get(change.category)
    if not is_english(shown(change)) or is_heading(change):
        return []
    if _is_quiet(change):
        return [UNMOVED]
    if category is None:
        return []
    told = _effect(change)
    people = (
        [] if told == [OWED] else [f"It concerns {category.concerns}."]
    )  # whoever breaks it, as just said
    return [*told, *people, *_act(change)]


def _effect(change: Change) -> list[str]:
    if change.type is ChangeType.ADDED and taxonomy()["liability_cap"].denies(shown(change)):
        return [OWED]
    category = taxonomy()[change.category]
    way = lean(change) if _is_plain(change) else 0
    told = category.worse if way < 0 else category.better if way > 0 else ""
    return [told] if told else []


_WEIGHS = re.compile(
    r"\d|\b(?:not|never|no|nor|without|unless|except|only|may|must|shall|will|can|cannot)\b", re.I
)


def _is_quiet(change: Change) -> bool:
    """Tell an edit of little weight in which no number, modal or negation came or went, and no fact moved."""
    touched = [text for op, text in change.redline if op != "="]
    return (
        change.type in (ChangeType.MODIFIED, ChangeType.MOVED_AND_MODIFIED)
        and change.severity.rank <= Severity.LOW.rank
        and not change.facts
        and not any(_WEIGHS.search(text) for text in touched)
    )


_PLAIN = frozenset(
    {
        "ai_training",
        "third_party_sharing",
        "sensitive_biometric",
        "indemnity",
        "liability_cap",
        "arbitration_class_waiver",
        "cookies_tracking",
        "scraping_api_limits",
    }
)
_SAYS_IT = {
    "retention_deletion": "retention",
    "consent_optout": "opt_out",
    "policy_change": "notice_period",
    "fees_renewal_refund": "money",
}


def _is_plain(change: Change) -> bool:
    """Tell whether a category's effect may be stated.

    It may for an added clause that takes something away in as many words and spares nothing, and for an edit whose
    own fact moved in the category's direction.
    """
    sure = change.categories.get(change.category, 0.0) >= 0.8
    if change.type is ChangeType.ADDED:
        text = shown(change)
        strong = bool(emphasis(text)) or any(
            fact.kind == "money" and fact.direction < 0 for fact in change.facts
        )
        return sure and strong and change.category in _PLAIN and not spares(text) and lean(change) < 0
    if change.type is ChangeType.REMOVED:
        return False
    kinds = {fact.kind for fact in change.facts if fact.direction and fact.old and fact.new}
    return sure and (_is_turned(change) or _SAYS_IT.get(change.category) in kinds)


def _is_turned(change: Change) -> bool:
    """Tell a promise of the company that was taken back or given, in a category whose effect follows from it."""
    sides = [
        {(side or {}).get("modality") in REFUSALS for side in (fact.old, fact.new)}
        for fact in change.facts
        if fact.kind == "modality" and fact.direction
    ]
    return change.category in _PLAIN and {True, False} in sides


def _act(change: Change) -> list[str]:
    """Return how to say no, in the document's words; nothing where they name no setting, link, address or form."""
    if change.type is ChangeType.REMOVED:
        return []
    text = shown(change)
    for fact in change.facts:
        if (
            fact.kind == "opt_out"
            and (fact.new or {}).get("default") == "opt-out"
            and fact.start >= body(change)
        ):
            told = quote(text, fact.start, words=20)
            if fact.quote in told and mechanism(told) != "unspecified":
                return [f"To act: “{told}”."]
    return []


def sureness(change: Change) -> str:
    """Return how sure the subject is, in words; "" where it is sure, or where none is told."""
    p = change.categories.get(change.category, 0.0)
    if change.category == UNCLASSIFIED or p >= SURE or not meaning(change) or _is_quiet(change):
        return ""
    return "The subject is likely, not certain." if p >= LIKELY else "The subject is uncertain."
