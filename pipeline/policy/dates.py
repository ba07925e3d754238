"""Dates that a policy states about itself: in force since, last updated, published, applies to existing users.

Regular expressions find and an own table of month names normalises: a search for anything that might be a date
takes "we" for Wednesday. A numeric date whose day and month could be swapped is kept and flagged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from pipeline.events import Fact, Version
from pipeline.policy.tables import table


@dataclass(frozen=True, slots=True)
class Found:
    """A calendar date in a text: ISO 8601 (a month alone is YYYY-MM), its span, and whether it is ambiguous."""

    iso: str
    start: int
    end: int
    ambiguous: bool = False


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    names = "|".join(sorted(map(re.escape, table("months")["months"]), key=len, reverse=True))
    edge = r"(?:(?<![^\W\d_])|(?-i:(?<=[a-z])(?=[A-Z])))"  # "UpdatedNovember 14" is read too
    month = rf"(?P<month>{edge}(?:{names})(?![^\W\d_]))\.?"
    day = r"(?<!\d)(?P<day>[0-3]?\d)(?:st|nd|rd|th|er|º|°|ª|\.)?(?!\d)"
    year = r"(?P<year>(?:19|20)\d\d)(?!\d)"
    flags = re.IGNORECASE
    return (
        re.compile(r"(?<![\d./-])(?P<year>(?:19|20)\d\d)[-/.](?P<mm>\d{1,2})[-/.](?P<day>\d{1,2})(?!\d)"),
        re.compile(r"(?P<year>(?:19|20)\d\d)\s?[年년]\s?(?P<mm>\d{1,2})\s?[月월]\s?(?P<day>\d{1,2})\s?[日일]"),
        re.compile(rf"{day}\s?(?:de\s+|of\s+|-\s?|day of\s+)?{month}[,\s]*(?:de[l]?\s+|-\s?)?{year}", flags),
        re.compile(rf"{month},?\s{{0,2}}{day},?\s{{0,3}}(?:of\s+)?{year}", flags),
        re.compile(rf"(?P<year>(?<!\d)(?:19|20)\d\d)\.?\s{month}\s{day}", flags),
        re.compile(r"(?<![\d./-])(?P<a>\d{1,2})(?P<sep>[/.-])\s?(?P<b>\d{1,2})(?P=sep)\s?(?P<year>(?:19|20)\d\d|\d\d)(?![\d/])"),
        re.compile(rf"{month},?\s(?:de\s+)?{year}", flags),
    )  # fmt: skip


_HINT = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|\d{1,2}[/.-]\d{1,2}[/.-]\s?\d\d(?!\d)")
BEFORE, AFTER = 32, 24  # characters around a year in which the rest of its date stands


def find(text: str) -> tuple[Found, ...]:
    """Return the calendar dates in a text, in order, none inside another."""
    taken: list[Found] = []
    for start, end in _windows(text):
        for pattern in _patterns():
            for match in pattern.finditer(text, start, end):
                found = _found(match)
                if (
                    found
                    and not _in_link(text, found)
                    and not any(found.start < other.end and other.start < found.end for other in taken[-8:])
                ):
                    taken.append(found)
    return tuple(sorted(taken, key=lambda found: found.start))


def _in_link(text: str, found: Found) -> bool:
    """Tell a date inside a URL or a link target from one that a reader sees."""
    word = text[max(0, found.start - 200) : found.start]
    return bool(re.search(r"(?:://|\]\(|www\.|[?&]\w+=)[^\s)]*$", word))


def _windows(text: str) -> Iterator[tuple[int, int]]:
    """Yield the stretches in which a date may stand: searching the rest for month names would be wasted."""
    start = end = -1
    for hint in _HINT.finditer(text):
        if hint.start() - BEFORE > end:
            if end > 0:
                yield start, end
            start = max(0, hint.start() - BEFORE)
        end = min(len(text), hint.end() + AFTER)
    if end > 0:
        yield start, end


def _found(match: re.Match[str]) -> Found | None:
    part = match.groupdict()
    if part.get("a"):
        return _numeric(match)
    month = int(part["mm"]) if part.get("mm") else table("months")["months"][part["month"].lower()]
    return _at(match, int(part["year"]), month, int(part["day"]) if part.get("day") else None)


def _numeric(match: re.Match[str]) -> Found | None:
    """Read 15/11/2024, 11/15/2024, 15.11.2024; below 13 both ways the order is a guess, except with dots."""
    first, second, year = int(match["a"]), int(match["b"]), int(match["year"])
    if year < 100:
        year += 2000
    if first > 12 or match["sep"] == ".":
        return _at(match, year, second, first)
    if second > 12 or first == second:
        return _at(match, year, first, second)
    return _at(match, year, first, second, ambiguous=True)


def _at(
    match: re.Match[str], year: int, month: int, day: int | None, *, ambiguous: bool = False
) -> Found | None:
    try:
        moment = date(year, month, day or 1)
    except ValueError:
        return None
    return Found(moment.isoformat() if day else f"{moment:%Y-%m}", match.start(), match.end(), ambiguous)


KINDS = ("in_force", "updated", "published")
WEAK = {
    "weak": "in_force",
    "weak_published": "published",
}  # cues that count only where a line speaks of its document


@cache
def _cues() -> re.Pattern[str]:
    """Return one pattern whose named group tells the kind of cue; longer cues first."""
    cues = table("date_cues")
    groups = (f"(?P<{kind}>{_any(cues[kind])})" for kind in ("not", *KINDS, *WEAK))
    return re.compile(rf"(?<![^\W\d_])(?:{'|'.join(groups)})", re.IGNORECASE)


@cache
def _about(kind: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{_any(table('date_cues')[kind])})\b", re.IGNORECASE)


def _any(patterns: list[str]) -> str:
    return "|".join(sorted(patterns, key=len, reverse=True))


def kind_of(text: str, found: Found) -> str:
    """Return what a date says of its document by the cue nearest to it: one of KINDS, `existing`, or nothing."""
    kind = _cue_before(text, found) or _cue_after(text, found)
    if kind == "in_force" and _about("existing_users").search(_line(text, found)):
        return "existing"
    return kind if kind in KINDS else ""


def _cue_before(text: str, found: Found) -> str | None:
    before = _before(text, found.start)
    cues = [cue for cue in _cues().finditer(before) if _touches(before[cue.end() :])]
    weak = None
    for cue in reversed(cues):
        if cue.lastgroup not in WEAK:
            return None if _FORMER.search(before[: cue.start()]) else cue.lastgroup
        weak = weak or WEAK[cue.lastgroup]
    line = _line(text, found)
    return weak if weak and (len(line.strip()) <= SHORT or _of_itself().search(line)) else None


_FORMER = re.compile(
    r"\b(?:previous|prior|earlier|former|archived|superseded) (?:\w+ ){0,2}?(?:was |were |is |has been )?$",
    re.IGNORECASE,
)
SHORT = 45  # characters of a line that can only be about the document it stands in


@cache
def _of_itself() -> re.Pattern[str]:
    """Return a pattern of a document that names itself: "this Policy", "these updated Terms"."""
    nouns = _any(table("date_cues")["self"])
    return re.compile(
        rf"\b(?:this|these|new|updated|revised|following)\b[^.\n]{{0,40}}?\b(?:{nouns})\b", re.IGNORECASE
    )


def _cue_after(text: str, found: Found) -> str | None:
    after = text[found.end : found.end + 70].split("\n", maxsplit=1)[0]
    cue = _cues().match(after.lstrip(" ,()*_:-–—is"))
    return cue.lastgroup if cue else None


def _before(text: str, start: int) -> str:
    """Return what precedes a date: its own line, or the line above where the date begins one."""
    lead = text[max(0, start - 110) : start]
    own = lead.rsplit("\n", 1)[-1]
    if own.strip(" *_#>|[(-"):
        return own
    above = lead.rstrip(" \n*_#>|[(-\t=\xa0").rsplit("\n", 1)[-1]
    return above + " " if len(above) <= 40 or above[-1:].isalpha() else own


def _touches(between: str) -> bool:
    """Tell whether a cue still speaks of the date: few words and no end of sentence between the two."""
    return len(between) <= 45 and not re.search(
        r"[.;!?]\s+\S|\d{4}|\bto (?:remove|add|include|reflect|the)\b", between.replace("No. ", "")
    )


def _line(text: str, found: Found) -> str:
    """Return the sentence, or line, that a date stands in."""
    before = re.split(r"\n|[.!?]\s", text[max(0, found.start - 200) : found.start])[-1]
    after = re.split(r"\n|[.!?]\s", text[found.end : found.end + 200])[0]
    return re.sub(r"\]\([^)]*\)?", "]", before + text[found.start : found.end] + after)


def stated(text: str, *, offset: int = 0) -> Iterator[Fact]:
    """Yield the dates that a text states about itself, as facts."""
    for found in find(text):
        kind = kind_of(text, found)
        if kind:
            yield _fact(text, found, kind, offset)


NAMES = {"existing": "applies_to_existing_users"}


def _fact(text: str, found: Found, kind: str, offset: int = 0) -> Fact:
    quote = text[found.start : found.end]
    value = {"date": found.iso, "kind": NAMES.get(kind, kind)} | (
        {"ambiguous": True} if found.ambiguous else {}
    )
    note = "day and month could be swapped" if found.ambiguous else ""
    return Fact(
        kind="effective_date",
        new=value,
        quote=quote,
        start=found.start + offset,
        end=found.end + offset,
        note=note,
    )


ENDS = (
    4000,
    0.1,
    8000,
)  # characters at either end where a document is dated as a whole: at least, share, at most


def _ends(length: int) -> tuple[int, int]:
    """Return where the head of a document ends and its foot begins."""
    least, share, most = ENDS
    reach = int(min(most, max(least, share * length)))
    return least, length - reach


_LONE = re.compile(r"[\s*_#>|(\[~`🗓]*(?:v(?:ersion)?\.?\s?[\d.]+[\s,:–-]*)?", re.IGNORECASE)


def dates(version: Version) -> tuple[Fact, ...]:
    """Return every date that a document states about itself, in order, with a lone date under its title."""
    facts = list(stated(version.text))
    known = {fact.start for fact in facts}
    facts += [
        _fact(version.text, found, "published") for found in _lone(version.text) if found.start not in known
    ]
    return tuple(sorted(facts, key=lambda fact: fact.start))


def _lone(text: str) -> Iterator[Found]:
    """Yield a date that stands alone on one of the first lines."""
    for found in find(text[:600]):
        start = text.rfind("\n", 0, found.start) + 1
        rest = text[found.end :].split("\n", 1)[0].strip(" *_#>|)].")
        if _LONE.fullmatch(text[start : found.start]) and not rest:
            yield found


def effective_date(version: Version, *, seen_at: datetime | None = None) -> Fact | None:
    """Return the date a document gives itself: in force, else last updated, else published; null without one.

    Dates at its head count before dates at its foot, and those before dates inside, which belong to a part.
    `new["kind"]` says which kind it is. With `seen_at`, a date more than five years ahead is not believed.
    """
    length = len(version.text)
    facts = [fact for fact in dates(version) if _believable(fact, seen_at) and _of_whole(fact, version.text)]
    return min(facts, key=lambda fact: _rank(fact, length), default=None)


def _of_whole(fact: Fact, text: str) -> bool:
    """Tell a date at either end, or in a line that speaks of the document itself, from one told in passing."""
    head, foot = _ends(len(text))
    if fact.start < head or fact.start > foot:
        return True
    return bool(_of_itself().search(_line(text, Found("", fact.start, fact.end))))


def _believable(fact: Fact, seen_at: datetime | None) -> bool:
    assert fact.new is not None, "a date found has a value"
    return seen_at is None or int(fact.new["date"][:4]) <= seen_at.year + 5


def _rank(fact: Fact, length: int) -> tuple[int, int, int, int]:
    assert fact.new is not None, "a date found has a value"
    head, foot = _ends(length)
    place = 0 if fact.start < head else 1 if fact.start > foot else 2
    kind = {"in_force": 0, "updated": 1, "published": 1}.get(fact.new["kind"], 2)
    return int(place == 2), kind, place, -_number(fact.new["date"])


def _number(iso: str) -> int:
    """Return a date as a number that grows with it: of two dates alike in kind and place the later holds."""
    return int(iso.replace("-", "").ljust(8, "0"))
