"""What the benches on Kafka stand on: a broker, workers as a user starts them, a hand that puts pages in, a receiver.

Every process can be pinned to a core, and its CPU seconds are read from the system, so that the bottleneck shows.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from aiohttp import ClientError, ClientSession, web
from aiokafka import AIOKafkaProducer

from agents.cluster import Cluster
from pipeline.adapters.blobs import FolderBlobs
from pipeline.adapters.wire import headers, pack
from pipeline.events import DocumentSpec, FetchOutcome, PageFetched
from tests.bench.terms import SECRET, text
from tests.kafka import ADDRESS_VARIABLE, cluster, free_port

TICKS = os.sysconf("SC_CLK_TCK")
REPOSITORY = Path(__file__).parents[2]


class Receiver:
    """Takes signed posts and notes when each came, by document."""

    def __init__(self) -> None:
        self.came: defaultdict[str, list[float]] = defaultdict(list)
        self.ids: set[str] = set()
        self.port = 0

    @property
    def number(self) -> int:
        return len(self.ids)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.json()
        if request.headers["webhook-id"] not in self.ids:
            self.ids.add(request.headers["webhook-id"])
            self.came[str(body.get("subject", ""))].append(time.perf_counter())
        return web.Response()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Receiver]:
        """Listen on loopback inside the context."""
        app = web.Application()
        app.router.add_post("/hook", self.take)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            await runner.cleanup()


@dataclass
class Worker:
    """A `clausewire worker` in a process of its own."""

    config: Path
    core: int | None = None
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, pinned to its core."""
        self.port = free_port()
        pin = ["taskset", "-c", str(self.core)] if self.core is not None else []
        words = ["-m", "agents", "worker", "--config", str(self.config), "--metrics-port", str(self.port)]
        log = (self.config.parent / f"worker-{self.port}.log").open("ab")
        self.process = subprocess.Popen(
            [*pin, sys.executable, "-W", "ignore", *words],
            env={**os.environ, "WEBHOOK_SECRET": SECRET},
            cwd=REPOSITORY,
            stdout=log,
            stderr=log,
        )
        log.close()

    async def ready(self, within_s: float = 120.0) -> float:
        """Wait until it works; returns the seconds that took."""
        began = time.perf_counter()
        async with ClientSession() as session:
            while time.perf_counter() - began < within_s:
                try:
                    async with session.get(f"http://127.0.0.1:{self.port}/health/ready") as answer:
                        if answer.status == 200:
                            return time.perf_counter() - began
                except ClientError:
                    pass
                assert self.process
                assert self.process.poll() is None, "the worker ended; see its log"
                await asyncio.sleep(0.02)
        raise TimeoutError("the worker is not ready")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> float:
        """Stop it; returns the seconds that took."""
        began = time.perf_counter()
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(30)
        return time.perf_counter() - began

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid


@dataclass
class Deployment:
    """One stream of pages under names of its own, the workers on it, and where they tell what changed."""

    broker: str
    folder: Path
    receiver: Receiver
    partitions: int = 8
    store: str = "memory"
    prefix: str = field(default_factory=lambda: f"bench-{uuid.uuid4().hex[:8]}.")
    data: str = "data"
    more: Mapping[str, Any] = field(default_factory=dict)
    workers: list[Worker] = field(default_factory=list)

    def worker(self, core: int | None = None) -> Worker:
        """Return a worker that is not started yet."""
        self.workers.append(Worker(self.configuration(), core))
        return self.workers[-1]

    def configuration(self) -> Path:
        """Write the configuration and return where it is."""
        hook = {
            "url": f"http://127.0.0.1:{self.receiver.port}/hook",
            "secret_env": "WEBHOOK_SECRET",
            "allow_private": True,
        }
        settings = {
            "data": self.data,
            "broker": f"kafka://{self.broker}",
            "kafka": {
                "prefix": self.prefix,
                "partitions": self.partitions,
                "session_timeout": "6s",
                "store": self.store,
            },
            "routes": [{"name": "hook", "to": {"webhook": hook}}],
            **self.more,
        }
        path = self.folder / f"{self.prefix}yaml"
        path.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
        return path

    @property
    def blobs(self) -> FolderBlobs:
        return FolderBlobs(self.folder / self.data / "blobs")

    @asynccontextmanager
    async def hand(self) -> AsyncIterator[Hand]:
        """Return what puts pages into the first topic."""
        async with AIOKafkaProducer(
            bootstrap_servers=self.broker, acks="all", linger_ms=0, enable_idempotence=True
        ) as producer:
            yield Hand(producer, self.prefix + "pages.fetched", self.blobs)


@dataclass
class Hand:
    """Puts pages into the first topic as a poller does."""

    producer: AIOKafkaProducer
    topic: str
    blobs: FolderBlobs

    async def put(self, number: int, revision: int) -> None:
        """Put a page, and the read that confirms it; returns when the broker has both."""
        document = DocumentSpec(
            id=f"bench/{number}", service=f"Bench {number}", name="Terms", url="https://example.org/"
        )
        body = await self.blobs.put(text(number, 30 + revision), media_type="text/markdown")
        sent = []
        for confirms in (False, True):
            event = PageFetched(
                document=document,
                fetched_at=datetime.now(UTC),
                outcome=FetchOutcome.OK,
                status=200,
                body=body,
                confirms=confirms,
            )
            marks = list(headers(event).items())
            sent.append(
                await self.producer.send(self.topic, pack(event), key=document.id.encode(), headers=marks)
            )
        await asyncio.gather(*sent)


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process has used, its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_mb(pid: int) -> float:
    """Return the most memory that a process had, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def pinned(pid: int, core: int) -> None:
    """Keep a running process, with all its threads, on one core."""
    subprocess.run(["taskset", "-a", "-p", "-c", str(core), str(pid)], check=False, capture_output=True)


@contextmanager
def broker(folder: Path) -> Iterator[tuple[str, int | None]]:
    """Return a broker's address and its process: the one that is named, or one of our own for as long as it takes."""
    named = os.environ.get(ADDRESS_VARIABLE)
    if named:
        yield named, _listener(named)
        return
    with cluster(folder) as running:
        assert isinstance(running, Cluster)
        yield running.bootstrap, running.members[0].pid()


def _listener(address: str) -> int | None:
    """Return the process that listens on a port of this machine, where the system tells."""
    port = address.rpartition(":")[2]
    done = subprocess.run(["ss", "-ltnpH", f"sport = :{port}"], check=False, capture_output=True, text=True)
    _, found, rest = done.stdout.partition("pid=")
    return int(rest.split(",")[0]) if found else None


def percentile(seconds: Sequence[float], share: float) -> float:
    """Return the value under which a share of the values lies."""
    ranked = sorted(seconds)
    return ranked[min(len(ranked) - 1, int(len(ranked) * share))]


async def until(told: Receiver, number: int, within_s: float) -> bool:
    """Wait until so many messages came, for so long at most."""
    end = time.monotonic() + within_s
    while told.number < number and time.monotonic() < end:
        await asyncio.sleep(0.02)
    return told.number >= number


def table(rows: Iterable[tuple[str, str, str]]) -> None:
    """Print measure, figure and aim."""
    for what, figure, aim in rows:
        print(f"{what:<58} {figure:>24}   {aim}", flush=True)
