"""Compare two versions of a document: one verdict, every typed change, most important first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from pipeline.events import Change, Clause, Comparison, PageState, Verdict, Version
from pipeline.policy.align import Alignment, align
from pipeline.policy.assess import assess
from pipeline.policy.changes import changes, marked, tells
from pipeline.policy.dates import effective_date
from pipeline.policy.guard import broken
from pipeline.policy.normalise import keys_of
from pipeline.policy.recut import is_cut_anew, recut
from pipeline.policy.sections import gathered
from pipeline.policy.stack import Stack, stack
from pipeline.policy.summary import summarise
from pipeline.policy.variants import Return, returned, wording

_WHY_BROKEN = {
    PageState.EMPTY: "the new version holds no text",
    PageState.LANGUAGE: "the new version is in another language",
    PageState.TRUNCATED: "the new version is the old one with most of it, or its end, missing",
    PageState.REPLACED: "the new text is another document",
}
_EXTRACTORS = (PageState.TRUNCATED, PageState.REPLACED)  # what another extractor may make of a good page
ANEW = 0.5  # of the marked text, at most, that must be left for a text cut anew to be told that way


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What readers are told of a version: all of it, or of a stacked page the coming part."""

    version: Version
    clauses: tuple[Clause, ...]
    keys: list[str]
    current: list[str]  # keys of the text in force: all of it, or of a stacked page the current part
    parts: Stack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """The bare difference of two versions, before its meaning is assessed."""

    changes: tuple[Change, ...]
    found: Alignment
    old: Told
    new: Told
    anew: bool = False  # one side's text was cut at the other's clause boundaries first


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
    memo: dict[str, str] = {}
    before = told(old, memo=memo)
    after = told(new, before.current, memo=memo)
    back = _returned(after, before, history, memo)
    if back is not None and not back.exact:
        before = told(history[-1 - back.ago], memo=memo)
    core = difference(before, after)
    state = broken(before.version, new, core.found, (before.keys, after.keys))
    excused = back is not None or (extractor_changed and state in _EXTRACTORS)
    if state is not PageState.OK and not excused:
        found = Comparison(verdict=Verdict.BROKEN, reason=state.value, notes=(_WHY_BROKEN[state],))
    else:
        verdict, reason = _verdict(core, extractor_changed, back)
        found = _assessed(core, verdict, reason, service, document, seen_at)
    words = summarise(found, service=service, document=document, seen_at=seen_at)
    return msgspec.structs.replace(found, summary=words)


def told(version: Version, known: Sequence[str] = (), *, memo: dict[str, str] | None = None) -> Told:
    """Return what readers are told of a version; `known` are the keys of the text in force before."""
    keys = keys_of(version.clauses, memo)
    parts = stack(version, known, keys=keys)
    if parts is None:
        return Told(version=version, clauses=version.clauses, keys=keys, current=keys)
    coming = [keys[at] for at in parts.places]
    current = keys_of(parts.current, memo)
    return Told(version=version, clauses=parts.coming, keys=coming, current=current, parts=parts)


def difference(old: Told, new: Told) -> Core:
    """Align two readings and type what differs."""
    found = align(old.clauses, new.clauses, old_keys=old.keys, new_keys=new.keys)
    told = changes(old.clauses, new.clauses, found)
    if is_cut_anew(found, old.keys, new.keys):
        anew = _changes_anew(old.clauses, new.clauses)
        if marked(anew) <= ANEW * marked(told):
            return Core(changes=anew, found=found, old=old, new=new, anew=True)
    return Core(changes=gathered(told, old.clauses, new.clauses), found=found, old=old, new=new)


def _changes_anew(old: tuple[Clause, ...], new: tuple[Clause, ...]) -> tuple[Change, ...]:
    """Return the changes once the side with fewer clauses is cut at the other's boundaries."""
    if len(old) < len(new):
        return changes(recut(old, new), new)
    return changes(old, recut(new, old))


def _returned(new: Told, old: Told, history: Sequence[Version], memo: dict[str, str]) -> Return | None:
    if not history:
        return None
    states = [wording(told(version, memo=memo).keys) for version in history]
    return returned(wording(new.keys), wording(old.keys), states)


def _assessed(
    core: Core, verdict: Verdict, reason: str, service: str, document: str, seen_at: datetime | None
) -> Comparison:
    parts = core.new.parts
    when = _effective(parts.text if parts else core.new.version, seen_at)
    return Comparison(
        verdict=verdict,
        reason=reason,
        changes=assess(
            core.changes,
            old=core.old.version,
            new=core.new.version,
            service=service,
            document=document,
            seen_at=seen_at,
            effective_date=when,
        ),
        effective_date=when,
        stacked=parts is not None,
        notes=_notes(core),
    )


def _effective(version: Version, seen_at: datetime | None) -> str | None:
    fact = effective_date(version, seen_at=seen_at)
    return str(fact.new["date"]) if fact and fact.new and fact.new.get("date") else None


def _notes(core: Core) -> tuple[str, ...]:
    if core.new.parts:
        return ("the page holds the coming and the current version: the coming one was compared",)
    if core.old.parts:
        return ("the page held two versions before: the one announced then was compared",)
    return ("the text is cut into other clauses than before: compared by words",) if core.anew else ()


def _verdict(core: Core, extractor_changed: bool, back: Return | None) -> tuple[Verdict, str]:
    """Return the verdict and, in words, why."""
    if back is not None and back.exact:
        return Verdict.UNCHANGED, f"returned to the version of {_ago(back)}"
    if not core.changes:
        return Verdict.UNCHANGED, "the wording is the same"
    if extractor_changed:
        return Verdict.MINOR, "the extractor changed: the differences are its own"
    total = len(core.changes)
    count = sum(1 for change in core.changes if tells(change))
    beside = f"; compared with the version of {_ago(back)}, which it returned to" if back else ""
    if count:
        return Verdict.CHANGED, f"{count} of {total} differences change the wording{beside}"
    return Verdict.MINOR, f"none of {total} differences changes the wording{beside}"


def _ago(back: Return) -> str:
    return f"{back.ago + 1} versions before"
