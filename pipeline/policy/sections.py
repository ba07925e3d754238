"""A heading that comes, goes or moves with the clause under it is told with that clause: one change, not two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import msgspec

from pipeline.events import Change, ChangeType, Clause, Span

# What became of a heading, and what must have become of the clause under it for the two to be one.
TOGETHER = {
    ChangeType.ADDED: (ChangeType.ADDED,),
    ChangeType.REMOVED: (ChangeType.REMOVED,),
    ChangeType.MOVED: (ChangeType.MOVED, ChangeType.MOVED_AND_MODIFIED),
}


def gathered(changes: Sequence[Change], old: Sequence[Clause], new: Sequence[Clause]) -> tuple[Change, ...]:
    """Return the changes with each heading joined to the change of the clause that follows it, if both fared alike."""
    sides = _Side.of(old), _Side.of(new)
    kept: list[Change] = []
    for change in reversed(changes):
        follower = next((at for at, other in enumerate(kept) if _leads(change, other, sides)), None)
        if follower is None:
            kept.append(change)
        else:
            kept[follower] = _joined(change, kept[follower])
    return tuple(reversed(kept))


@dataclass(frozen=True, slots=True)
class _Side:
    """The clauses of one version by where they begin: which are headings, and what comes next."""

    headings: frozenset[int]
    following: dict[int, int]

    @classmethod
    def of(cls, clauses: Sequence[Clause]) -> _Side:
        starts = [clause.start for clause in clauses]
        return cls(
            headings=frozenset(clause.start for clause in clauses if clause.kind == "heading"),
            following=dict(pairwise(starts)),
        )

    def leads(self, heading: Span | None, clause: Span | None) -> bool:
        """Say whether a heading stands right before a clause; nothing stands right before nothing."""
        if heading is None or clause is None:
            return heading is clause
        return heading.start in self.headings and self.following.get(heading.start) == clause.start


def _leads(heading: Change, clause: Change, sides: tuple[_Side, _Side]) -> bool:
    old, new = sides
    return (
        clause.type in TOGETHER.get(heading.type, ())
        and old.leads(heading.old, clause.old)
        and new.leads(heading.new, clause.new)
    )


def _joined(heading: Change, clause: Change) -> Change:
    return msgspec.structs.replace(
        clause,
        number=clause.number or heading.number,
        old=_span(heading.old, clause.old),
        new=_span(heading.new, clause.new),
        redline=_redline(heading.redline, clause.redline),
    )


def _span(heading: Span | None, clause: Span | None) -> Span | None:
    if heading is None or clause is None:
        return clause
    return Span(text=f"{heading.text}\n{clause.text}", start=heading.start, end=clause.end)


def _redline(
    heading: tuple[tuple[str, str], ...], clause: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    """Return one redline of both, a line break between them."""
    if not heading or not clause:
        return heading or clause
    (last, words), (first, rest) = heading[-1], clause[0]
    if last == first:
        return (*heading[:-1], (last, f"{words}\n{rest}"), *clause[1:])
    return (*heading[:-1], (last, f"{words}\n"), *clause)
