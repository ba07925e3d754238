"""Pages that only scripts can fill, shown by an installed Chromium through Playwright (the extra `browser`).

The browser starts with the first page that needs it. Each page gets a fresh context of its own: no cookies, no
downloads, no service workers, no web sockets, no pictures; its scripts may not reach addresses of our own network, and
a page that sends a request there by a redirect is given up. (A name that changes its address between our look and the
browser's is beyond this; Chromium's own checks of local networks stand behind it.) robots.txt is for the caller.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import time
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from pipeline.adapters import ssrf
from pipeline.adapters.exchange import KEPT_HEADERS
from pipeline.adapters.fetcherrors import bad_url, too_large, too_slow
from pipeline.adapters.http import FetchLimits, user_agent
from pipeline.errors import ConfigError, FetchError
from pipeline.polling import Fetched
from pipeline.ports import Clock

RENDERED = "x-clausewire-rendered"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
)
UNWANTED = frozenset({"image", "media", "font"})  # never text
KEPT = KEPT_HEADERS - {b"content-length", b"content-encoding", b"etag", b"last-modified"}  # of another body
PASSED_ON = (
    "PATH",
    "LANG",
    "TMPDIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
)
SETTLE_S = 10.0  # for the network to fall silent, at most
LOOK_S = 0.25  # between two looks at how long the text is
STEADY = 3  # looks in a row that must agree
CLOSE_S = 5.0

_LENGTH = "() => document.body ? document.body.innerText.length : 0"
_SIZE = "() => document.documentElement ? document.documentElement.outerHTML.length : 0"


def find_browser(wanted: str) -> str:
    """Return the path of a Chromium: the one named, by path or by name, or for "auto" the first on PATH.

    ConfigError when there is none, or nothing to drive it with.
    """
    _playwright()
    names = NAMES if wanted == "auto" else (wanted,)
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        raise ConfigError(
            f"there is no browser {'on PATH' if wanted == 'auto' else wanted!r}",
            key="fetch.browser",
            remedy="Install Chromium, or name it: fetch: {browser: /usr/bin/chromium}",
        )
    return found


@dataclass(kw_only=True)
class Browser:
    """Renders pages one at a time; an `async with` stops the browser at its end.

    `sandbox` False is for containers and root, where Chromium's own sandbox cannot start. `allow` names hosts and
    networks of our own that pages may reach all the same.
    """

    path: str
    clock: Clock
    limits: FetchLimits = field(default_factory=FetchLimits)
    agent: str = ""
    sandbox: bool = True
    allow: ssrf.Allow = ssrf.NOTHING
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _driver: Any = None
    _browser: Any = None
    _name: str = ""

    async def __aenter__(self) -> Browser:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def render(self, url: str, *, language: str = "") -> Fetched:
        """Return the page as its scripts leave it; FetchError when it cannot be shown within time and size."""
        if urlsplit(url).scheme not in {"http", "https"}:
            raise bad_url(url)
        async with self._turn:
            started = time.monotonic()
            try:
                async with asyncio.timeout(self.limits.total_s):
                    return await self._rendered(url, language, started)
            except TimeoutError:
                await self._stop()  # a page that never yields holds its process
                raise too_slow(_host(url), self.limits.total_s) from None
            except _errors() as error:
                await self._stop()
                raise _unrendered(url, error) from error

    async def _rendered(self, url: str, language: str, started: float) -> Fetched:
        browser = await self._started()
        context = await browser.new_context(
            accept_downloads=False,
            service_workers="block",
            user_agent=self._name,
            **({"locale": language} if language else {}),
        )
        visit = _Visit(url, self.limits.max_bytes, self.allow)
        try:
            page = await context.new_page()
            await visit.watch(context, page)
            response = await page.goto(url, wait_until="domcontentloaded", timeout=0)
            await visit.settle(page)
            await visit.check()
            return await self._fetched(url, page, response, started)
        except _errors():
            await visit.check()  # a page that we closed for its size says only that it was closed
            raise
        finally:
            with suppress(TimeoutError, _errors()):
                async with asyncio.timeout(CLOSE_S):
                    await context.close()

    async def _fetched(self, url: str, page: Any, response: Any, started: float) -> Fetched:
        if await page.evaluate(_SIZE) > self.limits.max_bytes:
            raise too_large(_host(url), self.limits.max_bytes)
        body = (await page.content()).encode()
        if len(body) > self.limits.max_bytes:
            raise too_large(_host(url), self.limits.max_bytes)
        served = {} if response is None else await response.all_headers()
        kept = {name: value for name, value in served.items() if name.lower().encode() in KEPT}
        return Fetched(
            url=url,
            status=response.status if response else 200,
            final_url=page.url,
            fetched_at=self.clock.now(),
            elapsed_s=time.monotonic() - started,
            redirects=await _hops(response),
            headers={**kept, "content-type": "text/html; charset=utf-8", RENDERED: "chromium"},
            body=body,
            sha256=hashlib.sha256(body).hexdigest(),
        )

    async def _started(self) -> Any:
        """Start the browser if it does not run; its environment holds none of our secrets."""
        if self._browser is not None and self._browser.is_connected():
            return self._browser
        await self._stop()
        self._driver = await _playwright().async_playwright().start()
        self._browser = await self._driver.chromium.launch(
            executable_path=self.path,
            headless=True,
            chromium_sandbox=self.sandbox,
            args=list(FLAGS),
            env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
            handle_sigint=False,
            handle_sigterm=False,
            handle_sighup=False,
        )
        page = await self._browser.new_page()
        self._name = f"{await page.evaluate('navigator.userAgent')} {self.agent or user_agent()}"
        await page.close()
        return self._browser

    async def _stop(self) -> None:
        browser, driver, self._browser, self._driver = self._browser, self._driver, None, None
        for end in (browser and browser.close, driver and driver.stop):
            if end:
                with suppress(TimeoutError, _errors()):
                    async with asyncio.timeout(CLOSE_S):
                        await end()


class _Visit:
    """One page being shown: what it may ask for, and how much it may bring."""

    def __init__(self, url: str, limit: int, allow: ssrf.Allow) -> None:
        self._home = _host(url)
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
        with suppress(_playwright().TimeoutError):
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
            self._stray = self._stray or _host(url)
            await self._close(page)

    async def _close(self, page: Any) -> None:
        with suppress(_errors()):
            await page.close()

    async def _judge(self, route: Any) -> None:
        request = route.request
        wanted = request.resource_type not in UNWANTED and await self._may_reach(request.url)
        with suppress(_errors()):
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


async def _hops(response: Any) -> tuple[str, ...]:
    """Return "301 https://…" for each redirect that led to a response, in order."""
    hops: list[str] = []
    request = response.request if response else None
    while request is not None and (earlier := request.redirected_from) is not None:
        answer = await earlier.response()
        hops.append(f"{answer.status if answer else 302} {request.url}")
        request = earlier
    return tuple(reversed(hops))


def _host(url: str) -> str:
    return urlsplit(url).hostname or url


def _unrendered(url: str, error: BaseException) -> FetchError:
    first = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
    rootless = "sandbox" in str(error).lower()
    return FetchError(
        f"the browser cannot show {_host(url)}: {first}",
        kind="browser",
        remedy="Run as a user other than root, or write fetch: {browser_sandbox: false}"
        if rootless
        else "It is tried again by itself; see that the browser of fetch: {browser: …} starts",
    )


def _playwright() -> Any:
    """Return Playwright's module; ConfigError when the extra is not installed."""
    try:
        return import_module("playwright.async_api")
    except ModuleNotFoundError:
        raise ConfigError(
            "pages are to be rendered, and Playwright is not installed",
            key="fetch.browser",
            remedy="Install it: pip install 'clausewire[browser]', or take fetch.browser out",
        ) from None


def _errors() -> type[BaseException]:
    """Return the base of Playwright's errors."""
    kind: type[BaseException] = _playwright().Error
    return kind
