"""How many changes an alert has, how many are not shown, and what kinds of change are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from pipeline.alerts.render.letters import count
from pipeline.events import AlertRaised, Change, ChangeType

VERBS: dict[ChangeType, str] = {
    ChangeType.ADDED: "new",
    ChangeType.REMOVED: "removed",
    ChangeType.MODIFIED: "reworded",
    ChangeType.MOVED: "moved",
    ChangeType.MOVED_AND_MODIFIED: "moved and reworded",
    ChangeType.RENUMBERED: "renumbered",
    ChangeType.SPLIT: "split",
    ChangeType.MERGED: "merged",
    ChangeType.REFORMATTED: "reformatted",
    ChangeType.LINK_TARGET: "link target changed",
    ChangeType.DATE_ONLY: "date changed",
}
COUNTED = {  # how several are counted, where that is another word
    ChangeType.LINK_TARGET: "with another link target",
    ChangeType.DATE_ONLY: "with another date",
}
QUIET = frozenset(
    {
        ChangeType.MOVED,
        ChangeType.RENUMBERED,
        ChangeType.REFORMATTED,
        ChangeType.LINK_TARGET,
        ChangeType.DATE_ONLY,
    }
)


def total(alert: AlertRaised) -> int:
    """Return how many changes there are in all, those not carried by the alert included."""
    kinds = {str(kind) for kind in ChangeType}
    return max(sum(count for kind, count in alert.counts.items() if kind in kinds), len(alert.changes))


def more(alert: AlertRaised, shown: Sequence[Change]) -> str:
    """Return what is not shown, exactly: "5 more changes: 3 reworded, 2 removed; in form only: 2 moved".

    Empty when all is shown. Changes of form stand apart, as titles leave them out; on a page with two texts of one
    document what stands in both is counted twice, and said to be.
    """
    left = total(alert) - len(shown)
    if left <= 0:
        return ""
    counts = Counter({str(kind): count for kind, count in alert.counts.items()} or _types(alert.changes))
    counts.subtract(_types(shown))
    found = {kind: counts[kind] for kind in ChangeType if counts[kind] > 0}
    if sum(found.values()) != left:
        return count(left, "more change")
    told = {kind: number for kind, number in found.items() if kind not in QUIET}
    twice = ", counted in both texts of the page" if alert.stacked and told else ""
    formal = _listed({kind: number for kind, number in found.items() if kind in QUIET})
    if not told:
        return f"{count(left, 'more change')} in form only: {formal}"
    said = f"{count(sum(told.values()), 'more change')}{twice}{_kinds(told)}"
    return f"{said}; in form only: {formal}" if formal else said


def _kinds(found: Mapping[ChangeType, int]) -> str:
    """Return how counted changes differ; where all do in one way, that way."""
    if len(found) > 1:
        return f": {_listed(found)}"
    ((kind, number),) = found.items()
    return f": {VERBS[kind]}" if number == 1 else f", all {VERBS[kind]}"


def _listed(found: Mapping[ChangeType, int]) -> str:
    return ", ".join(f"{number:,} {COUNTED.get(kind, VERBS[kind])}" for kind, number in found.items())


def _types(changes: Iterable[Change]) -> Counter[str]:
    return Counter(str(change.type) for change in changes)
