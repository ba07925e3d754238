"""One page being shown by a browser: what it may ask for, how much it may bring, when its text has come to rest."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from pipeline.adapters import ssrf
from pipeline.adapters.fetcherrors import too_large
from pipeline.errors import ConfigError, FetchError

UNWANTED = frozenset({"image", "media", "font"})  # never text
SETTLE_S = 10.0  # for the network to fall silent, at most
LOOK_S = 0.25  # between two looks at how long the text is
STEADY = 3  # looks in a row that must agree
_LENGTH = "() => document.body ? document.body.innerText.length : 0"


class Visit:
    """Watches over one page; `check` raises what made it close the page."""

    def __init__(self, url: str, limit: int, allow: ssrf.Allow) -> None:
        self._home = host_of(url)
        self._limit = limit
        self._allow = allow
        self._brought = 0
        self._verdicts: dict[str, bool] = {}
        self._stray = ""
        self._acts: set[asyncio.Future[None]] = set()

    async def watch(self, context: Any, page: Any) -> None:
        """Judge every request, and close the page once it brought more than the limit."""
        await context.route("**/*", self._judge)
        await context.route_web_socket("**/*", lambda socket: socket.close())
        context.on("request", lambda request: self._follow(request, page))
        session = await context.new_cdp_session(page)
        await session.send("Network.enable")
        session.on("Network.dataReceived", lambda data: self._count(data["dataLength"], page))

    async def check(self) -> None:
        """Raise what made us close the page, once every redirect was looked at."""
        await asyncio.gather(*self._acts)
        if self._brought > self._limit:
            raise too_large(self._home, self._limit)
        if self._stray:
            raise FetchError(
                f"the page of {self._home} sends requests to {self._stray}, an address of our own network",
                kind="browser",
                remedy="Do not render it: watch another page of the document",
            )

    async def settle(self, page: Any) -> None:
        """Wait until the network is silent and the text has stopped growing."""
        with suppress(playwright().TimeoutError):
            await page.wait_for_load_state("networkidle", timeout=SETTLE_S * 1000)
        length, steady = -1, 0
        while steady < STEADY:
            now = await page.evaluate(_LENGTH)
            length, steady = now, steady + 1 if now == length else 0
            await asyncio.sleep(LOOK_S)

    def _count(self, size: int, page: Any) -> None:
        before, self._brought = self._brought, self._brought + size
        if before <= self._limit < self._brought:
            self._do(self._close(page))

    def _do(self, act: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(act)
        self._acts.add(task)
        task.add_done_callback(self._acts.discard)

    def _follow(self, request: Any, page: Any) -> None:
        """Look at where a redirect leads: only the first request of a chain is ours to judge before it is made."""
        of_page = request.is_navigation_request() and request.frame == page.main_frame
        if request.redirected_from is not None and not of_page:
            self._do(self._led(request.url, page))

    async def _led(self, url: str, page: Any) -> None:
        if not await self._may_reach(url):
            self._stray = self._stray or host_of(url)
            await self._close(page)

    async def _close(self, page: Any) -> None:
        with suppress(errors()):
            await page.close()

    async def _judge(self, route: Any) -> None:
        request = route.request
        wanted = request.resource_type not in UNWANTED and await self._may_reach(request.url)
        with suppress(errors()):
            await (route.continue_() if wanted else route.abort("blockedbyclient"))

    async def _may_reach(self, url: str) -> bool:
        """Say whether a request of the page's may be made: to its own host, or to public addresses."""
        parts = urlsplit(url)
        if parts.scheme in {"data", "blob"} or (parts.hostname or "") == self._home:
            return True
        if parts.scheme not in {"http", "https"}:
            return False
        if parts.netloc not in self._verdicts:
            found = await ssrf.check_url(url, resolve=ssrf.system_resolve, allow=self._allow)
            self._verdicts[parts.netloc] = found.accepted
        return self._verdicts[parts.netloc]


def host_of(url: str) -> str:
    """Return the host of an address, or the address where it has none."""
    return urlsplit(url).hostname or url


def playwright() -> Any:
    """Return Playwright's module; ConfigError when the extra is not installed."""
    try:
        return import_module("playwright.async_api")
    except ModuleNotFoundError:
        raise ConfigError(
            "pages are to be rendered, and Playwright is not installed",
            key="fetch.browser",
            remedy="Install it: pip install 'clausewire[browser]', or take fetch.browser out",
        ) from None


def errors() -> type[BaseException]:
    """Return the base of Playwright's errors."""
    kind: type[BaseException] = playwright().Error
    return kind
