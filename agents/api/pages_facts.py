"""Facts in words for a table: what a clause states by value, before and after, and whom the difference serves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from pipeline.alerts.render.letters import clean, one_line
from pipeline.alerts.render.times import day
from pipeline.events import Change, Fact, Value
from pipeline.policy.quantities import spoken

WAYS = {-1: "worse", 0: "neither", 1: "better"}
LONGEST = 200


class FactRow(Value, frozen=True, kw_only=True):
    """A fact of a change: what it is about, both values in words, for whom it is (`way`), the words it rests on."""

    number: int
    place: str
    kind: str
    old: str
    new: str
    way: str
    quote: str


def rows(number: int, place: str, change: Change) -> Iterator[FactRow]:
    """Yield the facts of a change, each once."""
    seen = set[tuple[str, str, str]]()
    for fact in change.facts:
        row = _row(number, place, fact)
        if (row.kind, row.old, row.new) not in seen:
            seen.add((row.kind, row.old, row.new))
            yield row


def _row(number: int, place: str, fact: Fact) -> FactRow:
    return FactRow(
        number=number,
        place=place,
        kind=one_line(fact.kind, 40).replace("_", " ").replace("-", " "),
        old=value(fact.old),
        new=value(fact.new),
        way=WAYS.get(fact.direction, "neither"),
        quote=one_line(fact.quote, LONGEST),
    )


def value(form: Mapping[str, Any] | None) -> str:
    """Return a normal form in words; empty where there is none."""
    if not form:
        return ""
    told = next((say(form) for mark, say in SAYINGS.items() if mark in form), "")
    return one_line(told or _plain(form), LONGEST)


def _plain(form: Mapping[str, Any]) -> str:
    parts = (
        f"{name.replace('_', ' ')} {_worded(held)}" for name, held in form.items() if held not in (None, "")
    )
    return ", ".join(parts)


def _worded(held: Any) -> str:
    return "yes" if held is True else "no" if held is False else clean(str(held)).replace("_", " ")


def _number(held: Any) -> str:
    """Return a number with its thousands apart; what is none stays as it is."""
    text = str(held)
    whole, _, rest = text.partition(".")
    return (
        f"{int(whole):,}{'.' + rest if rest else ''}"
        if whole.isascii() and whole.isdecimal()
        else clean(text)
    )


def _date(form: Mapping[str, Any]) -> str:
    kind = str(form.get("kind", "")).replace("_", " ")
    try:
        told = day(date.fromisoformat(str(form["date"])[:10]))
    except ValueError:
        told = str(form["date"])
    return f"{told} ({kind})" if kind else told


def _money(form: Mapping[str, Any]) -> str:
    per = f" per {_number(form['per_quantity'])} {form.get('per_unit', '')}" if "per_quantity" in form else ""
    return f"{form.get('currency', '')} {_number(form['amount'])}{per}{_window(form)}"


def _limit(form: Mapping[str, Any]) -> str:
    return f"{_number(form['quantity'])} {form.get('unit', '')}{_window(form)}"


def _window(form: Mapping[str, Any]) -> str:
    return f" within {spoken(str(form['window']))}" if form.get("window") else ""


def _age(form: Mapping[str, Any]) -> str:
    return f"{str(form.get('relation', '')).replace('_', ' ')} {form['years']}".strip()


def _duration(form: Mapping[str, Any]) -> str:
    return spoken(str(form["duration"])) + (" of business" if form.get("days_of") == "business" else "")


def _percent(form: Mapping[str, Any]) -> str:
    return f"{_number(form['value'])} {'%' if form['unit'] == 'percent' else form['unit']}"


def _modality(form: Mapping[str, Any]) -> str:
    words = f" (“{form['words']}”)" if form.get("words") else ""
    who = " ".join(str(form[name]) for name in ("actor", "verb") if form.get(name))
    return f"{str(form['modality']).replace('_', ' ')}{words}{', ' + who if who else ''}"


def _opt_out(form: Mapping[str, Any]) -> str:
    mechanism = str(form.get("mechanism", ""))
    by = f", by {mechanism}" if mechanism not in {"", "unspecified"} else ""
    return f"{form['default']}{by}"


SAYINGS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "date": _date,
    "amount": _money,
    "quantity": _limit,
    "years": _age,
    "duration": _duration,
    "unit": _percent,
    "modality": _modality,
    "default": _opt_out,
    "place": lambda form: str(form["place"]),
}
