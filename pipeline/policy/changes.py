"""From an alignment to typed changes: what happened to each clause, at which level of normalisation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from rapidfuzz import fuzz

from pipeline.events import Change, ChangeType, Clause, Span, derived_id
from pipeline.policy.align import Alignment, align
from pipeline.policy.normalise import key, level, squashed
from pipeline.policy.redline import redline
from pipeline.policy.references import followed, renumbered
from pipeline.policy.reflow import reflows
from pipeline.policy.stamps import is_dated, is_redated, is_restamped

SILENT = frozenset({"bytes", "unicode", "link-parameters"})  # levels that nobody can read
WORDED = frozenset({"words", "dates"})
SAME_LEAD = 80  # likeness in per cent of two lead-ins that are one, perhaps reworded
_TELLING = frozenset(
    {
        ChangeType.ADDED,
        ChangeType.REMOVED,
        ChangeType.MODIFIED,
        ChangeType.MOVED_AND_MODIFIED,
        ChangeType.SPLIT,
        ChangeType.MERGED,
    }
)
_BY_LEVEL = {
    "quotes": ChangeType.REFORMATTED,
    "markup": ChangeType.REFORMATTED,
    "case-punctuation": ChangeType.REFORMATTED,
    "link-target": ChangeType.LINK_TARGET,
    "numbering": ChangeType.RENUMBERED,
}


def tells(change: Change) -> bool:
    """Say whether a reader would want to be told of a change on its own account."""
    return change.type in _TELLING and (
        change.level in WORDED or change.type is ChangeType.MOVED_AND_MODIFIED
    )


def marked(told: Sequence[Change]) -> int:
    """Return how many characters the redlines of changes strike or insert."""
    return sum(len(text) for change in told for op, text in change.redline if op != "=")


def changes(
    old: Sequence[Clause], new: Sequence[Clause], found: Alignment | None = None
) -> tuple[Change, ...]:
    """Return the typed changes between two lists of clauses, in reading order, removals in place."""
    return tuple(_Writer(old, new, found or align(old, new)).write())


def span(*clauses: Clause) -> Span:
    """Return the quote of clauses that stand together."""
    return Span(
        text="\n".join(clause.text for clause in clauses),
        start=min(clause.start for clause in clauses),
        end=max(clause.end for clause in clauses),
    )


def clause_id(clause: Clause) -> str:
    """Return the clause's identity, or one derived from its words where none was given."""
    return clause.id or derived_id("c", key(clause), clause.start)


def _change(
    kind: ChangeType,
    at: Clause,
    old: Sequence[Clause],
    new: Sequence[Clause],
    where: str,
    reasons: tuple[str, ...] = (),
) -> Change:
    """Return a change that stands where `at` stands; either side may be empty."""
    before, after = span(*old) if old else None, span(*new) if new else None
    return Change(
        type=kind,
        clause_id=clause_id(old[0] if old else at),
        heading_path=at.path,
        number=at.number,
        old=before,
        new=after,
        redline=redline(before.text if before else "", after.text if after else ""),
        level=where,
        lead=at.lead,
        reasons=(f"differs at level {where}", *reasons),
    )


def _under_another_lead(old: Clause, new: Clause) -> bool:
    """Tell whether an item went from one list to another: "we collect: your name" is not "we sell: your name"."""
    return bool(old.lead and new.lead) and fuzz.ratio(squashed(old.lead), squashed(new.lead)) < SAME_LEAD


def _lead_change(kind: ChangeType, where: str, old: Clause, new: Clause) -> tuple[str, ...]:
    if kind is not ChangeType.MOVED_AND_MODIFIED or where in WORDED:
        return ()
    return (f"stands under another lead-in: {old.lead[:80]!r} before, {new.lead[:80]!r} now",)


class _Writer:
    """Writes the changes of one alignment, each once, in reading order."""

    def __init__(self, old: Sequence[Clause], new: Sequence[Clause], found: Alignment) -> None:
        self.old, self.new, self.found = old, new, found
        self.numbers = renumbered(old, new, found)
        self.backward = {j: i for i, j in found.pairs.items()}
        self.pieces_of_old: dict[int, list[int]] = defaultdict(list)
        self.pieces_of_new: dict[int, list[int]] = defaultdict(list)
        for j, i in found.split.items():
            self.pieces_of_old[i].append(j)
        for i, j in found.merged.items():
            self.pieces_of_new[j].append(i)

    def write(self) -> Iterator[Change]:
        """Yield each change once."""
        flows = {news[0]: (olds, news) for olds, news in reflows(self.old, self.new, self.found)}
        done_old = {i for olds, _ in flows.values() for i in olds}
        done_new = {j for _, news in flows.values() for j in news}
        removed = self._removed(done_old)
        for j in range(len(self.new)):
            yield from removed.get(j, ())
            if j in flows:
                yield self._reflowed(*flows[j])
            elif j not in done_new:
                yield from self._at(j)
        yield from removed.get(len(self.new), ())

    def _removed(self, done: set[int]) -> dict[int, list[Change]]:
        """Return removals under the new index before which they would stand."""
        removed: dict[int, list[Change]] = defaultdict(list)
        at = 0
        for i, clause in enumerate(self.old):
            j = self.found.pairs.get(i)
            if j is not None:
                at = at if j in self.found.moved else j + 1
            elif i not in self.found.merged and i not in done:
                where, kind = (
                    ("dates", ChangeType.DATE_ONLY)
                    if is_dated(clause.text)
                    else ("words", ChangeType.REMOVED)
                )
                removed[at].append(_change(kind, clause, [clause], [], where))
        return removed

    def _at(self, j: int) -> Iterator[Change]:
        i, clause = self.backward.get(j), self.new[j]
        if i is None:
            if j not in self.found.split:
                dated = is_dated(clause.text)
                kind = ChangeType.DATE_ONLY if dated else ChangeType.ADDED
                yield _change(kind, clause, [], [clause], "dates" if dated else "words")
        elif i in self.pieces_of_old:
            yield self._regrouped(ChangeType.SPLIT, [i], sorted([j, *self.pieces_of_old[i]]))
        elif j in self.pieces_of_new:
            yield self._regrouped(ChangeType.MERGED, sorted([i, *self.pieces_of_new[j]]), [j])
        else:
            yield from self._pair(i, j)

    def _pair(self, i: int, j: int) -> Iterator[Change]:
        old, new = self.old[i], self.new[j]
        where, moved = level(old, new), j in self.found.moved
        if where == "words" and self._follows(old, new):
            where = "numbering"
        kind = _BY_LEVEL.get(where)
        if where in WORDED:
            kind = ChangeType.MOVED_AND_MODIFIED if moved else ChangeType.MODIFIED
            if is_restamped(old.text, new.text) if where == "words" else is_redated(old.text, new.text):
                kind = ChangeType.DATE_ONLY
        elif moved:
            kind, where = ChangeType.MOVED, "order" if where in SILENT else where
            if _under_another_lead(old, new):
                kind = ChangeType.MOVED_AND_MODIFIED
        if kind is not None:
            reasons = (*self._likeness(j), *self._led(new, where), *_lead_change(kind, where, old, new))
            yield _change(kind, new, [old], [new], where, reasons)

    def _follows(self, old: Clause, new: Clause) -> bool:
        """Tell whether two clauses differ in nothing but references that follow a renumbering."""
        return bool(self.numbers) and squashed(followed(old.text, self.numbers)) == squashed(new.text)

    def _likeness(self, j: int) -> tuple[str, ...]:
        score = self.found.scores.get(j, 1.0)
        return (f"linked to the clause before at likeness {score:.2f}",) if score < 1 else ()

    def _led(self, clause: Clause, where: str) -> tuple[str, ...]:
        """Name the items that a reworded lead-in governs: they are affected, though they read as before."""
        if where != "words" or not clause.text.rstrip().endswith((":", "：")):
            return ()
        items = [item for item in self.new if item.lead and clause.text.endswith(item.lead)]
        names = "; ".join(item.text[:60] for item in items[:5])
        return (f"leads into {len(items)} items: {names}",) if items else ()

    def _regrouped(self, kind: ChangeType, olds: list[int], news: list[int]) -> Change:
        """Return a split or a merge, at level words unless both sides spell the same."""
        old, new = [self.old[i] for i in olds], [self.new[j] for j in news]
        same = squashed(" ".join(c.text for c in old)) == squashed(" ".join(c.text for c in new))
        return _change(kind, new[0], old, new, "markup" if same else "words")

    def _reflowed(self, olds: list[int], news: list[int]) -> Change:
        kind = ChangeType.MERGED if len(olds) > len(news) else ChangeType.SPLIT
        return _change(
            kind, self.new[news[0]], [self.old[i] for i in olds], [self.new[j] for j in news], "markup"
        )
