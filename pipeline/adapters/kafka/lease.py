"""Whether the group still counts on this process.

A process that was paused or cut off for longer than its session has been given up: others do its work, and it does
not know yet. Going on, it would finish what it had in hand and write over what they have written since. It can tell
by its own clock: the lease runs for one session from the last heartbeat that the coordinator answered.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def since_boot() -> float:
    """Return seconds that nobody sets and that go on while the machine sleeps, where it can tell (Linux)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Lease:
    """Runs for `session_s` from when it was last renewed; `now` is a clock that goes on while we are paused."""

    def __init__(self, session_s: float, now: Callable[[], float] | None = None) -> None:
        self._session_s = session_s
        self._now = now or since_boot
        self._ends_at = float("-inf")

    @property
    def holds(self) -> bool:
        """Whether nobody else can have been given our work."""
        return self._now() < self._ends_at

    def renew(self, since: float | None = None) -> None:
        """Run on from a moment, the present one by default."""
        self._ends_at = max(self._ends_at, (self._now() if since is None else since) + self._session_s)

    def follow(self, coordinator: Any) -> None:
        """Be renewed by each heartbeat of an aiokafka coordinator that is answered, from when it was sent."""
        beat = coordinator._do_heartbeat

        async def renewing() -> bool:
            sent_at = self._now()
            answered = bool(await beat())
            if answered:
                self.renew(sent_at)
            return answered

        coordinator._do_heartbeat = renewing
