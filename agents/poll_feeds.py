"""From news feeds to `feeds.fetched`: the entries that were not there before, and trouble."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from datetime import datetime

import structlog
from msgspec import structs

from agents.rounds import Rounds, Sources
from pipeline.errors import FetchError
from pipeline.events import BodyRef, Entry, FeedFetched, FeedSpec, FetchOutcome
from pipeline.news.feed import RawFeed, batches, new_entries
from pipeline.polling import (
    UNASKED_304,
    Fetched,
    Jitter,
    PollState,
    Reading,
    after_failure,
    after_hold,
    after_success,
    is_news,
    read_answer,
    read_error,
    usable_validators,
)
from pipeline.ports import Clock, Fetches, ParsesFeeds, PollMemory, Publisher

FEEDS = "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"
MANY_ITEMS = 200

logger = structlog.get_logger(__name__)


async def poll_feeds(
    sources: Sources[FeedSpec],
    *,
    fetcher: Fetches,
    parser: ParsesFeeds,
    publish: Publisher,
    memory: PollMemory,
    clock: Clock,
    stop: asyncio.Event,
    limit: int = 32,
) -> None:
    """Poll the declared feeds, each at its interval, until `stop` is set."""
    poller = FeedPoller(fetcher=fetcher, parser=parser, publish=publish, clock=clock)
    await Rounds(sources=sources, poll=poller.poll, memory=memory, clock=clock, stop=stop, limit=limit).run()


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPoller:
    """Reads one feed once: publishes its new entries, and says what to remember."""

    fetcher: Fetches
    parser: ParsesFeeds
    publish: Publisher
    clock: Clock
    jitter: Jitter = random.random

    async def poll(self, spec: FeedSpec, state: PollState) -> PollState:
        """Return the state after one read; what it would suppress next time is published by then."""
        known = usable_validators(state, self.clock.now()) if state.body else None
        try:
            fetched = await self.fetcher.fetch(
                spec.url, validators=known, respect_robots=spec.respect_robots, accept=FEEDS
            )
            reading = read_answer(fetched)
            if reading.outcome is FetchOutcome.UNCHANGED and known is None:
                reading = UNASKED_304
            if not reading.is_good:
                return await self._failed(spec, state, reading, fetched.fetched_at)
            return await self._read(spec, state, fetched)
        except FetchError as error:
            if error.kind == "held":
                return after_hold(state, error, now=self.clock.now(), jitter=self.jitter())
            return await self._failed(spec, state, read_error(error), self.clock.now())

    async def _read(self, spec: FeedSpec, state: PollState, fetched: Fetched) -> PollState:
        now = fetched.fetched_at
        after = after_success(state, fetched, now=now, interval_s=spec.interval_s, jitter=self.jitter())
        if fetched.body is None or (state.body and state.body.sha256 == fetched.sha256):
            await self._tell(spec, state, RawFeed(), (), now)
            return after
        raw = await self.parser.parse(
            fetched.body, content_type=fetched.headers.get("content-type", ""), url=fetched.final_url
        )
        if len(raw.items) > MANY_ITEMS:
            entries, seen = await asyncio.to_thread(new_entries, spec, raw, state.seen, now=now)
        else:
            entries, seen = new_entries(spec, raw, state.seen, now=now)
        await self._tell(spec, state, raw, entries, now)
        body = BodyRef(sha256=fetched.sha256, size=len(fetched.body), media_type=fetched.media_type)
        return structs.replace(after, body=body, seen=seen)

    async def _tell(
        self, spec: FeedSpec, state: PollState, raw: RawFeed, entries: tuple[Entry, ...], now: datetime
    ) -> None:
        """Publish new entries, in records that fit; or, if there are none, the end of trouble that was told."""
        again = f"readable again after {state.failures} failed reads" if state.failures else ""
        for batch in batches(entries):
            await self.publish.publish(
                FeedFetched(
                    feed=spec,
                    fetched_at=now,
                    outcome=FetchOutcome.OK,
                    entries=batch,
                    title=raw.title,
                    reason=again,
                )
            )
        if again and not entries:
            await self.publish.publish(
                FeedFetched(
                    feed=spec, fetched_at=now, outcome=FetchOutcome.UNCHANGED, title=raw.title, reason=again
                )
            )
        logger.debug("feed.read", feed=spec.id, new=len(entries))

    async def _failed(self, spec: FeedSpec, state: PollState, reading: Reading, now: datetime) -> PollState:
        told = is_news(state, reading, now)
        if told:
            await self.publish.publish(
                FeedFetched(
                    feed=spec,
                    fetched_at=now,
                    outcome=reading.outcome,
                    reason=reading.told,
                    failures=state.failures + 1,
                )
            )
        after = after_failure(
            state, reading, now=now, interval_s=spec.interval_s, jitter=self.jitter(), told=told
        )
        logger.info("feed.failed", feed=spec.id, reason=reading.reason, failures=after.failures)
        return after
