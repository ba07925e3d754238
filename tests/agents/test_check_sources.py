"""The report on one source, from real sites on loopback."""

from __future__ import annotations

import pytest

from agents.check_sources import SourceReport, check_source
from pipeline.adapters.clock import SystemClock
from pipeline.adapters.http import Fetcher, FetchLimits
from pipeline.events import DocumentSpec, FeedSpec
from pipeline.polling import Health
from tests.adapters.rawsite import RawSite, page, serving
from tests.agents.test_poll_feeds import HTML, InlineParser, rss

SITE = {
    "/terms": page(b"<p>terms</p>", ETag='"1"'),
    "/moved": page(b"", status="301 Moved", Location="/terms"),
    "/private": page(b"secret"),
    "/robots.txt": page(b"User-agent: *\nDisallow: /private\n"),
    "/feed": page(rss("a", "b")),
    "/page": page(HTML),
}


async def report(path: str, *, feed: bool = False, **changes: object) -> tuple[SourceReport, RawSite]:
    async with (
        serving(dict(SITE)) as site,
        Fetcher(clock=SystemClock(), limits=FetchLimits(spacing_s=0)) as fetcher,
    ):
        url = site.url(path)
        spec = (
            FeedSpec(id="s", name="F", url=url)
            if feed
            else DocumentSpec(id="s", service="s", name="n", url=url, **changes)  # type: ignore[arg-type]
        )
        return await check_source(spec, fetcher, parser=InlineParser()), site


async def test_good_page() -> None:
    """A page that can be read is told with its status, size, type and validators."""
    told, _ = await report("/moved")
    assert (told.is_good, told.status, told.size, told.media_type) == (True, 200, 12, "text/html")
    assert (told.has_etag, told.has_last_modified, told.robots) == (True, False, "allowed")
    assert [hop[:4] for hop in told.redirects] == ["301 "]


@pytest.mark.parametrize(
    ("path", "feed", "health", "error"),
    [
        ("/gone", False, Health.GONE, "404"),
        ("/private", False, Health.BLOCKED, "robots.txt"),
        ("/page", True, Health.FAILING, "web page"),
    ],
)
async def test_trouble(path: str, feed: bool, health: Health, error: str) -> None:
    """A source that cannot be read says why and what to do."""
    told, _ = await report(path, feed=feed)
    assert (told.health, told.is_good) == (health, False)
    assert error in told.error
    assert told.remedy


async def test_robots_overruled() -> None:
    """A source that ignores robots.txt says so, with its reason."""
    told, _ = await report("/private", respect_robots=False, robots_reason="we have a contract")
    assert (told.is_good, told.robots) == (True, "ignored: we have a contract")


async def test_feed() -> None:
    """A feed is told with what it holds."""
    told, _ = await report("/feed", feed=True)
    assert told.feed is not None
    assert [item.title for item in told.feed.items] == ["a", "b"]
