"""Since when a process sends what falls due, and whether it is still counted on to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

SKEW = timedelta(seconds=1)  # between the clocks of our own machines


class Tenure:
    """What fell due before `since` may have been sent by another process, which did not get round to recording it.

    It begins anew whenever partitions come: who had them before may have died between a message and its record.
    """

    def __init__(self, since: datetime) -> None:
        self.since = since
        self._is_counted_on: Callable[[], bool] = lambda: True

    def begin(self, at: datetime) -> None:
        """Take the work over, or take it up again."""
        self.since = at + SKEW

    def follow(self, is_counted_on: Callable[[], bool]) -> None:
        """Hold only while the group counts on this process."""
        self._is_counted_on = is_counted_on

    @property
    def holds(self) -> bool:
        """Whether nobody else can have been given the work."""
        return self._is_counted_on()
