"""What a clause states by value, and what an edit changed of it.

A fact's normal form is in `new`; where two texts are compared, `old` and `new` hold both sides and `direction`
says who gains, seen from the reader's side: -1 worse, +1 better, 0 unclear. Values compare, spellings do not.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime

import msgspec

from pipeline.events import Fact
from pipeline.policy import deontic
from pipeline.policy.amounts import limits, money, shares
from pipeline.policy.choices import choices
from pipeline.policy.dates import stated
from pipeline.policy.favour import favour
from pipeline.policy.periods import ages, open_ended, spans
from pipeline.policy.places import places
from pipeline.policy.reversal import reversals

FINDERS: tuple[Callable[[str], Iterator[Fact]], ...] = (
    stated,
    money,
    limits,
    shares,
    spans,
    open_ended,
    ages,
    choices,
    places,
)


def facts(text: str, *, at: datetime | None = None) -> tuple[Fact, ...]:
    """Return everything a text states by value, in the order it stands there; offsets are in the text.

    Kinds: effective_date, notice_period, money, limit, percent, retention, deadline, duration, age, opt_out,
    jurisdiction, venue, modality; comparing adds reversal. With `at`, a date in force
    says whether it lay ahead on that day.
    """
    found = [*values(text), *deontic.facts(text)]
    told = [_dated(fact, at) for fact in found] if at else found
    return tuple(sorted(told, key=lambda fact: (fact.start, fact.kind)))


def values(text: str) -> list[Fact]:
    """Return the facts of a text but its modals, in the order of the finders."""
    return [fact for finder in FINDERS for fact in finder(text)]


def _dated(fact: Fact, at: datetime) -> Fact:
    if fact.kind != "effective_date" or fact.new is None or fact.note:
        return fact
    ahead = fact.new["date"] > at.date().isoformat()[: len(fact.new["date"])]
    return Fact(
        kind=fact.kind,
        new=fact.new,
        quote=fact.quote,
        start=fact.start,
        end=fact.end,
        note="ahead" if ahead else "past",
    )


def changed_facts(old: str, new: str) -> tuple[Fact, ...]:
    """Return the facts that differ by value between two texts: changed, gone (no `new`) or come (no `old`).

    Offsets and quote are in the new text, or in the old one for a fact that is gone.
    """
    head, tail = _shared(old, new)
    before, after = old[head : len(old) - tail], new[head : len(new) - tail]
    found = (*_changed_values(before, after), *deontic.flips(before, after), *reversals(before, after))
    return tuple(
        msgspec.structs.replace(fact, start=fact.start + head, end=fact.end + head) for fact in found
    )


def _shared(old: str, new: str) -> tuple[int, int]:
    """Return how many characters of whole sentences two texts share at their start and at their end."""
    head = _common(old, new)
    tail = min(min(len(old), len(new)) - head, _common(old[::-1], new[::-1]))
    first = max((match.end() for match in _STOP.finditer(new, 0, head)), default=0)
    last = (
        next((match.end() for match in _STOP.finditer(new, len(new) - tail)), len(new)) if tail else len(new)
    )
    return first, len(new) - last


def _common(one: str, other: str) -> int:
    """Return how many characters two texts share at their start, by halving."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low


_STOP = re.compile(r"[.!?;]\s+(?=[A-Z“\"])|\n+")


def _changed_values(old: str, new: str) -> Iterator[Fact]:
    before, after = _by_kind(values(old)), _by_kind(values(new))
    for kind in dict.fromkeys((*after, *before)):
        gone, come = _difference(before.get(kind, []), after.get(kind, []))
        for index in range(max(len(gone), len(come))):
            pair = (gone[index] if index < len(gone) else None, come[index] if index < len(come) else None)
            yield _change(*pair, old, new)


def _by_kind(found: list[Fact]) -> dict[str, list[Fact]]:
    groups: dict[str, list[Fact]] = {}
    for fact in sorted(found, key=lambda fact: fact.start):
        groups.setdefault(_family(fact), []).append(fact)
    return groups


def _family(fact: Fact) -> str:
    """Return what a fact may be compared with: a period stays one when its wording moves it to another role."""
    return "period" if fact.kind in ("notice_period", "retention", "deadline", "duration") else fact.kind


def _difference(before: list[Fact], after: list[Fact]) -> tuple[list[Fact], list[Fact]]:
    """Return the facts of each side that have no equal on the other, counted as often as they stand."""
    left, right = Counter(map(_value, before)), Counter(map(_value, after))
    return _surplus(before, left - right), _surplus(after, right - left)


def _surplus(found: list[Fact], more: Counter[str]) -> list[Fact]:
    kept = []
    for fact in reversed(found):
        if more[_value(fact)] > 0:
            more[_value(fact)] -= 1
            kept.append(fact)
    return kept[::-1]


def _value(fact: Fact) -> str:
    """Return what a fact says: its normal form, without where it stands or the role that its wording suggests."""
    return repr(sorted((fact.new or {}).items(), key=lambda item: item[0]))


def _change(gone: Fact | None, come: Fact | None, old: str, new: str) -> Fact:
    place, text = (come, new) if come else (gone, old)
    assert place is not None, "a change of a fact has at least one side"
    was, now = gone.new if gone else None, come.new if come else None
    kind = place.kind if not gone or gone.kind == place.kind or place.kind != "duration" else gone.kind
    direction, note = favour(kind, was, now, text[max(0, place.start - 200) : place.end + 120])
    return Fact(
        kind=kind,
        old=was,
        new=now,
        quote=place.quote,
        start=place.start,
        end=place.end,
        direction=direction,
        note=note,
    )
