"""Short words for a change: what to call it, and where its own words begin."""

from __future__ import annotations

import re

from pipeline.events import Change, ChangeType
from pipeline.policy.taxonomy import taxonomy

VERBS = {
    ChangeType.ADDED: ("adds", "added"),
    ChangeType.REMOVED: ("removes", "removed"),
    ChangeType.MODIFIED: ("rewords", "reworded"),
    ChangeType.MOVED_AND_MODIFIED: ("rewords", "moved and reworded"),
    ChangeType.MOVED: ("moves", "moved"),
    ChangeType.RENUMBERED: ("renumbers", "renumbered"),
    ChangeType.SPLIT: ("splits", "split"),
    ChangeType.MERGED: ("merges", "merged"),
    ChangeType.REFORMATTED: ("reformats", "reformatted"),
    ChangeType.LINK_TARGET: ("changes a link in", "relinked"),
    ChangeType.DATE_ONLY: ("changes a date in", "redated"),
}
_RUN_IN = re.compile(r"^[*_\s]*([A-Z“\"][^.:!?\n]{2,60}?)[.:][*_]*\s+(?=\S)")
_FIRM = re.compile(r"\b(?:Inc|Ltd|LLC|Corp|Co|GmbH|Limited|No|St|e\.g|i\.e|U\.S)$")
_QUOTES = re.compile(r"[“”\"„«»]")


def shown(change: Change) -> str:
    """Return the text a reader would be shown: the new words, or the old ones of what is gone."""
    span = change.new or change.old
    return span.text if span else ""


def body(change: Change) -> int:
    """Return where the clause's own words begin in the text shown, past the headings joined to it."""
    text, at = shown(change), 0
    while (end := text.find("\n", at)) > 0 and _is_heading(text[at:end]):
        at = end + 1
    return at


def _is_heading(line: str) -> bool:
    return len(line.split()) <= 12 and not line.rstrip().endswith((".", ";", ","))


def topic(change: Change) -> str:
    """Return the name that a document itself gives a change: its run-in heading, else the heading above it."""
    return title(change) or heading(change)


def title(change: Change) -> str:
    """Return the heading that came with a clause, its run-in heading, or the whole of a very short one; else ""."""
    text, at = shown(change), body(change)
    if at:
        above = _clean(text[:at].splitlines()[-1])
        return above if len(above.split()) <= 8 else ""
    match = _RUN_IN.match(text)
    if match and len(match[1].split()) <= 7 and len(text) > len(match[0]) + 40 and not _is_sentence(match[1]):
        return "" if _FIRM.search(match[1]) else _clean(match[1])
    return _clean(text) if is_heading(change) and len(text.split()) <= 6 and len(text) <= 50 else ""


def is_heading(change: Change) -> bool:
    """Tell a change that is a heading, or a few words in a list, and nothing more."""
    text = shown(change)
    few = len(text.split()) <= 10 and len(text) <= 80 and not re.search(r"[.!?;:]\s*$", text)
    return few and not _is_sentence(text) and change.type in (ChangeType.ADDED, ChangeType.REMOVED)


def heading(change: Change) -> str:
    """Return the nearest heading above a change below the document's own title, where it is short."""
    own = [_clean(part) for part in change.heading_path[1:] or ()]
    return own[-1] if own and len(own[-1].split()) <= 8 else ""


def _is_sentence(words: str) -> bool:
    """Tell a short sentence from a heading: it has a subject and a verb of its own."""
    return bool(
        re.search(r"\b(?:please|note|we|you|is|are|may|will|must|can|do|have|has)\b", words, re.IGNORECASE)
    )


def _clean(words: str) -> str:
    plain = re.sub(r"^\s*(?:\d+(?:\.\d+)*|[A-Za-z]|[ivxIVX]+)[.)]\s+", "", words)
    return re.sub(r"\s+", " ", _QUOTES.sub("", re.sub(r"[*_`#]", "", plain))).strip(" .:–-")


def subject(change: Change) -> str:
    """Return what a change is about: its category in short, nothing where it has none."""
    category = taxonomy().get(change.category)
    return category.short if category else ""


def months() -> tuple[str, ...]:
    """Return the English month names, January first."""
    return (
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    )


def day(iso: str) -> str:
    """Return an ISO date as an English reader writes it: 15 November 2024."""
    parts = iso.split("-")
    if len(parts) < 2 or not all(part.isdigit() for part in parts):
        return iso
    name = months()[int(parts[1]) - 1]
    return f"{int(parts[2])} {name} {parts[0]}" if len(parts) > 2 else f"{name} {parts[0]}"


_COMMON = frozenset(
    [
        "the",
        "of",
        "and",
        "to",
        "in",
        "you",
        "your",
        "we",
        "our",
        "that",
        "this",
        "with",
        "for",
        "are",
        "is",
        "not",
        "or",
        "any",
        "be",
        "as",
        "by",
        "on",
        "may",
        "will",
        "from",
        "if",
    ]
)


def is_english(text: str) -> bool:
    """Tell English by its commonest words; a text of fewer than four words is given the benefit of the doubt."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    return len(words) < 4 or sum(word in _COMMON for word in words) / len(words) >= 0.12
