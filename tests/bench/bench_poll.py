"""What polling costs: a pass over 1,000 unchanged pages on 1,000 hosts, and parsing real feeds.

Run `python -m tests.bench.bench_poll [--data DIR]`; DIR holds the project's collected data (news/feeds_captured).
Figures are CPU seconds (user and system) of the polling process, which is started for each measurement.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog
from msgspec import structs

from agents.poll_policies import poll_policies
from agents.rounds import Sources
from pipeline.adapters.blobs import FolderBlobs
from pipeline.adapters.clock import SystemClock
from pipeline.adapters.feeds import FeedParser
from pipeline.adapters.feedworker import FeedRequest, parse_feed
from pipeline.adapters.http import Fetcher, FetchLimits
from pipeline.adapters.pollstate import PollStates
from pipeline.errors import FetchError
from pipeline.events import DocumentSpec
from pipeline.polling import PollState
from tests.bench.poll_server import host
from tests.fakes import ListLog

HOSTS = 1_000
PASSES = 4


class Memory(PollStates):
    """Poll states in their file, with every source due again when it is loaded."""

    async def load(self, source_id: str) -> PollState | None:
        state = await super().load(source_id)
        return structs.replace(state, due_at=None) if state else None


@contextmanager
def site(hosts: int, *, etag: bool) -> Iterator[int]:
    """Serve the pages in a process of their own, and yield the port."""
    command = [sys.executable, "-m", "tests.bench.poll_server", str(hosts), *(["--etag"] if etag else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None, "the server says its port"
        try:
            yield int(server.stdout.readline())
        finally:
            server.kill()


async def passes(port: int, hosts: int, folder: Path) -> list[dict[str, float]]:
    """Poll every page several times over, and say what each pass cost."""
    clock, log = SystemClock(), ListLog()
    specs = [
        DocumentSpec(
            id=f"d{n}", service="s", name="n", url=f"http://{host(n)}:{port}/page/{n}", interval_s=1e6
        )
        for n in range(hosts)
    ]
    figures = []
    async with (
        Fetcher(clock=clock, limits=FetchLimits(), trust_env=False) as fetcher,
        Memory(folder / "polls.db") as memory,
    ):
        for _ in range(PASSES):
            told, cpu, wall = len(log.published), time.process_time(), time.perf_counter()
            await one_pass(Sources(specs), fetcher, FolderBlobs(folder / "blobs"), log, memory, clock)
            figures.append(
                {
                    "cpu_s": time.process_time() - cpu,
                    "wall_s": time.perf_counter() - wall,
                    "records": len(log.published) - told,
                    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                }
            )
    return figures


async def one_pass(
    sources: Sources[DocumentSpec],
    fetcher: Fetcher,
    blobs: FolderBlobs,
    log: ListLog,
    memory: Memory,
    clock: SystemClock,
) -> None:
    """Poll each source once."""
    stop, started = asyncio.Event(), clock.now()
    polling = asyncio.create_task(
        poll_policies(
            sources, fetcher=fetcher, blobs=blobs, publish=log, memory=memory, clock=clock, stop=stop
        )
    )
    while sum(1 for state in sources.states.values() if (state.read_at or started) > started) < HOSTS:
        await asyncio.sleep(0.05)
    stop.set()
    await polling


def measure_pass(*, etag: bool) -> list[dict[str, float]]:
    """Run the passes in a fresh process, so that peak memory is theirs alone."""
    command = [sys.executable, "-m", "tests.bench.bench_poll", "--pass", "etag" if etag else "plain"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    figures: list[dict[str, float]] = json.loads(done.stdout.splitlines()[-1])
    return figures


def passes_alone(*, etag: bool) -> None:
    """What the fresh process does: serve, poll, print the figures as JSON."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory() as folder, site(HOSTS, etag=etag) as port:
        print(json.dumps(asyncio.run(passes(port, HOSTS, Path(folder)))))


def feeds(data: Path) -> list[FeedRequest]:
    """Return the captured feeds as requests to the parser."""
    root = data / "news" / "feeds_captured"
    rows = [json.loads(line) for line in (root / "manifest.jsonl").read_text().splitlines()]
    files = [root / row["file"] for row in rows if (root / row["file"]).exists()]
    return [
        FeedRequest(body=file.read_bytes(), content_type="", url="https://example.com/feed") for file in files
    ]


async def longest_pause(requests: list[FeedRequest]) -> float:
    """Return the longest turn of the event loop (ms of its CPU time) while feeds were parsed."""
    longest = 0.0

    async def parse_all() -> None:
        async with FeedParser() as parser:
            for request in requests:
                try:
                    await parser.parse(request.body, content_type="", url=request.url)
                except FetchError:
                    continue

    parsing = asyncio.create_task(parse_all())
    while not parsing.done():
        before = time.thread_time()
        await asyncio.sleep(0)
        longest = max(longest, time.thread_time() - before)
    await parsing
    return longest * 1000


def run(data: Path | None) -> list[dict[str, Any]]:
    """Return one row per figure: what, ours, peer, goal; those on real feeds only where data is given."""
    rows = []
    for etag in (False, True):
        figures = measure_pass(etag=etag)
        name = "with ETag" if etag else "without ETag"
        rows.append(
            _row(f"1,000 unchanged pages, {name}: CPU s", figures[-1]["cpu_s"], 5.3 if etag else 5.4, 2.0)
        )
        rows.append(_row(f"1,000 unchanged pages, {name}: wall s", figures[-1]["wall_s"], None, 10.0))
        rows.append(_row(f"1,000 pages, {name}: peak MB", figures[-1]["peak_mb"], 97 if etag else 111, 120.0))
        rows.append(_row(f"1,000 unchanged pages, {name}: records", figures[-1]["records"], None, 0))
    return rows + (parsing(feeds(data)) if data else [])


def parsing(requests: list[FeedRequest]) -> list[dict[str, Any]]:
    """Return the rows on parsing feeds."""
    rows = []
    cpu = time.process_time()
    entries = sum(len(parse_feed(request).items) for request in requests)
    cpu = time.process_time() - cpu
    rows.append(_row("feeds parsed per CPU s", len(requests) / cpu, None, None))
    rows.append(_row("feed entries per CPU s", entries / cpu, None, None))
    rows.append(
        _row(
            "longest turn of the event loop while parsing, ms",
            asyncio.run(longest_pause(requests)),
            None,
            20.0,
        )
    )
    return rows


def _row(what: str, ours: float, peer: float | None, goal: float | None) -> dict[str, Any]:
    return {"what": what, "ours": round(ours, 3), "peer": peer, "goal": goal}


def main() -> None:
    """Print the figures, or run as the process that is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--pass", dest="kind", choices=("etag", "plain"))
    given = parser.parse_args()
    if given.kind:
        passes_alone(etag=given.kind == "etag")
        return
    for row in run(given.data):
        print(f"{row['what']:<60} {row['ours']:>10}  peer {row['peer']}  goal {row['goal']}")


if __name__ == "__main__":
    main()
