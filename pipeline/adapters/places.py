"""Records by their place in the log: the next ones from an offset on, without a group. For whoever keeps an index."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from pipeline.adapters.embedded import Log, Record, path_of
from pipeline.adapters.kafka.admin import admin_of
from pipeline.adapters.kafka.connection import Connection, connection_of, is_kafka
from pipeline.config import Settings
from pipeline.errors import StoreError
from pipeline.ports import Kept

AT_ONCE = 500
READ_S = 2.0
REFRESH_S = 30.0


class Span(NamedTuple):
    """The offsets that a partition holds: its first record, and the one that comes next."""

    topic: str
    partition: int
    first: int
    next: int


class EmbeddedPlaces:
    """Places in the embedded log."""

    def __init__(self, log: Log) -> None:
        self._log = log

    async def spans(self, topics: Sequence[str]) -> list[Span]:
        """Return the partitions of topics and the offsets that they hold; topics not made yet have none."""
        return await asyncio.to_thread(self._spans, topics)

    async def read(self, topic: str, partition: int, offset: int) -> list[Kept]:
        """Return some records from an offset on, none at the end."""
        records = await asyncio.to_thread(self._log.read, topic, partition, offset, AT_ONCE)
        return [_of_log(record) for record in records]

    async def one(self, topic: str, partition: int, offset: int) -> Kept | None:
        """Return the record at an offset, None where it is gone."""
        records = await asyncio.to_thread(self._log.read, topic, partition, offset, 1)
        return next((_of_log(record) for record in records if record.offset == offset), None)

    def _spans(self, topics: Sequence[str]) -> list[Span]:
        wanted = set(topics)
        parts = self._log.parts().items()
        return [Span(*key, part.first, part.next) for key, part in parts if key[0] in wanted]


class KafkaPlaces:
    """Places in a cluster's topics; names are told without the deployment's prefix. One reader at a time."""

    def __init__(self, connection: Connection, prefix: str) -> None:
        self._connection = connection
        self._prefix = prefix
        self._lock = asyncio.Lock()
        self._consumer: Any = None
        self._sizes: dict[str, int] = {}
        self._looked_at = float("-inf")

    async def close(self) -> None:
        """Close the connection; the next call opens it again."""
        consumer, self._consumer = self._consumer, None
        if consumer:
            await consumer.stop()

    async def spans(self, topics: Sequence[str]) -> list[Span]:
        """Return the partitions of topics and the offsets that they hold; topics not made yet have none."""
        async with self._asking() as consumer:
            parts = await self._parts(topics)
            firsts, nexts = await consumer.beginning_offsets(parts), await consumer.end_offsets(parts)
        return [
            Span(part.topic.removeprefix(self._prefix), part.partition, firsts[part], nexts[part])
            for part in parts
        ]

    async def read(self, topic: str, partition: int, offset: int) -> list[Kept]:
        """Return some records from an offset on; none at the end."""
        return await self._read(topic, partition, offset, AT_ONCE)

    async def one(self, topic: str, partition: int, offset: int) -> Kept | None:
        """Return the record at an offset, None where it is gone."""
        records = await self._read(topic, partition, offset, 1)
        return next((record for record in records if record.offset == offset), None)

    async def _read(self, topic: str, partition: int, offset: int, most: int) -> list[Kept]:
        part = TopicPartition(self._prefix + topic, partition)
        async with self._asking() as consumer:
            if part not in consumer.assignment():
                consumer.assign([part])
                consumer.seek(part, offset)
            elif await consumer.position(part) != offset:
                consumer.seek(part, offset)
            end = (await consumer.end_offsets([part]))[part]
            while (place := await consumer.position(part)) < end:
                found = await consumer.getmany(part, timeout_ms=int(READ_S * 1000), max_records=most)
                if records := found.get(part):
                    return [_of_kafka(record, topic) for record in records]
                if await consumer.position(part) == place:  # nothing came, and nothing was passed over
                    break
        return []

    async def _parts(self, topics: Sequence[str]) -> list[TopicPartition]:
        """Return the partitions of topics; the cluster is asked again once in a while, and while one is missing."""
        names = [self._prefix + topic for topic in topics]
        now = asyncio.get_running_loop().time()
        if now - self._looked_at > REFRESH_S or not all(name in self._sizes for name in names):
            async with admin_of(self._connection) as admin:
                self._sizes = {name: size[0] for name, size in (await admin.sizes()).items()}
            self._looked_at = now
        return [TopicPartition(name, number) for name in names for number in range(self._sizes.get(name, 0))]

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[Any]:
        """Give the reader to one caller; after an error the next one opens another."""
        async with self._lock:
            try:
                yield await self._opened()
            except (KafkaError, OSError) as error:
                with suppress(KafkaError, OSError):
                    await self.close()
                raise StoreError(
                    f"Kafka cannot be read: {error!r}", remedy="see that its brokers run and are reachable"
                ) from error

    async def _opened(self) -> Any:
        if self._consumer is None:
            consumer = AIOKafkaConsumer(
                client_id="clausewire-api",
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                fetch_max_wait_ms=100,
                **self._connection.options(),
            )
            await consumer.start()
            self._consumer = consumer
        return self._consumer


@asynccontextmanager
async def placing(settings: Settings) -> AsyncIterator[EmbeddedPlaces | KafkaPlaces]:
    """Open the places of the log that the settings name."""
    if is_kafka(settings.broker):
        places = KafkaPlaces(connection_of(settings), settings.kafka.prefix)
        try:
            yield places
        finally:
            with suppress(KafkaError, OSError):
                await places.close()
        return
    path = path_of(settings.broker)
    path.parent.mkdir(parents=True, exist_ok=True)
    with Log(path) as log:
        yield EmbeddedPlaces(log)


def _of_log(record: Record) -> Kept:
    return Kept(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
        key=record.key,
        value=record.value,
        headers=dict(record.headers),
    )


def _of_kafka(record: Any, topic: str) -> Kept:
    return Kept(
        topic=topic,
        partition=record.partition,
        offset=record.offset,
        at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
        key=record.key,
        value=record.value,
        headers=dict(record.headers),
    )
