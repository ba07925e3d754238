"""Whom a changed value favours, seen from the reader's side: -1 worse, +1 better, 0 unclear."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from pipeline.policy.quantities import PER_DAY, spoken

Value = dict[str, Any] | None


def favour(kind: str, old: Value, new: Value, context: str) -> tuple[int, str]:
    """Return the direction of a change of value and how it went, such as "30 days → 90 days (×3)"."""
    rule = _RULES.get(kind)
    return (rule(old, new, context) if rule else 0), told(kind, old, new)


def told(kind: str, old: Value, new: Value) -> str:
    """Return both sides of a changed value in words and, where both are numbers, their ratio."""
    before, after = shown(kind, old), shown(kind, new)
    if old is None or new is None:
        return f"{after} added" if old is None else f"{before} removed"
    first, second = size(old), size(new)
    ratio = f" (×{float(second / first):.3g})" if first and second else ""
    return f"{before} → {after}{ratio}"


def shown(kind: str, value: Value) -> str:
    """Return a value in a few words: "15000 USD per 1000000 posts in 1 day"."""
    if value is None:
        return "nothing"
    if "duration" in value:
        return spoken(value["duration"]) + (" (business)" if "days_of" in value else "")
    if value.get("open_ended"):
        return "no fixed end"
    if "amount" in value:
        return f"{value['amount']} {value['currency']}" + _rate(value)
    if "quantity" in value:
        return f"{value['quantity']} {value['unit']}" + _rate(value)
    if "years" in value:
        return f"age {value['years']}"
    if "default" in value:
        return f"{value['default']} by {value['mechanism']}"
    return " ".join(str(part) for part in value.values())


def _rate(value: dict[str, Any]) -> str:
    per = f" per {value['per_quantity']} {value['per_unit']}" if "per_unit" in value else ""
    return per + (f" in {spoken(value['window'])}" if "window" in value else "")


def size(value: Value) -> Decimal | None:
    """Return the magnitude of a value, periods in days; null where it has none."""
    if value is None:
        return None
    for name in ("amount", "quantity", "value", "years"):
        if name in value:
            return Decimal(str(value[name]))
    match = re.fullmatch(r"P(T?)([\d.]+)([YMDHS])", str(value.get("duration", "")))
    return (
        Decimal(match[2]) * Decimal(str(PER_DAY[match[3].lower() if match[1] else match[3]]))
        if match
        else None
    )


def _grew(old: Value, new: Value) -> int:
    """Return +1 where a value grew or came, -1 where it shrank or went, 0 where it cannot be told."""
    first, second = size(old) or Decimal(0), size(new) or Decimal(0)
    return (second > first) - (second < first)


def _notice(old: Value, new: Value, context: str) -> int:
    return (
        -_grew(old, new)
        if re.search(
            r"\byou (?:must|shall|will|agree|are required|need)\b[^.]{0,80}noti", context, re.IGNORECASE
        )
        else _grew(old, new)
    )


def _retention(old: Value, new: Value, context: str) -> int:
    """Longer or open-ended is worse; a limit given for the first time is better."""
    if (old or {}).get("open_ended") or (new or {}).get("open_ended"):
        return 0 if old is None or (old == new) else (-1 if (new or {}).get("open_ended") else 1)
    if old is None or new is None:
        return 1 if old is None else -1
    return -_grew(old, new)


_PAID_TO_READER = re.compile(
    r"refund|credit|compensat|reimburs|our (?:total |aggregate |maximum )?liability|liable to you|"
    r"liability (?:to you )?(?:shall|will|is)|we (?:will|shall) pay|discount",
    re.IGNORECASE,
)
_THEIR_DEADLINE = re.compile(
    r"\bwe (?:will|shall|must|aim|respond|try)\b|our (?:team|response)", re.IGNORECASE
)


def _money(old: Value, new: Value, context: str) -> int:
    return _grew(old, new) if _PAID_TO_READER.search(context) else -_grew(old, new)


def _limit(old: Value, new: Value, context: str) -> int:
    """A lower or a new limit is worse, a higher or lifted one better."""
    if old is None or new is None:
        return -1 if old is None else 1
    return _grew(old, new)


def _deadline(old: Value, new: Value, context: str) -> int:
    """More time for the reader is better, more time for the company worse."""
    if old is None or new is None:
        return 0
    return -_grew(old, new) if _THEIR_DEADLINE.search(context) else _grew(old, new)


def _choice(old: Value, new: Value, context: str) -> int:
    """Asked first is better than left to object; losing either way is worse."""
    rank = {None: 0, "opt-out": 1, "opt-in": 2}
    was, now = rank[(old or {}).get("default")], rank[(new or {}).get("default")]
    return (now > was) - (now < was)


def _venue(old: Value, new: Value, context: str) -> int:
    return -1 if old is None and new is not None else 0


def _age(old: Value, new: Value, context: str) -> int:
    """A higher age to use the service shuts people out; an age below which people are protected may only rise."""
    if old is None or new is None:
        return 0
    return -_grew(old, new) if new.get("relation") == "at_least" else _grew(old, new)


def _duration(old: Value, new: Value, context: str) -> int:
    """More time for refunds, returns, trials or cancelling is better; of other lengths it cannot be told."""
    given = old is not None and new is not None and _READERS_TIME.search(context)
    return _grew(old, new) if given else 0


_READERS_TIME = re.compile(
    r"refund|return|cancel|withdraw|trial|guarantee|warrant|grace period", re.IGNORECASE
)
_RULES = {
    "age": _age,
    "duration": _duration,
    "notice_period": _notice,
    "retention": _retention,
    "money": _money,
    "percent": _money,
    "limit": _limit,
    "deadline": _deadline,
    "opt_out": _choice,
    "venue": _venue,
}
