"""How fast the embedded log is: appends, fsyncs, and events through two agents and a table.

Run `python -m tests.bench.bench_log [--events N] [--profile]`; prints one line per figure, CPU time beside wall time.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import pstats
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import faust

from pipeline.adapters.embedded import Entry, Log, quiet_settings

PARTITIONS = 4
KEYS = 1_000


def line(what: str, count: int, wall_s: float, cpu_s: float, more: str = "") -> None:
    """Print one figure."""
    print(f"{what:<44} {count / wall_s:>9,.0f}/s wall {count / cpu_s:>9,.0f}/s cpu  {more}", flush=True)


def measured(act: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds that an act takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - wall, time.process_time() - cpu


def entries(count: int, size: int) -> list[Entry]:
    """Records of `size` bytes over a thousand keys."""
    return [Entry("bench", b"key-%d" % (number % KEYS), b"x" * size) for number in range(count)]


def bench_appends(folder: Path) -> None:
    """Appends by a command: one by one, and in batches."""
    with Log(folder / "append.db") as log:
        log.create("bench", PARTITIONS)
        single = entries(300, 500)
        wall, cpu = measured(lambda: [log.append_many([entry]) for entry in single])
        line("append, one record a commit", len(single), wall, cpu)
        many = entries(50_000, 500)
        wall, cpu = measured(lambda: [log.append_many(many[i : i + 1000]) for i in range(0, len(many), 1000)])
        line("append, 1,000 records a commit", len(many), wall, cpu)
        wall, cpu = measured(lambda: [log.read("bench", 0, start, 500) for start in range(0, 12_000, 500)])
        line("read, 500 records a batch", 12_000, wall, cpu)


async def bench_agents(folder: Path, count: int) -> None:
    """Events through two agents and a table; the first acknowledges an event once its result is on the disk."""
    path = folder / "agents.db"
    app = faust.App(
        "bench",
        broker=f"embedded://{path}",
        store="memory://",
        datadir=str(folder / "data"),
        **quiet_settings(),
    )
    source, middle = (app.topic(name, partitions=PARTITIONS) for name in ("source", "middle"))
    table = app.Table("seen", partitions=PARTITIONS, key_type=bytes, value_type=bytes)
    arrived = 0
    done = asyncio.Event()

    @app.agent(source)
    async def forward(stream: faust.StreamT) -> None:
        async for event in stream.noack().events():
            sent = await middle.send(key=event.key, value=event.value)
            sent.add_done_callback(lambda _, event=event: event.ack())

    @app.agent(middle)
    async def count_them(stream: faust.StreamT) -> None:
        nonlocal arrived
        async for event in stream.events():
            table[event.key] = event.value
            arrived += 1
            if arrived == count:
                done.set()

    with Log(path) as log:
        log.create("source", PARTITIONS)
        log.append_many(entry._replace(topic="source") for entry in entries(count, 200))
    started = time.perf_counter()
    await app.start()
    print(f"{'start to ready':<44} {time.perf_counter() - started:>9.2f} s", flush=True)
    wall, cpu = time.perf_counter(), time.process_time()
    await done.wait()
    await app.producer.flush()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    journal = app.transport.journal
    written = count * 2
    line(
        "two agents and a table, events",
        count,
        wall,
        cpu,
        f"{journal.commits / written:.4f} commits a record",
    )
    stopping = time.perf_counter()
    await app.stop()
    print(f"{'stop':<44} {time.perf_counter() - stopping:>9.2f} s", flush=True)


async def bench_latency(folder: Path) -> None:
    """From send to the agent, one record at a time."""
    app = faust.App(
        "latency",
        broker=f"embedded://{folder / 'latency.db'}",
        store="memory://",
        datadir=str(folder / "data2"),
        **quiet_settings(),
    )
    topic = app.topic("ping", partitions=1)
    arrived: asyncio.Queue[float] = asyncio.Queue()

    @app.agent(topic)
    async def receive(stream: faust.StreamT) -> None:
        async for _ in stream.events():
            arrived.put_nowait(time.perf_counter())

    await app.start()
    waits = []
    for _ in range(200):
        sent = time.perf_counter()
        await topic.send(key=b"k", value=b"v")
        waits.append(await arrived.get() - sent)
    waits.sort()
    print(
        f"{'send to agent, p50 / p99':<44} {waits[100] * 1000:>9.1f} / {waits[197] * 1000:.1f} ms", flush=True
    )
    cpu, wall = time.process_time(), 3.0
    await asyncio.sleep(wall)
    print(f"{'idle CPU':<44} {(time.process_time() - cpu) / wall * 100:>9.2f} %", flush=True)
    await app.stop()


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--data", help="not needed: this bench makes its own records")
    parser.add_argument("--profile", action="store_true", help="show where the agents' time goes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bench_appends(folder)
        profile = cProfile.Profile() if options.profile else None
        if profile is not None:
            profile.enable()
        asyncio.run(bench_agents(folder, options.events))
        if profile is not None:
            profile.disable()
            pstats.Stats(profile).sort_stats("tottime").print_stats(35)
        asyncio.run(bench_latency(folder))


if __name__ == "__main__":
    main()
