"""Compare two versions of a document: one verdict, every typed change, most important first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.events import Change, Clause, Comparison, Verdict, Version
from pipeline.policy import dates
from pipeline.policy.align import Alignment, align
from pipeline.policy.changes import changes, tells
from pipeline.policy.guard import broken
from pipeline.policy.normalise import keys_of
from pipeline.policy.stack import Stack, stack
from pipeline.policy.variants import returned


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """The bare difference of two versions, before its meaning is assessed."""

    changes: tuple[Change, ...]
    found: Alignment
    old: tuple[Clause, ...]
    new: tuple[Clause, ...]
    stacked: Stack | None = None
    unstacked: bool = False


def compare(
    old: Version,
    new: Version,
    *,
    history: Sequence[Version] = (),
    extractor_changed: bool = False,
    service: str = "",
    document: str = "",
    seen_at: datetime | None = None,
) -> Comparison:
    """Compare a version with the one before it. `history` holds earlier versions, oldest first.

    With `extractor_changed` the two texts come from different extractors: no difference is the policy's.
    """
    core = compare_clauses(old, new)
    state = broken(old, new, core.found, core.old, core.new)
    if state and not extractor_changed:
        return Comparison(verdict=Verdict.BROKEN, reason=state)
    back = returned(new, history, old=old)
    if back is not None:
        return Comparison(
            verdict=Verdict.UNCHANGED, reason=f"returned to the version of {len(history) - back} before"
        )
    when = _effective(core, new, seen_at)
    verdict, reason = _verdict(core, extractor_changed)
    return Comparison(
        verdict=verdict,
        reason=reason,
        changes=core.changes,
        effective_date=when,
        stacked=core.stacked is not None,
        notes=tuple(clause.text for clause in core.stacked.notices) if core.stacked else (),
    )


def compare_clauses(old: Version, new: Version) -> Core:
    """Return the typed changes of two versions; of stacked pages the coming parts are compared."""
    memo: dict[str, str] = {}
    before, known, known_keys = _told(old, (), memo)
    after, coming, coming_keys = _told(new, known_keys, memo)
    found = align(known, coming, old_keys=known_keys, new_keys=coming_keys)
    return Core(
        changes=changes(known, coming, found),
        found=found,
        old=known,
        new=coming,
        stacked=after,
        unstacked=before is not None and after is None,
    )


def _told(
    version: Version, known: Sequence[str], memo: dict[str, str]
) -> tuple[Stack | None, tuple[Clause, ...], list[str]]:
    """Return what of a version readers are told of: of a stacked page the coming part, else all of it."""
    keys = keys_of(version.clauses, memo)
    parts = stack(version, known, keys=keys)
    if parts is None:
        return None, version.clauses, keys
    return parts, parts.coming, [keys[at] for at in parts.places]


def _effective(core: Core, new: Version, seen_at: datetime | None) -> str | None:
    fact = dates.effective_date(core.stacked.text if core.stacked else new, seen_at=seen_at)
    return str(fact.new["date"]) if fact and fact.new and fact.new.get("date") else None


def _verdict(core: Core, extractor_changed: bool) -> tuple[Verdict, str]:
    if not core.changes:
        return Verdict.UNCHANGED, "the wording is the same"
    if extractor_changed:
        return Verdict.MINOR, "the extractor changed: the differences are its own"
    count = sum(1 for change in core.changes if tells(change))
    if count:
        return Verdict.CHANGED, f"{count} of {len(core.changes)} differences change the wording"
    return Verdict.MINOR, f"{len(core.changes)} differences, none of wording"
