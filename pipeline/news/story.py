"""The stories that are being told: a bounded book of the open ones, and what each new entry does to it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from pipeline.events import Entry, Match, StoryUpdated, derived_id
from pipeline.news.cluster import OpenStory, Reading, best, normalised, read

KEPT = timedelta(days=7)  # since it last gained an entry, a story stays open
STORIES = 600  # open at once
ENTRIES = 40  # told of one story; further ones are recognised and not told


class StoryBook(Struct, frozen=True, kw_only=True):
    """The open stories, the one that gained an entry last at the end."""

    stories: tuple[OpenStory, ...] = ()


def add(
    book: StoryBook, entry: Entry, services: Iterable[str], matches: Iterable[Match], now: datetime
) -> tuple[StoryBook, StoryUpdated | None]:
    """Return the book with an entry in it, and the story as it now stands; None if the entry adds nothing.

    An entry seen before, one of a page already told, and any past the first 40 of a story add nothing.
    """
    if any(entry.id in story.seen for story in book.stories):
        return book, None
    reading = read(entry, now)
    joined = best(reading, book.stories)
    if joined is None:
        story = opened(entry, reading, services, now)
        return filed(book, story, now), told(story, matches, now)
    old = next(story for story in book.stories if story.id == joined.story_id)
    story = grown(old, entry, reading, services, now)
    return filed(book, story, now), told(story, matches, now) if story.entries != old.entries else None


def opened(entry: Entry, reading: Reading, services: Iterable[str], now: datetime) -> OpenStory:
    """Return the story that an entry founds; its identity derives from the entry's page."""
    return OpenStory(
        id=derived_id("story", reading.page),
        entries=(entry,),
        founder=reading.terms,
        whole=reading.terms,
        first_at=reading.told_at,
        last_at=reading.told_at,
        touched_at=now,
        services=tuple(sorted(set(services))),
        amounts=tuple(sorted(reading.amounts)),
        pages=(reading.page,),
        seen=(entry.id,),
    )


def grown(
    story: OpenStory, entry: Entry, reading: Reading, services: Iterable[str], now: datetime
) -> OpenStory:
    """Return a story that gained an entry; a page told before, or one past the limit, is only recognised."""
    seen = (*story.seen, entry.id)[-4 * ENTRIES :]
    if reading.page in story.pages or len(story.entries) >= ENTRIES:
        return replace(story, seen=seen)
    return replace(
        story,
        entries=(*story.entries, entry),
        whole=blended(story, reading),
        first_at=min(story.first_at, reading.told_at),
        last_at=max(story.last_at, reading.told_at),
        touched_at=now,
        services=tuple(sorted({*story.services, *services})),
        amounts=tuple(sorted({*story.amounts, *reading.amounts})),
        pages=(*story.pages, reading.page),
        seen=seen,
    )


def blended(story: OpenStory, reading: Reading) -> dict[str, float]:
    """Return the mean of what a story's entries say."""
    count = len(story.entries)
    terms = {term: value * count for term, value in story.whole.items()}
    for term, value in reading.terms.items():
        terms[term] = terms.get(term, 0.0) + value
    return normalised(terms)


def filed(book: StoryBook, story: OpenStory, now: datetime) -> StoryBook:
    """Return the book with a story put last, and without those long silent or too many."""
    others = (held for held in book.stories if held.id != story.id and now - held.touched_at <= KEPT)
    return StoryBook(stories=(*others, story)[-STORIES:])


def told(story: OpenStory, matches: Iterable[Match], now: datetime) -> StoryUpdated:
    """Return the event that a story gained its last entry; the matches are that entry's."""
    return StoryUpdated(
        story_id=story.id,
        entries=story.entries,
        updated_at=now,
        services=story.services,
        matches=tuple(matches),
    )
