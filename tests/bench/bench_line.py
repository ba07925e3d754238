"""From fetch to delivered on the embedded log: seconds per change, with the whole line running in one process.

    python -m tests.bench.bench_line [--changes 100] [--rate 20]

Each change is a new version of its own document of about 10 kB, put into the first topic as a poller would; the
time runs until a real HTTP receiver on loopback has the signed message.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles

import structlog
from aiohttp import web

sys.path.insert(0, str(Path(__file__).parents[2]))

from agents.app import World, wire
from agents.declare import Declared
from agents.match_stories import Desk
from agents.program import Program
from agents.rounds import Sources
from pipeline.adapters.blobs import FolderBlobs
from pipeline.adapters.clock import SystemClock
from pipeline.adapters.ssrf import Allow
from pipeline.adapters.webhook import WebhookClient, WebhookNotifier
from pipeline.alerts.render import webhook
from pipeline.alerts.render.sign import signer
from pipeline.events import Channel, DocumentSpec, FetchOutcome, PageFetched, SubscriptionDeclared
from pipeline.news.watch import WatchIndex
from tests.bench.terms import SECRET, text


class Receiver:
    """Counts signed posts and notes when each document's came."""

    def __init__(self) -> None:
        self.came: dict[str, float] = {}

    async def take(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.came.setdefault(str(body.get("subject", "")), time.perf_counter())
        return web.Response()


async def measure(changes: int, rate: float, folder: Path) -> tuple[list[float], float]:
    """Return the seconds from fetch to delivered of each change, and the CPU seconds of the whole."""
    receiver, app = Receiver(), web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    clock, blobs = SystemClock(), FolderBlobs(folder / "blobs")
    me = SubscriptionDeclared(
        subscription_id="me", name="me", channel=Channel.WEBHOOK, declared_at=clock.now()
    )
    async with WebhookClient(allow=Allow.of("127.0.0.0/8")) as client:
        notifier = WebhookNotifier(
            client,
            url=f"http://127.0.0.1:{port}/hook",
            compose=webhook.compose,
            sign=signer([SECRET]),
            clock=clock,
        )
        program = Program("bench", f"embedded://{folder}/log.db", data=folder, clock=clock)
        wire(
            program,
            World(
                blobs=blobs,
                desk=Desk(WatchIndex([]), []),
                declared=Declared(Sources(), Sources()),
                subscriptions=lambda: [me],
                notifiers={"me": (Channel.WEBHOOK, notifier)},
            ),
        )
        async with program:
            await asyncio.gather(*(fetched(program, blobs, k, 0) for k in range(changes)))
            await asyncio.sleep(2)
            cpu, sent = time.process_time(), {}
            for number in range(changes):
                sent[f"bench/{number}"] = time.perf_counter()
                await fetched(program, blobs, number, 1)
                await asyncio.sleep(max(0.0, 1 / rate - (time.perf_counter() - sent[f"bench/{number}"])))
            end = time.monotonic() + 60
            while len(receiver.came) < changes and time.monotonic() < end:
                await asyncio.sleep(0.01)
            cpu = time.process_time() - cpu
    await runner.cleanup()
    return [receiver.came[key] - sent[key] for key in sent if key in receiver.came], cpu


async def fetched(program: Program, blobs: FolderBlobs, number: int, revision: int) -> None:
    """Put a page, and the read that confirms it, into the first topic."""
    document = DocumentSpec(
        id=f"bench/{number}", service=f"Bench {number}", name="Terms", url="https://example.org/"
    )
    body = await blobs.put(text(number, 90 if revision else 30), media_type="text/markdown")
    for confirms in (False, True):
        await program.log.publish(
            PageFetched(
                document=document,
                fetched_at=datetime.now(UTC),
                outcome=FetchOutcome.OK,
                status=200,
                body=body,
                confirms=confirms,
            )
        )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=100)
    parser.add_argument("--rate", type=float, default=10.0)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    with tempfile.TemporaryDirectory() as folder:
        seconds, cpu = asyncio.run(measure(given.changes, given.rate, Path(folder)))
    cuts = quantiles(seconds, n=100)
    print(f"changes delivered          {len(seconds)} of {given.changes}, at {given.rate:g} a second")
    print(f"fetch to delivered p50     {cuts[49] * 1000:7.0f} ms   aim  200 ms   ratio {cuts[49] / 0.2:.2f}")
    print(f"fetch to delivered p99     {cuts[98] * 1000:7.0f} ms   aim 1000 ms   ratio {cuts[98] / 1.0:.2f}")
    print(f"CPU per change             {cpu / given.changes * 1000:7.1f} ms")


if __name__ == "__main__":
    main()
