"""What each change means: category, facts, severity and rank, with the reasons that led there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from pipeline.events import Change, ChangeType, Fact, Severity, Version
from pipeline.policy.classify import UNCLASSIFIED, categories
from pipeline.policy.copies import groups
from pipeline.policy.facts import changed_facts
from pipeline.policy.severity import FORMAL, measure
from pipeline.policy.tally import Context, Tally, level
from pipeline.policy.taxonomy import taxonomy
from pipeline.policy.wording import body


def assess(
    changes: Sequence[Change],
    *,
    old: Version,
    new: Version,
    service: str = "",
    document: str = "",
    seen_at: datetime | None = None,
    effective_date: str | None = None,
) -> tuple[Change, ...]:
    """Return the changes with category, severity, facts, score and reasons.

    The most important comes first, the copies of a clause together.
    """
    context = Context(seen_at, _day(effective_date), frozenset(re.findall(r"[a-z]{5,}", old.text.lower())))
    told = [_assessed(change, context) for change in changes]
    ranked = sorted(told, key=lambda change: (-change.score, _place(change)))
    return tuple(change for group in groups(ranked) for change in group)


def _day(written: str | None) -> date | None:
    try:
        return date.fromisoformat(written) if written else None
    except ValueError:
        return None


def _place(change: Change) -> int:
    span = change.new or change.old
    return span.start if span else 0


def _assessed(change: Change, context: Context) -> Change:
    facts = _facts(change)
    found = _witnessed(_categories(change), facts)
    weights = [(name, p, taxonomy()[name].weight) for name, p in found.items()]
    told = msgspec.structs.replace(change, facts=facts, category=_first(weights, _touched(change), facts))
    tally = measure(told, weights, context=context)
    severity = _capped(level(tally.points), change)
    return msgspec.structs.replace(
        told,
        categories=found,
        severity=severity,
        score=round(tally.points, 2),
        reasons=_reasons(change, tally, severity),
    )


def _first(weights: Sequence[tuple[str, float, float]], touched: str, facts: Sequence[Fact]) -> str:
    """Return the category a change is told under: the surest, a weightier one where nearly as sure.

    One that the edited words, or a value among them, speak of goes before one that only the rest speaks of.
    """
    values = {TELLS.get(fact.kind) for fact in facts if touched}

    def rank(item: tuple[str, float, float]) -> float:
        name, sure, weight = item
        spoken = bool(touched and taxonomy()[name].seeds.search(touched)) + (name in values)
        return sure + 0.05 * weight + EDITED * spoken

    return max(weights, key=rank, default=(UNCLASSIFIED, 0.0, 0.0))[0]


EDITED = 0.12  # how far a category is preferred that the edited words speak of


def _touched(change: Change) -> str:
    """Return the words that came and went; "" for a clause that came or went as a whole."""
    if change.old is None or change.new is None:
        return ""
    return " … ".join(text for op, text in change.redline if op != "=")


def _reasons(change: Change, tally: Tally, severity: Severity) -> tuple[str, ...]:
    """Return the reasons a change had before, then the arithmetic of its severity; assessing twice adds nothing."""
    sums = (*tally.reasons, f"sum {tally.points:.1f} → {severity.value}")
    return (*(reason for reason in change.reasons if reason not in sums), *sums)


def _capped(severity: Severity, change: Change) -> Severity:
    """Keep a change of form below a change of wording, whatever its clause is about."""
    return min(severity, Severity.LOW, key=lambda one: one.rank) if change.type in FORMAL else severity


def _categories(change: Change) -> dict[str, float]:
    """Return the categories of a change: of its new text, or of the text that went."""
    span = change.new or change.old
    if span is None:
        return {}
    text = span.text[body(change) :]
    read = GLANCE if change.type in FORMAL else len(text)
    return categories(text[:read], path=change.heading_path, lead=change.lead)


TELLS = {
    "retention": "retention_deletion",
    "age": "children",
    "venue": "governing_law_venue",
    "jurisdiction": "governing_law_venue",
}
WITNESS = 0.8  # confidence that a value which moved gives to its own category


def _witnessed(found: dict[str, float], facts: Sequence[Fact]) -> dict[str, float]:
    """Return the categories with those that a moved value speaks for, whatever the words around it."""
    told = {TELLS[fact.kind]: WITNESS for fact in facts if fact.kind in TELLS and fact.old and fact.new}
    if any(fact.kind == "limit" and _is_rate(fact) for fact in facts):
        told["scraping_api_limits"] = WITNESS
    joined = {**found, **{name: max(p, found.get(name, 0.0)) for name, p in told.items()}}
    return dict(sorted(joined.items(), key=lambda item: (-item[1], item[0])))


def _is_rate(fact: Fact) -> bool:
    """Tell how much may be read in a time: so many posts, calls or pages a day."""
    value = fact.new or fact.old or {}
    unit = str(value.get("unit", "")).split(" ")[-1].rstrip("s")
    return "window" in value and unit in (
        "post",
        "tweet",
        "request",
        "call",
        "querie",
        "query",
        "page",
        "record",
    )


GLANCE = 400  # characters read of a clause whose words did not change


def _facts(change: Change) -> tuple[Fact, ...]:
    if change.type in FORMAL and change.type is not ChangeType.DATE_ONLY:
        return ()
    old, new = change.old.text if change.old else "", change.new.text if change.new else ""
    if old and new:
        return changed_facts(old, new)
    return tuple(fact for fact in changed_facts(old, new) if fact.kind != "modality")
