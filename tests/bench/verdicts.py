"""Verdicts on real pairs of versions: false alarms, changes seen, words covered, memos' quotes, stacked pages."""

from __future__ import annotations

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.events import Change, Comparison, Verdict, Version
from pipeline.policy.clauses import segment
from pipeline.policy.compare import compare, told
from pipeline.policy.identity import Ledger, identify
from pipeline.policy.normalise import keys_of, words_of
from pipeline.policy.page import Page, read_page

NEWS = (
    "content",
    "html_content_change",
)  # kinds of pair that are changes of wording; all others must stay silent
STACKED = {  # new file: the day it names, none where the older text was dropped and little or nothing changed
    "x-twitter/privacy-policy--pga/2024-10-17T00-36-53Z.md": "2024-11-15",
    "x-twitter/privacy-policy--pga/2024-11-16T00-38-49Z.md": None,
    "x-twitter/terms-of-service--pga/2024-10-17T00-36-51Z.md": "2024-11-15",
    "x-twitter/terms-of-service--pga/2024-11-16T00-38-48Z.md": None,
    "x-twitter/privacy-policy--vlopses-us/2025-12-17T01-15-56Z.md": "2026-01-15",
    "x-twitter/privacy-policy--vlopses-us/2026-01-16T01-18-30Z.md": None,
    "x-twitter/terms-of-service--vlopses-us/2025-12-17T01-15-57Z.md": "2026-01-15",
    "x-twitter/terms-of-service--vlopses-us/2026-01-16T01-18-30Z.md": None,
    "x-twitter/terms-of-service--contrib/2023-08-30T17-04-13Z.md": "2023-09-29",
    "x-twitter/terms-of-service--contrib/2023-09-29T23-05-36Z.md": None,
    "x-twitter/privacy-policy--pga/2023-08-23T00-36-12Z.md": "2023-09-22",
    "x-twitter/privacy-policy--pga/2024-03-25T18-35-14Z.md": None,
}
UNSTACKED = 0.6  # share of clauses that stay as they were when a stacked page drops the older text, at least


@dataclass(slots=True)
class Verdicts:
    """What comparing every pair came to: verdicts by kind, words covered, and the pairs that went wrong."""

    kinds: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    covered: int = 0
    words: int = 0
    alarms: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)


def verdicts(policies: Path) -> Verdicts:
    """Compare every pair of the manifest; histories are given where the pair is labelled a return."""
    result = Verdicts()
    for row in rows(policies / "pairs.jsonl"):
        old, new = version(policies, row["old_file"]), version(policies, row["new_file"])
        if old is None or new is None:
            result.kinds[row["kind"]]["unreadable"] += 1
            continue
        found = compare(
            old,
            new,
            history=_history(policies, row["old_file"]) if "revert" in row["kind"] else (),
            extractor_changed="technical" in row["kind"],
        )
        _note(result, row, found, old, new)
    return result


def _note(result: Verdicts, row: dict[str, Any], found: Comparison, old: Version, new: Version) -> None:
    name = f"{found.verdict}:{found.reason}" if found.verdict is Verdict.BROKEN else str(found.verdict)
    result.kinds[row["kind"]][name] += 1
    line = f"{row['kind']} {row['id']}: {name}, {found.reason}"
    if row["kind"] in NEWS and found.verdict is not Verdict.CHANGED:
        result.unseen.append(line)
    if row["kind"] not in NEWS and found.verdict is Verdict.CHANGED:
        result.alarms.append(line)
    if row["kind"] in NEWS and found.verdict is Verdict.CHANGED and not found.notes:
        covered, total = coverage(found.changes, old, new)
        result.covered += covered
        result.words += total


def coverage(changes: Sequence[Change], old: Version, new: Version) -> tuple[int, int]:
    """Return how many words that stand on one side only are marked in a redline, and how many there are."""
    before, after = _words(old), _words(new)
    marked: dict[str, Counter[str]] = {"-": Counter(), "+": Counter()}
    for change in changes:
        for op, text in change.redline:
            if op != "=":
                marked[op].update(words_of(text))
    gone, come = before - after, after - before
    return (gone & marked["-"]).total() + (come & marked["+"]).total(), gone.total() + come.total()


def _words(version: Version) -> Counter[str]:
    return Counter(word for text in keys_of(version.clauses) for word in text.split())


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a JSON Lines file."""
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


@lru_cache(maxsize=64)
def version(policies: Path, name: str) -> Version | None:
    """Read a dated text, or extract a dated page; nothing where the page is not readable."""
    path = policies / name
    if name.endswith(".html.gz"):
        return read_page(Page(body=gzip.decompress(path.read_bytes()))).version
    text = path.read_text(encoding="utf-8", errors="replace")
    return Version(text=text, clauses=segment(text), extractor="archive")


def _history(policies: Path, name: str) -> tuple[Version, ...]:
    folder, last = (policies / name).parent, Path(name).name
    files = sorted(path.name for path in folder.glob("*.md") if path.name <= last)
    found = (version(policies, f"{folder.relative_to(policies)}/{file}") for file in files)
    return tuple(one for one in found if one is not None)


# --- memos, stacked pages, identity ---------------------------------------------------------------------------


def quotes(policies: Path) -> tuple[int, int, list[str]]:
    """Return how many of the memos' quotes stand inside a change of the right side, of how many, and the rest."""
    found, total, missing = 0, 0, []
    for memo in rows(policies / "gold_memos.jsonl"):
        for pair in memo["pairs"]:
            wanted = [("+", q) for q in pair["quotes_added"]] + [("-", q) for q in pair["quotes_removed"]]
            old, new = version(policies, pair["old_file"]), version(policies, pair["new_file"])
            if not wanted or old is None or new is None:
                continue
            changes = compare(old, new).changes
            for side, quote in wanted:
                total += 1
                hit = any(_holds(change, side, quote) for change in changes)
                found += hit
                missing += [] if hit else [f"{pair['new_file']} {side} {quote[:80]}"]
    return found, total, missing


def _holds(change: Change, side: str, quote: str) -> bool:
    """Tell whether a quote stands in a change's text, part of it in words that the redline marks."""
    span = change.new if side == "+" else change.old
    if span is None or f" {' '.join(_parted(quote))} " not in f" {' '.join(_parted(span.text))} ":
        return False
    return any(op == side and set(_parted(text)) & set(_parted(quote)) for op, text in change.redline)


def _parted(text: str) -> list[str]:
    """Return the words of a text, parted at apostrophes too, as the memos' quotes are."""
    return [part for word in words_of(text) for part in word.split("'")]


def stacked(policies: Path) -> tuple[int, list[str]]:
    """Return how many of the twelve stacked pairs are read right, and what the others came to."""
    right, wrong = 0, []
    for name, day in STACKED.items():
        old, new = version(policies, _before(policies, name)), version(policies, name)
        assert old is not None
        assert new is not None
        found = compare(old, new)
        told = sum(1 for change in found.changes if change.type in ("added", "removed"))
        fits = (
            found.stacked and found.effective_date == day
            if day
            else bool(found.notes) and not found.stacked and told <= (1 - UNSTACKED) * len(old.clauses)
        )
        right += fits
        wrong += [] if fits else [f"{name}: {found.reason}, {found.effective_date}"]
    return right, wrong


def _before(policies: Path, name: str) -> str:
    path = policies / name
    return str(max(other for other in path.parent.glob("*.md") if other < path).relative_to(policies))


def identities(policies: Path, *, least: int = 4) -> tuple[int, int, int]:
    """Return over all histories: wordings that changed their identity, clauses seen, clauses that came back."""
    wrong = seen = back = 0
    for folder in sorted(policies.glob("*/*--*")):
        files = sorted(folder.glob("*.md"))
        if len(files) >= least:
            one = _identity(policies, [str(file.relative_to(policies)) for file in files])
            wrong, seen, back = wrong + one[0], seen + one[1], back + one[2]
    return wrong, seen, back


def _identity(policies: Path, names: Sequence[str]) -> tuple[int, int, int]:
    ledger, previous, known = Ledger(document_id=names[0].rsplit("/", 1)[0]), None, dict[str, str]()
    twice: set[str] = set()  # of wordings that ever stood twice none can say which of the two went
    wrong = seen = 0
    for name in names:
        read = version(policies, name)
        assert read is not None
        previous, ledger = identify(read, previous, ledger)
        reading = told(
            previous
        )  # of a stacked page the coming part: the other is a copy of what stood before
        keys = reading.keys
        twice |= {text for text, count in Counter(keys).items() if count > 1 or not text}
        for clause, text in zip(reading.clauses, keys, strict=True):
            if text not in twice:
                seen += 1
                wrong += known.setdefault(text, clause.id) != clause.id
                known[text] = clause.id
    return wrong, seen, sum(record.returns for record in ledger.clauses.values())
