"""Measure the comparison of versions: alignment, verdicts, memos' quotes, stacked pages, identity, speed.

Reads a folder of dated policy versions as the data's README describes it, and prints each figure beside the
peer's or the published one. Nothing is tuned here; the thresholds stand in the code that is measured.
"""

from __future__ import annotations

import difflib
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

from pipeline.events import Clause, Version
from pipeline.policy.align import Alignment, align
from pipeline.policy.clauses import segment
from pipeline.policy.normalise import key, keys_of
from tests.bench.synthetic import Case, Editor

Links = set[tuple[int, int]]
Aligner = Callable[[Sequence[Clause], Sequence[Clause]], Alignment]
LABELS = ("inserted", "deleted", "modified", "moved", "moved-modified", "split", "merge", "cosmetic", "same")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what was measured, our figure, the one to beat."""

    what: str
    ours: str
    beside: str = ""


def version(path: Path) -> Version:
    """Read one dated Markdown file as a version."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return Version(text=text, clauses=segment(text), extractor="archive")


def newest(policies: Path) -> dict[str, Version]:
    """Return the newest version of every document between 15 and 140 kB, by service and document."""
    found = {}
    for folder in sorted(policies.glob("*/*--*")):
        files = sorted(folder.glob("*.md"))
        if files and 15_000 < files[-1].stat().st_size < 140_000:
            found[f"{folder.parent.name}/{folder.name}"] = version(files[-1])
    return found


# --- synthetic edits ------------------------------------------------------------------------------------------


def cases(documents: dict[str, Version], *, hard: bool, limit: int = 60) -> Iterator[Case]:
    """Yield each of up to 60 documents edited at two rates, with donors of the same type elsewhere."""
    rng = random.Random(5 if hard else 11)
    names = sorted(random.Random(3).sample(sorted(documents), min(limit, len(documents))))
    for name in names:
        clauses = documents[name].clauses
        if len(clauses) < 20:
            continue
        donors = _donors(documents, name)
        for rate in (0.25, 0.5) if hard else (0.06, 0.2):
            yield Editor(clauses, donors, rng, hard=hard).case(rate)


def _donors(documents: dict[str, Version], name: str) -> list[Clause]:
    kind, service = name.split("/")[1].split("--")[0], name.split("/")[0]
    others = [key for key in documents if not key.startswith(f"{service}/")]
    same = [key for key in others if key.split("/")[1].startswith(kind)] or others
    return [c for key in same for c in documents[key].clauses if c.kind != "heading" and len(c.text) > 40]


def labels(case: Case, found: Alignment) -> list[str]:
    """Return what an alignment says happened to each new clause."""
    back = {j: i for i, j in found.pairs.items()}
    split, merged = set(found.split.values()), set(found.merged.values())
    out = []
    for j, clause in enumerate(case.new):
        i = back.get(j, found.split.get(j))
        if i is None:
            out.append("inserted")
        elif j in merged:
            out.append("merge")
        elif i in split:
            out.append("split")
        else:
            out.append(_pair_label(case.old[i], clause, moved=j in found.moved))
    return out


def _pair_label(old: Clause, new: Clause, *, moved: bool) -> str:
    if key(old) != key(new):
        return "moved-modified" if moved else "modified"
    if moved:
        return "moved"
    return "same" if old.text == new.text else "cosmetic"


@dataclass(slots=True)
class Tally:
    """Hits, false alarms and misses."""

    hit: int = 0
    false: int = 0
    missed: int = 0

    def add(self, found: set[object], true: set[object]) -> None:
        self.hit += len(found & true)
        self.false += len(found - true)
        self.missed += len(true - found)

    @property
    def f1(self) -> float:
        total = 2 * self.hit + self.false + self.missed
        return 100 * 2 * self.hit / total if total else 0.0


def mark(case: Case, found: Alignment, links: Tally, ops: dict[str, Tally]) -> None:
    """Mark one alignment: links of clauses that are not identical in place, and the label of every clause."""
    changed = {link for link in case.links if case.labels[link[1]] not in ("same", "cosmetic")}
    said = {(i, j) for i, j in found.links() if key(case.old[i]) != key(case.new[j]) or (i, j) in changed}
    links.add(set(said), set(changed))
    told = labels(case, found)
    for name in LABELS:
        ops[name].add(
            {j for j, label in enumerate(told) if label == name},
            {j for j, label in enumerate(case.labels) if label == name},
        )
    linked = {i for i, _ in found.links()}
    ops["deleted"].add(set(range(len(case.old))) - linked, set(case.deleted))


def zipped(old: Sequence[Clause], new: Sequence[Clause]) -> Alignment:
    """Align as line diffs do: equal runs, and replaced runs paired by position (difflib)."""
    pairs: dict[int, int] = {}
    matcher = difflib.SequenceMatcher(None, keys_of(old), keys_of(new), autojunk=False)
    for tag, i0, i1, j0, j1 in matcher.get_opcodes():
        if tag in ("equal", "replace"):
            pairs.update(zip(range(i0, i1), range(j0, j1), strict=False))
    return Alignment(pairs=pairs, scores={}, split={}, merged={}, moved=frozenset(), linked=(1.0, 1.0))


def synthetic(documents: dict[str, Version], *, hard: bool, aligner: Aligner = align) -> tuple[float, float, float]:
    """Return changed-link F1, the mean F1 over kinds of edit, and CPU milliseconds per document."""
    links, ops, spent, count = Tally(), defaultdict(Tally), 0.0, 0
    for case in cases(documents, hard=hard):
        start = time.process_time()
        found = aligner(case.old, case.new)
        spent += time.process_time() - start
        count += 1
        mark(case, found, links, ops)
    return links.f1, fmean(ops[name].f1 for name in LABELS), 1000 * spent / count


def false_links(documents: dict[str, Version], aligner: Aligner = align) -> float:
    """Return links per 100 new clauses between documents of different companies (equal wordings apart)."""
    rng = random.Random(1)
    names = sorted(name for name, found in documents.items() if len(found.clauses) > 60)
    wrong = total = 0
    for _ in range(40):
        one, two = rng.sample(names, 2)
        if one.split("/")[0] != two.split("/")[0]:
            old, new = documents[one].clauses, documents[two].clauses
            links = aligner(old, new).links()
            wrong += sum(1 for i, j in links if len(key(old[i])) > 40 and key(old[i]) != key(new[j]))
            total += sum(1 for clause in new if len(key(clause)) > 40)
    return 100 * wrong / total
