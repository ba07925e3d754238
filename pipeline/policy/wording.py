"""Short words for a change: what to call it, which words of it to quote."""

from __future__ import annotations

import re
from collections.abc import Sequence

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
_QUOTES = re.compile(r"[“”\"„«»]")


def shown(change: Change) -> str:
    """Return the text a reader would be shown: the new words, or the old ones of what is gone."""
    span = change.new or change.old
    return span.text if span else ""


def topic(change: Change) -> str:
    """Return the name that a document itself gives a change: its run-in heading, else the heading above it."""
    return title(change) or heading(change)


def title(change: Change) -> str:
    """Return the run-in heading of a clause, or the whole of a very short one; empty where it has none."""
    text = shown(change)
    match = _RUN_IN.match(text)
    if match and len(match[1].split()) <= 7 and len(text) > len(match[0]) + 40 and not _is_sentence(match[1]):
        return _clean(match[1])
    short = len(text.split()) <= 6 and len(text) <= 50 and not _is_sentence(text)
    return _clean(text) if short and change.type in (ChangeType.ADDED, ChangeType.REMOVED) else ""


def heading(change: Change) -> str:
    """Return the nearest heading above a change below the document's own title, where it is short."""
    own = [_clean(part) for part in change.heading_path[1:] or ()]
    return own[-1] if own and len(own[-1].split()) <= 8 else ""


def _is_sentence(words: str) -> bool:
    """Tell a short sentence from a heading: it has a subject and a verb of its own."""
    return bool(re.search(r"\b(?:we|you|is|are|may|will|must|can|do|have|has)\b", words, re.IGNORECASE))


def _clean(words: str) -> str:
    plain = re.sub(r"^\s*(?:\d+(?:\.\d+)*|[A-Za-z]|[ivxIVX]+)[.)]\s+", "", words)
    return re.sub(r"\s+", " ", _QUOTES.sub("", re.sub(r"[*_`#]", "", plain))).strip(" .:–-")


def longest(redline: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """Return the words gone and come of the longest edited stretch of a redline."""
    runs: list[list[str]] = [["", ""]]
    for op, text in redline:
        if op == "=" and len(text.split()) > 1:
            runs.append(["", ""])
        elif op == "=":
            runs[-1] = [part + text if part else part for part in runs[-1]]
        else:
            runs[-1][op == "+"] += text
    gone, come = max(runs, key=lambda run: len(run[0]) + len(run[1]))
    return gone.strip(), come.strip()


def subject(change: Change) -> str:
    """Return what a change is about: its category in short, nothing where it has none."""
    category = taxonomy().get(change.category)
    return category.short if category else ""


def quote(text: str, anchor: int = 0, *, words: int = 22) -> str:
    """Return a verbatim stretch of a text around an offset, of whole words, without inner quotation marks.

    It starts with its sentence where that fits, and ends at the end of a phrase.
    """
    start, end = _stretch(text, anchor)
    piece = [match.span() for match in _PIECE.finditer(text[start:end])]
    if not piece:
        return ""
    first = _first_word(piece, anchor - start, words)
    last = min(len(piece), first + words) - 1
    last = _phrase_end(text[start:end], piece, first, last) if last < len(piece) - 1 else last
    return _balanced(text[start + piece[first][0] : start + piece[last][1]]).strip(" ,;:.–-")


def _balanced(words: str) -> str:
    """Cut a stretch so that no bracket in it lacks its partner."""
    depth, start, opened = 0, 0, -1
    for place, char in enumerate(words):
        if char == "(":
            opened = place if depth == 0 else opened
            depth += 1
        elif char == ")" and depth:
            depth -= 1
        elif char == ")":
            start = place + 1
    if not depth:
        return words[start:]
    return words[start:opened] if opened - start > 12 else words[opened + 1 :]


_IDEOGRAPHS = "\u3040-\u30ff\u3400-\u9fff"
_PIECE = re.compile(rf"[{_IDEOGRAPHS}]{{1,3}}|[^\s{_IDEOGRAPHS}]+")
_BREAK = re.compile(r"(?<=[.!?])\s+(?=[A-Z(“\"])|[。！？]|\n+|[“”\"„«»]")


def _stretch(text: str, anchor: int) -> tuple[int, int]:
    """Return the sentence around an offset, cut at quotation marks and line ends."""
    start, end = 0, len(text)
    for match in _BREAK.finditer(text):
        if match.start() <= anchor:
            start = match.end()
        else:
            end = match.start()
            break
    return start, end


def _first_word(piece: list[tuple[int, int]], anchor: int, words: int) -> int:
    at = next((index for index, (_, stop) in enumerate(piece) if stop > anchor), 0)
    return 0 if at < words - 4 else max(0, at - 6)


def _phrase_end(text: str, piece: list[tuple[int, int]], first: int, last: int) -> int:
    """Step back to the end of a phrase, or at least off a word that leaves the reader hanging."""
    for index in range(last, max(first + 5, last - 7), -1):
        if text[piece[index][1] - 1] in ",;:":
            return index
    while last > first + 3 and re.fullmatch(_HANGING, text[slice(*piece[last])], re.IGNORECASE):
        last -= 1
    return last


_HANGING = (
    r"(?:the|a|an|of|to|in|on|for|and|or|by|with|our|your|their|its|that|which|any|from|at|as|if|is|are|"
    r"be|this|these|not|may|will|must|shall|can)"
)


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
