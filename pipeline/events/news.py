"""What the news brings: entries, stories, and whom they concern."""

from __future__ import annotations

from datetime import datetime

from pipeline.events.base import Event, derived_id
from pipeline.events.policy import ClausesChanged
from pipeline.events.values import Entry, FeedSpec, Match
from pipeline.events.words import FetchOutcome


class FeedFetched(Event, frozen=True, kw_only=True, tag=True):
    """A feed brought entries that were not there before (or a read of it failed: no entries, a reason)."""

    feed: FeedSpec
    fetched_at: datetime
    outcome: FetchOutcome
    entries: tuple[Entry, ...] = ()
    title: str = ""
    reason: str = ""
    failures: int = 0
    schema: int = 1

    @property
    def id(self) -> str:
        return derived_id(
            "feed", self.feed.id, self.fetched_at, *(entry.id for entry in self.entries), self.reason
        )

    @property
    def key(self) -> str:
        return self.feed.id

    @property
    def at(self) -> datetime:
        return self.fetched_at


class StoryUpdated(Event, frozen=True, kw_only=True, tag=True):
    """A reported event gained an entry. `services` are the ids of services it names; `matches` its watches."""

    story_id: str
    entries: tuple[Entry, ...]
    updated_at: datetime
    services: tuple[str, ...] = ()
    matches: tuple[Match, ...] = ()
    schema: int = 1

    @property
    def id(self) -> str:
        return derived_id("story", self.story_id, *sorted(entry.id for entry in self.entries))

    @property
    def key(self) -> str:
        return self.story_id

    @property
    def at(self) -> datetime:
        return self.updated_at


class ServiceTouched(Event, frozen=True, kw_only=True, tag=True):
    """A change or a story concerns a service: both meet under the service's key. Exactly one is set."""

    service_id: str
    change: ClausesChanged | None = None
    story: StoryUpdated | None = None
    schema: int = 1

    @property
    def cause(self) -> ClausesChanged | StoryUpdated:
        cause = self.change or self.story
        assert cause is not None, "a service is touched by a change or by a story"
        return cause

    @property
    def id(self) -> str:
        return derived_id("touch", self.service_id, self.cause.id)

    @property
    def key(self) -> str:
        return self.service_id

    @property
    def at(self) -> datetime:
        return self.cause.at
