"""One polite read of a URL, for commands that look once."""

from __future__ import annotations

from agents.commands.reading import Served
from agents.poll_policies import is_shell
from pipeline.adapters.browser import Browser, find_browser
from pipeline.adapters.clock import SystemClock
from pipeline.adapters.http import Fetcher
from pipeline.events import DocumentSpec


async def fetch_once(
    url: str, *, respect_robots: bool = True, browser: str = "", sandbox: bool = True
) -> Served:
    """Return the page at a URL, as a browser shows it where one is named and scripts must fill it.

    FetchError when it cannot be read now.
    """
    async with Fetcher(clock=SystemClock()) as fetcher:
        fetched = await fetcher.fetch(url, respect_robots=respect_robots)
    if browser and is_shell(fetched, DocumentSpec(id="", service="", name="", url=url)):
        path = find_browser(browser)
        async with Browser(path=path, clock=SystemClock(), sandbox=sandbox) as shows:
            fetched = await shows.render(fetched.final_url)
    return Served(
        body=fetched.body or b"",
        name=url,
        url=fetched.final_url,
        status=fetched.status,
        content_type=fetched.headers.get("content-type", ""),
        headers=fetched.headers,
    )
