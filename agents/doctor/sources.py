"""How documents and feeds answer now, and the browser that shows pages which only scripts can fill."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from agents.doctor import probes
from agents.doctor.configuration import Spec, specs
from agents.doctor.finding import Finding, fail, failed, ok
from pipeline.adapters.browser import find_browser
from pipeline.config import Settings
from pipeline.errors import ConfigError, PipelineError
from pipeline.polling import Fetched

Fetch = Callable[[Spec], Awaitable[Fetched]]

ABREAST = 8
MOST_DRIFT = timedelta(minutes=2)  # webhooks are refused at five


async def sources(settings: Settings, fetch: Fetch) -> tuple[list[Finding], list[Fetched]]:
    """Return how every source answers, and the answers."""
    turns = asyncio.Semaphore(ABREAST)

    async def one(spec: Spec) -> tuple[Finding, Fetched | None]:
        async with turns:
            return await source(spec, fetch)

    found = await asyncio.gather(*(one(spec) for spec in specs(settings)))
    return [finding for finding, _ in found], [fetched for _, fetched in found if fetched]


async def source(spec: Spec, fetch: Fetch) -> tuple[Finding, Fetched | None]:
    """Return how a document or a feed answers now, and its answer."""
    try:
        fetched = await fetch(spec)
    except PipelineError as error:
        return failed(error, f"Open {spec.url} in a browser", about=spec.id), None
    if not fetched.body:
        fact = (
            f"{spec.id}: status {fetched.status}" if fetched.status >= 300 else f"{spec.id}: an empty answer"
        )
        return fail(fact, f"Open {spec.url} in a browser; put the right address in its url:"), fetched
    moved = f", moved to {fetched.final_url}" if fetched.redirects else ""
    return ok(f"{spec.id}: status {fetched.status}, {len(fetched.body) / 1000:.0f} kB{moved}"), fetched


async def browser(settings: Settings) -> list[Finding]:
    """Return whether the browser that is asked for is there and starts; nothing where none is."""
    wanted = settings.fetch.browser
    if not wanted:
        return []
    try:
        path = find_browser(wanted)
    except ConfigError as error:
        return [failed(error, "Install Chromium")]
    trouble = await probes.browser_start(path, sandbox=settings.fetch.browser_sandbox)
    if trouble:
        return [
            fail(
                f"the browser {path} does not start: {trouble}",
                "In a container, or as root, write fetch: {browser_sandbox: false}; else run it by hand",
            )
        ]
    return [ok(f"the browser {path} starts and shows a page")]


def clock(read: Iterable[Fetched], now: datetime) -> Finding:
    """Return whether the machine's clock agrees with those of the sites that were just read (their median)."""
    ahead = sorted(stated - now for fetched in read if (stated := _stated(fetched)))
    if not ahead:
        return ok("clock: no site stated its time")
    return drifted(ahead[len(ahead) // 2]) or ok("clock: agrees with the sites read")


def drifted(drift: timedelta, *, whose: str = "") -> Finding | None:
    """Return that our clock is off by what another's is ahead of it, None where that does not matter."""
    if abs(drift) <= MOST_DRIFT:
        return None
    told = f"the clock is {abs(drift).total_seconds():.0f} s {'behind' if drift > timedelta() else 'ahead'}"
    return fail(
        f"{told} of {whose}" if whose else told,
        "Set it (NTP): signed webhooks are refused when it is five minutes off",
    )


def _stated(fetched: Fetched) -> datetime | None:
    try:
        stated = parsedate_to_datetime(fetched.headers["date"])
    except (KeyError, ValueError):
        return None
    return stated if stated.tzinfo else None
