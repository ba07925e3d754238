"""Money, limits and shares: how much, of what, per what, within which time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any

from pipeline.events import Fact
from pipeline.policy.quantities import (
    DIGITS,
    NUMBER,
    WORDS,
    decimal,
    durations,
    matches,
    normal,
    number,
    plain,
)
from pipeline.policy.tables import table

REACH = 160  # characters around a value in which its "per" and its window stand


@cache
def _money() -> re.Pattern[str]:
    tables = table("currencies")
    symbols = _alternatives(tables["symbols"])
    codes = _alternatives(tables["codes"])
    words = _alternatives(tables["words"])
    size = rf"(?:\s?(?P<size>{_alternatives(tables['magnitudes'])})\b)?"
    first = (
        rf"(?P<pre>(?<![A-Za-z])(?:{symbols}|(?:{codes})\b))\s?(?P<a>{DIGITS}){size.replace('size', 'sizea')}"
    )
    after = rf"(?<![\w.,])(?P<b>{DIGITS}){size}\s?(?P<post>(?:{codes}|{words})\b|[€£₽₹]|zł|Kč|\$)"
    return re.compile(f"{first}|{after}", re.IGNORECASE)


def _alternatives(names: Any) -> str:
    return "|".join(sorted(map(re.escape, names), key=len, reverse=True))


def money(text: str) -> Iterator[Fact]:
    """Yield the amounts of money in a text: amount, ISO 4217 currency, per how many of what, in which window."""
    for match in matches(_money(), text, before=6) if re.search(r"\d", text) else ():
        written, size = (match["a"], match["sizea"]) if match["a"] else (match["b"], match["size"])
        amount = _scaled(_cash(written), size)
        value: dict[str, Any] = {
            "amount": plain(amount),
            "currency": _currency(match["pre"] or match["post"]),
        }
        yield _measured("money", value, text, match.start(), _end(text, match.end()))


def _cash(written: str) -> Decimal:
    """Read an amount; three digits after a single dot or comma are thousands: 15.000 € is fifteen thousand."""
    return (
        Decimal(re.sub(r"[.,]", "", written))
        if re.fullmatch(r"\d{1,3}[.,]\d{3}", written)
        else decimal(written)
    )


def _scaled(amount: Decimal, size: str | None) -> Decimal:
    return amount * table("currencies")["magnitudes"][size.lower()] if size else amount


def _currency(mark: str) -> str:
    tables = table("currencies")
    if mark.upper() in tables["codes"]:
        return mark.upper()
    return str(
        tables["symbols"].get(mark) or tables["symbols"].get(mark.upper()) or tables["words"][mark.lower()]
    )


def _end(text: str, end: int) -> int:
    """Take a currency code written after a symbol into the span: "$15,000 USD"."""
    code = re.match(rf"\s?(?:{_alternatives(table('currencies')['codes'])})\b", text[end:])
    return end + code.end() if code else end


_PER = re.compile(
    rf"\s*(?:,|-|–)?\s*(?:\(\s*)?(?:per|for each|for every|/|each|every|pro|par|por)\s+(?:{NUMBER}\s+)?(?P<unit>[^\W\d_]+(?:[ -](?:user|call|request|post|license|seat|view|impression)s?)?)",
    re.IGNORECASE,
)
_SPAN = "second|minute|hour|day|week|month|year"
_WINDOW = re.compile(
    rf"(?:(?:in|within|during|over) (?:any|a|each|every|one|the)|per|each|every|/)\s*(?:rolling |calendar |given |single )?(?:(?P<count>\d{{1,3}}|one|two|three|seven|thirty|twelve|twenty-four)[\s-]*)?(?P<unit>{_SPAN})s?\b|(?P<daily>\b(?:daily|weekly|monthly|yearly|annually|hourly)\b)",
    re.IGNORECASE,
)


def _measured(kind: str, value: dict[str, Any], text: str, start: int, end: int) -> Fact:
    """Return an amount with what it is counted per, and the window of time it holds for."""
    per = _PER.match(text[end : end + REACH])
    if per and per["unit"].lower().rstrip("s") in _SPAN.split("|"):
        count = number(per) if per["word"] or per["digits"] else Decimal(1)
        value["window"] = normal(count, _letter(per["unit"]))[0]
    elif per:
        value |= {
            "per_quantity": int(number(per)) if per["word"] or per["digits"] else 1,
            "per_unit": per["unit"].lower(),
        }
        end += per.end()
    window = None if "window" in value else _window(text, start, end)
    return Fact(
        kind=kind,
        new=value | ({"window": window} if window else {}),
        quote=text[start:end],
        start=start,
        end=end,
    )


def _letter(unit: str) -> str:
    name = unit.lower().rstrip("s")
    return "M" if name == "month" else name[0] if name in ("second", "minute", "hour") else name[0].upper()


def _window(text: str, start: int, end: int) -> str | None:
    """Return the window of time named in the same sentence as an amount, the nearest before or after it."""
    left = text[max(0, start - REACH) : start]
    right = text[end : end + REACH]
    left = re.split(r"(?<=[.!?;])\s", left)[-1]
    right = re.split(r"(?<=[.!?;])\s", right)[0]
    found = [(len(left) - match.end(), match) for match in _WINDOW.finditer(left)]
    found += [(match.start(), match) for match in _WINDOW.finditer(right)]
    return _iso(min(found, key=lambda pair: pair[0])[1]) if found else None


def _iso(match: re.Match[str]) -> str:
    if match["daily"]:
        return {"h": "PT1H", "d": "P1D", "w": "P7D", "m": "P1M"}.get(match["daily"][0].lower(), "P1Y")
    count = decimal(match["count"]) if (match["count"] or "").isdigit() else None
    words = {"two": 2, "three": 3, "seven": 7, "twelve": 12, "thirty": 30, "twenty-four": 24}
    return normal(count or Decimal(words.get((match["count"] or "").lower(), 1)), _letter(match["unit"]))[0]


_BOUND = (
    r"(?P<bound>more than|up to|at most|no more than|not more than|maximum of|max(?:imum)?(?: of)?|exceed(?:s|ing)?|limit(?:ed)? (?:of|to|is)|over|fewer than|"
    r"less than|at least|minimum of|greater than|larger than|jusqu['’]à|plus de|bis zu|mehr als|más de|hasta)"
)
_LIMIT = re.compile(
    rf"(?:{_BOUND}\s+(?:the\s+|a total of\s+)?)?{NUMBER}\s+(?P<unit>(?:[^\W\d_][\w-]*\s+){{0,2}}?(?:posts?|tweets?|requests?|calls?|messages?|users?|accounts?|devices?|"
    r"files?|images?|videos?|pages?|items?|copies|downloads?|queries|emails?|characters?|words?|tokens?|[kmgt]b|gigabytes?|megabytes?|terabytes?|"
    r"strikes?|violations?|people|persons?|members?|seats?|licen[cs]es?|recipients?|subscribers?|records?|impressions?|views?|domains?|projects?|"
    r"employees|participants?|installations?|times|screens?|streams?|minutes of (?:video|audio)))\b",
    re.IGNORECASE,
)


def limits(text: str) -> Iterator[Fact]:
    """Yield the limits in a text: a quantity of countable things with a bound or a window of time."""
    for match in matches(_LIMIT, text):
        window = _window(text, match.start(), match.end())
        if not (match["bound"] or window) or _is_per(text, match.start()):
            continue
        count = number(match)
        value: dict[str, Any] = {
            "quantity": int(count) if count == int(count) else plain(count),
            "unit": _unit(match["unit"]),
        }
        value |= {"window": window} if window else {}
        yield Fact(kind="limit", new=value, quote=match[0], start=match.start(), end=match.end())


def _is_per(text: str, start: int) -> bool:
    """Tell the quantity of a price ("per 1,000,000 posts") from a limit of its own."""
    return bool(
        re.search(r"(?:\bper|/|for each|for every)\s*$", text[max(0, start - 12) : start], re.IGNORECASE)
    )


def _unit(words: str) -> str:
    return re.sub(r"\s+", " ", words.lower())


_SHARE = re.compile(
    rf"(?<![\w.,])(?P<value>{DIGITS})\s?(?:%|percent\b|per cent\b|Prozent\b|pour cent\b|por ciento\b)",
    re.IGNORECASE,
)


def shares(text: str) -> Iterator[Fact]:
    """Yield the percentages in a text."""
    for match in _SHARE.finditer(text):
        value = {"value": plain(decimal(match["value"])), "unit": "percent"}
        yield Fact(kind="percent", new=value, quote=match[0], start=match.start(), end=match.end())


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
    ("notice_period", r"\bnoti(?:ce|f\w+)\b|in advance|advance\b|before (?:the|any|such|these) (?:change|modification|update)|pr[ée]avis|vorher|frist|preaviso|preavviso"),
    ("retention", r"\bret(?:ain|ention)\w*|\bkeep\b|\bkept\b|\bstor(?:e|ed|age)\b|\bpreserv\w+|\bdelet\w+|\beras\w+|\banonymi\w+|conserv\w+|speicher|aufbewahr\w+|lösch\w+|supprim\w+|elimin\w+|backup|logs?\b|purge"),
    ("deadline", r"\bwithin\b|\bno later than\b|\bdeadline\b|\bafter (?:the|you|your|first|receiv)|\bfrom the (?:date|day)|\bprior to\b|\bdans (?:les|un)\b|\binnerhalb\b|\bdentro de\b|\bentro\b|\bup to\b"),
)  # fmt: skip
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
    r"(?:for )?as long as (?:[\w’']+ ){0,4}?(?:is |are )?(?:reasonably )?(?:necessary|needed|required|have an account|account (?:is|remains)|exists|active)|until (?:it is |they are )?no longer (?:necessary|needed|required)|"
    r"\bindefinitely\b|aussi longtemps que (?:nécessaire)?|so lange wie (?:nötig|erforderlich)|(?:durante )?el tiempo (?:que sea )?necesario",
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


_AGE = re.compile(
    rf"(?P<under>\b(?:under|below|younger than|not yet|less than)\b(?: the age of| age)?|\b(?:at least|over|older than|above|minimum age(?: \w+){{0,3}}?(?: of| is)?|age of|aged?|have (?:reached|attained)(?: the age of)?)(?: the age of)?)\s+{NUMBER}(?P<unit>[\s-]*years?(?: of age| old)?)?(?!\s*(?:days|months|hours|percent|%|[kmg]b|{_SPAN}))|{NUMBER.replace('word', 'word2').replace('paren', 'paren2').replace('digits', 'digits2')}[\s-]*years?[\s-]*(?:of age|old)",
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
