"""What a short text tells: its words, and the amounts, numbers, dates and quotations in one normal form each.

All forms are plain strings, so that they can be kept, compared and shown: `USD 15000`, `1000000`, `18 month`,
`2024-11-15` (`--11-15` where no year is printed, as ISO 8601:2000 spells it).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct

# Scripts without blanks between words are read letter by letter, so that a word inside a run is found.
UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
TOKEN = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+")
QUOTED = re.compile(r"[“\"«„]\s*([^“”\"«»„]{3,300}?)\s*[”\"»“]")

STOPWORDS = frozenset(
    re.findall(
        r"\w+",
        """
        a about above after again against all also am an and any are as at be because been before being
        below between both but by can could d did do does doing down during each few for from further had
        has have having he her here hers him his how i if in into is it its itself just ll m may me might
        more most must my no nor not now of off on once only or other our ours out over own re s same shall
        she should so some such t than that the their theirs them then there these they this those through
        to too under until up upon us ve very was we were what when where whether which while who whom why
        will with within without would you your yours
        """,
    )
)

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?"
DATES = (
    re.compile(r"\b(?P<year>(?:19|20)\d\d)-(?P<number>[01]\d)-(?P<day>[0-3]\d)(?!\d)"),
    re.compile(rf"\b{MONTH}\s+{DAY}\b(?:,?\s+(?P<year>(?:19|20)\d\d)\b)?", re.I),
    re.compile(rf"\b{DAY}\s+(?:of\s+)?{MONTH}(?:,?\s+(?P<year>(?:19|20)\d\d)\b)?", re.I),
)

CURRENCIES = {
    **dict.fromkeys(("$", "us$", "usd", "dollar", "dollars"), "USD"),
    **dict.fromkeys(("€", "eur", "euro", "euros"), "EUR"),
    **dict.fromkeys(("£", "gbp", "pound", "pounds"), "GBP"),
    **dict.fromkeys(("¥", "jpy", "yen"), "JPY"),
    **dict.fromkeys(("₹", "inr", "rupees"), "INR"),
}
SCALES = {
    **dict.fromkeys(("k", "thousand"), 10**3),
    **dict.fromkeys(("m", "mn", "million"), 10**6),
    **dict.fromkeys(("bn", "billion"), 10**9),
    "trillion": 10**12,
}
UNITS = {"hour", "day", "week", "month", "year", "percent", "minute"}
SMALL = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
)
ROUND = {
    "eighteen": 18,
    "twenty": 20,
    "thirty": 30,
    "sixty": 60,
    "ninety": 90,
    "hundred": 100,
    "a": 1,
    "an": 1,
}
WORDS = {word: Decimal(n) for word, n in (*zip(SMALL, range(16), strict=True), *ROUND.items())}
WORDS["half a"] = Decimal("0.5")

SPELT = "|".join(sorted(WORDS, key=len, reverse=True))
NUMBER = re.compile(
    r"(?P<sign>us\$|[$€£¥₹]|\b(?:usd|eur|gbp|jpy|inr)(?=\s))?\s?(?<![\w.])"
    rf"(?P<value>\d{{1,3}}(?:[,\u202f\u00a0]\d{{3}})+(?:\.\d+)?|\d{{1,18}}(?:\.\d{{1,6}})?(?!\d)|\b(?:{SPELT})\b)"
    r"(?:[\s-]?(?P<scale>thousand|million|billion|trillion|bn|mn|k|m)\b)?"
    r"(?:[\s-]?(?P<unit>hours?|days?|weeks?|months?|years?|minutes?|percent|per cent|%|"
    r"usd|eur|gbp|jpy|inr|dollars?|euros?|pounds?|yen|rupees)(?!\w))?",
    re.I,
)


class Token(NamedTuple):
    """A word of a text, folded, and where it stands (end exclusive)."""

    word: str
    start: int
    end: int


class Facts(Struct, frozen=True):
    """What a text states by value, each in its normal form."""

    amounts: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    dates: frozenset[str] = frozenset()


@lru_cache(maxsize=65536)
def folded(word: str) -> str:
    """Return a word without case and accents: `Café` and `CAFE` are one."""
    if word.isascii():
        return word.lower()
    plain = unicodedata.normalize("NFKD", word)
    return unicodedata.normalize("NFC", "".join(c for c in plain if not unicodedata.combining(c))).casefold()


def tokens(text: str) -> list[Token]:
    """Return the words of a text in order."""
    if text.isascii():
        low = text.lower()
        return [Token(low[m.start() : m.end()], m.start(), m.end()) for m in TOKEN.finditer(low)]
    return [Token(folded(m.group()), m.start(), m.end()) for m in TOKEN.finditer(text)]


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Return the common beginning of an English word's forms: training, trained and trains are train."""
    if len(word) < 4 or not word.isascii() or word.isdigit():
        return word
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "shes", "ches", "xes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        root = word.removesuffix(ending)
        if root != word and len(root) > 2 and any(vowel in root for vowel in "aeiouy"):
            word = root[:-1] if root[-1] == root[-2] and root[-1] not in "lsz" else root
            break
    if word.endswith("e") and len(word) > 3:
        word = word[:-1]
    return word[:-1] + "i" if word.endswith("y") and len(word) > 3 else word


def content(text: str) -> list[Token]:
    """Return the stems of a text's telling words and where they stand.

    Stopwords, lone letters and lone digits are left out. Artificial intelligence is `ai`, as most texts write it.
    """
    found: list[Token] = []
    for word, start, end in tokens(text):
        if word == "intelligence" and found and found[-1].word == "artificial":
            found[-1] = Token("ai", found[-1].start, end)
        elif word not in STOPWORDS and (len(word) > 1 or not word.isascii()):
            found.append(Token(stem(word) if word != "artificial" else word, start, end))
    return found


def stems(text: str) -> list[str]:
    """Return the stems of a text's telling words in order."""
    return [token.word for token in content(text)]


def quotes(text: str) -> list[str]:
    """Return what stands between quotation marks."""
    return [found.group(1) for found in QUOTED.finditer(text)]


def facts(text: str) -> Facts:
    """Return the amounts, numbers and dates that a text states."""
    dates, rest = taken_dates(text)
    amounts: set[str] = set()
    numbers: set[str] = set()
    for value in values(rest):
        (amounts if value[:3].isupper() and value[3:4] == " " else numbers).add(value)
    return Facts(frozenset(amounts), frozenset(numbers), frozenset(dates))


def taken_dates(text: str) -> tuple[set[str], str]:
    """Return the dates of a text, and the text without them."""
    dates: set[str] = set()
    for pattern in DATES:
        for found in pattern.finditer(text):
            normal = normal_date(found)
            if normal:
                dates.add(normal)
        text = pattern.sub(" ; ", text)
    return dates, text


def normal_date(found: re.Match[str]) -> str:
    """Return a printed date as ISO 8601, `--MM-DD` without a year; nothing for a day that no month has."""
    parts = found.groupdict()
    month = int(parts["number"]) if parts.get("number") else MONTHS.index(parts["month"][:3].lower()) + 1
    year, day = parts.get("year"), int(parts["day"])
    try:
        date(int(year or 2000), month, day)
    except ValueError:
        return ""
    return f"{year or '-'}-{month:02}-{day:02}"


def values(text: str) -> Iterator[str]:
    """Yield the normal form of every amount and of every number that could tell two texts apart.

    A bare number counts from 100 on and not when it reads like a year; with a unit, any does.
    """
    for found in NUMBER.finditer(text):
        value = scaled(found["value"], found["scale"])
        unit = (found["unit"] or "").lower()
        sign = (found["sign"] or "").lower()
        if value is None:
            continue
        if sign in CURRENCIES or unit in CURRENCIES:
            yield f"{CURRENCIES[sign or unit]} {value}"
        elif singular(unit) in UNITS:
            yield f"{value} {singular(unit)}"
        elif is_telling(found["value"], found["scale"], value):
            yield value


def scaled(printed: str, scale: str | None) -> str | None:
    """Return a printed number in plain digits: `1,5` is left alone, `1.5 million` is 1500000."""
    word = printed.lower()
    try:
        value = WORDS[word] if word in WORDS else Decimal(re.sub(r"[,\s]", "", word))
    except InvalidOperation:
        return None
    value *= SCALES.get((scale or "").lower(), 1)
    return f"{value.normalize():f}" if value else "0"


def is_telling(printed: str, scale: str | None, value: str) -> bool:
    """Say whether a number without a unit is worth comparing."""
    if scale:
        return True
    number = Decimal(value)
    return printed[0].isdigit() and number >= 100 and not ("," not in printed and 1900 <= number <= 2100)


def singular(unit: str) -> str:
    return "percent" if unit in ("%", "per cent", "percent") else unit.removesuffix("s")


def same_day(printed: str, day: str) -> bool:
    """Say whether a date, perhaps without its year, names an ISO day."""
    return printed == day or (printed.startswith("--") and printed[1:] == day[4:])


def whole_day(day: str) -> date | None:
    """Return the day that an ISO date names, None for a month, a year or nothing."""
    try:
        return date.fromisoformat(day)
    except ValueError:
        return None
