"""Which categories of the taxonomy a clause belongs to, with a confidence; none where unsure.

The taxonomy is data: categories with seeds, regulations and agencies in `deploy/taxonomy`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pipeline.policy.facts import facts
from pipeline.policy.tables import table

UNCLASSIFIED = "unclassified"
ABSTAIN = 0.5  # below this confidence a category is not told


@dataclass(frozen=True, slots=True)
class Category:
    """One category: its names, what it means for readers, its weight (1 low to 4 critical) and its seeds."""

    id: str
    name: str
    short: str
    topic: str
    worse: str
    better: str
    concerns: str
    default_severity: str
    weight: float
    seeds: re.Pattern[str]
    excluded: re.Pattern[str] | None
    regulations: tuple[str, ...]
    agencies: tuple[str, ...]


@cache
def taxonomy() -> dict[str, Category]:
    """Return the categories by id, in the order of the data file."""
    return {entry["id"]: _category(entry) for entry in table("categories")["categories"]}


def _category(entry: dict[str, Any]) -> Category:
    words = {
        name: entry[name]
        for name in ("id", "name", "short", "topic", "worse", "better", "concerns", "default_severity")
    }
    excluded = re.compile("|".join(entry["not"]), re.IGNORECASE) if entry["not"] else None
    return Category(
        **words,
        weight=float(entry["weight"]),
        seeds=re.compile("|".join(f"(?:{seed})" for seed in entry["seeds"]), re.IGNORECASE),
        excluded=excluded,
        regulations=tuple(entry["regulations"]),
        agencies=tuple(entry["agencies"]),
    )


def categories(text: str, *, path: Sequence[str] = (), lead: str = "") -> dict[str, float]:
    """Return the categories of a clause with their confidences, surest first; empty when unsure.

    `path` is the chain of headings above the clause and `lead` the sentence that introduces its list: both count,
    the clause's own words count most.
    """
    above = " / ".join((*path[-2:], lead))
    scores = {name: _confidence(category, text, above) for name, category in taxonomy().items()}
    told = {name: round(score, 3) for name, score in scores.items() if score >= ABSTAIN}
    return dict(sorted(told.items(), key=lambda item: (-item[1], item[0])))


def _confidence(category: Category, text: str, above: str) -> float:
    """Return how sure the seeds make us: each distinct hit in the clause halves the doubt, headings help."""
    own = {hit.lower() for hit in _hits(category, text)}
    head = any(True for _ in _hits(category, above)) if above else False
    miss = 0.55 ** min(len(own), 4) * (0.5 if head else 1.0)
    return 1.0 - miss if own or head else 0.0


def _hits(category: Category, text: str) -> list[str]:
    plain = category.excluded.sub(" ", text) if category.excluded else text
    return [match[0] for match in category.seeds.finditer(plain)]


def describe(text: str) -> dict[str, Any]:
    """Return the categories and facts of a text as `clausewire classify` prints them."""
    found = [{"id": name, "p": p} for name, p in categories(text).items()]
    return {"categories": found, "facts": [_told(fact) for fact in facts(text)]}


def _told(fact: Any) -> dict[str, Any]:
    return {"kind": fact.kind, "value": fact.new, "quote": fact.quote, "start": fact.start, "end": fact.end}
