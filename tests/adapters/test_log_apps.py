"""Faust apps on a broker: agents, tables and restarts. Part of the contract, so it runs on Kafka too."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import faust
import pytest

from tests.adapters.log_broker import KINDS, SHORT_SEGMENTS, Bench, bench_of, until


@pytest.fixture(params=KINDS)
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    """A broker of the kind at hand, with what a test needs to use it."""
    async with bench_of(request, tmp_path) as made:
        yield made


@asynccontextmanager
async def running(app: faust.App) -> AsyncIterator[faust.App]:
    """An app that runs for as long as the block does."""
    await app.start()
    try:
        yield app
    finally:
        await app.stop()


def collecting(app: faust.App, topic: str, into: list[bytes]) -> None:
    """Give an app an agent that keeps the values it sees."""

    @app.agent(app.topic(topic), name="collect")
    async def collect(stream: Any) -> None:
        async for event in stream.events():
            into.append(event.value)  # noqa: PERF401 as they come, not at the end


def counting(app: faust.App, topic: str, partitions: int) -> Any:
    """Give an app an agent that keeps the newest value of each key in a table; the table."""
    table = app.Table(
        "newest", partitions=partitions, key_type=bytes, value_type=bytes, extra_topic_configs=SHORT_SEGMENTS
    )

    @app.agent(app.topic(topic), name="keep")
    async def keep(stream: Any) -> None:
        async for event in stream.events():
            table[event.key] = event.value

    return table


def acking(app: faust.App, topic: str, which: Callable[[bytes], bool], seen: list[bytes]) -> None:
    """Give an app an agent that acknowledges by hand, newest first, and only what it is told to."""

    @app.agent(app.topic(topic), name="ack")
    async def ack(stream: Any) -> None:
        held = []
        async for event in stream.noack().events():
            seen.append(event.value)
            held.append(event)
            for open_event in reversed([event for event in held if which(event.value)]):
                open_event.ack()
            held = [event for event in held if not which(event.value)]


async def test_agent_processes(bench: Bench) -> None:
    """An agent sees what is sent while it runs."""
    topic = await bench.topic("run", 2)
    seen: list[bytes] = []
    app = bench.app()
    collecting(app, topic, seen)
    async with running(app):
        await bench.send(topic, b"v")
        await until(lambda: seen == [b"v"])


async def test_agents_chain(bench: Bench) -> None:
    """What one agent sends, pipelined and awaited, the next one sees, in order."""
    first, second = await bench.topic("first", 2), await bench.topic("second", 2)
    seen: list[bytes] = []
    app = bench.app()
    out = app.topic(second)

    @app.agent(app.topic(first), name="double")
    async def double(stream: Any) -> None:
        async for event in stream.noack().events():
            sends = [await out.send(key=event.key, value=event.value + mark) for mark in (b"a", b"b")]
            await asyncio.gather(*sends)
            event.ack()

    collecting(app, second, seen)
    async with running(app):
        for n in range(20):
            await bench.send(first, b"%02d" % n)
        await until(lambda: len(seen) == 40)
    assert seen == sorted(seen)


async def test_restart_resumes(bench: Bench) -> None:
    """A new run goes on where the last one ended."""
    topic = await bench.topic("resume", 2)
    runs: list[list[bytes]] = [[], []]
    for number, seen in enumerate(runs):
        app = bench.app()
        collecting(app, topic, seen)
        async with running(app):
            await bench.send(topic, b"%d" % number)
            await until(lambda seen=seen: bool(seen))
    assert runs == [[b"0"], [b"1"]]


@pytest.mark.parametrize("is_compacted", [False, True])
async def test_table_recovers(bench: Bench, is_compacted: bool) -> None:
    """A table holds after a restart what it held before, from a compacted changelog too."""
    topic = await bench.topic("table", 4)
    app = bench.app()
    table = counting(app, topic, 4)
    async with running(app):
        for n in range(40):
            await bench.send(topic, b"%d" % n, key=b"key-%d" % (n % 5))
        await until(lambda: table.get(b"key-4") == b"39")
        before = dict(table)
    if is_compacted:
        await bench.broker.compact(table.changelog_topic_name)
    again = bench.app()
    recovered = counting(again, topic, 4)
    async with running(again):
        await until(lambda: dict(recovered) == before)
    assert len(before) == 5


async def test_table_forgets_deleted(bench: Bench) -> None:
    """A key that was deleted stays deleted after a restart."""
    topic = await bench.topic("forget", 1)
    tables = []
    for _ in range(2):
        app = bench.app()
        table = app.Table("held", partitions=1, key_type=bytes, value_type=bytes)

        @app.agent(app.topic(topic), name="hold")
        async def hold(stream: Any, table: Any = table) -> None:
            async for event in stream.events():
                if event.value == b"delete":
                    table.pop(event.key, None)
                else:
                    table[event.key] = event.value

        tables.append(table)
        async with running(app):
            for key, value in ((b"a", b"1"), (b"b", b"1"), (b"a", b"delete"), (b"end", b"1")):
                if len(tables) == 1:
                    await bench.send(topic, value, key=key)
            await until(lambda table=table: b"end" in table)
    assert dict(tables[1]) == {b"b": b"1", b"end": b"1"}


async def test_open_event_comes_again(bench: Bench) -> None:
    """An event nobody acknowledged comes again after a restart, though later ones were acknowledged."""
    topic = await bench.topic("open")
    seen: list[bytes] = []
    app = bench.app()
    acking(app, topic, lambda value: value != b"2", seen)
    async with running(app):
        for n in range(6):
            await bench.send(topic, b"%d" % n)
        await until(lambda: len(seen) == 6)
        await asyncio.sleep(0.5)  # two commits
    again: list[bytes] = []
    second = bench.app()
    acking(second, topic, lambda _: True, again)
    async with running(second):
        await until(lambda: b"5" in again)
    assert again == [b"2", b"3", b"4", b"5"]


async def test_first_open_event_comes_again(bench: Bench) -> None:
    """The first event of all comes again when only later ones were acknowledged."""
    topic = await bench.topic("first-open")
    seen: list[bytes] = []
    app = bench.app()
    acking(app, topic, lambda value: value != b"0", seen)
    async with running(app):
        for n in range(3):
            await bench.send(topic, b"%d" % n)
        await until(lambda: len(seen) == 3)
        await asyncio.sleep(0.5)
    again: list[bytes] = []
    second = bench.app()
    collecting(second, topic, again)
    async with running(second):
        await until(lambda: b"2" in again)
    assert again[0] == b"0"


async def test_backlog_is_worked_off(bench: Bench) -> None:
    """An agent whose buffer is far smaller than the backlog gets it all, once and in order."""
    topic = await bench.topic("backlog")
    await asyncio.gather(*[await bench.start_send(topic, b"%05d" % n) for n in range(3000)])
    seen: list[bytes] = []
    app = bench.app(stream_buffer_maxsize=16)
    collecting(app, topic, seen)
    async with running(app):
        await until(lambda: len(seen) == 3000)
    assert seen == sorted(seen)


async def test_app_starts_and_stops_fast(bench: Bench) -> None:
    """An app with an agent and a table is at work soon after its start, and stops at once."""
    topic = await bench.topic("fast", 4)
    app = bench.app()
    table = counting(app, topic, 4)
    await bench.send(topic, b"v")
    started = time.monotonic()
    await app.start()
    await until(lambda: b"k" in table)
    at_work = time.monotonic()
    await app.stop()
    assert at_work - started < (1.5 if bench.broker.name == "embedded" else 15)
    assert time.monotonic() - at_work < 3
