"""The facts of changes in a reader's words: which duty came or went, which number, date or place moved."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipeline.alerts.render.letters import heading, one_line
from pipeline.alerts.render.times import date_of
from pipeline.events import Change, Fact

QUOTE, NOTE = 60, 140  # characters
KINDS = {  # what a value is of, where it does not say so itself
    "deadline": "deadline",
    "jurisdiction": "governing law",
    "limit": "limit",
    "notice_period": "notice period",
    "retention": "retention",
    "venue": "venue",
}
DUTIES = {
    "obligation": "an obligation",
    "permission": "a permission",
    "prohibition": "a prohibition",
    "refrains": "a statement of what is not done",
}
DATES = {"in_force": "in force", "published": "published", "updated": "last updated"}
LATE = frozenset({"effective_date"})  # told after all others: the message says the date anyhow

Side = Mapping[str, Any]


def facts(changes: Sequence[Change], limit: int = 4) -> list[str]:
    """Return the facts of changes in words, worse for the reader first, each once, with where it stands.

    `changes` come most important first; the first one's facts need no place, since it is shown in full.
    """
    stated = sorted(
        (
            (fact.kind in LATE, fact.direction, rank, change, fact)
            for rank, change in enumerate(changes)
            for fact in change.facts
        ),
        key=lambda item: item[:3],
    )
    lines: dict[str, str] = {}
    for _, _, rank, change, fact in stated:
        if told := tell(fact):
            lines.setdefault(told.casefold(), _placed(change, told, rank))
    return list(lines.values())[:limit]


def tell(fact: Fact) -> str:
    """Return a fact in words: what came, went or moved, with the words it rests on."""
    said = SAID[fact.kind](fact) if fact.kind in SAID else ""
    if said:
        return said
    if not fact.note:
        return _values(fact)
    quote = one_line(fact.quote, QUOTE)
    note = _note(fact)
    return note + (f" (“{quote}”)" if quote and quote not in fact.note else "")


def _placed(change: Change, told: str, rank: int) -> str:
    where = heading(change.heading_path[-1], 60) if rank and change.heading_path else ""
    return f"{where}{' ' if where[-1] in '?!' else ': '}{told}" if where else told


def _note(fact: Fact) -> str:
    """Return what a fact notes, its numbers grouped, and without a ratio that says nothing."""
    note = one_line(fact.note, NOTE)
    if fact.kind == "age" or note.endswith("(×1)"):
        note = re.sub(r" \(×[0-9.]+\)$", "", note)
    note = re.sub(r"(?<![\w.,])[0-9]{5,15}(?![\w]|[.,][0-9])", _grouped, note)
    return f"{KINDS[fact.kind]}: {note}" if fact.kind in KINDS else note


def _grouped(number: re.Match[str]) -> str:
    return f"{int(number[0]):,}"


def _values(fact: Fact) -> str:
    old, new = _normal(fact.old), _normal(fact.new)
    kind = one_line(fact.kind, 40).replace("-", " ").replace("_", " ")
    if old and new:
        return f"{kind}: {old} → {new}"
    return f"{kind}: {new} (new)" if new else f"{kind}: {old} (gone)" if old else ""


def _normal(value: Side | None) -> str:
    if not value:
        return ""
    return one_line(" ".join(str(part) for part in value.values() if part not in (None, "")), 80)


def _part(side: Side | None, name: str) -> str:
    return one_line(str((side or {}).get(name) or ""), QUOTE)


def _duty(fact: Fact) -> str:
    """Return how binding a clause became: “may” became “must”; empty where the words are not known."""
    old, new = _part(fact.old, "words"), _part(fact.new, "words")
    was, now = (DUTIES.get(_part(side, "modality"), "") for side in (fact.old, fact.new))
    if old and new and was and now:
        return f"“{old}” became “{new}”: {was} before, {now} now"
    if new and now and not old:
        return f"“{new}” added: {now}"
    return f"“{old}” dropped: {was}" if old and was and not new else ""


def _turned(fact: Fact) -> str:
    """Return which word turned a meaning around."""
    old, new = _part(fact.old, "words"), _part(fact.new, "words")
    if old and new:
        return f"“{old}” became “{new}”"
    return f"“{new}” added" if new else f"“{old}” dropped" if old else ""


def _choice(fact: Fact) -> str:
    """Return which choice came or went, and by which means where that is said."""
    old, new, quote = _means(fact.old), _means(fact.new), one_line(fact.quote, QUOTE)
    told = (
        f"{old} became {new}" if old and new else f"{new} added" if new else f"{old} removed" if old else ""
    )
    return f"{told} (“{quote}”)" if told and quote else told


def _means(side: Side | None) -> str:
    means = _part(side, "mechanism")
    return f"{_part(side, 'default')}{f' by {means}' if means not in {'', 'unspecified'} else ''}"


def _dated(fact: Fact) -> str:
    """Return which of a document's own dates moved, from when to when."""
    old, new = (date_of(_part(side, "date")) for side in (fact.old, fact.new))
    label = DATES.get(_part(fact.new or fact.old, "kind"), "dated")
    if old and new:
        return f"{label}: {old} → {new}"
    return f"{label}: {new} (new)" if new else f"{label}: {old} (gone)" if old else ""


SAID: Mapping[str, Callable[[Fact], str]] = {
    "effective_date": _dated,
    "modality": _duty,
    "opt_out": _choice,
    "reversal": _turned,
}
