"""How far a long command is: how much of how much, how fast, how long still."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

EVERY_S = 5.0
EVERY_ON_TERMINAL_S = 0.5


@dataclass(kw_only=True)
class Progress:
    """Writes a line to a stream every few seconds; on a terminal one line that is written over."""

    what: str
    total: int
    out: TextIO
    now: Callable[[], float]  # seconds of a clock that only goes forward
    _started: float | None = None
    _begun: int = 0  # how much was done before
    _told: float = 0.0
    _is_open: bool = False

    def tell(self, done: Callable[[], int]) -> None:
        """Say how far it is, if it is time to; only then it is asked how much is done."""
        now = self.now()
        if self._started is None:
            self._started = self._told = now
            self._begun = done()
        if now - self._told < (EVERY_ON_TERMINAL_S if self.out.isatty() else EVERY_S):
            return
        self._told = now
        through = done()
        line = line_of(self.what, through, self.total, through - self._begun, now - self._started)
        self._is_open = self.out.isatty()
        self.out.write(f"\r\x1b[2K{line}" if self._is_open else f"{line}\n")
        self.out.flush()

    def say(self, words: str) -> None:
        """Write a line of its own."""
        self.end()
        if words:
            self.out.write(f"{words}\n")
            self.out.flush()

    def end(self) -> None:
        """Leave the line that is written over."""
        if self._is_open:
            self.out.write("\n")
            self._is_open = False


def line_of(what: str, done: int, total: int, came: int, elapsed_s: float) -> str:
    """Return how far it is in words: so many of so many, so many a second, and the time left at that rate."""
    rate = came / elapsed_s if elapsed_s > 0 else 0.0
    left = f"{span((total - done) / rate)} left" if rate > 0 else "time left not known yet"
    return f"{done:,} of {total:,} {what}, {rate:.3g}/s, {left}"


def span(seconds: float) -> str:
    """Return a time as a reader takes it in: 40 s, 12 min, 3 h 5 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
