"""Lengths of time by what they measure, and the ages at which a text draws a line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pipeline.events import Fact
from pipeline.policy.quantities import NUMBER, WORDS, decimal, durations, matches, number

UNITS = "second|minute|hour|day|week|month|year"


def spans(text: str) -> Iterator[Fact]:
    """Yield the lengths of time in a text by what they measure: notice, retention, deadline, or only a duration."""
    for span in durations(text):
        if _is_window(text, span.start) or _is_age(text, span.end):
            continue
        kind = _span_kind(text, span.start, span.end)
        value: dict[str, Any] = {"duration": span.iso}
        value |= {"days_of": "business"} if span.business else {}
        yield Fact(kind=kind, new=value, quote=text[span.start : span.end], start=span.start, end=span.end)


def _is_window(text: str, start: int) -> bool:
    return bool(
        re.search(
            r"(?:\bper|/|\b(?:in|within|during|over) any|\bevery|\beach)\s*(?:rolling |given |single )?$",
            text[max(0, start - 24) : start],
            re.IGNORECASE,
        )
    )


def _is_age(text: str, end: int) -> bool:
    return bool(
        re.match(
            r"['’]?\s*(?:of age|old|or older|and older|and over|or over)", text[end : end + 14], re.IGNORECASE
        )
    )


_ROLES = (
    (
        "notice_period",
        (
            r"\bnoti(?:ce|f\w+)\b|in advance|advance\b|before (?:the|any|such|these) (?:change|modification|"
            r"update)|pr[ée]avis|vorher|frist|preaviso|preavviso"
        ),
    ),
    (
        "retention",
        (
            r"\bret(?:ain|ention)\w*|\bkeep\b|\bkept\b|\bstor(?:e|ed|age)\b|\bpreserv\w+|\bdelet\w+|"
            r"\beras\w+|\banonymi\w+|conserv\w+|speicher|aufbewahr\w+|lösch\w+|supprim\w+|elimin\w+|backup|"
            r"logs?\b|purge"
        ),
    ),
    (
        "deadline",
        (
            r"\bwithin\b|\bno later than\b|\bdeadline\b|\bafter (?:the|you|your|first|receiv)|"
            r"\bfrom the (?:date|day)|\bprior to\b|\bdans (?:les|un)\b|\binnerhalb\b|\bdentro de\b|"
            r"\bentro\b|\bup to\b"
        ),
    ),
)
_ROLE_PATTERNS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _ROLES)


def _span_kind(text: str, start: int, end: int) -> str:
    """Return what a length of time measures: the cue nearest to it in its sentence, notice before the others."""
    left = re.split(r"(?<=[.!?;])\s", text[max(0, start - 120) : start])[-1]
    right = re.split(r"(?<=[.!?;])\s", text[end : end + 90])[0]
    best = ("duration", 1000.0)
    for rank, (kind, pattern) in enumerate(_ROLE_PATTERNS):
        distance = _nearest(pattern, left, right) + rank * 18
        if distance < best[1]:
            best = (kind, distance)
    return best[0]


def _nearest(pattern: re.Pattern[str], left: str, right: str) -> float:
    before = [len(left) - match.end() for match in pattern.finditer(left)]
    after = [match.start() for match in pattern.finditer(right)]
    return min([*before, *after], default=10_000)


_OPEN = re.compile(
    r"(?:for )?as long as (?:[\w’']+ ){0,4}?(?:is |are )?(?:reasonably )?(?:necessary|needed|"
    r"required|have an account|account (?:is|remains)|exists|active)|until (?:it is |"
    r"they are )?no longer (?:necessary|needed|required)|"
    r"\bindefinitely\b|aussi longtemps que (?:nécessaire)?|so lange wie (?:nötig|erforderlich)|"
    r"(?:durante )?el tiempo (?:que sea )?necesario",
    re.IGNORECASE,
)
_KEEPS = re.compile(
    r"ret(?:ain|ention)|ke(?:ep|pt)|stor(?:e|age)|preserv|conserv|aufbewahr|speicher|process|hold",
    re.IGNORECASE,
)


def open_ended(text: str) -> Iterator[Fact]:
    """Yield retention without a fixed end: "as long as necessary"."""
    for match in _OPEN.finditer(text):
        if _KEEPS.search(text[max(0, match.start() - 150) : match.end() + 60]):
            value = {"open_ended": True}
            yield Fact(kind="retention", new=value, quote=match[0], start=match.start(), end=match.end())
            return  # said once or thrice, it stays without an end


_ALONE = NUMBER.replace("word", "word2").replace("paren", "paren2").replace("digits", "digits2")
_AGE = re.compile(
    r"(?P<under>\b(?:under|below|younger than|not yet|less than)\b(?: the age of| age)?|"
    r"\b(?:at least|over|older than|above|minimum age(?: \w+){0,3}?(?: of| is)?|age of|aged?|"
    r"have (?:reached|attained)(?: the age of)?)(?: the age of)?)\s+"
    rf"{NUMBER}(?P<unit>[\s-]*years?(?: of age| old)?)?(?!\s*(?:days|months|hours|percent|%|[kmg]b|{UNITS}))|"
    rf"{_ALONE}[\s-]*years?[\s-]*(?:of age|old)",
    re.IGNORECASE,
)


def ages(text: str) -> Iterator[Fact]:
    """Yield the ages that a text draws a line at, between 5 and 25, and on which side of it the text speaks."""
    for match in matches(_AGE, text):
        years = _years(match)
        if years is None or not _speaks_of_age(text, match):
            continue
        under = bool(re.match(r"under|below|younger|not yet|less", (match["under"] or "").lower()))
        value = {"years": years, "relation": "under" if under else "at_least"}
        yield Fact(kind="age", new=value, quote=match[0], start=match.start(), end=match.end())


def _years(match: re.Match[str]) -> int | None:
    named = match.groupdict()
    if named["word2"] or named["digits2"]:
        digits = named["paren2"] or named["digits2"]
        years = decimal(digits) if digits else Decimal(_word(named["word2"]))
    else:
        years = number(match)
    return int(years) if years == int(years) and 5 <= years <= 25 else None


def _word(written: str) -> int:
    return WORDS[written.lower()]


def _speaks_of_age(text: str, match: re.Match[str]) -> bool:
    if match["unit"] or match["word2"] or match["digits2"] or "age" in match[0].lower():
        return True
    around = text[max(0, match.start() - 60) : match.end() + 40].lower()
    following = text[match.end() : match.end() + 2]
    return bool(re.search(r"child|minor|teen|\bage|parent|young|people|users?\b", around)) and not re.match(
        r"\s?[%$€]", following
    )
