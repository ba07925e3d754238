"""How much fits into a record: changes by importance until a budget of bytes is spent."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pipeline.events import Change


def fitting(changes: Sequence[Change], *, budget: int, least: int = 0) -> tuple[Change, ...]:
    """Return as many leading changes as fit the budget of bytes as JSON, and never fewer than `least`."""
    kept: list[Change] = []
    for change in changes:
        budget -= len(msgspec.json.encode(change))
        if budget < 0 and len(kept) >= least:
            break
        kept.append(change)
    return tuple(kept)
