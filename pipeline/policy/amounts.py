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
    decimal,
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
    rf"\s*(?:,|-|–)?\s*(?:\(\s*)?(?:per|for each|for every|/|each|every|pro|par|"
    rf"por)\s+(?:{NUMBER}\s+)?(?P<unit>[^\W\d_]+(?:[ -](?:user|call|request|post|license|seat|view|"
    rf"impression)s?)?)",
    re.IGNORECASE,
)
_SPAN = "second|minute|hour|day|week|month|year"
_WINDOW = re.compile(
    rf"(?:(?:in|within|during|over) (?:any|a|each|every|one|the)|per|each|every|/)\s*(?:rolling |"
    rf"calendar |given |single )?(?:(?P<count>\d{{1,3}}|one|two|three|seven|thirty|twelve|"
    rf"twenty-four)[\s-]*)?(?P<unit>{_SPAN})s?\b|(?P<daily>\b(?:daily|weekly|monthly|yearly|annually|"
    rf"hourly)\b)",
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
    r"(?P<bound>more than|up to|at most|no more than|not more than|maximum of|max(?:imum)?(?: of)?|"
    r"exceed(?:s|ing)?|limit(?:ed)? (?:of|to|is)|over|fewer than|"
    r"less than|at least|minimum of|greater than|larger than|jusqu['’]à|plus de|bis zu|mehr als|más de|hasta)"
)
_LIMIT = re.compile(
    rf"(?:{_BOUND}\s+(?:the\s+|"
    rf"a total of\s+)?)?{NUMBER}\s+(?P<unit>(?:[^\W\d_][\w-]*\s+){{0,2}}?(?:posts?|tweets?|requests?|"
    rf"calls?|messages?|users?|accounts?|devices?|"
    r"files?|images?|videos?|pages?|items?|copies|downloads?|queries|emails?|characters?|words?|"
    r"tokens?|[kmgt]b|gigabytes?|megabytes?|terabytes?|"
    r"strikes?|violations?|people|persons?|members?|seats?|licen[cs]es?|recipients?|subscribers?|"
    r"records?|impressions?|views?|domains?|projects?|"
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
