"""What delivery costs: signed posts to a hundred endpoints of which one hangs and one fails, routing, rendering.

Run `python -m tests.bench.bench_delivery [--posts N] [--data DIR]`; the receivers run in a process of their own.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from pipeline.adapters.clock import SystemClock
from pipeline.adapters.ssrf import Allow
from pipeline.adapters.webhook import WebhookClient, WebhookNotifier
from pipeline.alerts.render import email, slack, webhook
from pipeline.alerts.render.email import Letter
from pipeline.alerts.route import routes
from pipeline.errors import PipelineError
from pipeline.events import Filters, Severity
from tests.alerts.samples import SEEN, alert, due, subscription

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ENDPOINTS = 100
ABREAST = 50
HANGING, FAILING = 1, 2


@contextmanager
def receivers(count: int) -> Iterator[int]:
    """Serve the endpoints in a process of their own, and yield their port."""
    command = [sys.executable, "-m", "tests.bench.hook_server", str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None, "the server says its port"
        try:
            yield int(server.stdout.readline())
        finally:
            server.terminate()


async def post(port: int, posts: int) -> tuple[list[float], int]:
    """Post to the endpoints in turn, `ABREAST` healthy ones at a time; return healthy latencies and failures."""
    taken: list[float] = []
    failures = 0
    async with WebhookClient(allow=Allow.of("127.0.0.0/8"), timeout_s=15.0) as client:
        senders = [
            _notifier(client, f"http://127.0.1.{number}:{port}/hook") for number in range(1, ENDPOINTS + 1)
        ]
        stuck = [asyncio.create_task(_quietly(senders[HANGING - 1], f"h{n}")) for n in range(20)]
        turns = iter(range(posts))

        async def work() -> None:
            nonlocal failures
            for turn in turns:
                number = FAILING + turn % (ENDPOINTS - 1)
                began = time.perf_counter()
                if await _quietly(senders[number - 1], f"dlv-{turn}"):
                    taken.append(time.perf_counter() - began)
                else:
                    failures += 1

        await asyncio.gather(*(work() for _ in range(ABREAST)))
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)
    return taken, failures


def _notifier(client: WebhookClient, url: str) -> WebhookNotifier:
    sign = webhook.signer([SECRET])
    return WebhookNotifier(client, url=url, compose=webhook.compose, sign=sign, clock=SystemClock())


async def _quietly(sender: WebhookNotifier, delivery_id: str) -> bool:
    try:
        await sender.send(due(alert(), delivery_id), parent=None)
    except PipelineError:
        return False
    return True


def bench_posts(posts: int) -> None:
    """Signed posts, one endpoint hanging with twenty posts under way, one answering 500."""
    with receivers(ENDPOINTS) as port:
        asyncio.run(post(port, ENDPOINTS))  # connections are opened anew below; this warms the code
        wall, cpu = time.perf_counter(), time.process_time()
        taken, failures = asyncio.run(post(port, posts))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    taken.sort()
    p50, p99 = taken[len(taken) // 2], taken[len(taken) * 99 // 100]
    print(
        f"signed posts to {ENDPOINTS} endpoints, {ABREAST} abreast: {posts / wall:,.0f}/s wall, {posts / cpu:,.0f}/s cpu"
    )
    print(
        f"  healthy endpoints: p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms; {failures} posts failed as they should"
    )


def bench_routes() -> None:
    """One alert against ten thousand subscriptions."""
    levels = list(Severity)
    many = [
        msgspec.structs.replace(
            subscription(f"s{number}"),
            filters=Filters(services=("Y", "X"), categories=("sharing",), min_severity=levels[number % 5]),
        )
        for number in range(10_000)
    ]
    print(f"10,000 subscriptions matched: {1000 * _best(lambda: routes(alert(), many)):.1f} ms cpu")


def bench_rendering() -> None:
    """One alert as each channel's message."""
    letter = Letter(sender="alerts@example.org", to=("ann@example.net",))
    made = {
        "slack": lambda: slack.compose(due()),
        "webhook, signed": lambda: webhook.signer([SECRET])("dlv-1", SEEN, webhook.compose(due())),
        "mail": lambda: email.compose(due(), letter=letter, sent_at=SEEN).as_bytes(),
    }
    for name, make in made.items():
        print(f"rendered as {name}: {1000 * _best(make):.2f} ms cpu")


def _best(act: Callable[[], object], times: int = 20) -> float:
    """Return the least CPU seconds that an act takes."""

    def once() -> float:
        began = time.process_time()
        act()
        return time.process_time() - began

    return min(once() for _ in range(times))


def run(data: Path | None = None, *, posts: int = 5_000) -> None:
    """Print every figure; nothing here needs data."""
    bench_routes()
    bench_rendering()
    bench_posts(posts)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=5_000)
    parser.add_argument("--data", type=Path, default=None)
    arguments = parser.parse_args()
    run(arguments.data, posts=arguments.posts)
