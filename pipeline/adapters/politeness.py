"""When we may ask a host again: spacing between starts, caps on concurrency, waits that hosts ask for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

REMEMBERED_HOSTS = 4_096


@dataclass(slots=True)
class _Host:
    slots: asyncio.Semaphore
    next_start: float = 0.0
    held_until: float = 0.0
    users: int = 0


class Politeness:
    """Hands out turns to ask a host; `timer` is a monotonic clock in seconds."""

    def __init__(
        self,
        *,
        spacing_s: float,
        per_host: int,
        concurrency: int,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spacing_s = spacing_s
        self._per_host = per_host
        self._slots = asyncio.Semaphore(concurrency)
        self._timer = timer
        self._hosts: dict[str, _Host] = {}

    def hold(self, host: str, seconds: float) -> None:
        """Ask nothing of this host for so many seconds, because it said so."""
        entry = self._entry(host)
        entry.held_until = max(entry.held_until, self._timer() + seconds)

    def held_s(self, host: str) -> float:
        """Return how long this host still wants to be left alone."""
        entry = self._hosts.get(host)
        return max(0.0, entry.held_until - self._timer()) if entry else 0.0

    @asynccontextmanager
    async def turn(self, host: str, *, spacing_s: float | None = None) -> AsyncIterator[None]:
        """Wait for a turn to ask this host, and keep it while the body runs.

        The host's own queue comes first, so that many sources on one host never hold the slots of others.
        """
        entry = self._entry(host)
        entry.users += 1
        try:
            async with entry.slots:
                start = max(self._timer(), entry.next_start)
                entry.next_start = start + (self._spacing_s if spacing_s is None else spacing_s)
                await asyncio.sleep(start - self._timer())
                async with self._slots:
                    yield
        finally:
            entry.users -= 1

    def _entry(self, host: str) -> _Host:
        entry = self._hosts.get(host)
        if entry is None:
            if len(self._hosts) >= REMEMBERED_HOSTS:
                self._forget_idle()
            entry = self._hosts[host] = _Host(asyncio.Semaphore(self._per_host))
        return entry

    def _forget_idle(self) -> None:
        now = self._timer()
        self._hosts = {
            name: entry
            for name, entry in self._hosts.items()
            if entry.users or max(entry.next_start, entry.held_until) > now
        }
