"""How long lists of alerts and deliveries take over HTTP, with many alerts in the log. Run as a module.

`python -m tests.bench.bench_api [--alerts 100000]` fills an embedded log (each alert about 12 kB, two attempts each),
starts the API on loopback with no index, and asks: the first list while the index is made, then lists and pages of
lists with filters, one after the other. CPU times are of this process, which holds server and client.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.adapters.history import open_history
from pipeline.events import Change, ChangeType, Event, Span
from tests.api.desk import desk
from tests.api.test_lists import SERVICES, alert, attempt

AT_ONCE = 500
ASKED = (
    "/v1/alerts",
    "/v1/alerts?limit=200",
    "/v1/alerts?service=x&min_severity=high",
    "/v1/alerts?subscription=legal&since=2030-01-01",
    "/v1/alerts?document=meta/terms&order=oldest",
    "/v1/deliveries?order=newest",
    "/v1/deliveries?subscription=desk&outcome=refused",
    "/v1/deliveries?service=example-ltd&min_severity=critical",
    "/v1/alerts/alt-{:04}",
    "/v1/deliveries?alert=alt-{:04}",
)
WORDS = "We may share your personal data with third parties for purposes of their own, unless you opt out. "


def history(alerts: int) -> Iterator[list[Event]]:
    """Yield events in batches: alerts with ten changes each, and two attempts to tell each."""
    text = WORDS * 5
    changes = tuple(
        Change(
            type=ChangeType.MODIFIED,
            clause_id=f"c-{number}",
            heading_path=("Terms", "Sharing"),
            old=Span(text=text, start=0, end=len(text)),
            new=Span(text=text, start=0, end=len(text)),
        )
        for number in range(10)
    )
    start = datetime(2024, 1, 1, tzinfo=UTC)
    for first in range(0, alerts, AT_ONCE):
        batch: list[Event] = []
        for number in range(first, min(first + AT_ONCE, alerts)):
            at = start + timedelta(minutes=number)
            batch.append(alert(number, raised_at=at, changes=changes))
            batch.append(attempt(number, "desk", attempted_at=at))
            batch.append(attempt(number, "legal", "refused" if number % 50 == 0 else "sent", attempted_at=at))
        yield batch


async def asked(folder: Path, alerts: int, times: int) -> None:
    """Serve and ask, and print what it took."""
    async with desk(folder) as api:
        began, cpu = time.perf_counter(), time.process_time()
        while (await api.call("GET", "/v1/alerts"))[0] == 503:
            await asyncio.sleep(0.5)
        print(
            f"first answer, index made: {time.perf_counter() - began:.1f} s, CPU {time.process_time() - cpu:.1f} s"
        )
        print(
            f"memory of the process at its most: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
        )
        for path in ASKED:
            await told(api, path, alerts, times)
    size = (folder / ".clausewire" / "index.db").stat().st_size / 1e6
    print(f"index {size:.0f} MB, log {(folder / '.clausewire' / 'log.db').stat().st_size / 1e6:.0f} MB")
    began = time.perf_counter()
    async with desk(folder) as api:
        await api.call("GET", "/v1/alerts")
        print(f"first answer after a restart: {time.perf_counter() - began:.2f} s, start of the API included")


async def told(api: object, path: str, alerts: int, times: int) -> None:
    """Ask for one path many times and print the median and the 99th percentile."""
    spent = []
    for turn in range(times):
        began = time.perf_counter()
        status, _ = await api.call("GET", path.format((turn * 7919) % alerts))  # type: ignore[attr-defined]
        spent.append(1000 * (time.perf_counter() - began))
        assert status == 200, (path, status)
    spent.sort()
    print(f"{path}: median {statistics.median(spent):.1f} ms, p99 {spent[int(0.99 * times) - 1]:.1f} ms")


def main() -> None:
    """Fill a log and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-api-") as name:
        folder = Path(name)
        folder.joinpath(".clausewire").mkdir()
        with open_history(f"embedded://{folder}/.clausewire/log.db", create=True) as log:
            for batch in history(options.alerts):
                log.append(batch)
        print(f"{options.alerts:,} alerts, {2 * options.alerts:,} attempts, {len(SERVICES)} services")
        asyncio.run(asked(folder, options.alerts, options.times))


if __name__ == "__main__":
    main()
