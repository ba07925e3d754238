"""The check that a summary says nothing of its own: numbers, dates, names and modals come from the texts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from pipeline.events import Change, Comparison
from pipeline.policy.favour import shown
from pipeline.policy.wording import day, title

_QUOTED = re.compile(r"“([^“”]*)”")
_MODALS = re.compile(r"\b(?:may|might|must|shall|will|would|can|cannot|could|should|ought)\b", re.IGNORECASE)
_TOKENS = re.compile(r"\d[\d,.:/-]*\d|\d|\b(?:[A-Z][\w’'-]*|\w+[A-Z][\w]*)\b")
_OWN = frozenset({"Also", "Seen", "It", "To", "In", "The", "Subject", "AI", "API"})


def grounded(
    text: str,
    comparison: Comparison,
    *,
    service: str = "",
    document: str = "",
    seen_at: datetime | None = None,
) -> list[str]:
    """Return the tokens of a summary that nothing vouches for; an empty list is a pass.

    A quotation has to stand verbatim in one of the changes; outside of quotations, numbers, capitalised words and
    modals have to be given: the service, the document, the days, names in headings, or counts of the changes.
    """
    sources = " ".join(_texts(comparison.changes))
    loose = [quoted for quoted in _QUOTED.findall(text) if not _stands(quoted, sources)]
    rest = _QUOTED.sub(" ", text)
    given = f"{service} {document} {_names(comparison.changes)} {_values(comparison.changes, sources)}"
    days = [
        day(one) for one in (comparison.effective_date, seen_at.date().isoformat() if seen_at else "") if one
    ]
    for name in (service, document, *sorted(days, key=len, reverse=True)):
        rest = rest.replace(name, " ") if name else rest
    return loose + list(_unvouched(rest, given, comparison))


def _texts(changes: tuple[Change, ...]) -> Iterator[str]:
    for change in changes:
        yield from (span.text for span in (change.old, change.new) if span)
        yield from change.heading_path
        yield "".join(words for op, words in change.redline if op in "=-")
        yield "".join(words for op, words in change.redline if op in "=+")


def _names(changes: tuple[Change, ...]) -> str:
    """Return the words of headings and run-in titles, which a headline uses without quotation marks; no numbers."""
    titles = (" ".join((title(change), *change.heading_path)) for change in changes)
    return re.sub(r"\w*\d\w*", " ", " ".join(titles))


def _values(changes: tuple[Change, ...], sources: str) -> str:
    """Return the values that facts state in normal form, which a headline may use where their words stand."""
    found = (fact for change in changes for fact in change.facts if _stands(fact.quote, sources))
    return " ".join(shown(fact.kind, side) for fact in found for side in (fact.old, fact.new) if side)


def _stands(quoted: str, sources: str) -> bool:
    return " ".join(quoted.split()) in " ".join(sources.split())


def _unvouched(rest: str, given: str, comparison: Comparison) -> Iterator[str]:
    words = set(re.findall(r"\w+", given))
    counts = {str(count) for count in range(1, len(comparison.changes) + 1)}
    yield from (match[0] for match in _MODALS.finditer(rest))
    for match in _TOKENS.finditer(rest):
        token = match[0].strip(".,")
        known = token in counts or token in _OWN or set(re.split(r"[-’']", token)) <= words
        if not known and not _begins(rest, match.start()):
            yield token


def _begins(text: str, start: int) -> bool:
    """Tell a capital at the start of a sentence from a name."""
    return not text[:start].strip() or (
        bool(re.search(r"[.!?:]\s*$", text[:start])) and not text[start].isdigit()
    )
