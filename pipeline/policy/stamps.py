"""Dates that only stamp a document, told from dates, ages and periods that somebody's rights hang on."""

from __future__ import annotations

import re

from pipeline.policy.dates import Found, find, kind_of
from pipeline.policy.normalise import DATE, beside_stamp, is_date_line

STAMPS = ("updated", "published")  # kinds of date that tell of the document, not of anybody's rights
_RELATIVE = re.compile(r"\bago$", re.I)
_TOUCHED = re.compile(r"\b(?:updated|edited|modified|revised)(?: on)?:?(?: over| about| almost)? $", re.I)


def is_dated(text: str) -> bool:
    """Tell whether a text that came or went does nothing but date the document."""
    return is_date_line(text) and not beside_stamp(text)


def is_restamped(old: str, new: str) -> bool:
    """Tell whether two date lines differ in no more than dates, edition numbers and how they are put."""
    return is_date_line(old) and is_date_line(new) and beside_stamp(old) == beside_stamp(new)


def is_redated(old: str, new: str) -> bool:
    """Tell whether two texts that differ in dates only differ in none but those that date the document.

    In a line that does little else any date of the document counts, in other texts only when it was touched
    last: the day on which its terms begin to apply is the reader's business too. An age ("24 hours ago") dates
    nothing but such a line, and there too only right after "updated".
    """
    if is_dated(new):
        return True
    line = is_date_line(new)
    if _ages(old, line=line) != _ages(new, line=line):
        return False
    before, after = (_others(text, line=line) for text in (old, new))
    return before == after and (line or bool(find(new)))


def _ages(text: str, *, line: bool) -> list[str]:
    """Return the ages in a text that are not its own."""
    return [
        found[0].casefold()
        for found in DATE.finditer(text)
        if _RELATIVE.search(found[0]) and not (line and _TOUCHED.search(text[: found.start()]))
    ]


def _others(text: str, *, line: bool) -> set[str]:
    """Return the days in a text that are not the document's own."""
    return {date.iso for date in find(text) if not _stamps(text, date, line=line)}


def _stamps(text: str, date: Found, *, line: bool) -> bool:
    """Tell whether a date is the document's: by its cue, in a date line also by standing for itself."""
    kind = kind_of(text, date)
    return kind in STAMPS or (line and (bool(kind) or _stands_alone(text, date)))


def _stands_alone(text: str, date: Found) -> bool:
    """Tell whether nothing but marks stand between a date and the beginning of its text, and a mark after it."""
    ends = text[date.end :].strip()
    return not text[: date.start].strip(" ()[]*_|-–—") and (not ends or not ends[0].isalnum())
