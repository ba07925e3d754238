"""The brokers that the contract suite runs against, and a reader at the level of Faust's transport."""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import faust
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from faust.transport.drivers import aiokafka
from faust.types import TP, ConsumerMessage, RecordMetadata

from pipeline.adapters.embedded import Log, quiet_settings
from pipeline.adapters.embedded.acks import OrderlyAcks

LONG_S = 30.0
FILLER = b"filler"
SHORT_SEGMENTS = {"cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.01"}
KINDS = ["embedded", pytest.param("kafka", marks=pytest.mark.kafka)]


class Embedded:
    """The embedded log in a folder of the test's."""

    name = "embedded"
    is_gapless = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "log.db"
        self.url = f"embedded://{self.path}"

    async def compact(self, topic: str) -> None:
        """Have the topic compacted now."""
        with Log(self.path) as log:
            log.compact(topic, now=int(time.time() * 1000))

    def elsewhere(self, topic: str, key: bytes, values: list[bytes]) -> list[str]:
        """The command line of another process that appends these values."""
        program = (
            "import sys, json; from pipeline.adapters.embedded import Log; _, path, topic, key, values = sys.argv\n"
            "with Log(path) as log:\n"
            "  for value in json.loads(values): log.append(topic, value.encode(), key=key.encode())\n"
        )
        return _command(program, str(self.path), topic, key, values)


class KafkaConsumer(OrderlyAcks, aiokafka.Consumer):
    """Faust's Kafka consumer with contiguous commits: without them two tests of the contract lose events."""


class KafkaTransport(aiokafka.Transport):
    """Faust's Kafka transport with that consumer."""

    Consumer = KafkaConsumer


class Kafka:
    """A Kafka broker that runs already, at `host:port`."""

    name = "kafka"
    is_gapless = False

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.address = address
        self.url = f"kafka://{address}"

    async def compact(self, topic: str) -> None:
        """Wait for the broker's cleaner; each tombstone of a filler rolls the short segments it works on."""
        async with AIOKafkaProducer(bootstrap_servers=self.address) as producer:
            for _ in range(60):
                for partition in await producer.partitions_for(topic):
                    await producer.send_and_wait(topic, None, key=FILLER, partition=partition)
                await asyncio.sleep(1)
                keys = await self._keys(topic)
                if len(keys) == len(set(keys)):
                    return
        raise AssertionError(f"the broker did not compact {topic} within a minute")

    async def _keys(self, topic: str) -> list[bytes]:
        async with AIOKafkaConsumer(
            topic, bootstrap_servers=self.address, auto_offset_reset="earliest"
        ) as consumer:
            keys: list[bytes] = []
            while batches := await consumer.getmany(timeout_ms=500):
                keys += [record.key for batch in batches.values() for record in batch if record.key != FILLER]
        return keys

    def elsewhere(self, topic: str, key: bytes, values: list[bytes]) -> list[str]:
        """The command line of another process that appends these values."""
        program = (
            "import sys, json, asyncio; from aiokafka import AIOKafkaProducer; _, host, topic, key, values = sys.argv\n"
            "async def main():\n"
            "  async with AIOKafkaProducer(bootstrap_servers=host) as producer:\n"
            "    for value in json.loads(values): await producer.send_and_wait(topic, value.encode(), key=key.encode())\n"
            "asyncio.run(main())\n"
        )
        return _command(program, self.address, topic, key, values)


def _command(program: str, place: str, topic: str, key: bytes, values: list[bytes]) -> list[str]:
    return [
        sys.executable,
        "-c",
        program,
        place,
        topic,
        key.decode(),
        json.dumps([value.decode() for value in values]),
    ]


class Bench:
    """What a contract test holds in its hands: apps, topics and readers of one broker, closed at its end."""

    def __init__(self, broker: Embedded | Kafka) -> None:
        self.broker = broker
        self.run = uuid.uuid4().hex[:8]
        self._stack = AsyncExitStack()
        self._writer: faust.App | None = None

    async def close(self) -> None:
        """Stop whatever still runs."""
        await self._stack.aclose()

    def app(self, group: str = "group", **settings: Any) -> faust.App:
        """A Faust app on the broker; the same group name is the same consumer group."""
        folder = self.broker.folder / f"{group}.data"
        held = {**quiet_settings(), "broker_commit_interval": 0.2, **settings}
        named = self.named(group)
        app = faust.App(named, broker=self.broker.url, store="memory://", datadir=str(folder), **held)
        if self.broker.name == "kafka":
            app.transport = KafkaTransport(app.conf.broker_consumer, app)
        return app

    def named(self, name: str) -> str:
        """A name that no other run uses."""
        return f"{name}-{self.run}"

    async def topic(self, name: str, partitions: int = 1, config: Mapping[str, str] | None = None) -> str:
        """Create a topic, with configuration under Kafka's names."""
        named = self.named(name)
        await (await self._producer()).create_topic(named, partitions, 1, config=config)
        return named

    async def send(
        self, topic: str, value: bytes | None, *, key: bytes | None = b"k", **more: Any
    ) -> RecordMetadata:
        """Append one record and wait for it."""
        return await (await self.start_send(topic, value, key=key, **more))

    async def start_send(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None = b"k",
        partition: int | None = None,
        timestamp: float | None = None,
        headers: Any = None,
    ) -> Awaitable[RecordMetadata]:
        """Append one record; what it returns is done once the broker has it."""
        producer = await self._producer()
        sent: Awaitable[RecordMetadata] = await producer.send(
            topic, key, value, partition, timestamp, headers
        )
        return sent

    async def reader(self, *topics: str, group: str = "group", seek: bool = True) -> Reader:
        """A member of a group that has been given its partitions."""
        reader = Reader(self.app(group), topics)
        await reader.start()
        self._stack.push_async_callback(reader.stop)
        return reader

    async def _producer(self) -> Any:
        if self._writer is None:
            self._writer = self.app("writer")
            await self._writer.producer.start()
            self._stack.push_async_callback(self._writer.producer.stop)
        return self._writer.producer


class Reader:
    """A consumer as the transport makes it, without the rest of a Faust app."""

    def __init__(self, app: faust.App, topics: tuple[str, ...]) -> None:
        self.app = app
        self.topics = topics
        self.assigned: asyncio.Event = asyncio.Event()
        self.consumer: Any = None
        self._running = False

    async def start(self) -> None:
        """Join the group and wait for the partitions."""
        self.consumer = self.app.transport.create_consumer(
            callback=_ignore, on_partitions_revoked=_ignore, on_partitions_assigned=self._take_over
        )
        self.app._consumer = self.consumer  # what it asks the app for is itself
        await self.app.producer.start()
        await self.consumer.start()
        self._running = True
        await self.consumer.subscribe(self.topics)
        await asyncio.wait_for(self.assigned.wait(), LONG_S)
        await self.consumer.perform_seek()

    async def _take_over(self, assigned: set[TP], generation_id: int = 0) -> None:
        self.assigned.set()

    async def stop(self) -> None:
        """Leave the group."""
        if self._running:
            self._running = False
            await self.consumer.stop()
            await self.app.producer.stop()

    async def take(self, count: int, within_s: float = LONG_S) -> list[ConsumerMessage]:
        """The next messages, fewer when time runs out."""
        taken: list[ConsumerMessage] = []
        deadline = time.monotonic() + within_s
        while len(taken) < count and time.monotonic() < deadline:
            taken += await self.poll(max(0.0, min(1.0, deadline - time.monotonic())))
        return taken

    async def poll(self, timeout_s: float) -> list[ConsumerMessage]:
        """What one poll brings, without fillers."""
        messages = [message async for _, message in self.consumer.getmany(timeout=timeout_s)]
        return [message for message in messages if message.key != FILLER]

    async def commit(self, topic: str, offset: int, partition: int = 0) -> None:
        """Commit the next offset to read."""
        assert await self.consumer._commit({TP(topic, partition): offset})


async def _ignore(*_: object, **__: object) -> None:
    """Nothing to do: these tests call the consumer themselves."""


async def until(holds: Callable[[], bool], within_s: float = LONG_S) -> None:
    """Wait until something holds; AssertionError when it does not in time."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "what was waited for did not come"
        await asyncio.sleep(0.01)


@asynccontextmanager
async def bench_of(request: pytest.FixtureRequest, folder: Path) -> AsyncIterator[Bench]:
    """A bench on a broker of the kind that a fixture's parameter names, closed at the end."""
    embedded = request.param == "embedded"
    bench = Bench(Embedded(folder) if embedded else Kafka(folder, request.getfixturevalue("kafka")))
    try:
        yield bench
    finally:
        await bench.close()
