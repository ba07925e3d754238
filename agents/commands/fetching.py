"""One polite read of a URL, for commands that look once."""

from __future__ import annotations

from agents.commands.reading import Served
from pipeline.adapters.clock import SystemClock
from pipeline.adapters.http import Fetcher


async def fetch_once(url: str, *, respect_robots: bool = True) -> Served:
    """Return the page at a URL; FetchError when it cannot be read now."""
    async with Fetcher(clock=SystemClock()) as fetcher:
        fetched = await fetcher.fetch(url, respect_robots=respect_robots)
    return Served(
        body=fetched.body or b"",
        name=url,
        url=fetched.final_url,
        status=fetched.status,
        content_type=fetched.headers.get("content-type", ""),
        headers=fetched.headers,
    )
