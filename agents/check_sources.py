"""What a poll of a source would find, fetched once and told in full: for `clausewire sources check`."""

from __future__ import annotations

import time

from agents.poll_feeds import FEEDS
from pipeline.errors import FetchError
from pipeline.events import DocumentSpec, FeedSpec, FetchOutcome, Value
from pipeline.news.feed import RawFeed
from pipeline.polling import Fetched, Health, Reading, read_answer, read_error
from pipeline.ports import Fetches, ParsesFeeds


class SourceReport(Value, frozen=True, kw_only=True):
    """One source as it stands: what was served, whether we may read it, and what to do if not.

    `robots` is allowed, disallowed or ignored (with the source's own reason). `body` is the page, for the
    caller to extract; `feed` what a feed holds.
    """

    source_id: str
    url: str
    outcome: FetchOutcome
    health: Health
    status: int = 0
    final_url: str = ""
    redirects: tuple[str, ...] = ()
    size: int = 0
    media_type: str = ""
    robots: str = ""
    has_etag: bool = False
    has_last_modified: bool = False
    elapsed_s: float = 0.0
    error: str = ""
    remedy: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    feed: RawFeed | None = None

    @property
    def is_good(self) -> bool:
        """Whether a poll would bring something to read."""
        return self.health is Health.OK


async def check_source(
    spec: DocumentSpec | FeedSpec, fetcher: Fetches, *, parser: ParsesFeeds
) -> SourceReport:
    """Fetch a source once, unconditionally, and report; never raises FetchError. A feed is parsed."""
    started = time.monotonic()
    fetched: Fetched | None = None
    feed: RawFeed | None = None
    try:
        fetched = await _fetched(spec, fetcher)
        reading = read_answer(fetched)
        if isinstance(spec, FeedSpec) and reading.is_good:
            feed = await _feed(fetched, parser)
    except FetchError as error:
        reading = read_error(error)
    return _report(spec, reading, fetched, feed, elapsed_s=time.monotonic() - started)


async def _fetched(spec: DocumentSpec | FeedSpec, fetcher: Fetches) -> Fetched:
    if isinstance(spec, FeedSpec):
        return await fetcher.fetch(spec.url, respect_robots=spec.respect_robots, accept=FEEDS)
    return await fetcher.fetch(spec.url, respect_robots=spec.respect_robots, language=spec.language)


async def _feed(fetched: Fetched, parser: ParsesFeeds) -> RawFeed:
    return await parser.parse(
        fetched.body or b"", content_type=fetched.headers.get("content-type", ""), url=fetched.final_url
    )


def _report(
    spec: DocumentSpec | FeedSpec,
    reading: Reading,
    fetched: Fetched | None,
    feed: RawFeed | None,
    *,
    elapsed_s: float,
) -> SourceReport:
    known = fetched.validators if fetched else None
    return SourceReport(
        source_id=spec.id,
        url=spec.url,
        outcome=reading.outcome,
        health=reading.health,
        status=fetched.status if fetched else 0,
        final_url=fetched.final_url if fetched else "",
        redirects=fetched.redirects if fetched else (),
        size=len(fetched.body or b"") if fetched else 0,
        media_type=fetched.media_type if fetched else "",
        robots=_robots(spec, reading, was_fetched=fetched is not None),
        has_etag=bool(known and known.etag),
        has_last_modified=bool(known and known.last_modified),
        elapsed_s=elapsed_s,
        error=reading.reason,
        remedy=reading.remedy,
        headers=tuple(fetched.headers.items()) if fetched else (),
        body=fetched.body if fetched else None,
        feed=feed,
    )


def _robots(spec: DocumentSpec | FeedSpec, reading: Reading, *, was_fetched: bool) -> str:
    if not spec.respect_robots:
        return f"ignored: {spec.robots_reason}" if spec.robots_reason else "ignored"
    if reading.outcome is FetchOutcome.BLOCKED and not was_fetched:
        return "disallowed"
    return "allowed" if was_fetched else "not known"
