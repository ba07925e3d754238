"""What is new in a change of a policy, small enough to be kept: the words that came and went by clause."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache

from msgspec import Struct

from pipeline.events import Change, ChangeType, ClausesChanged
from pipeline.news.telling import facts, stems

WORDLESS = {
    ChangeType.MOVED,
    ChangeType.RENUMBERED,
    ChangeType.REFORMATTED,
    ChangeType.LINK_TARGET,
    ChangeType.DATE_ONLY,
}
CLAUSES = 60  # of a change set kept, most important first
RUN = 900  # characters of stems kept of a clause's new words, and of its old ones
TOTAL = 16_000  # characters of stems kept of a change set
BREAK = "|"  # between runs of words that did not stand together

KINDS = {
    "privacy": re.compile(
        r"\bprivacy (?:polic(?:y|ies)|notice|statement|terms)\b|\bdata policy\b|^privacy$", re.I
    ),
    "terms": re.compile(
        r"\b(?:terms|ToS|EULA)\b|\b(?:user|customer|licen[cs]e|services) agreement\b|\bconditions of use\b",
        re.I,
    ),
    "rules": re.compile(
        r"\bguidelines\b|\brules\b|\bcommunity standards\b|\bcontent polic\w+|\b(?:acceptable )?use polic\w+|"
        r"\busage polic\w+",
        re.I,
    ),
    "cookies": re.compile(r"\bcookies?\b|\btrackers?\b", re.I),
    "copyright": re.compile(r"\bcopyright\b|\bDMCA\b", re.I),
    "commerce": re.compile(
        r"\brefunds?\b|\bseller\b|\bmonetization\b|\bmonetisation\b|\badvertis\w+ polic\w+", re.I
    ),
}


class ClauseNovelty(Struct, frozen=True, kw_only=True):
    """The words that a clause gained and lost, as stems in order, and the values it gained and lost."""

    heading: str = ""
    path: tuple[str, ...] = ()
    added: str = ""
    removed: str = ""
    values: tuple[str, ...] = ()
    old_values: tuple[str, ...] = ()


class ChangeNovelty(Struct, frozen=True, kw_only=True):
    """What a change set says that is new, and where it belongs; `id` is that of the ClausesChanged event."""

    id: str
    document_id: str
    document: str
    service: str
    seen_at: datetime
    effective_date: str = ""
    clauses: tuple[ClauseNovelty, ...] = ()
    common: tuple[str, ...] = ()  # stems that came or went all over the document, such as a new company name


def novelty(event: ClausesChanged) -> ChangeNovelty:
    """Return what is new in a change set; clauses past the limits are left out, the least important first."""
    clauses = tuple(bounded(event))
    return ChangeNovelty(
        id=event.id,
        document_id=event.document.id,
        document=event.document.name,
        service=event.document.service,
        seen_at=event.at,
        effective_date=event.effective_date or "",
        clauses=clauses,
        common=pervading(clauses),
    )


def bounded(event: ClausesChanged) -> Iterator[ClauseNovelty]:
    """Yield the clauses with new wording, as many as may be kept."""
    size = 0
    told = [change for change in event.changes if change.type not in WORDLESS]
    for change in told[:CLAUSES]:
        clause = clause_novelty(change)
        size += len(clause.added) + len(clause.removed)
        if size > TOTAL:
            return
        if clause.added or clause.removed or clause.values:
            yield clause


def clause_novelty(change: Change) -> ClauseNovelty:
    """Return what one change adds and takes away."""
    added, removed = sides(change)
    came, went = stated(added), stated(removed)
    return ClauseNovelty(
        heading=heading(change),
        path=change.heading_path[-3:],
        added=run(added),
        removed=run(removed),
        values=tuple(sorted(came - went)),
        old_values=tuple(sorted(went - came)),
    )


def sides(change: Change) -> tuple[list[str], list[str]]:
    """Return the pieces of text that came and those that went; a clause on one side only is such a piece."""
    if change.redline:
        ops = [(op, text) for op, text in change.redline if text.strip()]
        return [text for op, text in ops if op == "+"], [text for op, text in ops if op == "-"]
    return [change.new.text] if change.new else [], [change.old.text] if change.old else []


def heading(change: Change) -> str:
    """Return what a reader would call the clause: a title it begins with, its heading, or its first words."""
    side = change.new or change.old
    titled = re.match(r"[*_]*([A-Z][^.:\n]{2,60}?)[*_]*[.:](?=[*_\s])", side.text) if side else None
    if titled and len(titled.group(1).split()) <= 6:
        return titled.group(1).strip()
    if change.heading_path:
        return change.heading_path[-1]
    return change.lead or (" ".join(side.text.split()[:8]) if side else "")


def run(pieces: list[str]) -> str:
    """Return the stems of pieces of text, in order, as long as there is room."""
    words = f" {BREAK} ".join(" ".join(stems(piece)) for piece in pieces)
    return words if len(words) <= RUN else words[:RUN].rsplit(" ", 1)[0]


def stated(pieces: list[str]) -> set[str]:
    """Return every amount, number and date in pieces of text."""
    found = [facts(piece) for piece in pieces]
    return {value for fact in found for value in (*fact.amounts, *fact.numbers, *fact.dates)}


def pervading(clauses: tuple[ClauseNovelty, ...]) -> tuple[str, ...]:
    """Return the stems that came in one clause of five or more, where there are enough clauses to tell."""
    if len(clauses) < 10:
        return ()
    count = Counter(word for clause in clauses for word in {*clause.added.split(), *clause.removed.split()})
    return tuple(sorted(word for word, n in count.items() if n * 5 >= len(clauses) and word != BREAK))


@lru_cache(maxsize=1024)
def kinds(text: str) -> frozenset[str]:
    """Return the kinds of document that a text names."""
    return frozenset(kind for kind, pattern in KINDS.items() if pattern.search(text))
