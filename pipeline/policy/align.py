"""Which clause of one version is which clause of another.

Stages, each on what the ones before left open: equal and unique wordings anchor anywhere and spread to equal
neighbours; the heaviest increasing run of anchors is the backbone; equal wordings inside its gaps, then equal
wordings anywhere; the most alike inside the gaps, then anywhere; last, pieces of split and
merged clauses. Algorithm and thresholds after the staged alignment measured on Open Terms Archive documents.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from pipeline.events import Clause
from pipeline.policy.normalise import keys_of
from pipeline.policy.order import backbone
from pipeline.policy.similar import Vectors

NEAR = 0.14  # similarity that links two clauses that stand alone in a gap
STEP = 0.04  # added for every tenfold of candidate pairs, for chance finds likeness where much is compared
FAR = 0.35  # similarity that links two clauses anywhere
PIECE = 0.8  # share of a piece's word pairs found in the part of the whole that its partner does not explain
REACH = 3  # clauses: how far from a partner a piece may stand


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """Links between the clauses of two versions, by index.

    `pairs` maps old to new one to one, `scores` gives each pair's similarity by its new index; `split` maps
    further new pieces to their old clause, `merged` further old pieces to their new clause; `moved` holds the
    new indexes that left the common order; `linked` is the share of each side's text, 0 to 1, that is linked.
    """

    pairs: dict[int, int]
    scores: dict[int, float]
    split: dict[int, int]
    merged: dict[int, int]
    moved: frozenset[int]
    linked: tuple[float, float]

    def links(self) -> set[tuple[int, int]]:
        """Return every link as (old, new), pieces included."""
        pieces = {(old, new) for new, old in self.split.items()} | set(self.merged.items())
        return set(self.pairs.items()) | pieces


@dataclass(slots=True)
class Work:
    """The links found so far."""

    old: list[str]
    new: list[str]
    forward: dict[int, int] = field(default_factory=dict)
    backward: dict[int, int] = field(default_factory=dict)
    scores: dict[int, float] = field(default_factory=dict)

    def link(self, old: int, new: int, score: float = 1.0) -> None:
        self.forward[old] = new
        self.backward[new] = old
        self.scores[new] = score

    def free_old(self, span: Iterable[int]) -> list[int]:
        return [i for i in span if i not in self.forward]

    def free_new(self, span: Iterable[int]) -> list[int]:
        return [j for j in span if j not in self.backward]


def align(
    old: Sequence[Clause],
    new: Sequence[Clause],
    *,
    old_keys: Sequence[str] | None = None,
    new_keys: Sequence[str] | None = None,
) -> Alignment:
    """Link the clauses of two versions, whose keys may be known."""
    memo: dict[str, str] = {}
    return align_keys(
        list(old_keys or keys_of(old, memo)),
        list(new_keys or keys_of(new, memo)),
        old_headings=frozenset(i for i, clause in enumerate(old) if clause.kind == "heading"),
        new_headings=frozenset(j for j, clause in enumerate(new) if clause.kind == "heading"),
    )


def align_keys(
    old: list[str],
    new: list[str],
    *,
    old_headings: frozenset[int] = frozenset(),
    new_headings: frozenset[int] = frozenset(),
) -> Alignment:
    """Link two lists of keys, some of which are headings."""
    marked_old = [f"# {text}" if i in old_headings else text for i, text in enumerate(old)]
    marked_new = [f"# {text}" if j in new_headings else text for j, text in enumerate(new)]
    work = Work(marked_old, marked_new)
    _anchor(work)
    _spread(work)
    _equal_in_gaps(work)
    _equal_anywhere(work)
    work.old, work.new = old, new
    _equal_anywhere(work)  # a heading that became bold text, or the other way round
    _similar(work)
    split, merged = _pieces(work)
    spine = _spine(work)
    moved = frozenset(new for pair in work.forward.items() if pair not in spine for new in pair[1:])
    return Alignment(
        pairs=work.forward,
        scores=work.scores,
        split=split,
        merged=merged,
        moved=moved,
        linked=_shares(work, split, merged),
    )


def _places(keys: Sequence[str]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = defaultdict(list)
    for index, text in enumerate(keys):
        places[text].append(index)
    return places


def _anchor(work: Work) -> None:
    """Link the wordings that stand once on each side."""
    there = _places(work.new)
    for text, here in _places(work.old).items():
        if len(here) == 1 and len(there.get(text, ())) == 1:
            work.link(here[0], there[text][0])


def _spread(work: Work) -> None:
    """Link equal neighbours of what is linked."""
    for old, new in list(work.forward.items()):
        for step in (-1, 1):
            i, j = old + step, new + step
            while 0 <= i < len(work.old) and 0 <= j < len(work.new) and work.old[i] == work.new[j]:
                if i in work.forward or j in work.backward:
                    break
                work.link(i, j)
                i, j = i + step, j + step


def _spine(work: Work) -> set[tuple[int, int]]:
    return backbone(sorted(work.forward.items()), lambda at: len(work.old[at]))


def _gaps(work: Work) -> list[tuple[list[int], list[int]]]:
    """Return the unlinked clauses between neighbouring links of the backbone, both sides non-empty."""
    if len(work.forward) in (len(work.old), len(work.new)):
        return []
    spine = sorted(_spine(work))
    edges = [(-1, -1), *spine, (len(work.old), len(work.new))]
    gaps = []
    for (i0, j0), (i1, j1) in pairwise(edges):
        rows, columns = work.free_old(range(i0 + 1, i1)), work.free_new(range(j0 + 1, j1))
        if rows and columns:
            gaps.append((rows, columns))
    return gaps


def _equal_in_gaps(work: Work) -> None:
    for rows, columns in _gaps(work):
        _equal_in_order(work, rows, columns)


def _equal_in_order(work: Work, rows: Sequence[int], columns: Sequence[int]) -> None:
    """Link equal wordings of two groups, the first with the first."""
    there: dict[str, list[int]] = defaultdict(list)
    for j in reversed(columns):
        there[work.new[j]].append(j)
    for i in rows:
        if there.get(work.old[i]):
            work.link(i, there[work.old[i]].pop())


def _equal_anywhere(work: Work) -> None:
    _equal_in_order(work, work.free_old(range(len(work.old))), work.free_new(range(len(work.new))))


def _similar(work: Work) -> None:
    """Link by similarity: inside the gaps, beside moved links, then anywhere."""
    rows, columns = work.free_old(range(len(work.old))), work.free_new(range(len(work.new)))
    if not rows or not columns:
        return
    vectors = Vectors([work.old[i] for i in rows], [work.new[j] for j in columns])
    row_of = {i: k for k, i in enumerate(rows)}
    column_of = {j: k for k, j in enumerate(columns)}

    def assign(olds: list[int], news: list[int], threshold: float) -> None:
        found = vectors.pairs([row_of[i] for i in olds], [column_of[j] for j in news], threshold)
        for row, column, score in found:
            work.link(rows[row], columns[column], score)

    for olds, news in _gaps(work):
        assign(olds, news, _near(len(olds) * len(news)))
    for olds, news in _beside(work):
        if olds[0] not in work.forward and news[0] not in work.backward:
            assign(olds, news, NEAR)
    olds, news = work.free_old(rows), work.free_new(columns)
    if olds and news:
        assign(olds, news, FAR)


def _near(candidates: int) -> float:
    """Return the similarity that links two clauses of a gap with that many candidate pairs."""
    return NEAR + STEP * math.log10(candidates)


def _beside(work: Work) -> list[tuple[list[int], list[int]]]:
    """Return the unlinked neighbours of links, as candidates to be linked with each other."""
    found = []
    for old, new in sorted(work.forward.items()):
        for step in (-1, 1):
            i, j = old + step, new + step
            if (
                0 <= i < len(work.old)
                and 0 <= j < len(work.new)
                and i not in work.forward
                and j not in work.backward
            ):
                found.append(([i], [j]))
    return found


def _pieces(work: Work) -> tuple[dict[int, int], dict[int, int]]:
    """Return new pieces of split old clauses, and old pieces of merged new clauses."""
    split = _contained(work.new, work.old, work.backward, taken=work.backward)
    merged = _contained(work.old, work.new, work.forward, taken=work.forward)
    return split, merged


def _contained(
    parts: list[str], wholes: list[str], partner: dict[int, int], *, taken: dict[int, int]
) -> dict[int, int]:
    """Return for each unlinked part the whole it is a piece of: one whose own partner stands within reach."""
    found: dict[int, int] = {}
    for part in range(len(parts)):
        if part in taken or len(parts[part]) < 12:
            continue
        near = sorted(
            range(max(0, part - REACH), min(len(parts), part + REACH + 1)), key=lambda at: abs(at - part)
        )
        for at in near:
            whole = partner.get(at)
            if whole is not None and _is_piece(parts[part], wholes[whole], parts[at]):
                found[part] = whole
                break
    return found


def _is_piece(part: str, whole: str, partner: str) -> bool:
    """Tell whether a part is what the whole holds beyond the part's neighbour, which is linked to it already."""
    if len(whole) < len(part) * 1.15 or len(partner) > len(whole):
        return False
    words = part.split()
    if len(words) < 6:
        return f" {part} " in f" {whole} " and f" {part} " not in f" {partner} "
    pairs = Counter(pairwise(words))
    rest = Counter(pairwise(whole.split())) - Counter(pairwise(partner.split()))
    return (pairs & rest).total() >= PIECE * pairs.total()


def _shares(work: Work, split: dict[int, int], merged: dict[int, int]) -> tuple[float, float]:
    """Return the share of each side's text that is linked, old side first."""
    old = sum(len(work.old[i]) for i in (*work.forward, *merged))
    new = sum(len(work.new[j]) for j in (*work.backward, *split))
    return old / (sum(map(len, work.old)) or 1), new / (sum(map(len, work.new)) or 1)
