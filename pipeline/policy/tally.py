"""Points added up one reason at a time, what they amount to, and what is known around a change."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from pipeline.events import Severity

HIGH, MEDIUM, LOW = 4.5, 2.4, 0.9  # points
LEVELS = ((7.0, Severity.CRITICAL), (HIGH, Severity.HIGH), (MEDIUM, Severity.MEDIUM), (LOW, Severity.LOW))


@dataclass(slots=True)
class Tally:
    """Points and the reasons for them, in the order they were added."""

    points: float = 0.0
    reasons: list[str] = field(default_factory=list)

    def add(self, points: float, why: str) -> None:
        """Add points for a reason; nothing is noted for none."""
        if points:
            self.points += points
            self.reasons.append(f"{why} {points:+.1f}")

    def times(self, factor: float, why: str) -> None:
        """Scale the points so far for a reason."""
        if factor != 1.0:
            self.points *= factor
            self.reasons.append(f"{why} ×{factor:.2g}")


def level(points: float) -> Severity:
    """Return the severity that a sum of points stands for."""
    return next((severity for floor, severity in LEVELS if points >= floor), Severity.INFO)


@dataclass(frozen=True, slots=True)
class Context:
    """What is known around a change: when it was seen, when it applies, and the words of the old document."""

    seen_at: datetime | None = None
    effective: date | None = None
    known: frozenset[str] = frozenset()
