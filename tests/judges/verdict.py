"""What a judge finds: how much it looked at, what is wrong with it, or why it could not look."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

SHOWN = 5  # faults printed of each judge


@dataclass(frozen=True, slots=True)
class Finding:
    """How many things a judge looked at, and each fault it found; nothing looked at is a fault too."""

    looked_at: int
    of: str
    faults: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Say whether the judge is content."""
        return self.looked_at > 0 and not self.faults

    def lines(self) -> list[str]:
        """Return what to print below the judge's name."""
        if not self.looked_at:
            return [f"looked at no {self.of}"]
        more = len(self.faults) - SHOWN
        return [*self.faults[:SHOWN], *([f"and {more} more"] if more > 0 else [])]


class NotInstalledError(Exception):
    """A judge is not on this machine; `remedy` is the command that installs it, or what it waits for."""

    def __init__(self, fact: str, remedy: str) -> None:
        super().__init__(fact)
        self.remedy = remedy


def finding(looked_at: int, of: str, faults: Iterable[str]) -> Finding:
    """Return a finding; of endless faults the first thousand."""
    return Finding(looked_at, of, tuple(islice(faults, 1_000)))
