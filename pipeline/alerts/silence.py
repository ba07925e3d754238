"""What is not told for a while: an operator's matchers against an alert's traits, each decision with its reason.

A word of a matcher is compared without case, and may hold `*` for any characters: nothing in it can take long.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from pipeline.alerts import recipients
from pipeline.alerts.render.words import instant
from pipeline.errors import ConfigError
from pipeline.events import AlertRaised, Matcher, SilenceDeclared

TRAITS = (
    "service", "document", "category", "severity", "kind", "watch", "language", "alert", "thread", "clause",
)  # fmt: skip
MOST_WORDS = 50
LONGEST = 200


def silenced(
    alert: AlertRaised, subscription_id: str, silences: Iterable[SilenceDeclared], *, at: datetime
) -> str:
    """Return why a subscription is not told of an alert at a time, empty when it is."""
    met = holding(alert, silences, at=at)
    return next((reason(one) for one in met if concerns(one, subscription_id)), "")


def holding(
    alert: AlertRaised, silences: Iterable[SilenceDeclared], *, at: datetime
) -> tuple[SilenceDeclared, ...]:
    """Return the silences that hold for an alert at a time, whomever they concern."""
    known = traits(alert)
    return tuple(
        one
        for one in silences
        if one.starts_at <= at < one.ends_at and all(meets(matcher, known) for matcher in one.matchers)
    )


def concerns(silence: SilenceDeclared, subscription_id: str) -> bool:
    """Say whether a silence is a subscription's: one that names none is everybody's."""
    return not silence.subscriptions or any(
        recipients.concerns(asked, subscription_id) for asked in silence.subscriptions
    )


def reason(silence: SilenceDeclared) -> str:
    """Return a silence in words for a reader."""
    by = f" by {silence.author}" if silence.author else ""
    said = f": {silence.comment}" if silence.comment else ""
    return f"silence {silence.silence_id}{by} until {instant(silence.ends_at)}{said}"


def traits(alert: AlertRaised) -> Mapping[str, frozenset[str]]:
    """Return what an alert can be silenced by, casefolded."""
    document, story = alert.document, alert.story
    found = {
        "service": (alert.service, document.service if document else "", *(story.services if story else ())),
        "document": (document.id, document.name) if document else (),
        "category": alert.categories,
        "severity": (alert.severity.value,),
        "kind": (alert.kind,),
        "watch": [name for match in alert.matches for name in (match.watch_id, match.watch)],
        "language": (alert.language,),
        "alert": (alert.alert_id,),
        "thread": (alert.thread,),
        "clause": [change.clause_id for change in alert.changes],
    }
    return {name: frozenset(word.casefold() for word in words if word) for name, words in found.items()}


def meets(matcher: Matcher, known: Mapping[str, frozenset[str]]) -> bool:
    """Say whether traits meet a matcher. Of clauses all must: an alert with another clause is told."""
    had = known.get(matcher.what, frozenset())
    hits = [any(_like(word, text) for word in matcher.words) for text in had]
    met = bool(hits) and all(hits) if matcher.what == "clause" else any(hits)
    return met is not matcher.negated


def matcher(written: str) -> Matcher:
    """Return what `service=X,Meta` or `severity!=low` asks for; ConfigError says what to write instead."""
    found = re.fullmatch(r"\s*(\w+)\s*(!?=)\s*(.+?)\s*", written, re.DOTALL)
    if not found or found[1] not in TRAITS:
        raise ConfigError(
            f'"{written[:60]}" asks for nothing',
            remedy=f"Write service=X or severity!=low,info; known: {', '.join(TRAITS)}",
        )
    words = tuple(word.strip() for word in found[3].split(",") if word.strip())
    made = Matcher(what=found[1], words=words, negated=found[2] == "!=")
    check([made])
    return made


def check(matchers: Iterable[Matcher]) -> None:
    """Raise ConfigError for matchers that would silence everything or nothing, or are out of bounds."""
    wanted = list(matchers)
    if not wanted:
        raise ConfigError("a silence without a matcher would silence everything", remedy="Write service=X")
    for one in wanted:
        if one.what not in TRAITS:
            raise ConfigError(f'alerts have no "{one.what[:30]}"', remedy=f"Known: {', '.join(TRAITS)}")
        if not 0 < len(one.words) <= MOST_WORDS or any(not 0 < len(word) <= LONGEST for word in one.words):
            raise ConfigError(
                f"{one.what} is matched by 1 to {MOST_WORDS} words of up to {LONGEST} characters"
            )


def _like(word: str, text: str) -> bool:
    """Say whether a word with stars spells a text; each part is taken where it first fits, so this is linear."""
    first, *rest = word.casefold().split("*")
    if not rest:
        return first == text
    if not text.startswith(first):
        return False
    place = len(first)
    for part in rest[:-1]:
        found = text.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return len(text) - place >= len(rest[-1]) and text.endswith(rest[-1])
