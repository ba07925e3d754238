"""From feed entries to stories: which event an entry reports, whom it names, which watches it satisfies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from pipeline.events import Entry, Event, FeedFetched, Match
from pipeline.news.names import ServiceName, mentions
from pipeline.news.story import StoryBook, add
from pipeline.news.watch import WatchIndex
from pipeline.ports import Memory

DESK = "stories"  # one book for all feeds: the topic has one partition


@dataclass(frozen=True, slots=True)
class Desk:
    """What the news is read for: the watches, and the services whose documents are watched."""

    watches: WatchIndex
    services: Sequence[ServiceName]

    def matches(self, entry: Entry) -> tuple[Match, ...]:
        return tuple(self.watches.match(entry.title, entry.summary))

    def names(self, entry: Entry) -> set[str]:
        return mentions(f"{entry.title}\n{entry.summary}", self.services, at=entry.published_at)


async def match_stories(event: FeedFetched, *, desk: Desk, memory: Memory[StoryBook]) -> AsyncIterator[Event]:
    """Put each new entry with the story it tells; entries that concern nobody here are let go."""
    book = memory.recall(DESK) or StoryBook()
    for entry in event.entries:
        services, matches = desk.names(entry), desk.matches(entry)
        if not services and not matches:
            continue
        book, story = add(book, entry, services, matches, event.at)
        if story:
            yield story
    memory.keep(DESK, book)
