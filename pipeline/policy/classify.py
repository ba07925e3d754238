"""Which categories of the taxonomy a clause belongs to, with a confidence; none where unsure.

Two witnesses are heard: a small linear model over words and word pairs, and the seeds of the taxonomy, which are
asked only for the categories that the model does not rule out. Headings count less than the clause's own words.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

from pipeline.events import Fact
from pipeline.policy.facts import facts
from pipeline.policy.linear import shipped
from pipeline.policy.taxonomy import taxonomy

UNCLASSIFIED = "unclassified"
ABSTAIN = 0.5  # below this confidence a category is not told
RULED_OUT = 0.015  # what the model thinks so unlikely that the seeds are not asked
ASKED = 4  # categories at most that the seeds are asked about
SEEN_BY_SEEDS = 1000  # characters that the seeds read
MODEL, SEEDS = 0.6, 0.4  # how far each witness is believed
HEADING = 0.45  # how far a heading is believed of the clause below it
# The share of right first answers seen at each blended score on ToS;DR's quotations, smoothed; below 0.3 less than
# was seen, because a quotation is always about something and a clause is not. Straight lines between the points.
CALIBRATION = (
    (0.0, 0.0),
    (0.2, 0.4),
    (0.3, 0.5),
    (0.4, 0.65),
    (0.5, 0.72),
    (0.6, 0.76),
    (0.7, 0.81),
    (0.8, 0.86),
    (0.9, 0.91),
    (1.0, 0.94),
)
LONGEST = 2500  # characters of a clause that are read; what a clause is about is said by then


def categories(text: str, *, path: Sequence[str] = (), lead: str = "") -> dict[str, float]:
    """Return the categories of a clause with their confidences, surest first; empty when unsure.

    `path` is the chain of headings above the clause and `lead` the sentence that introduces its list.
    """
    own = _blend(text[:LONGEST])
    above = dict(_above(" / ".join((*path[-2:], lead))[-400:])) if path or lead else {}
    scores = {
        name: 1.0 - (1.0 - own.get(name, 0.0)) * (1.0 - HEADING * above.get(name, 0.0))
        for name in {*own, *above}
    }
    told = {name: round(calibrated(score), 3) for name, score in _heard(scores, text[:LONGEST]).items()}
    return dict(
        sorted(((name, p) for name, p in told.items() if p >= ABSTAIN), key=lambda item: (-item[1], item[0]))
    )


def _heard(scores: dict[str, float], text: str) -> dict[str, float]:
    """Return the scores without the categories that a text denies; what is left alone is told under another."""
    denied = {name: score for name, score in scores.items() if taxonomy()[name].denies(text)}
    kept = {name: score for name, score in scores.items() if name not in denied}
    for name, score in denied.items():
        other = taxonomy()[name].instead
        if all(calibrated(one) < ABSTAIN for one in kept.values()):
            kept[other] = max(score, kept.get(other, 0.0))
    return kept


def calibrated(score: float) -> float:
    """Return the confidence of a blended score."""
    for (low, below), (high, above) in pairwise(CALIBRATION):
        if score <= high:
            return below + (above - below) * (score - low) / (high - low)
    return CALIBRATION[-1][1]


@lru_cache(maxsize=4096)
def _above(heading: str) -> tuple[tuple[str, float], ...]:
    """Return the scores of a heading; the same heading stands above many clauses."""
    return tuple(_blend(heading).items())


def _blend(text: str) -> dict[str, float]:
    """Return what model and seeds say together of a text, for the categories not ruled out."""
    believed = {name: 1.0 / (1.0 + math.exp(-odds)) for name, odds in shipped().odds(text).items()}
    likely = sorted(
        (name for name, p in believed.items() if p >= RULED_OUT), key=lambda name: -believed[name]
    )
    return {name: MODEL * believed[name] + SEEDS * _seeded(name, text) for name in likely[:ASKED]}


def _seeded(name: str, text: str) -> float:
    """Return what the seeds of a category say: each distinct hit halves the doubt."""
    return 1.0 - 0.5 ** len(taxonomy()[name].hits(text[:SEEN_BY_SEEDS]))


def describe(text: str) -> dict[str, Any]:
    """Return the categories and facts of a text as `clausewire classify` prints them."""
    found = [{"id": name, "p": p} for name, p in categories(text).items()]
    return {"categories": found, "facts": [_told(fact) for fact in facts(text)]}


def _told(fact: Fact) -> dict[str, Any]:
    return {"kind": fact.kind, "value": fact.new, "quote": fact.quote, "start": fact.start, "end": fact.end}
