"""What a judge finds: how much it looked at, what is wrong with it, or why it could not look."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

SHOWN = 5  # faults printed of each judge
NOTE = "note: "  # what a judge remarks on without finding fault


@dataclass(frozen=True, slots=True)
class Finding:
    """How many things a judge looked at, and each fault it found; nothing looked at is a fault too."""

    looked_at: int
    of: str
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Say whether the judge is content."""
        return self.looked_at > 0 and not self.faults

    def lines(self) -> list[str]:
        """Return what to print below the judge's name."""
        none = [] if self.looked_at else [f"looked at no {self.of}"]
        return [*none, *_first(self.faults), *_first(self.notes)]


def _first(said: tuple[str, ...]) -> list[str]:
    more = len(said) - SHOWN
    return [*said[:SHOWN], *([f"and {more} more"] if more > 0 else [])]


class NotInstalledError(Exception):
    """A judge is not on this machine; `remedy` is the command that installs it, or what it waits for."""

    def __init__(self, fact: str, remedy: str) -> None:
        super().__init__(fact)
        self.remedy = remedy


def finding(looked_at: int, of: str, faults: Iterable[str]) -> Finding:
    """Return a finding; of endless faults the first thousand."""
    said = tuple(islice(faults, 1_000))
    wrong = tuple(fault for fault in said if not fault.startswith(NOTE))
    return Finding(looked_at, of, wrong, tuple(note for note in said if note.startswith(NOTE)))
