"""A document that was written anew: too little is left to tell clause by clause, and too much to keep silent."""

from __future__ import annotations

import msgspec

from pipeline.events import Change, ChangeType, Comparison, PageState, Severity, Span, Verdict, Version

TOLD = {
    PageState.REPLACED: "writes its {name} anew: almost nothing of the text before is left",
    PageState.TRUNCATED: "takes most of the text out of its {name}",
}


def rewritten(comparison: Comparison, old: Version, new: Version, *, service: str, name: str) -> Comparison:
    """Return what readers are told of a version that two reads took for the document and no clause of which is known.

    A comparison alone calls such a page broken, and for one read that is wise. When a second, independent read says
    the same, it is the document: readers hear that it was written anew, and the next change is compared with it.
    """
    told = TOLD.get(PageState(comparison.reason)) if comparison.verdict is Verdict.BROKEN else None
    if told is None:
        return comparison
    sentence = f"{service} {told.format(name=name)}."
    change = Change(
        type=ChangeType.MODIFIED,
        clause_id="",
        heading_path=(new.title,) if new.title else (),
        old=_opening(old),
        new=_opening(new),
        redline=_redline(old, new),
        severity=Severity.HIGH,
        category="policy_change",
        score=9.0,
        reasons=("the text before and the text now share too little to be told clause by clause",),
    )
    return msgspec.structs.replace(
        comparison,
        verdict=Verdict.CHANGED,
        changes=(change,),
        summary=f"{sentence} The first words of both are shown; the pages tell the rest.",
    )


def anew_headline(comparison: Comparison, *, service: str, name: str) -> str:
    """Return the headline of a document that two reads found written anew; empty where it is not that."""
    told = TOLD.get(PageState(comparison.reason)) if comparison.reason in TOLD else None
    return f"{service} {told.format(name=name).partition(':')[0]}" if told else ""


def _opening(version: Version) -> Span | None:
    """Return the first paragraph of a version."""
    clause = next((one for one in version.clauses if one.kind != "heading"), None)
    return Span(text=clause.text, start=clause.start, end=clause.end) if clause else None


def _redline(old: Version, new: Version) -> tuple[tuple[str, str], ...]:
    spans = (("-", _opening(old)), ("+", _opening(new)))
    return tuple((op, span.text) for op, span in spans if span)
