"""Compacted topics read whole by every process, beside the agents: what all workers must know, none of them owns.

A follower reads from the beginning with no consumer group. `backlog` yields what lies there now, `tail` what comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from pipeline.adapters.embedded import Log, path_of
from pipeline.adapters.kafka.admin import admin_of
from pipeline.adapters.kafka.connection import Connection, connection_of, is_kafka
from pipeline.adapters.wire import decode
from pipeline.config import Settings
from pipeline.errors import DecodeError, StoreError
from pipeline.events import Event
from pipeline.ports import Follower

LOOK_S = 0.2
AGAIN_S = 2.0

logger = structlog.get_logger(__name__)


class EmbeddedFollower:
    """Reads topics of the embedded log; one that is not there yet is looked for again."""

    def __init__(self, log: Log, topics: Sequence[str]) -> None:
        self._log = log
        self._topics = topics
        self._next: dict[tuple[str, int], int] = {}

    async def backlog(self) -> list[Event]:
        """Return what lies in the topics beyond what was read before."""
        return _decoded(await asyncio.to_thread(self._read))

    async def tail(self) -> AsyncIterator[Event]:
        """Yield what comes, for ever."""
        while True:
            for event in await self.backlog():
                yield event
            await asyncio.sleep(LOOK_S)

    def _read(self) -> list[bytes | None]:
        values: list[bytes | None] = []
        there = self._log.topics()
        for name in self._topics:
            for partition in range(there[name].partitions if name in there else 0):
                values += self._rest(name, partition)
        return values

    def _rest(self, name: str, partition: int) -> list[bytes | None]:
        values: list[bytes | None] = []
        while batch := self._log.read(name, partition, self._next.get((name, partition), 0)):
            self._next[name, partition] = batch[-1].offset + 1
            values += [record.value for record in batch]
        return values


class KafkaFollower:
    """Reads topics of a Kafka cluster, all partitions, from the beginning."""

    def __init__(self, connection: Connection, topics: Sequence[str]) -> None:
        self._connection = connection
        self._topics = topics
        self._consumer: Any = None

    async def close(self) -> None:
        """Close the connection; what is read after that begins at the beginning."""
        consumer, self._consumer = self._consumer, None
        if consumer:
            await consumer.stop()

    async def backlog(self) -> list[Event]:
        """Return what lies in the topics beyond what was read before; nothing where they are not made yet.

        After a StoreError everything is read again: what was read when it came is not lost.
        """
        try:
            return _decoded(await self._read())
        except (KafkaError, OSError) as error:
            with suppress(KafkaError, OSError):
                await self.close()
            raise StoreError(
                f"Kafka cannot be read: {error!r}", remedy="see that its brokers run and are reachable"
            ) from error

    async def tail(self) -> AsyncIterator[Event]:
        """Yield what comes, for ever; a cluster that is away is waited for."""
        while True:
            try:
                events = await self.backlog()
            except StoreError as error:
                logger.warning("follow.waiting", reason=str(error))
                await asyncio.sleep(AGAIN_S)
                continue
            for event in events:
                yield event
            await asyncio.sleep(LOOK_S)

    async def _read(self) -> list[bytes | None]:
        consumer = await self._open()
        if consumer is None:
            return []
        values: list[bytes | None] = []
        tps = list(consumer.assignment())
        ends = await consumer.end_offsets(tps)
        while any([await consumer.position(tp) < ends[tp] for tp in tps]):
            batches = await consumer.getmany(timeout_ms=200)
            values += [record.value for batch in batches.values() for record in batch]
        return values

    async def _open(self) -> Any:
        if self._consumer is None and (tps := await self._partitions()):
            consumer = AIOKafkaConsumer(
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                **self._connection.options(),
            )
            self._consumer = consumer
            await consumer.start()
            consumer.assign(tps)
            await consumer.seek_to_beginning(*tps)
        return self._consumer

    async def _partitions(self) -> list[TopicPartition]:
        async with admin_of(self._connection) as admin:
            there = await admin.sizes()
        if not all(name in there for name in self._topics):
            return []
        return [TopicPartition(name, number) for name in self._topics for number in range(there[name][0])]


@asynccontextmanager
async def following(settings: Settings, topics: Sequence[str]) -> AsyncIterator[Follower]:
    """Open a follower of topics on the broker that the settings name."""
    async with AsyncExitStack() as stack:
        if is_kafka(settings.broker):
            names = [settings.kafka.prefix + name for name in topics]
            follower = KafkaFollower(connection_of(settings), names)
            stack.push_async_callback(follower.close)
            yield follower
        else:
            path = path_of(settings.broker)
            path.parent.mkdir(parents=True, exist_ok=True)
            yield EmbeddedFollower(stack.enter_context(Log(path)), topics)


def _decoded(values: Sequence[bytes | None]) -> list[Event]:
    """Return the events among records; what is none is passed by, with a word in the log."""
    found: list[Event] = []
    for value in values:
        try:
            found.append(decode(value))
        except DecodeError as error:
            logger.warning("follow.skipped", reason=str(error))
    return found
