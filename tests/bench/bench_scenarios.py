"""Kinds of difference between two pages: what we say of each, beside what a reader would want to be told.

python tests/bench/bench_scenarios.py
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from agents.commands.reading import Served, compared
from tests.policy.kinds import KINDS, Kind


def judged(kind: Kind) -> tuple[bool, str]:
    """Return whether we are right about a kind, and what we say of it."""
    old, new = (
        Served(
            body=page.body,
            status=page.status,
            content_type=page.content_type,
            url="https://example.org/terms",
        )
        for page in (kind.old, kind.new)
    )
    found, _ = compared(old, new)
    types = Counter(change.type.value for change in found.changes)
    right = (
        found.verdict == kind.verdict
        and (not kind.types or set(types) <= kind.types)
        and (not kind.reasons or found.reason in kind.reasons)
    )
    told = ", ".join(f"{number} {name}" for name, number in types.items()) or found.reason
    return right, f"{found.verdict.value}: {told}"[:70]


def main() -> None:
    """Print the table and the count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="not needed: the pages are our own")
    parser.parse_args()
    results = [(kind, *judged(kind)) for kind in KINDS]
    for kind, right, told in results:
        print(f"{'ok ' if right else 'NO '} {kind.name:<45} {kind.verdict:<10} {told}")
    print(f"{sum(right for _, right, _ in results)} of {len(results)} kinds right")


if __name__ == "__main__":
    main()
