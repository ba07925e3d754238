"""Which open story an entry belongs to, and why: the same page, the same headline or the same rare words.

Entries are joined by what they say, close in time, compared with the story's founding entry as well as with
its whole, so that a story does not drift; amounts that contradict each other keep two stories apart.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from pipeline.events import Entry
from pipeline.news.commonness import weight
from pipeline.news.feed import canonical_url
from pipeline.news.telling import facts, stems

WINDOW = timedelta(hours=96)  # the longest silence inside one story
SAME_TEXT = 0.8  # of the title's words, for two entries to be copies
JOIN = 0.2  # the similarity from which an entry belongs to a story
HEADLINE = 0.2  # the least similarity of the headline alone
FOUNDER = 0.1  # the least similarity to the founding entry
TERMS = 48  # of a story kept for comparison
SUMMARY = 0.5  # what a word of the summary counts, of one in the title

Terms = dict[str, float]


class OpenStory(Struct, frozen=True, kw_only=True):
    """A story that may still gain entries: who founded it, what it says, when it was told."""

    id: str
    entries: tuple[Entry, ...]
    founder: Terms
    whole: Terms
    first_at: datetime
    last_at: datetime
    touched_at: datetime
    services: tuple[str, ...] = ()
    amounts: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()


class Reading(Struct, frozen=True, kw_only=True):
    """What is compared of an entry."""

    page: str
    told_at: datetime
    terms: Terms
    title: frozenset[str]
    title_terms: Terms
    amounts: frozenset[str]


class Joined(Struct, frozen=True):
    """A story to join, how alike the two are (0 to 1), and why in words."""

    story_id: str
    score: float
    reasons: tuple[str, ...]


def assign(entry: Entry, open_stories: Sequence[OpenStory]) -> str | None:
    """Return the id of the story that an entry belongs to, None when it begins one."""
    joined = best(read(entry), open_stories)
    return joined.story_id if joined else None


def best(reading: Reading, open_stories: Sequence[OpenStory]) -> Joined | None:
    """Return the most alike of the stories that the entry may join; the oldest of equals."""
    found = [joined for story in open_stories if (joined := compared(reading, story))]
    return max(found, key=lambda joined: (joined.score, joined.story_id), default=None)


def read(entry: Entry, now: datetime | None = None) -> Reading:
    """Return what is compared of an entry. An entry without any time is told `now`, or at the epoch."""
    title = stems(entry.title)
    return Reading(
        page=canonical(entry.url) or entry.id,
        told_at=entry.published_at or entry.seen_at or now or datetime.min.replace(tzinfo=UTC),
        terms=normalised(weighed(title, stems(entry.summary))),
        title=frozenset(title),
        title_terms=normalised(weighed(title, ())),
        amounts=facts(f"{entry.title}\n{entry.summary}").amounts,
    )


def compared(reading: Reading, story: OpenStory) -> Joined | None:
    """Return how an entry belongs to a story, None when it does not."""
    if reading.page in story.pages:
        return Joined(story.id, 2.0, ("the same page",))
    if reading.terms.keys().isdisjoint(story.whole) or not timely(reading.told_at, story):
        return None
    if contradicts(reading.amounts, story.amounts):
        return None
    whole = cosine(reading.terms, story.whole)
    if whole >= FOUNDER and is_copy(reading.title, story):
        return Joined(story.id, 1.5, ("the same headline",))
    if whole < JOIN:
        return None
    if cosine(reading.title_terms, story.whole) < HEADLINE or cosine(reading.terms, story.founder) < FOUNDER:
        return None
    return Joined(
        story.id, whole, (f"shares {', '.join(shared(reading.terms, story.whole))}", f"{whole:.2f} alike")
    )


def timely(told_at: datetime, story: OpenStory) -> bool:
    return story.first_at - WINDOW <= told_at <= story.last_at + WINDOW


def is_copy(title: frozenset[str], story: OpenStory) -> bool:
    """Say whether nearly all words of a headline of four words or more are those of one of the story's."""
    if len(title) < 4:
        return False
    others = (frozenset(stems(entry.title)) for entry in story.entries[:3])
    return any(len(title & other) >= SAME_TEXT * len(title | other) for other in others)


def contradicts(mine: frozenset[str], theirs: Sequence[str]) -> bool:
    """Say whether both name sums of money in one currency, and none is the same."""
    currencies = {amount[:3] for amount in mine} & {amount[:3] for amount in theirs}
    return bool(currencies) and mine.isdisjoint(theirs)


def weighed(title: Sequence[str], summary: Sequence[str]) -> Terms:
    """Return the weight of each word, and of each two that follow one another in the title."""
    terms: Terms = {}
    for words, share in ((title, 1.0), (summary, SUMMARY)):
        for word in words:
            terms[word] = max(terms.get(word, 0.0), share * weight(word))
    return terms


def normalised(terms: Terms) -> Terms:
    """Return the heaviest terms, scaled to length one."""
    kept = sorted(terms.items(), key=lambda item: (-item[1], item[0]))[:TERMS]
    length = math.sqrt(sum(value * value for _, value in kept)) or 1.0
    return {term: round(value / length, 4) for term, value in kept}


def cosine(one: Terms, other: Terms) -> float:
    if len(one) > len(other):
        one, other = other, one
    return sum(value * other[term] for term, value in one.items() if term in other)


def shared(one: Terms, other: Terms) -> list[str]:
    """Return the words that make two texts alike, the most telling first."""
    held = sorted(one.keys() & other.keys(), key=lambda term: (-one[term] * other[term], term))
    return held[:5]


def canonical(url: str) -> str:
    """Return what identifies a page: its canonical URL without scheme, www, AMP and last slash."""
    bare = canonical_url(url).partition("://")[2]
    host, slash, path = bare.partition("/")
    host = host.removeprefix("www.").removeprefix("amp.").removeprefix("m.")
    return (host + slash + re.sub(r"/amp(?=/?$|\?)", "", f"/{path}")[1:]).rstrip("/")
