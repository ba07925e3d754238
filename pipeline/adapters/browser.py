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
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from pipeline.adapters import ssrf
from pipeline.adapters.exchange import KEPT_HEADERS
from pipeline.adapters.fetcherrors import bad_url, too_large, too_slow
from pipeline.adapters.http import FetchLimits, user_agent
from pipeline.adapters.visit import Visit, errors, host_of, playwright
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
CLOSE_S = 5.0

_SIZE = "() => document.documentElement ? document.documentElement.outerHTML.length : 0"


def find_browser(wanted: str) -> str:
    """Return the path of a Chromium: the one named, by path or by name, or for "auto" the first on PATH.

    ConfigError when there is none, or nothing to drive it with.
    """
    playwright()
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
                raise too_slow(host_of(url), self.limits.total_s) from None
            except errors() as error:
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
        visit = Visit(url, self.limits.max_bytes, self.allow)
        try:
            page = await context.new_page()
            await visit.watch(context, page)
            response = await page.goto(url, wait_until="domcontentloaded", timeout=0)
            await visit.settle(page)
            await visit.check()
            return await self._fetched(url, page, response, started)
        except errors():
            await visit.check()  # a page that we closed for its size says only that it was closed
            raise
        finally:
            with suppress(TimeoutError, errors()):
                async with asyncio.timeout(CLOSE_S):
                    await context.close()

    async def _fetched(self, url: str, page: Any, response: Any, started: float) -> Fetched:
        if await page.evaluate(_SIZE) > self.limits.max_bytes:
            raise too_large(host_of(url), self.limits.max_bytes)
        body = (await page.content()).encode()
        if len(body) > self.limits.max_bytes:
            raise too_large(host_of(url), self.limits.max_bytes)
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
        self._driver = await playwright().async_playwright().start()
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
                with suppress(TimeoutError, errors()):
                    async with asyncio.timeout(CLOSE_S):
                        await end()


async def _hops(response: Any) -> tuple[str, ...]:
    """Return "301 https://…" for each redirect that led to a response, in order."""
    hops: list[str] = []
    request = response.request if response else None
    while request is not None and (earlier := request.redirected_from) is not None:
        answer = await earlier.response()
        hops.append(f"{answer.status if answer else 302} {request.url}")
        request = earlier
    return tuple(reversed(hops))


def _unrendered(url: str, error: BaseException) -> FetchError:
    first = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
    rootless = "sandbox" in str(error).lower()
    return FetchError(
        f"the browser cannot show {host_of(url)}: {first}",
        kind="browser",
        remedy="Run as a user other than root, or write fetch: {browser_sandbox: false}"
        if rootless
        else "It is tried again by itself; see that the browser of fetch: {browser: …} starts",
    )
