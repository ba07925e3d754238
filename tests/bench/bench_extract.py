"""How good extraction is: token F1 against the text that people's selectors extract, and noise and changes seen.

Run as `python -m tests.bench.bench_extract DATA`, where DATA holds manifest.jsonl and pairs.jsonl. Words are
counted without underscores, lower case; raw tags and link targets are left out of both texts. CPU time only.
"""

from __future__ import annotations

import gzip
import json
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipeline.policy.page import Page, Reading, read_page

_WORD = re.compile(r"[^\W_]+")
_REFERENCE = re.compile(r"^\s*\[[^\]]+\]:\s*\S+.*$", re.M)
_TARGET = re.compile(r"\]\((?:[^()\s]|\([^()]*\))*(?:\s+\"[^\"]*\")?\)")
_TAG = re.compile(r"<[^>]*>")


def run(data: Path) -> list[dict[str, Any]]:
    """Return one row per figure: what, ours, peer, goal."""
    pages = [row for row in _rows(data / "manifest.jsonl") if row.get("expected_file")]
    scored = [(*_score(data, row, _ours), row["file"]) for row in pages]
    named = [(*_score(data, row, _named), row["file"]) for row in pages]
    peer = [_score(data, row, _trafilatura) for row in pages]
    kilobytes = sum(len(_body(data, row)) for row in pages) / 100_000
    rows = {row["file"]: row for row in pages}
    noise, seen = _pairs(data, rows, named=False)
    still, _ = _pairs(data, rows, named=True)
    worst = sorted((round(f1, 3), file) for f1, _, file in scored)[:8]
    return [
        _row("extraction token F1, mean", _mean(scored), _mean(peer), 0.97),
        _row("extraction token F1, 10th percentile", _tenth(scored), _tenth(peer), None),
        _row("extraction token F1, mean, with the document's name given", _mean(named), None, 0.97),
        _row("CPU ms per 100 kB of HTML", _cpu(scored, kilobytes), _cpu(peer, kilobytes), 25),
        _row("noise pairs with any clause difference", len(noise), None, 0, noise),
        _row("the same with the document's name given", len(still), None, 0, still),
        _row("changed pairs with no clause difference", len(seen), None, 0, seen),
        _row("worst pages", len(worst), None, None, [f"{score} {file}" for score, file in worst]),
    ]


def _row(
    what: str, ours: float, peer: float | None, goal: float | None, cases: list[str] | None = None
) -> dict[str, Any]:
    return {
        "what": what,
        "ours": round(ours, 3),
        "trafilatura": peer and round(peer, 3),
        "goal": goal,
        "cases": cases or [],
    }


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _body(data: Path, row: dict[str, Any]) -> bytes:
    return gzip.decompress((data / row["file"]).read_bytes())


def _ours(body: bytes, row: dict[str, Any]) -> str:
    reading = read_page(Page(body=body, url=row.get("url") or "", content_type="text/html"))
    return reading.version.text if reading.version else ""


def _named(body: bytes, row: dict[str, Any]) -> str:
    reading = read_page(Page(body=body, url=row.get("url") or "", content_type="text/html", name=_name(row)))
    return reading.version.text if reading.version else ""


def _name(row: dict[str, Any]) -> str:
    return str(row["document"]).partition("--")[0].replace("-", " ")


def _trafilatura(body: bytes, row: dict[str, Any]) -> str:
    import trafilatura

    return (
        trafilatura.extract(body.decode("utf-8", "replace"), favor_recall=True, include_comments=False) or ""
    )


def _score(
    data: Path, row: dict[str, Any], read: Callable[[bytes, dict[str, Any]], str]
) -> tuple[float, float]:
    """Return token F1 and CPU seconds of one page."""
    body = _body(data, row)
    started = time.process_time()
    text = read(body, row)
    spent = time.process_time() - started
    expected = (data / row["expected_file"]).read_text(encoding="utf-8")
    return token_f1(words(text), words(expected)), spent


def words(text: str) -> Counter[str]:
    """Count the words of a Markdown text without its link targets, raw tags and escapes."""
    plain = _TAG.sub(" ", _TARGET.sub("]", _REFERENCE.sub("", text))).replace("\\", "")
    return Counter(_WORD.findall(plain.lower()))


def token_f1(found: Counter[str], expected: Counter[str]) -> float:
    """Return the harmonic mean of precision and recall over words, each counted as often as it stands."""
    both = sum((found & expected).values())
    total = sum(found.values()) + sum(expected.values())
    return 2 * both / total if total else 1.0


def _mean(scored: list[Any]) -> float:
    return statistics.mean(row[0] for row in scored)


def _tenth(scored: list[Any]) -> float:
    return float(sorted(row[0] for row in scored)[len(scored) // 10])


def _cpu(scored: list[Any], units: float) -> float:
    return 1000 * sum(row[1] for row in scored) / units


def _pairs(data: Path, rows: dict[str, dict[str, Any]], *, named: bool) -> tuple[list[str], list[str]]:
    """Return the noise pairs whose clauses differ and the changed pairs whose clauses do not."""
    held: dict[str, Reading] = {}

    def texts(file: str) -> list[str]:
        if file not in held:
            name = _name(rows[file]) if named else ""
            page = Page(
                body=_body(data, rows[file]),
                url=rows[file].get("url") or "",
                content_type="text/html",
                name=name,
            )
            held[file] = read_page(page)
        version = held[file].version
        return (
            [" ".join(_WORD.findall(clause.text.casefold())) for clause in version.clauses] if version else []
        )

    noise, silent = [], []
    for pair in _rows(data / "pairs.jsonl"):
        if pair["kind"] not in {"html_noise_only", "html_content_change"}:
            continue
        same = texts(pair["old_file"]) == texts(pair["new_file"])
        if pair["kind"] == "html_noise_only" and not same:
            noise.append(pair["id"])
        elif pair["kind"] == "html_content_change" and same:
            silent.append(pair["id"])
    return noise, silent


def main() -> None:
    """Print the figures as a table."""
    for row in run(Path(sys.argv[1])):
        print(
            f"{row['what']:<62} {row['ours']:>8} {row['trafilatura'] or '':>12} {row['goal'] if row['goal'] is not None else '':>8}"
        )
        for case in row["cases"]:
            print(f"    {case}")


if __name__ == "__main__":
    main()
