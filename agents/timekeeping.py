"""Noticing a clock that jumps: what was reckoned by it is then too early or too late."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog

from pipeline.ports import Clock

JUMP_S = 30.0  # what an adjustment by NTP stays far below
LOOK_S = 5.0

logger = structlog.get_logger(__name__)


async def watch_clock(
    *, clock: Clock, steady: Callable[[], float] = time.monotonic, every_s: float = LOOK_S
) -> None:
    """Say when the clock goes otherwise than a steady one (seconds), by how much and what to do; for ever."""
    wall, ticks = clock.now(), steady()
    while True:
        await asyncio.sleep(every_s)
        now, passed = clock.now(), steady()
        by_s = (now - wall).total_seconds() - (passed - ticks)
        if abs(by_s) >= JUMP_S:
            logger.warning(
                "clock.jumped",
                by_s=round(by_s),
                now=now.isoformat(),
                remedy="see that the machine keeps its clock by NTP (clausewire doctor compares it); what fell due "
                "by the wrong time is told with that time, and nothing is lost",
            )
        wall, ticks = now, passed
