"""History on Kafka, for commands: what happened is read partition by partition, and appended to, without any group."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Coroutine, Iterable, Iterator
from datetime import datetime
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from pipeline.adapters.kafka.admin import Admin, Wanted, admin_of, config_of, replication_of
from pipeline.adapters.kafka.logs import quieten
from pipeline.adapters.kafka.records import Outgoing, kept, ms, records_of
from pipeline.adapters.kafka.start import Kafka
from pipeline.errors import StoreError
from pipeline.events import Event
from pipeline.ports import Kept
from pipeline.topics import BY_NAME, PLACES, SHADOW, TABLES, TopicSpec, shadow_specs

T = TypeVar("T")

READ_S = 1.0
LOOK_MS = 150
AT_ONCE = 1000


class KafkaHistory:
    """History in a cluster's topics; names are told without the deployment's prefix. Close it when done."""

    def __init__(self, kafka: Kafka) -> None:
        quieten()
        self._kafka = kafka
        self._prefix = kafka.settings.prefix
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="history", daemon=True)
        self._thread.start()
        self._writer: AIOKafkaProducer | None = None
        self._looker: AIOKafkaConsumer | None = None

    def __enter__(self) -> KafkaHistory:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._do(self._writer.stop())
        if self._looker is not None:
            self._do(self._looker.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def topics(self) -> dict[str, int]:
        """Return the number of records ever appended to each topic of ours that is there."""
        return self._do(self._topics())

    def records(
        self, topic: str, *, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[Kept]:
        """Yield the records of a topic whose time lies in [since, until), partition by partition."""
        reader, sizes = self._do(_reader(self._kafka))
        try:
            for part in _parts(self._prefix + topic, sizes):
                yield from self._part(reader, part, topic, ms(since), ms(until))
        finally:
            self._do(reader.stop())

    def _part(
        self, reader: Any, part: TopicPartition, topic: str, since: int | None, until: int | None
    ) -> Iterator[Kept]:
        end = self._do(_turn_to(reader, part, since))
        while self._do(reader.position(part)) < end:
            batches = self._do(reader.getmany(part, timeout_ms=int(READ_S * 1000), max_records=AT_ONCE))
            for record in batches.get(part, []):
                if record.offset < end and _within(record.timestamp, since, until):
                    yield kept(record, topic)

    def append(self, events: Iterable[Event], *, prefix: str = "") -> int:
        """Append events to their topics, or to shadow topics whose names begin with a prefix."""
        events = list(events)
        self._do(self._create({topic for event in events for topic, _ in PLACES[type(event)]}, prefix))
        return self._do(self._send(records_of(events, self._prefix + prefix)))

    def put_back(self, topic: str, key: bytes, value: bytes, attributes: dict[str, str]) -> None:
        """Append original bytes to a topic again."""
        name = self._prefix + topic.removeprefix(self._prefix)
        texts = [(attribute, text.encode()) for attribute, text in attributes.items()]
        self._do(self._send([(name, key, value, texts, None)]))

    def drop(self, prefix: str) -> list[str]:
        """Delete the topics whose names begin with a prefix; return their names."""
        return self._do(self._drop(self._prefix + prefix))

    def spans(self, topic: str) -> list[tuple[int, int]]:
        """Return the first offset and the end of each partition; nothing where there is no such topic."""
        return self._do(self._spans(self._prefix + topic))

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """Return the next offset that a group will read of each partition where it committed any."""
        return self._do(self._committed(self._prefix + group, self._prefix + topic))

    def declare(self, prefix: str, partitions: int) -> None:
        """Make the shadow topics of a replay over a topic of so many partitions."""
        self._do(self._declare(shadow_specs(partitions), self._prefix + prefix))

    def forget(self, group: str) -> bool:
        """Delete a group; False where a process is at work in it, and nothing is deleted."""
        return self._do(self._forget(self._prefix + group))

    def fetch(self, topic: str, partition: int, offset: int) -> Kept | None:
        """Return one record, None where it is not there."""
        return self._do(self._fetch(TopicPartition(self._prefix + topic, partition), offset, topic))

    def news(self, topic: str, seen: dict[int, int]) -> list[Kept]:
        """Return what lies beyond the offsets that were seen, and move these on."""
        return self._do(self._news(topic, seen))

    async def _spans(self, name: str) -> list[tuple[int, int]]:
        looker = await self._look()
        async with admin_of(self._kafka.connection) as admin:
            parts = _parts(name, await admin.sizes())
        if not parts:
            return []
        firsts, ends = await looker.beginning_offsets(parts), await looker.end_offsets(parts)
        return [(firsts[part], ends[part]) for part in parts]

    async def _committed(self, group: str, name: str) -> dict[int, int]:
        async with admin_of(self._kafka.connection) as admin:
            found = await admin.committed(group)
        return {part.partition: end for part, end in found.items() if part.topic == name}

    async def _declare(self, specs: Iterable[TopicSpec], prefix: str) -> None:
        async with admin_of(self._kafka.connection) as admin:
            wanted = [
                Wanted(name=prefix + spec.name, partitions=spec.partitions, config=config_of(spec))
                for spec in specs
            ]
            await admin.create(wanted, replication=await self._replication(admin))

    async def _forget(self, group: str) -> bool:
        async with admin_of(self._kafka.connection) as admin:
            return await admin.forget(group)

    async def _fetch(self, part: TopicPartition, offset: int, topic: str) -> Kept | None:
        looker = await self._look()
        looker.assign([part])
        looker.seek(part, offset)
        found = (await looker.getmany(part, timeout_ms=int(READ_S * 1000), max_records=1)).get(part, [])
        return kept(found[0], topic) if found and found[0].offset == offset else None

    async def _news(self, topic: str, seen: dict[int, int]) -> list[Kept]:
        looker = await self._look()
        looker.assign([TopicPartition(self._prefix + topic, number) for number in seen])
        for part in looker.assignment():
            looker.seek(part, seen[part.partition])
        found = await looker.getmany(timeout_ms=LOOK_MS)
        for part in looker.assignment():
            seen[part.partition] = await looker.position(part)
        return [kept(record, topic) for batch in found.values() for record in batch]

    async def _look(self) -> AIOKafkaConsumer:
        """Return the reader that stays open, for a look at a place."""
        if self._looker is None:
            self._looker = await opened(self._kafka)
        return self._looker

    async def _topics(self) -> dict[str, int]:
        reader, sizes = await _reader(self._kafka)
        try:
            names = [name for name in sizes if self._is_ours(name)]
            ends = await reader.end_offsets([part for name in names for part in _parts(name, sizes)])
        finally:
            await reader.stop()
        counts = dict.fromkeys(sorted(names), 0)
        for part, end in ends.items():
            counts[part.topic] += end
        return {name.removeprefix(self._prefix): count for name, count in counts.items()}

    def _is_ours(self, name: str) -> bool:
        known = {*BY_NAME, *(table.changelog for table in TABLES)}
        short = name.removeprefix(self._prefix)
        return name.startswith(self._prefix) and (short in known or short.startswith(SHADOW))

    async def _send(self, records: Iterable[Outgoing]) -> int:
        if self._writer is None:
            writer = AIOKafkaProducer(
                client_id="clausewire-history",
                acks="all",
                enable_idempotence=True,
                **self._kafka.connection.options(),
            )
            await writer.start()
            self._writer = writer
        sent: list[Awaitable[Any]] = [
            await self._writer.send(name, value, key=key, headers=attributes, timestamp_ms=at)
            for name, key, value, attributes, at in records
        ]
        await asyncio.gather(*sent)
        return len(sent)

    async def _create(self, topics: set[str], prefix: str) -> None:
        async with admin_of(self._kafka.connection) as admin:
            if not prefix:
                await self._kafka.create(admin, await self._replication(admin))
                return
            there = await admin.sizes()
            wanted = [
                Wanted(
                    name=self._prefix + prefix + topic,
                    partitions=BY_NAME[topic].partitions or self._kafka.settings.partitions,
                    config=config_of(BY_NAME[topic]),
                )
                for topic in topics
                if self._prefix + prefix + topic not in there
            ]
            await admin.create(wanted, replication=await self._replication(admin))

    async def _replication(self, admin: Admin) -> int:
        _, brokers = await admin.cluster()
        return replication_of(brokers, self._kafka.settings.replication)

    async def _drop(self, beginning: str) -> list[str]:
        async with admin_of(self._kafka.connection) as admin:
            names = [name for name in await admin.sizes() if name.startswith(beginning)]
            await admin.delete(names)
            await admin.gone(names)
        return [name.removeprefix(self._prefix) for name in names]

    def _do(self, act: Coroutine[Any, Any, T]) -> T:
        """Run something on the loop of our own; StoreError when Kafka cannot serve it."""
        try:
            return asyncio.run_coroutine_threadsafe(act, self._loop).result()
        except (KafkaError, OSError) as error:
            raise StoreError(
                f"history on Kafka cannot be used: {error!r}", remedy="see `clausewire doctor`"
            ) from error


Sizes = dict[str, tuple[int, int]]


async def _reader(kafka: Kafka) -> tuple[AIOKafkaConsumer, Sizes]:
    """Return a reader without a group, and the partitions and replicas of every topic."""
    async with admin_of(kafka.connection) as admin:  # it says plainly why a cluster cannot be reached
        sizes = await admin.sizes()
    return await opened(kafka), sizes


async def opened(kafka: Kafka) -> AIOKafkaConsumer:
    """Return a reader without a group, started, that sees what is committed; stop it when done."""
    reader = AIOKafkaConsumer(
        client_id="clausewire-history",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        fetch_max_wait_ms=100,
        **kafka.connection.options(),
    )
    await reader.start()
    return reader


def _parts(name: str, sizes: Sizes) -> list[TopicPartition]:
    return [TopicPartition(name, number) for number in range(sizes.get(name, (0, 0))[0])]


async def _turn_to(reader: AIOKafkaConsumer, part: TopicPartition, since: int | None) -> int:
    """Turn to a partition's first record at or after a time; return the offset after its last."""
    reader.assign([part])
    end = int((await reader.end_offsets([part]))[part])
    if since is None:
        await reader.seek_to_beginning(part)
    else:
        found = (await reader.offsets_for_times({part: since}))[part]
        reader.seek(part, found.offset if found else end)
    return end


def _within(timestamp: int, since: int | None, until: int | None) -> bool:
    return (since is None or timestamp >= since) and (until is None or timestamp < until)
