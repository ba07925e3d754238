"""Processes of their own that the log's tests start, kill and starve: `python -m tests.adapters.log_children ROLE PATH`."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
from itertools import count
from pathlib import Path
from typing import Any

import faust

from pipeline.adapters.embedded import Entry, Log, quiet_settings
from pipeline.errors import StoreError


def say(text: str) -> None:
    """One line to the parent, past any buffer."""
    os.write(1, text.encode() + b"\n")


def new_app(path: Path, group: str = "child") -> faust.App:
    """A quiet app on the log at a path."""
    folder = str(path.with_name(f"{group}.data"))
    return faust.App(
        group, broker=f"embedded://{path}", store="memory://", datadir=folder, **quiet_settings()
    )


def append_batches(path: Path) -> None:
    """Append batches for ever, saying the last offset of each once it is acknowledged."""
    with Log(path) as log:
        log.create("t", 1)
        start = log.end_offsets("t")[0]
        for first in count(start, 7):
            numbers = range(first, first + 7)
            places = log.append_many(Entry("t", b"k", b"%d" % number * 50) for number in numbers)
            say(str(places[-1].offset))


async def append_by_app(path: Path) -> None:
    """Send for ever through a producer, pipelined, saying each offset once it is acknowledged."""
    app = new_app(path)
    await app.producer.start()
    topic = app.topic("t", partitions=1)
    await topic.declare()
    while True:
        for sent in [await topic.send(key=b"k", value=b"x" * 300) for _ in range(50)]:
            sent.add_done_callback(lambda done: say(str(done.result().offset)))
        await asyncio.sleep(0.001)


def busy_app(path: Path) -> faust.App:
    """An app with an agent that is always in the middle of a long step."""
    app = new_app(path)
    topic = app.topic("t", partitions=4)
    table = app.Table("held", partitions=4, key_type=bytes, value_type=bytes)

    @app.agent(topic)
    async def work(stream: Any) -> None:
        async for event in stream.noack().events():
            table[event.key] = event.value
            say("working")
            await asyncio.sleep(3600)

    @app.task
    async def feed() -> None:
        await topic.send(key=b"k", value=b"v")

    return app


async def serve(path: Path) -> None:
    """Run the busy app until SIGTERM, as the program does."""
    app = busy_app(path)
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    await app.start()
    await told.wait()
    await app.stop()


def limit_files(size: int) -> None:
    """Let no file grow past a size, as a full disk would not; -1 lifts the limit again."""
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (size if size >= 0 else hard, hard))


def largest(path: Path) -> int:
    """Bytes of the largest file of the log."""
    return max(file.stat().st_size for file in path.parent.glob(path.name + "*"))


def fill_disk(path: Path) -> None:
    """Append until the disk is full, say the error, make room, append again."""
    with Log(path) as log:
        log.create("t", 1)
        log.append("t", b"before")
        limit_files(largest(path) + 100_000)
        try:
            for _ in range(1000):
                log.append("t", b"x" * 20_000)
        except StoreError as error:
            say(f"{error} | {error.remedy}")
        say(f"end {log.end_offsets('t')[0]}")
        limit_files(-1)
        say(f"after {log.append('t', b'after').offset}")


async def fill_disk_under_app(path: Path) -> None:
    """Fill the disk under an app: a send fails, a table's change waits, and both go on when there is room."""
    app = new_app(path)
    source, out = app.topic("t", partitions=1), app.topic("out", partitions=1)
    table = app.Table("held", partitions=1, key_type=bytes, value_type=bytes)
    failed = asyncio.Event()

    @app.agent(source)
    async def work(stream: Any) -> None:
        async for event in stream.noack().events():
            limit_files(largest(path))
            table[event.key] = b"x" * 200_000
            try:
                await (await out.send(value=b"x" * 200_000))
            except StoreError as error:
                say(f"{error} | {error.remedy}")
            failed.set()
            event.ack()

    await app.start()
    await source.send(key=b"k", value=b"v")
    await asyncio.wait_for(failed.wait(), 10)
    limit_files(-1)
    await (await out.send(value=b"room again"))
    await app.stop()
    say("stopped")


def main() -> None:
    """Play the role that the command line names."""
    role, path = sys.argv[1], Path(sys.argv[2])
    if role == "worker":
        faust.Worker(busy_app(path), loglevel="WARN", quiet=True).execute_from_commandline()
    elif role in ("append-batches", "fill-disk"):
        {"append-batches": append_batches, "fill-disk": fill_disk}[role](path)
    else:
        roles = {"append-by-app": append_by_app, "serve": serve, "fill-disk-under-app": fill_disk_under_app}
        asyncio.run(roles[role](path))


if __name__ == "__main__":
    main()
