"""What each change means: category, facts, severity and rank, with the reasons that led there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from pipeline.events import Change, ChangeType, Fact, Severity, Version
from pipeline.policy.classify import UNCLASSIFIED, categories
from pipeline.policy.facts import changed_facts
from pipeline.policy.severity import FORMAL, Context, Tally, level, measure
from pipeline.policy.taxonomy import taxonomy


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
    """Return the changes with category, severity, facts, score and reasons, most important first."""
    context = Context(seen_at, _day(effective_date), frozenset(re.findall(r"[a-z]{5,}", old.text.lower())))
    told = [_assessed(change, context) for change in changes]
    return tuple(sorted(told, key=lambda change: (-change.score, _place(change))))


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
    found = _categories(change)
    weights = [(name, p, taxonomy()[name].weight) for name, p in found.items()]
    told = msgspec.structs.replace(change, facts=facts, category=_first(weights))
    tally = measure(told, weights, context=context)
    severity = _capped(level(tally.points), change)
    return msgspec.structs.replace(
        told,
        categories=found,
        severity=severity,
        score=round(tally.points, 2),
        reasons=_reasons(change, tally, severity),
    )


def _first(weights: Sequence[tuple[str, float, float]]) -> str:
    """Return the category a change is told under: the surest, a weightier one where nearly as sure."""
    return max(weights, key=lambda item: item[1] + 0.05 * item[2], default=(UNCLASSIFIED, 0.0, 0.0))[0]


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
    read = GLANCE if change.type in FORMAL else len(span.text)
    return categories(span.text[:read], path=change.heading_path, lead=change.lead)


GLANCE = 400  # characters read of a clause whose words did not change


def _facts(change: Change) -> tuple[Fact, ...]:
    if change.type in FORMAL and change.type is not ChangeType.DATE_ONLY:
        return ()
    old, new = change.old.text if change.old else "", change.new.text if change.new else ""
    if old and new:
        return changed_facts(old, new)
    return tuple(fact for fact in changed_facts(old, new) if fact.kind != "modality")
