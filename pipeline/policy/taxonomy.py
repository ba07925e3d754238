"""The categories that clauses belong to, as data, and the seeds that hint at each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from pipeline.policy.tables import table


@dataclass(frozen=True, slots=True)
class Category:
    """One category: its names, what it means for readers, its weight (1 low to 4 critical) and its seeds.

    `added` tells whom a clause of its kind favours where it is new: -1 the company, +1 the reader, 0 neither.
    """

    id: str
    name: str
    short: str
    worse: str
    better: str
    concerns: str
    default_severity: str
    weight: float
    added: int
    seeds: re.Pattern[str]
    excluded: re.Pattern[str] | None
    regulations: tuple[str, ...]
    agencies: tuple[str, ...]

    def hits(self, text: str) -> set[str]:
        """Return the distinct words of a text that the seeds match, in lower case."""
        plain = self.excluded.sub(" ", text) if self.excluded else text
        return {match[0].lower() for match in self.seeds.finditer(plain)}


@cache
def taxonomy() -> dict[str, Category]:
    """Return the categories by id, in the order of the data file."""
    return {entry["id"]: _category(entry) for entry in table("categories")["categories"]}


_PLAIN = ("id", "name", "short", "worse", "better", "concerns", "default_severity")


def _category(entry: dict[str, Any]) -> Category:
    excluded = re.compile("|".join(entry["not"]), re.IGNORECASE) if entry["not"] else None
    return Category(
        **{name: entry[name] for name in _PLAIN},
        weight=float(entry["weight"]),
        added=int(entry["added"]),
        seeds=re.compile("|".join(f"(?:{seed})" for seed in entry["seeds"]), re.IGNORECASE),
        excluded=excluded,
        regulations=tuple(entry["regulations"]),
        agencies=tuple(entry["agencies"]),
    )


def regulations(category: str) -> tuple[dict[str, Any], ...]:
    """Return the regulations that bear on a category: name, applies_from (ISO date or null) and status."""
    known = table("regulations")["regulations"]
    entry = taxonomy().get(category)
    return tuple(known[key] for key in entry.regulations) if entry else ()
