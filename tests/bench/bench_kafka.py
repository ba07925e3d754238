"""Kafka: two workers beside one, fetch to delivered, recovery of tables, and sends; side by side on one broker.

    python -m tests.bench.bench_kafka [--only scale|line|recovery|rolling|sends] [--seconds 60] [--rate 50] [--entries 100000]

Without CLAUSEWIRE_TEST_KAFKA=host:port a broker of our own runs for as long as the bench. Workers are processes of
`clausewire worker` as a user starts them; CPU seconds are read from the system.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiokafka import AIOKafkaProducer

from pipeline.adapters.kafka.admin import Wanted, admin_of
from pipeline.adapters.kafka.connection import Connection
from pipeline.topics import TABLES_BY_NAME
from tests.bench.kafka_stand import (
    Deployment,
    Receiver,
    Worker,
    broker,
    cpu_s,
    peak_mb,
    percentile,
    pinned,
    table,
    until,
)

ENTRY = 1_000  # bytes
Row = tuple[str, str, str]


@asynccontextmanager
async def deployment(address: str, folder: Path, **options: object) -> AsyncIterator[Deployment]:
    """A stream of its own with a receiver."""
    async with Receiver().listening() as receiver:
        made = Deployment(address, folder, receiver, **options)  # type: ignore[arg-type]
        try:
            yield made
        finally:
            for worker in made.workers:
                worker.stop(signal.SIGKILL)


async def first_versions(made: Deployment, documents: int) -> None:
    """Put the first version of every document in."""
    async with made.hand() as hand:
        for start in range(0, documents, 50):
            await asyncio.gather(*(hand.put(n, 0) for n in range(start, min(documents, start + 50))))


async def line(address: str, folder: Path, *, seconds: float, rate: float, store: str) -> list[Row]:
    """From fetch to delivered through one worker, at a steady rate."""
    documents, came = int(rate * 6), []
    async with deployment(address, folder, store=store) as made:
        worker = made.worker()
        worker.start()
        try:
            await worker.ready()
            await first_versions(made, documents)
            await settled(worker)
            before, sent = cpu_s(worker.pid), {}
            async with made.hand() as hand:
                began, count, tasks = time.perf_counter(), int(rate * seconds), []
                for number in range(count):
                    await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
                    document, revision = number % documents, number // documents + 1
                    sent[document, revision] = time.perf_counter()
                    tasks.append(asyncio.create_task(hand.put(document, revision)))
                await asyncio.gather(*tasks)
            await until(made.receiver, count, 60)
            used = cpu_s(worker.pid) - before
            memory = peak_mb(worker.pid)
            for document in range(documents):
                arrived = made.receiver.came[f"bench/{document}"]
                came += [
                    at - sent[document, n + 1] for n, at in enumerate(arrived) if (document, n + 1) in sent
                ]
        finally:
            stopped = worker.stop()
    name = f"fetch to delivered, {rate:g} changes/s for {seconds:g} s, {store}"
    return [
        (f"{name}: delivered", f"{len(came)} of {count}", ""),
        (f"{name}: p50", f"{percentile(came, 0.5) * 1000:.0f} ms", "200 ms"),
        (f"{name}: p99", f"{percentile(came, 0.99) * 1000:.0f} ms", "1,000 ms"),
        (f"{name}: CPU per change, peak memory", f"{used / count * 1000:.1f} ms, {memory:.0f} MB", ""),
        (f"{name}: SIGTERM to ended", f"{stopped:.1f} s", "3 s"),
    ]


async def settled(worker: Worker) -> None:
    """Wait until a worker has nothing more to do: it uses hardly any CPU."""
    while True:
        before = cpu_s(worker.pid)
        await asyncio.sleep(1.0)
        if cpu_s(worker.pid) - before < 0.15:
            return


async def scale(address: str, folder: Path, java: int | None, *, changes: int, store: str) -> list[Row]:
    """The same changes, waiting in the first topic, worked off by one worker and by two."""
    cores = os.cpu_count() or 1
    rows: list[Row] = [("cores; broker and workers share them unless pinned", str(cores), "")]
    spent: dict[str, float] = {}
    busiest: dict[str, float] = {}
    kinds: list[tuple[str, list[int | None]]] = [
        ("one worker", [None]),
        ("two workers", [None, None]),
        ("one worker, pinned", [1]),
    ]
    for label, pins in kinds:
        if pins == [1] and java is not None:
            pinned(java, 0)
        wall, cpu, java_cpu = await worked_off(address, folder, java, pins, changes=changes, store=store)
        spent[label], busiest[label] = wall, max(cpu)
        rows.append(
            (
                f"{changes} changes, {label}",
                f"{changes / wall:.1f}/s",
                f"{wall:.1f} s; CPU s: workers {', '.join(f'{c:.1f}' for c in cpu)}, broker {java_cpu:.1f}; "
                f"cores busy with us {(sum(cpu) + java_cpu) / wall:.2f} of {cores}",
            )
        )
    by_wall = spent["one worker"] / spent["two workers"]
    by_cpu = busiest["one worker"] / busiest["two workers"]
    aim = "1.8 where there are cores for two workers and a broker"
    return [
        *rows,
        ("two workers over one, by the clock", f"{by_wall:.2f}", aim),
        (
            "two workers over one, by CPU s of the busier worker",
            f"{by_cpu:.2f}",
            "what cores enough would give",
        ),
    ]


async def worked_off(
    address: str, folder: Path, java: int | None, pins: list[int | None], *, changes: int, store: str
) -> tuple[float, list[float], float]:
    """Return wall seconds until all was delivered, each worker's CPU seconds, and the broker's."""
    async with deployment(address, folder, store=store) as made:
        workers = [made.worker(core) for core in pins]
        try:
            for worker in workers:
                worker.start()
            for worker in workers:
                await worker.ready()
            await asyncio.sleep(3)  # the group may still be sharing the work out
            await first_versions(made, changes)
            for worker in workers:
                await settled(worker)
            cpu = [cpu_s(worker.pid) for worker in workers]
            java_cpu, began = cpu_s(java) if java else 0.0, time.perf_counter()
            async with made.hand() as hand:
                await asyncio.gather(*(hand.put(number, 1) for number in range(changes)))
            assert await until(made.receiver, changes, 300), f"{made.receiver.number} of {changes}"
            wall = time.perf_counter() - began
            used = [cpu_s(worker.pid) - before for worker, before in zip(workers, cpu, strict=True)]
            return wall, used, (cpu_s(java) - java_cpu if java else 0.0)
        finally:
            for worker in workers:
                worker.stop()


async def rolling(address: str, folder: Path, *, rate: float, store: str) -> list[Row]:
    """Two workers are restarted one after the other while pages change."""
    documents, sent = 64, dict[tuple[int, int], float]()
    async with deployment(address, folder, store=store) as made:
        workers = [made.worker(), made.worker()]
        for worker in workers:
            worker.start()
        for worker in workers:
            await worker.ready()
        await first_versions(made, documents)
        for worker in workers:
            await settled(worker)
        stop = asyncio.Event()
        changing = asyncio.create_task(changed(made, documents, rate, sent, stop))
        took = []
        for worker in workers:
            await asyncio.sleep(5)
            took.append(worker.stop())
            worker.start()
            await worker.ready()
        await asyncio.sleep(10)
        stop.set()
        await changing
        await until(made.receiver, len(sent), 60)
        came = sorted(at for times in made.receiver.came.values() for at in times)
        waits = [
            at - sent[document, n + 1]
            for document in range(documents)
            for n, at in enumerate(made.receiver.came[f"bench/{document}"])
        ]
        for worker in workers:
            worker.stop()
    silence = max(later - earlier for earlier, later in itertools.pairwise(came))
    return [
        (
            "rolling restart of two workers: changes told of those made",
            f"{len(came)} of {len(sent)}",
            "all, once",
        ),
        ("longest silence, longest wait of a change", f"{silence:.1f} s, {max(waits):.1f} s", "a rebalance"),
        ("SIGTERM to ended, each worker", ", ".join(f"{one:.1f} s" for one in took), "3 s"),
    ]


async def changed(
    made: Deployment, documents: int, rate: float, sent: dict[tuple[int, int], float], stop: asyncio.Event
) -> None:
    """Change documents in turn, at a rate, until asked to stop."""
    number = 0
    async with made.hand() as hand:
        while not stop.is_set():
            document, revision = number % documents, number // documents + 1
            sent[document, revision] = time.perf_counter()
            await hand.put(document, revision)
            number += 1
            await asyncio.sleep(1 / rate)


async def recovery(address: str, folder: Path, *, entries: int, store: str) -> list[Row]:
    """Start a worker whose tables hold so many entries: cold, and with what it kept on its disk."""
    rows: list[Row] = []
    async with deployment(address, folder, store=store, data=f"data-{store}") as made:
        worker = made.worker()
        worker.start()
        await worker.ready()
        worker.stop()
        empty = await started(made.worker())
        await filled(address, made.prefix + TABLES_BY_NAME["documents"].changelog, entries)
        shutil.rmtree(folder / made.data / "tables", ignore_errors=True)
        for label in ("nothing on the disk", "its store on the disk", "its store, left by kill -9"):
            end = signal.SIGTERM if label.startswith("nothing") else signal.SIGKILL
            wall, cpu, memory = await started(made.worker(), end=end)
            rows.append(
                (
                    f"{entries} entries of {ENTRY} B, {store}, {label}: start to ready",
                    f"{wall:.1f} s",
                    f"15 s (empty: {empty[0]:.1f} s); CPU {cpu:.1f} s (empty: {empty[1]:.1f} s), {memory:.0f} MB",
                )
            )
            if store == "memory":
                break
    return rows


async def started(worker: Worker, *, end: signal.Signals = signal.SIGTERM) -> tuple[float, float, float]:
    """Start a worker and stop it; returns wall and CPU seconds until it was ready, and its peak memory."""
    began = time.perf_counter()
    worker.start()
    try:
        await worker.ready(300)
        wall, cpu, memory = time.perf_counter() - began, cpu_s(worker.pid), peak_mb(worker.pid)
        await asyncio.sleep(1)
        return wall, cpu, memory
    finally:
        worker.stop(end)


async def filled(address: str, changelog: str, entries: int) -> None:
    """Write entries into a changelog."""
    async with AIOKafkaProducer(bootstrap_servers=address, linger_ms=20, max_batch_size=1 << 18) as producer:
        for number in range(entries):
            key = b"bench/%d" % number
            await producer.send(changelog, os.urandom(ENTRY // 2).hex().encode(), key=key)


async def sends(address: str, *, count: int = 2000) -> list[Row]:
    """Events sent with acknowledgement by all replicas: each awaited before the next, and pipelined."""
    topic = f"bench-sends-{os.getpid()}"
    async with admin_of(Connection(servers=(address,))) as admin:
        await admin.create([Wanted(name=topic, partitions=8, config={})], replication=1)
        async with AIOKafkaProducer(
            bootstrap_servers=address, acks="all", enable_idempotence=True
        ) as producer:
            await asyncio.gather(
                *[await producer.send(topic, b"warm", partition=number) for number in range(8)]
            )
            slow, fast = (
                await one_by_one(producer, topic, count // 4),
                await pipelined(producer, topic, count),
            )
        await admin.delete([topic])
    return [
        ("sends of 500 B, awaited one by one", f"{slow:,.0f}/s", ""),
        ("sends of 500 B, pipelined", f"{fast:,.0f}/s", ""),
        ("pipelined over one by one", f"{fast / slow:.1f}", ""),
    ]


async def one_by_one(producer: AIOKafkaProducer, topic: str, count: int) -> float:
    """Return sends per second, each awaited before the next."""
    began = time.perf_counter()
    for number in range(count):
        await producer.send_and_wait(topic, b"x" * 500, key=b"%d" % number)
    return count / (time.perf_counter() - began)


async def pipelined(producer: AIOKafkaProducer, topic: str, count: int) -> float:
    """Return sends per second, awaited together."""
    began = time.perf_counter()
    await asyncio.gather(
        *[await producer.send(topic, b"x" * 500, key=b"%d" % number) for number in range(count)]
    )
    return count / (time.perf_counter() - began)


async def measure(given: argparse.Namespace, folder: Path) -> None:
    """Print what was asked for."""
    with broker(folder / "kafka") as (address, java):
        if given.only in {"", "sends"}:
            table(await sends(address))
        for store in given.store.split(","):
            if given.only in {"", "recovery"}:
                table(await recovery(address, folder, entries=given.entries, store=store))
            if given.only in {"", "line"}:
                table(await line(address, folder, seconds=given.seconds, rate=given.rate, store=store))
        if given.only in {"", "rolling"}:
            table(await rolling(address, folder, rate=4.0, store=given.store.split(",")[0]))
        if given.only in {"", "scale"}:
            table(await scale(address, folder, java, changes=given.changes, store=given.store.split(",")[0]))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", choices=("", "scale", "line", "recovery", "rolling", "sends"))
    parser.add_argument("--store", default="memory,rocksdb")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--changes", type=int, default=400)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(given, Path(folder)))


if __name__ == "__main__":
    main()
