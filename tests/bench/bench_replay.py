"""What running history again costs: page versions a second of one process and of two, on both brokers.

    python -m tests.bench.bench_replay [--documents 16] [--versions 20] [--data DIR] [--only embedded|kafka]

The history is made of real policies with `--data DIR` (Markdown under DIR/policies), else of terms of our own; each
version has one to three edits. What a command tells is compared with what the first one told: it must be equal.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.adapters.blobs import FolderBlobs
from pipeline.adapters.history import open_history
from pipeline.config import load
from pipeline.events import DocumentSpec, FetchOutcome, Origin, PageFetched
from tests.bench.kafka_stand import broker
from tests.flow.line import CLAUSES

FIRST = datetime(2020, 1, 1, tzinfo=UTC)
SMALLEST, LARGEST = 12_000, 32_000  # bytes of a real policy
WORDS = ("30", "60", "may", "must", "not", "third", "personal", "data")
CONFIG = """
data: {folder}
broker: {broker}
kafka: {{prefix: "{prefix}", partitions: 4, session_timeout: 6s}}
documents:
  - {{service: Example, name: Terms of Service, url: "https://example.org/terms"}}
"""


def policies(data: Path | None) -> list[list[str]]:
    """Return the paragraphs of policies to begin with."""
    if data is None:
        return [[f"## {title} {n}\n\n{text}" for n in range(8) for title, text in CLAUSES]]
    texts = [path.read_text(encoding="utf-8") for path in sorted((data / "policies").glob("*/*/*.md"))]
    cut = [text.split("\n\n") for text in texts if SMALLEST <= len(text.encode()) <= LARGEST]
    return [paragraphs for paragraphs in cut if len(paragraphs) > 40]


def edited(paragraphs: list[str], donors: list[list[str]], rng: random.Random) -> list[str]:
    """Return a version with one to three edits: a word, a paragraph more, less or another."""
    found = list(paragraphs)
    for _ in range(rng.choice((1, 1, 2, 3))):
        at, act = rng.randrange(1, len(found)), rng.random()
        if act < 0.5:
            words = found[at].split(" ")
            words[rng.randrange(len(words))] = rng.choice(WORDS)
            found[at] = " ".join(words)
        elif act < 0.75:
            found.insert(at, rng.choice(rng.choice(donors)))
        elif len(found) > 20:
            found.pop(at)
    return found


async def history(blobs: FolderBlobs, documents: int, versions: int, data: Path | None) -> list[PageFetched]:
    """Return the reads of all documents, in the order of their times."""
    rng, donors = random.Random(7), policies(data)
    states = [rng.choice(donors) for _ in range(documents)]
    found = []
    for version in range(versions):
        for number in range(documents):
            if version:
                states[number] = edited(states[number], donors, rng)
            at = FIRST + timedelta(days=version, minutes=number)
            found.append(await page(blobs, number, "\n\n".join(states[number]), at))
    return found


async def page(blobs: FolderBlobs, number: int, text: str, at: datetime) -> PageFetched:
    spec = DocumentSpec(
        id=f"example/terms-{number}", service="Example", name=f"Terms {number}", url="https://example.org"
    )
    return PageFetched(
        document=spec,
        fetched_at=at,
        outcome=FetchOutcome.OK,
        status=200,
        headers={"content-type": "text/markdown"},
        body=await blobs.put(text.encode(), media_type="text/markdown"),
        origin=Origin.IMPORT,
    )


def replayed(config: Path, workers: int) -> tuple[float, float, str]:
    """Run a replay anew; return seconds, CPU seconds of all its processes, and a mark of what it told."""
    command = [sys.executable, "-W", "ignore", "-m", "agents", "replay", "--topic", "pages.fetched", "--anew"]
    before, begun = _spent(), time.monotonic()
    done = subprocess.run(
        [*command, "--workers", str(workers), "--config", str(config)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode > 1:
        raise SystemExit(done.stderr)
    return time.monotonic() - begun, _spent() - before, hashlib.sha256(done.stdout.encode()).hexdigest()


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def brokers(folder: Path, only: str) -> Iterator[tuple[str, str]]:
    """Yield the brokers to measure: a name and a URL, each up for as long as it is looked at."""
    if only in {"", "embedded"}:
        yield "embedded", f"embedded://{folder}/log.db"
    if only == "kafka" or (not only and shutil.which("java")):
        with broker(folder / "kafka") as (address, _):
            yield "kafka", f"kafka://{address}"


def main() -> None:
    """Print versions a second and CPU seconds for one and two workers on each broker."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=16)
    parser.add_argument("--versions", type=int, default=12)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--only", choices=("", "embedded", "kafka"), default="")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as named:
        folder, told = Path(named), set[str]()
        pages = asyncio.run(
            history(FolderBlobs(folder / "blobs"), asked.documents, asked.versions, asked.data)
        )
        size = sum(event.body.size for event in pages if event.body) / len(pages) / 1024
        print(
            f"{len(pages)} versions of {asked.documents} documents, {size:.0f} KiB each, {os.cpu_count()} cores"
        )
        for name, url in brokers(folder, asked.only):
            config = folder / f"{name}.yaml"
            config.write_text(CONFIG.format(folder=folder, broker=url, prefix=f"bench-{os.getpid()}."))
            with open_history(load(config, {}), create=True) as log:
                log.append(pages)
            for workers in (1, 2):
                wall, cpu, mark = replayed(config, workers)
                told.add(mark)
                print(
                    f"{name:<9} {workers} worker{'s' * (workers > 1):<1}  {len(pages) / wall:6.1f} versions/s"
                    f"  {len(pages) / cpu:6.1f} per CPU second  {cpu:6.1f} CPU s  {wall:6.1f} s"
                )
        print("all told the same" if len(told) == 1 else "THEY TOLD DIFFERENT THINGS")


if __name__ == "__main__":
    main()
