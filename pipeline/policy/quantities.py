"""Numbers and spans of time as policies write them, brought to a normal form.

"thirty (30) days", "30 days" and "30-day" are all P30D; "24 hours" is P1D and "twelve months" P1Y, so that
values compare by what they say and not by how they are spelled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache

from pipeline.policy.tables import table

WORDS = {
    "zero": 0,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "thirteen": 13,
    "fourteen": 14,
    "fifteen": 15,
    "sixteen": 16,
    "seventeen": 17,
    "eighteen": 18,
    "nineteen": 19,
    "twenty": 20,
    "twenty-one": 21,
    "twenty-four": 24,
    "twenty-eight": 28,
    "thirty": 30,
    "thirty-six": 36,
    "forty": 40,
    "forty-five": 45,
    "forty-eight": 48,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "seventy-two": 72,
    "eighty": 80,
    "ninety": 90,
    "hundred": 100,
    "one hundred": 100,
    "one hundred twenty": 120,
    "one hundred eighty": 180,
}

DIGITS = r"\d{1,3}(?:[,'’\u00a0\u202f]\d{3})+(?:\.\d+)?|\d{1,3}(?:\.\d{3}){2,}(?:,\d+)?|\d+(?:[.,]\d+)?"
_WORD = "|".join(
    sorted(
        (re.escape(word).replace(r"\ ", " ").replace(r"\-", "[- ]") for word in WORDS), key=len, reverse=True
    )
)
NUMBER = (
    rf"(?:(?P<word>\b(?:{_WORD})\b)(?:\s*\(\s*(?P<paren>{DIGITS})\s*\))?|(?P<digits>(?<![\w.,])(?:{DIGITS})))"
)


_HINT = re.compile(rf"\d+|\b(?:{_WORD})\b", re.IGNORECASE)


@lru_cache(maxsize=64)
def _numbers(text: str) -> tuple[tuple[int, int], ...]:
    """Return where the numbers of a text stand; several finders ask of the same text."""
    return tuple(hint.span() for hint in _HINT.finditer(text))


def around_numbers(text: str, before: int, after: int) -> Iterator[tuple[int, int]]:
    """Yield the stretches of a text in which a number stands, so that patterns need not search the rest."""
    start, end = 0, -1
    for first, last in _numbers(text):
        if first - before > end:
            if end > 0:
                yield start, end
            start = max(0, first - before)
        end = min(len(text), last + after)
    if end > 0:
        yield start, end


def matches(
    pattern: re.Pattern[str], text: str, *, before: int = 40, after: int = 60
) -> Iterator[re.Match[str]]:
    """Yield the matches of a pattern with a number in it, each once."""
    for start, end in around_numbers(text, before, after):
        yield from pattern.finditer(text, start, end)


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time found in a text: ISO 8601, whether it counts business days, and where it stands."""

    iso: str
    start: int
    end: int
    business: bool = False
    days: float = 0.0


def decimal(written: str) -> Decimal:
    """Return the number that digits with separators of any usual kind stand for."""
    plain = re.sub(r"[\u00a0\u202f\s'’]", "", written)
    if re.fullmatch(r"\d{1,3}(?:\.\d{3}){2,}(?:,\d+)?", plain):
        return Decimal(plain.replace(".", "").replace(",", "."))
    if re.fullmatch(r"\d+,\d{1,2}", plain):
        return Decimal(plain.replace(",", "."))
    return Decimal(plain.replace(",", ""))


def number(match: re.Match[str]) -> Decimal:
    """Return the value of a match of NUMBER; digits in brackets win over the word before them."""
    written = match["paren"] or match["digits"]
    return (
        decimal(written)
        if written
        else Decimal(WORDS[re.sub(r"\s+", "-" if "-" in match["word"] else " ", match["word"].lower())])
    )


def plain(value: Decimal) -> str:
    """Return a decimal without exponent or trailing zeros: 15000, 99.9."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


@cache
def _pattern() -> re.Pattern[str]:
    units = "|".join(sorted(map(re.escape, table("durations")["units"]), key=len, reverse=True))
    kind = r"(?P<kind>(?:business|working|calendar|consecutive|full)\s+)?"
    return re.compile(
        rf"{NUMBER}(?:\s*\(\s*[^()\d]{{1,20}}\s*\))?[\s-]*{kind}(?P<unit>{units})\b", re.IGNORECASE
    )


def durations(text: str) -> Iterator[Duration]:
    """Yield every length of time in a text, in order."""
    for match in matches(_pattern(), text, before=2):
        if (match["word"] or match["digits"]) and not _is_ordinal(text, match):
            letter = table("durations")["units"][match["unit"].lower()]
            iso, days = normal(number(match), letter)
            business = (match["kind"] or "").strip().lower() in ("business", "working")
            yield Duration(iso, match.start(), match.end(), business, days)


def _is_ordinal(text: str, match: re.Match[str]) -> bool:
    """Tell "section 3 years" and "1.2 days" style numbering from a count."""
    return bool(
        re.search(
            r"(?:section|article|clause|no\.)\s*$",
            text[max(0, match.start() - 12) : match.start()],
            re.IGNORECASE,
        )
    )


PER_DAY = {"s": 1 / 86400, "m": 1 / 1440, "h": 1 / 24, "D": 1.0, "W": 7.0, "M": 30.4, "Y": 365.25}


def normal(count: Decimal, letter: str) -> tuple[str, float]:
    """Return a count of units in ISO 8601, hours in days and months in years where they go even; and its days."""
    days = float(count) * PER_DAY[letter]
    for small, size, large in (("s", 60, "m"), ("m", 60, "h"), ("h", 24, "D"), ("M", 12, "Y")):
        if letter == small and count and count % size == 0:
            count, letter = count / size, large
    if letter == "W":
        count, letter = count * 7, "D"
    clock = letter in "hms"
    return f"P{'T' if clock else ''}{plain(count)}{letter.upper()}", days


def spoken(iso: str) -> str:
    """Return an ISO duration of one unit in words: P30D is "30 days"."""
    match = re.fullmatch(r"P(T?)([\d.]+)([YMDHS])", iso)
    if not match:
        return iso
    names = {"Y": "year", "D": "day", "H": "hour", "S": "second", "M": "minute" if match[1] else "month"}
    return f"{match[2]} {names[match[3]]}{'' if match[2] == '1' else 's'}"
