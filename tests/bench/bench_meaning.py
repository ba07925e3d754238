"""How well the program understands: facts, dates, categories, summaries, each beside the published figure.

Run as `python -m tests.bench.bench_meaning DATA [PART ...]`, where DATA holds `policies` and `labelled`; parts are
gold, dates, taxonomy, opp115, unfair, memos, speed (all of them without a name). The labelled sets are read, never
copied; OPP-115 and the date strings are for research only, and no shipped model saw them. CPU time only.
"""

from __future__ import annotations

import csv
import json
import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.events import Version
from pipeline.policy.assess import assess
from pipeline.policy.classify import categories
from pipeline.policy.clauses import segment
from pipeline.policy.compare import compare
from pipeline.policy.dates import effective_date, stated
from pipeline.policy.facts import values
from pipeline.policy.learn import measured, train
from pipeline.policy.summary import grounded, headline, summarise

FOLDER = Path(__file__).resolve().parents[1] / "data" / "facts"
CASES = Path(__file__).with_name("meaning_cases.json")
Rows = list[dict[str, Any]]


def run(data: Path, parts: tuple[str, ...] = ()) -> Rows:
    """Return one row per figure: what, ours, the published or measured peer, the goal."""
    known: dict[str, Callable[[Path], Rows]] = {
        "gold": gold, "dates": date_strings, "taxonomy": taxonomy_hits, "opp115": opp115,
        "unfair": unfair, "memos": memos, "speed": speed,
    }  # fmt: skip
    return [row for name in parts or known for row in known[name](data)]


def _row(what: str, ours: float, peer: str = "", goal: float | None = None) -> dict[str, Any]:
    return {"what": what, "ours": round(ours, 1), "peer": peer, "goal": goal}


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def _prf(right: int, told: int, wanted: int) -> tuple[float, float]:
    return 100 * right / max(1, told), 100 * right / max(1, wanted)


def gold(_: Path) -> Rows:
    """Score facts and effective dates on the labelled sets of this repository."""
    right = told = wanted = 0
    for row in _lines(FOLDER / "sentences.jsonl"):
        found = [(fact.kind, fact.new or {}) for fact in values(row["text"])]
        told, wanted = told + len(found), wanted + len(row["facts"])
        right += sum(
            any(kind == want["fact"] and want["value"].items() <= new.items() for kind, new in found)
            for want in row["facts"]
        )
    precision, recall = _prf(right, told, wanted)
    dated = [
        (row, effective_date(Version(text=row["text"], clauses=())))
        for row in _lines(FOLDER / "documents.jsonl")
    ]
    found_dates = [(row, fact) for row, fact in dated if fact]
    hits = sum((fact.new or {})["date"] == row["date"] for row, fact in found_dates)
    exact, reached = _prf(hits, len(found_dates), len(dated))
    return [
        _row("facts, own sentences: precision", precision, "price-parser drops “million”", 98),
        _row("facts, own sentences: recall", recall, "", 98),
        _row("effective date, labelled lines: precision", exact, "", 98),
        _row("effective date, labelled lines: recall", reached, "90 (first patterns)", 97),
    ]


def date_strings(data: Path) -> Rows:
    """Score date kinds on the DocEng 2023 strings: is the string the document's own date, and of which kind?"""
    right = told = wanted = kinds = 0
    with (data / "labelled/policy_dates/dates.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found = {(fact.new or {})["kind"] for fact in stated(row["text"])}
            own = row["label"] != "Other"
            told, wanted, right = told + bool(found), wanted + own, right + (own and bool(found))
            kinds += (
                own
                and bool(found)
                and (("Effective" in row["label"]) == bool(found & {"in_force", "applies_to_existing_users"}))
            )
    precision, recall = _prf(right, told, wanted)
    return [
        _row("policy dates (DocEng 2023 strings): precision", precision, "", 98),
        _row("policy dates (DocEng 2023 strings): recall", recall, "", 97),
        _row("policy dates: kind right, of those found", 100 * kinds / max(1, right)),
    ]


def taxonomy_hits(data: Path) -> Rows:
    """Score the shipped categories on ToS;DR quotations, mapped by case; the model saw none of them."""
    cases: dict[str, list[str]] = json.loads(CASES.read_text(encoding="utf-8"))
    total = first = any_right = silent = 0
    for text, case in _quotations(data):
        if case in cases:
            found = list(categories(text))
            total, silent = total + 1, silent + (not found)
            first += bool(found) and found[0] in cases[case]
            any_right += bool(set(found) & set(cases[case]))
    return [
        _row(
            f"categories, {total} ToS;DR quotations: first right",
            100 * first / max(1, total),
            "25 (first seeds)",
        ),
        _row("categories, ToS;DR: right one among those told", 100 * any_right / max(1, total)),
        _row("categories, ToS;DR: abstained", 100 * silent / max(1, total)),
    ]


def _quotations(data: Path) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for point in _lines(data / "labelled/tosdr/points.jsonl"):
        case, quote = ((point.get("tosdr") or {}).get("case") or "").strip(), point.get("quoteText") or ""
        text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", quote)).strip()
        english = re.search(r"\b(?:the|you|we)\b", text.lower())
        if english and 30 < len(text) < 2500 and not point.get("needModeration") and text not in seen:
            seen.add(text)
            yield text, case


def _grouped(path: Path) -> list[tuple[str, set[str]]]:
    rows: dict[str, set[str]] = defaultdict(set)
    with path.open(encoding="utf-8", errors="replace") as file:
        for text, label in csv.reader(file):
            rows[text].add(label)
    return list(rows.items())


def opp115(data: Path) -> Rows:
    """Train the recipe on OPP-115's training rows and score it on its validation rows."""
    folder = data / "labelled/opp115"
    macro, micro, _ = measured(
        train(_grouped(folder / "train_dataset.csv")), _grouped(folder / "validation_dataset.csv")
    )
    return [
        _row(
            "OPP-115 validation, macro F1", macro, "TF-IDF SVM 76.7, BERT 78.4, PrivBERT 82.1 (test rows)", 80
        ),
        _row(
            "OPP-115 validation, micro F1", micro, "TF-IDF SVM 79.4, BERT 84.0, PrivBERT 87.2 (test rows)", 84
        ),
    ]


NAMES = ("A", "CH", "CR", "J", "LAW", "LTD", "TER", "USE")


def unfair(data: Path, folds: int = 5) -> Rows:
    """Score the recipe on UNFAIR-ToS (2019 release), folds by document; a sentence without a tag is `fair`."""
    documents = [
        list(_sentences(data / "labelled/unfair_tos_2019", path.name))
        for path in sorted((data / "labelled/unfair_tos_2019/Sentences").glob("*.txt"))
    ]
    figures = []
    for one in range(folds):
        inside = [row for place, rows in enumerate(documents) if place % folds != one for row in rows]
        outside = [row for place, rows in enumerate(documents) if place % folds == one for row in rows]
        figures.append(measured(train(inside), outside)[:2])
    macro, micro = (sum(figure[place] for figure in figures) / folds for place in (0, 1))
    return [
        _row(
            f"UNFAIR-ToS, {folds} folds by document, macro F1",
            macro,
            "LexGLUE split: TF-IDF SVM 75.0, Legal-BERT 83.0",
        ),
        _row(
            f"UNFAIR-ToS, {folds} folds by document, micro F1",
            micro,
            "LexGLUE split: TF-IDF SVM 94.7, Legal-BERT 96.0",
        ),
    ]


def _sentences(folder: Path, name: str) -> Iterator[tuple[str, set[str]]]:
    marks = {tag: (folder / f"Labels_{tag}" / name).read_text().split("\n") for tag in NAMES}
    for place, sentence in enumerate((folder / "Sentences" / name).read_text(errors="replace").split("\n")):
        if sentence.strip():
            tags = {
                tag
                for tag, lines in marks.items()
                if place < len(lines) and lines[place].strip() in ("1", "+1")
            }
            yield sentence, tags or {"fair"}


def memos(data: Path, most: int = 30) -> Rows:
    """Summarise the changes that analysts wrote about: grounding, length, and whether the memo's quotes come early."""
    loose = long = total = quoted = first = third = 0
    for memo in list(_lines(data / "policies/gold_memos.jsonl"))[:most]:
        pair = memo["pairs"][0]
        found = _assessed(data, pair["old_file"], pair["new_file"], memo)
        given = {"service": memo["service_name"], "document": memo["terms_types"][0]}
        seen = datetime.fromisoformat(memo["dates"][0]).replace(tzinfo=UTC)
        told = summarise(found, **given, seen_at=seen)
        line = headline(found, **given)
        total += 1
        loose += bool(grounded(told, found, **given, seen_at=seen) or grounded(line, found, **given))
        long += len(told.split()) > 90 or len(line) > 140
        rank = _rank(found.changes, pair)
        quoted, first, third = (
            quoted + (rank is not None),
            first + (rank == 0),
            third + (rank is not None and rank < 3),
        )
    return [
        _row(f"summaries of {total} memo changes: grounded", 100 * (total - loose) / total, "", 100),
        _row("summaries: within 90 words and 140 characters", 100 * (total - long) / total, "", 100),
        _row(
            f"memo quotes found, {quoted} memos: among the first three changes", 100 * third / max(1, quoted)
        ),
        _row("memo quotes: in the first change", 100 * first / max(1, quoted)),
    ]


def _rank(changes: tuple[Any, ...], pair: dict[str, Any]) -> int | None:
    """Return the place of the first change that holds a quote of the memo, compared by words."""
    quotes = [
        _plain(str(quote)) for quote in (pair.get("quotes_added") or []) + (pair.get("quotes_removed") or [])
    ]
    texts = [
        _plain(f"{change.old.text if change.old else ''} {change.new.text if change.new else ''}")
        for change in changes
    ]
    return next(
        (place for place, text in enumerate(texts) if any(quote and quote in text for quote in quotes)), None
    )


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _version(path: Path) -> Version:
    text = path.read_text(encoding="utf-8")
    return Version(text=text, clauses=segment(text))


def _assessed(data: Path, old: str, new: str, memo: dict[str, Any]) -> Any:
    seen = datetime.fromisoformat(memo["dates"][0]).replace(tzinfo=UTC)
    folder = data / "policies"
    return compare(
        _version(folder / old),
        _version(folder / new),
        service=memo["service_name"],
        document=memo["terms_types"][0],
        seen_at=seen,
    )


def speed(data: Path) -> Rows:
    """Measure the CPU that assessment and summary take per 100 kB of pair, and a classification per clause."""
    pairs = list(_lines(data / "policies/gold_memos.jsonl"))[:12]
    spent = size = 0.0
    texts: list[str] = []
    for memo in pairs:
        old, new = (_version(data / "policies" / memo["pairs"][0][side]) for side in ("old_file", "new_file"))
        found = compare(old, new)
        start = time.process_time()
        assess(found.changes, old=old, new=new)
        summarise(found)
        spent, size = spent + time.process_time() - start, size + (len(old.text) + len(new.text)) / 2
        texts += [clause.text for clause in new.clauses][:100]
    start = time.process_time()
    for text in texts:
        categories(text)
    each = 1000 * (time.process_time() - start) / max(1, len(texts))
    return [
        _row("assess and summarise, CPU ms per 100 kB pair", 1000 * spent / (size / 100_000), "", 15),
        {**_row("classify, CPU ms per clause", 0.0, "", 0.3), "ours": round(each, 3)},
    ]


def main() -> None:
    """Print the figures of the parts named on the command line."""
    for row in run(Path(sys.argv[1]), tuple(sys.argv[2:])):
        goal = "" if row["goal"] is None else f"   goal {row['goal']}"
        print(f"{row['what']:<72} {row['ours']:>7}{goal}   {row['peer']}")


if __name__ == "__main__":
    main()
