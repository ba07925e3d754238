"""The categories that clauses belong to, as data, and the seeds that hint at each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pipeline.policy.tables import table


@dataclass(frozen=True, slots=True)
class Category:
    """One category: its names, what it means for readers, its weight (1 low to 4 critical) and its seeds.

    `added` tells whom a clause of its kind favours where it is new: -1 the company, +1 the reader, 0 neither.
    `denied` finds texts of other kinds in its words, unless `affirmed` stands there too: they are of `instead`.
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
    denied: re.Pattern[str] | None
    affirmed: re.Pattern[str] | None
    instead: str

    def hits(self, text: str) -> set[str]:
        """Return the distinct words of a text that the seeds match, in lower case."""
        plain = self.excluded.sub(" ", text) if self.excluded else text
        return {match[0].lower() for match in self.seeds.finditer(plain)}

    def denies(self, text: str) -> bool:
        """Tell a text that uses this category's words for something else, such as a reader's own liability."""
        if self.denied is None or not self.denied.search(text):
            return False
        return self.affirmed is None or not self.affirmed.search(text)


@cache
def taxonomy() -> dict[str, Category]:
    """Return the categories by id, in the order of the data file."""
    return {entry["id"]: _category(entry) for entry in table("categories")["categories"]}


_PLAIN = ("id", "name", "short", "worse", "better", "concerns", "default_severity")


def _category(entry: dict[str, Any]) -> Category:
    return Category(
        **{name: entry[name] for name in _PLAIN},
        weight=float(entry["weight"]),
        added=int(entry["added"]),
        seeds=re.compile("|".join(f"(?:{seed})" for seed in entry["seeds"]), re.IGNORECASE),
        excluded=_any(entry["not"]),
        regulations=tuple(entry["regulations"]),
        agencies=tuple(entry["agencies"]),
        denied=_any(entry.get("denied", ())),
        affirmed=_any(entry.get("affirmed", ())),
        instead=entry.get("instead", ""),
    )


def _any(patterns: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(patterns), re.IGNORECASE) if patterns else None


def regulations(category: str) -> tuple[dict[str, Any], ...]:
    """Return the regulations that bear on a category: name, applies_from (ISO date or null) and status."""
    known = table("regulations")["regulations"]
    entry = taxonomy().get(category)
    return tuple(known[key] for key in entry.regulations) if entry else ()
