"""Measure the comparison of versions: alignment, verdicts, memos' quotes, stacked pages, identity, speed.

Run as `python -m tests.bench.bench_compare DATA`, where DATA is the folder of dated policy versions, with
pairs.jsonl and gold_memos.jsonl in it. Each figure stands beside the peer's or the published one. CPU time only.
"""

from __future__ import annotations

import difflib
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

from pipeline.events import Clause, Version
from pipeline.policy.align import Alignment, align
from pipeline.policy.changes import changes
from pipeline.policy.clauses import segment
from pipeline.policy.normalise import key, keys_of
from tests.bench import redlines, verdicts
from tests.bench.synthetic import Case, Editor

Links = set[tuple[int, int]]
Aligner = Callable[[Sequence[Clause], Sequence[Clause]], Alignment]
LABELS = ("inserted", "deleted", "modified", "moved", "moved-modified", "split", "merge", "cosmetic", "same")


def run(data: Path) -> list[dict[str, Any]]:
    """Return one row per figure: what, ours, peer (or published), goal, and the cases behind it."""
    policies = data / "policies" if (data / "policies").is_dir() else data
    documents = newest(policies)
    return [*_alignment(documents), *_redline(documents), *_speed(policies), *_histories(policies)]


def _alignment(documents: dict[str, Version]) -> list[dict[str, Any]]:
    easy, hard = synthetic(documents, hard=False), synthetic(documents, hard=True)
    peer, peer_hard = (synthetic(documents, hard=hard, aligner=zipped) for hard in (False, True))
    return [
        _row(
            "synthetic edits, easy: changed-link F1", easy[0], f"{peer[0]:.1f} difflib, 98.9 published", 99.0
        ),
        _row(
            "synthetic edits, easy: mean F1 over kinds of edit",
            easy[1],
            f"{peer[1]:.1f} difflib, 96.7 published",
            96.5,
        ),
        _row(
            "synthetic edits, hard: changed-link F1",
            hard[0],
            f"{peer_hard[0]:.1f} difflib, 96.5 published",
            97.0,
        ),
        _row(
            "synthetic edits, hard: mean F1 over kinds of edit",
            hard[1],
            f"{peer_hard[1]:.1f} difflib, 93.6 published",
            93.5,
        ),
        _row("alignment, CPU ms per document", easy[2], f"{peer[2]:.1f} difflib, 7-18 published", None),
        _row(
            "false links per 100 clauses, unrelated documents", false_links(documents), "3.1 published", 2.0
        ),
    ]


def _redline(documents: dict[str, Version]) -> list[dict[str, Any]]:
    samples = list(redlines.edits([clause.text for found in documents.values() for clause in found.clauses]))
    ours, peer = redlines.score(samples), redlines.score(samples, redlines.by_difflib)
    return [
        _row("redline, marked characters: F1", ours.f1, f"{peer.f1:.1f} difflib", None),
        _row("redline, marks per true edit", ours.hunks, f"{peer.hunks:.2f} difflib", None),
        _row("redline, CPU ms per clause", ours.cost, f"{peer.cost:.2f} difflib", None),
    ]


def _histories(policies: Path) -> list[dict[str, Any]]:
    found = verdicts.verdicts(policies)
    quoted, total, missing = verdicts.quotes(policies)
    right, wrong = verdicts.stacked(policies)
    moved, seen, back = verdicts.identities(policies)
    kinds = [f"{kind}: {dict(counts)}" for kind, counts in sorted(found.kinds.items())]
    return [
        _row("pairs of all kinds, by verdict", sum(map(len, found.kinds.values())), "", None, kinds),
        _row("false alarms on pairs that are no change of wording", len(found.alarms), "", 0, found.alarms),
        _row(
            "pairs labelled changes of wording, not told as changed", len(found.unseen), "", 0, found.unseen
        ),
        _row("changed words covered by redlines, per cent", 100 * found.covered / found.words, "", 100.0),
        _row(f"memos' quotes inside a change, of {total}", quoted, "", 48, missing),
        _row("stacked pairs read right, of 12", right, "0 by line diff", 12, wrong),
        _row(
            f"identities lost, of {seen} clauses ({back} came back)",
            moved,
            "5.1 % by hash, 54.5 % by place",
            0,
        ),
    ]


def _speed(policies: Path) -> list[dict[str, Any]]:
    """Time segmenting, aligning and redlining pairs of versions, per 100 kB, beside difflib over their words."""
    rows = [row for row in verdicts.rows(policies / "pairs.jsonl") if row["old_file"].endswith(".md")]
    costs, peers = [], []
    for row in random.Random(4).sample(rows, min(120, len(rows))):
        texts = [(policies / row[name]).read_text(encoding="utf-8") for name in ("old_file", "new_file")]
        if min(map(len, texts)) > 20_000:
            costs.append(_cost(texts, _segmented) / (sum(map(len, texts)) / 200_000))
        if 20_000 < min(map(len, texts)) < 60_000 and len(peers) < 10:
            peers.append(_cost(texts, _by_words) / (sum(map(len, texts)) / 200_000))
    return [
        _row(
            "segment, align and redline, CPU ms per 100 kB pair, median",
            median(costs),
            f"{median(peers):.0f} difflib words, 1,350-2,500 redlines (published)",
            60,
        ),
        _row("segment, align and redline, CPU ms per 100 kB pair, mean", fmean(costs), "", 60),
    ]


def _cost(texts: Sequence[str], work: Callable[[str, str], object]) -> float:
    start = time.process_time()
    work(texts[0], texts[1])
    return 1000 * (time.process_time() - start)


def _segmented(old: str, new: str) -> object:
    return changes(segment(old), segment(new))


def _by_words(old: str, new: str) -> object:
    return difflib.SequenceMatcher(None, old.split(), new.split()).get_opcodes()


def _row(what: str, ours: float, peer: str, goal: float | None, cases: Sequence[str] = ()) -> dict[str, Any]:
    return {"what": what, "ours": round(ours, 2), "peer": peer, "goal": goal, "cases": list(cases)}


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
    kind, service = name.split("/")[1].split("--", maxsplit=1)[0], name.split("/", maxsplit=1)[0]
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


def synthetic(
    documents: dict[str, Version], *, hard: bool, aligner: Aligner = align
) -> tuple[float, float, float]:
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


if __name__ == "__main__":
    for line in run(Path(sys.argv[1])):
        print(
            f"{line['what']:<62} {line['ours']:>9}  goal {line['goal'] if line['goal'] is not None else '-':>5}  {line['peer']}"
        )
        for case in line["cases"]:
            print(f"    {case}")
