"""Whether a new version is a readable version of its document at all."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.events import Clause, Version
from pipeline.policy.align import Alignment

REPLACED = 0.25  # linked share of text below which the new text is another document


def broken(
    old: Version, new: Version, found: Alignment, before: Sequence[Clause], after: Sequence[Clause]
) -> str:
    """Return the page state that makes `new` no version of the document of `old`, or an empty string."""
    if not new.clauses:
        return "empty" if old.clauses else ""
    return ""
