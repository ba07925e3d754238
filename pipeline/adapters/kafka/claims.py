"""Partitions of a Kafka topic run again by several processes: the consumer group hands them out.

What a process found, what it remembers and how far it came are one transaction under the partition's own
transactional id: a process that was killed leaves nothing half done, and one that was paused and has lost its
partition is fenced off by the one that has it now. Shadow topics are read committed, so nothing stands in them twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener
from aiokafka.errors import (
    IllegalOperation,
    IllegalStateError,
    InvalidProducerEpoch,
    KafkaError,
    ProducerFenced,
    TransactionalIdAuthorizationFailed,
    UnknownTopicOrPartitionError,
)
from aiokafka.structs import TopicPartition

from pipeline.adapters.kafka.history import opened
from pipeline.adapters.kafka.logs import quieten
from pipeline.adapters.kafka.records import kept, records_of
from pipeline.adapters.kafka.start import Kafka
from pipeline.errors import ClaimLostError, ConfigError, PipelineError, StoreError
from pipeline.events import Event
from pipeline.ports import Kept, Portion, Scope
from pipeline.topics import STATES

BATCH = 32  # records between two commits
LOOK_S = 0.3
READ_S = 0.5
REBALANCE_S = 60.0
LONGEST_IDLE_S = 86_400.0  # a member that waits for others reads nothing meanwhile
LOST = (IllegalOperation, IllegalStateError, InvalidProducerEpoch, ProducerFenced)
TRANSACTION_S = 60.0


class KafkaPortion:
    """One partition in the hands of this process; see the port."""

    def __init__(self, member: Member, number: int) -> None:
        self.number = number
        self._member = member
        self._generation = member.generation
        self._part = TopicPartition(member.topic, number)
        self._end = member.scope.ends[number]
        self._next = 0
        self._writer = member.writer(number)
        self.is_through = False

    @property
    def at_end(self) -> bool:
        """Whether everything was read."""
        return self._next >= self._end

    async def begin(self) -> dict[str, bytes]:
        """Return what was remembered at the last commit, after whoever held the partition before is fenced off."""
        with telling():
            await self._writer.start()
            self._next = await self._member.position(self.number)
            self._held().seek(self._part, self._next)
            states = self._member.kafka.settings.prefix + self._member.scope.prefix + STATES
            return await self._remembered(TopicPartition(states, self.number))

    async def _remembered(self, part: TopicPartition) -> dict[str, bytes]:
        states: dict[str, bytes] = {}
        reader = await opened(self._member.kafka)
        try:
            reader.assign([part])
            await reader.seek_to_beginning(part)
            end = (await reader.end_offsets([part]))[part]
            while await reader.position(part) < end:
                for record in (await reader.getmany(part, timeout_ms=200)).get(part, []):
                    states[record.key.decode()] = record.value
        finally:
            await reader.stop()
        return states

    async def read(self) -> list[Kept]:
        """Return what comes next, at most a commit's worth."""
        batch: list[Any] = []
        with telling():
            while not batch and not self.at_end:
                found = await self._held().getmany(
                    self._part, timeout_ms=int(READ_S * 1000), max_records=BATCH
                )
                batch = found.get(self._part, [])
                self._next = min(self._end, await self._held().position(self._part))
        return [kept(record, self._member.scope.topic) for record in batch if record.offset < self._end]

    async def save(self, results: Iterable[Event], states: Mapping[str, bytes]) -> None:
        """Make what was read done, with what came of it."""
        prefix = self._member.kafka.settings.prefix + self._member.scope.prefix
        with telling():
            self._held()
            async with self._writer.transaction():
                sent = [
                    await self._writer.send(name, value, key=key, headers=headers, timestamp_ms=at)
                    for name, key, value, headers, at in records_of(results, prefix)
                ]
                sent += [
                    await self._writer.send(prefix + STATES, state, key=word.encode(), partition=self.number)
                    for word, state in states.items()
                ]
                await _all(sent)
                await self._writer.send_offsets_to_transaction({self._part: self._next}, self._member.group)
        self.is_through = self.at_end

    def _held(self) -> Any:
        if self._generation != self._member.generation:
            raise ClaimLostError(f"partition {self.number} went to another process")
        return self._member.consumer

    async def close(self) -> None:
        """Let go of the partition."""
        with suppress(KafkaError, OSError):
            await self._writer.stop()


class Member(ConsumerRebalanceListener):  # type: ignore[misc]
    """This process among those that run a replay; `generation` counts how often partitions were handed out anew."""

    def __init__(self, kafka: Kafka, scope: Scope) -> None:
        self.kafka = kafka
        self.scope = scope
        self.topic = kafka.settings.prefix + scope.topic
        self.group = kafka.settings.prefix + scope.group
        self.generation = 0
        self._mine: frozenset[int] = frozenset()
        session_s = kafka.settings.session_timeout_s
        self.consumer = AIOKafkaConsumer(
            client_id="clausewire-replay",
            group_id=self.group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_wait_ms=100,
            session_timeout_ms=int(session_s * 1000),
            heartbeat_interval_ms=int(session_s * 1000 / 5),
            rebalance_timeout_ms=int(REBALANCE_S * 1000),
            max_poll_interval_ms=int(LONGEST_IDLE_S * 1000),
            **kafka.connection.options(),
        )

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Hold nothing while partitions are handed out anew."""
        self.generation += 1
        self._mine = frozenset()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Hold what fell to this process."""
        self._mine = frozenset(part.partition for part in assigned)

    async def position(self, number: int) -> int:
        """Return where a partition is to be gone on with: after the last commit, or at its beginning."""
        part = TopicPartition(self.topic, number)
        committed = await self.consumer.committed(part)
        if committed is not None:
            return int(committed)
        return int((await self.consumer.beginning_offsets([part]))[part])

    def writer(self, number: int) -> AIOKafkaProducer:
        """Return what writes the transactions of a partition; whoever starts one last is the only one who can."""
        return AIOKafkaProducer(
            client_id="clausewire-replay",
            transactional_id=f"{self.group}-{number}",
            transaction_timeout_ms=int(TRANSACTION_S * 1000),
            **self.kafka.connection.options(),
        )

    async def claims(self) -> AsyncGenerator[Portion, None]:
        """Yield one partition of ours after the other, until all are done, whoever did them."""
        through = set[int]()  # by us: the group shows it a moment later
        while left := await self._undone():
            mine = [number for number in left if number in self._mine - through]
            if not mine:
                await asyncio.sleep(LOOK_S)
                continue
            portion = KafkaPortion(self, mine[0])
            try:
                yield portion
            finally:
                await portion.close()
            if portion.is_through:
                through.add(portion.number)
        await self._settle()

    async def _settle(self) -> None:
        """Wait until the last transaction of every partition can be read: one that is begun next waits for it."""
        with telling():
            for number, end in enumerate(self.scope.ends):
                if end:
                    async with self.writer(number):
                        pass

    async def _undone(self) -> list[int]:
        with telling():
            return [
                number
                for number, end in enumerate(self.scope.ends)
                if end and await self.position(number) < end
            ]


@asynccontextmanager
async def member(kafka: Kafka, scope: Scope) -> AsyncIterator[Member]:
    """Join the group of a replay, and leave it at the end."""
    quieten()
    joined = Member(kafka, scope)
    with telling():
        try:
            await joined.consumer.start()
            joined.consumer.subscribe([joined.topic], listener=joined)
        except BaseException:
            await joined.consumer.stop()
            raise
    try:
        yield joined
    finally:
        await joined.consumer.stop()


async def _all(sent: Iterable[Awaitable[Any]]) -> None:
    """Wait until every record has its place, or raise why one has none."""
    for ended in await asyncio.gather(*sent, return_exceptions=True):
        if isinstance(ended, BaseException):
            raise ended


class telling:
    """Says in our words what Kafka refuses: that a claim is lost, that a right is missing, that it is away."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if error is not None and not isinstance(error, PipelineError) and (told := _told(error)):
            raise told from error


def _told(error: BaseException) -> PipelineError | None:
    if isinstance(error, LOST):
        return ClaimLostError(f"the partition went to another process: {error!r}")
    if isinstance(error, TransactionalIdAuthorizationFailed):
        return ConfigError(
            "Kafka does not let our user run transactions",
            remedy="allow Write and Describe on transactional ids that begin with clausewire-replay",
        )
    if isinstance(error, UnknownTopicOrPartitionError):
        return StoreError(
            "the replay's shadow topics were deleted under it", remedy="run the same replay again"
        )
    if isinstance(error, KafkaError | OSError):
        return StoreError(
            f"the replay cannot go on: {error!r}",
            remedy="run the same command again once Kafka answers: it goes on where it was",
        )
    return None
