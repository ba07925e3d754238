"""States that return: a page that goes back to an earlier version, or is served in variants by turns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pipeline.events import Version
from pipeline.policy.normalise import key

MEMORY = 30  # earlier states looked through
NEARLY = 0.98  # share of text that a returned state may have in common, at least


def returned(new: Version, history: Sequence[Version], *, old: Version) -> int | None:
    """Return the index in `history` of the latest earlier state with the wording of `new`, None without one.

    The state that `new` is compared with does not count, nor does any state worded like it.
    """
    wording = _wording(new)
    if not wording or wording == _wording(old):
        return None
    start = max(0, len(history) - MEMORY)
    return next(
        (at for at in range(len(history) - 1, start - 1, -1) if _wording(history[at]) == wording), None
    )


def _wording(version: Version) -> Counter[str]:
    return Counter(key(clause) for clause in version.clauses)
