"""robots.txt as RFC 9309 has it, kept a day per origin."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from protego import Protego

from pipeline.errors import FetchError
from pipeline.ports import Clock

PRODUCT = "Clausewire"
MAX_BYTES = 500 * 1024
GOOD_FOR = timedelta(hours=24)
BAD_FOR = timedelta(minutes=10)
REMEMBERED_ORIGINS = 10_000
PARSE_ASIDE = 16 * 1024
MAX_CRAWL_DELAY_S = 30.0


@dataclass(frozen=True, slots=True)
class RobotsAnswer:
    """What asking for robots.txt gave: a status, and the text of a 2xx answer."""

    status: int
    text: bytes = b""


@dataclass(frozen=True, slots=True)
class _Rules:
    expires_at: datetime
    parsed: Protego | None = None  # None allows everything
    unreachable: str = ""

    def allows(self, url: str) -> bool:
        return self.parsed is None or bool(self.parsed.can_fetch(url, PRODUCT))


class Robots:
    """Answers whether a URL may be fetched; `ask` gets the robots.txt at an URL."""

    def __init__(self, ask: Callable[[str], Awaitable[RobotsAnswer]], *, clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._rules: dict[str, _Rules] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    async def check(self, origin: str, url: str) -> float:
        """Return the crawl delay (seconds) of an URL that may be fetched; else FetchError(kind="robots").

        No robots.txt (4xx) allows everything; one that the server cannot give now (5xx, 429) allows nothing
        until it can, unless an older copy is known. FetchErrors of asking pass through.
        """
        rules = self._rules.get(origin)
        if rules is None or rules.expires_at <= self._clock.now():
            rules = await self._renewed(origin)
        if rules.unreachable:
            raise FetchError(
                f"robots.txt of {origin} cannot be read now ({rules.unreachable})",
                kind="robots",
                remedy="Nothing there may be fetched until it can; it is asked again by itself",
            )
        if not rules.allows(url):
            raise FetchError(
                f"robots.txt of {origin} disallows {url}",
                kind="robots",
                remedy="Ask the site for permission, then set respect_robots: false with that reason",
            )
        delay = rules.parsed.crawl_delay(PRODUCT) if rules.parsed else None
        return min(float(delay or 0.0), MAX_CRAWL_DELAY_S)

    async def _renewed(self, origin: str) -> _Rules:
        lock = self._asking.setdefault(origin, asyncio.Lock())
        try:
            async with lock:
                known = self._rules.get(origin)
                if known is not None and known.expires_at > self._clock.now():
                    return known  # another fetch asked while we waited
                rules = await self._read(origin, known)
                self._keep(origin, rules)
                return rules
        finally:
            if not lock.locked():
                self._asking.pop(origin, None)

    async def _read(self, origin: str, known: _Rules | None) -> _Rules:
        now = self._clock.now()
        answer = await self._ask(f"{origin}/robots.txt")
        if answer.status == 429 or answer.status >= 500:
            if known is not None and not known.unreachable:
                return _Rules(now + BAD_FOR, known.parsed)
            return _Rules(now + BAD_FOR, unreachable=f"status {answer.status}")
        if not 200 <= answer.status < 300 or not answer.text.strip():
            return _Rules(now + GOOD_FOR)
        return _Rules(now + GOOD_FOR, await _parsed(answer.text[:MAX_BYTES]))

    def _keep(self, origin: str, rules: _Rules) -> None:
        self._rules.pop(origin, None)
        if len(self._rules) >= REMEMBERED_ORIGINS:
            del self._rules[next(iter(self._rules))]
        self._rules[origin] = rules


async def _parsed(text: bytes) -> Protego:
    if len(text) <= PARSE_ASIDE:
        return _parse(text)
    return await asyncio.to_thread(_parse, text)


def _parse(text: bytes) -> Protego:
    return Protego.parse(text.decode("utf-8-sig", "replace"))
