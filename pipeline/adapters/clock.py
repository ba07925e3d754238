"""Clocks: the system's, and one that a demo or a test sets by hand."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta


class SystemClock:
    """The machine's clock, aware UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class SettableClock:
    """A clock that runs on from wherever it was last set; sleeping takes real time."""

    def __init__(self, start: datetime) -> None:
        self.set(start)

    def set(self, moment: datetime) -> None:
        self._base = moment
        self._set_at = datetime.now(UTC)

    def now(self) -> datetime:
        return self._base + (datetime.now(UTC) - self._set_at)

    def advance(self, **by: float) -> None:
        """Jump ahead by a timedelta's words, such as days=1."""
        self.set(self.now() + timedelta(**by))

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
