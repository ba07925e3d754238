"""Faust's consumer over the embedded log: one process, and every partition is its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from faust.assignor.client_assignment import ClientAssignment
from faust.types import TP, ConsumerMessage
from mode import Service, ServiceT

from pipeline.adapters.embedded.acks import OrderlyAcks
from pipeline.adapters.embedded.declaring import DeclaresTopics
from pipeline.adapters.embedded.errors import no_transactions
from pipeline.adapters.embedded.lock import WorkerLock
from pipeline.adapters.embedded.log import Log
from pipeline.adapters.embedded.partitioner import new_partitioner
from pipeline.adapters.embedded.records import Record
from pipeline.errors import StoreError

POLL_RECORDS = 500
POLL_BYTES = 4_194_304
TIDY_S = 60.0
YIELD_EVERY = 100


class Consumer(DeclaresTopics, OrderlyAcks):
    """Reads all partitions of the topics it is subscribed to, in bounded batches, and commits for its group."""

    def __post_init__(self) -> None:
        self._positions: dict[TP, int] = {}
        self._assigned: set[TP] = set()
        self._behind: dict[tuple[str, int], int] = {}
        self._more = asyncio.Event()
        self._partition = new_partitioner()
        self._lock = WorkerLock(self.journal.path)

    @property
    def group(self) -> str:
        """The consumer group: the app's id."""
        return str(self.app.conf.id)

    # life

    async def on_start(self) -> None:
        """Take the log for this process and open it; StoreError when another worker has it."""
        if self.in_transaction:
            raise no_transactions()
        if not self.app.client_only:
            self._lock.acquire()
        try:
            await self.journal.open()
        except BaseException:
            self._lock.release()
            raise
        self.journal.listeners.append(self._more.set)
        await super().on_start()

    async def on_stop(self) -> None:
        """Commit what is done."""
        self._more.set()
        await super().on_stop()

    async def on_shutdown(self) -> None:
        """Close the log and let go of it."""
        if self._more.set in self.journal.listeners:
            self.journal.listeners.remove(self._more.set)
            await self.journal.close()
        self._lock.release()

    @Service.task
    async def _tidy(self) -> None:
        while not self.should_stop:
            await self.sleep(TIDY_S)
            if not self.should_stop:
                await self._tidy_once()

    async def _tidy_once(self) -> None:
        try:
            await asyncio.to_thread(_tidy_log, self.journal.path, int(time.time() * 1000))
        except StoreError as error:
            self.log.warning("log.untidied %s", error)

    # subscription

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Take every partition of these topics, as a rebalance that gives them all to this process."""
        for topic in topics:
            await self._declare(topic)
        new = {TP(topic, number) for topic in topics for number in range(self.topic_partitions(topic) or 0)}
        if new == self._assigned and self.app.consumer_generation_id:
            return
        self.app.on_rebalance_start()
        await self.on_partitions_revoked(self._assigned)
        self._assigned = new
        self.app.consumer_generation_id += 1
        cast(Any, self.app.assignor)._assignment = _all_active(new)
        await self.seek_to_committed()
        # not awaited: what it calls waits for this very subscription to be done
        self.add_future(self.on_partitions_assigned(set(new), self.app.consumer_generation_id))

    async def _declare(self, name: str) -> None:
        """Create a topic that is missing, as the app describes it."""
        if self.topic_partitions(name) is not None:
            return
        topic = next(known for known in self.app.topics if name in known.topics)
        await self.create_topic(
            name,
            topic.partitions or self.app.conf.topic_partitions or 1,
            1,
            config=topic.config,
            retention=topic.retention,
            compacting=topic.compacting,
            deleting=topic.deleting,
        )

    def assignment(self) -> set[TP]:
        """The partitions this process reads."""
        return set(self._assigned)

    def topic_partitions(self, topic: str) -> int | None:
        """The number of partitions of a topic, None when there is no such topic."""
        held = self.journal.log.topics().get(topic)
        return held.partitions if held else None

    def key_partition(self, topic: str, key: bytes | None, partition: int | None = None) -> int | None:
        """The partition of a key, None when there is no such topic."""
        count = self.topic_partitions(topic)
        if count is None or partition is not None:
            return partition if count is not None else None
        return self._partition(key, count)

    # positions

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Go to what the group committed; to the first record kept where it never did."""
        committed = self.journal.log.committed(self.group)
        first = await self.earliest_offsets(*self._assigned)
        self._positions = {
            tp: max(committed.get((tp.topic, tp.partition), 0), first[tp]) for tp in self._assigned
        }
        self._more.set()
        return dict(self._positions)

    async def _seek(self, partition: TP, offset: int) -> None:
        self._positions[partition] = offset
        self._more.set()

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Go to the offsets given; before the first record kept means to it."""
        for tp, offset in partitions.items():
            self._positions[tp] = max(offset, 0)
            self._read_offset[tp] = offset if offset > 0 else None
        self._forget(partitions)
        self._more.set()

    async def position(self, tp: TP) -> int | None:
        """The offset of the next record to be read."""
        return self._positions.get(tp)

    async def earliest_offsets(self, *partitions: TP) -> Mapping[TP, int]:
        """The first offset kept of each partition."""
        held = self.journal.log.parts()
        return {tp: held[tp].first if tp in held else 0 for tp in partitions}

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        """The offset after the last record of each partition."""
        return {tp: self.highwater(tp) for tp in partitions}

    def highwater(self, tp: TP) -> int:
        """The offset after the last record of a partition."""
        return self.journal.ends.get(tp, 0)

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        wanted = {**self._behind, **{(tp.topic, tp.partition): offset for tp, offset in offsets.items()}}
        self._behind = wanted
        try:
            await self.journal.commit(self.group, wanted)
        except StoreError as error:
            self.log.warning("log.uncommitted %s", error)
            return False
        self._behind = {}
        return True

    # reading

    def on_buffer_drop(self, tp: TP) -> None:
        """An agent has room again for records of this partition."""
        super().on_buffer_drop(tp)
        self._more.set()

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        """Read on from partitions that were paused."""
        super().resume_partitions(tps)
        self._more.set()

    async def _wait_next_records(self, timeout: float) -> tuple[Any, set[TP] | None]:
        if not self.flow_active:
            await self.wait(self.can_resume_flow.wait())
        active = set(self._get_active_partitions())
        return await self._getmany(active, timeout), active

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> dict[TP, list[Record]]:
        """Records that wait to be read; without any, wait for some until the timeout is over."""
        active = self._assigned if active_partitions is None else active_partitions
        self._more.clear()
        found = self._read(active)
        if found or self.should_stop:
            return found
        try:
            await asyncio.wait_for(self._more.wait(), timeout)
        except TimeoutError:
            return {}
        return self._read(
            self._assigned if active_partitions is None else self._get_active_partitions() & active
        )

    async def _drain_messages(self, fetcher: ServiceT) -> None:
        """Read and deliver for as long as the fetcher lives; Faust's own makes four tasks for each message."""
        try:
            while not (self.should_stop or fetcher.should_stop):
                records, _ = await self._wait_next_records(1.0)
                if not self.flow_active:
                    await self.perform_seek()
                elif records:
                    await self.wait_first(self._deliver(records), self.suspend_flow.wait())
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            if not (self.app.should_stop or fetcher.should_stop):
                raise

    async def _deliver(self, records: Mapping[TP, list[Record]]) -> None:
        for tp in records:
            self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
        generation = self.app.consumer_generation_id
        for turn, (tp, record) in enumerate(self.scheduler.iterate(records)):
            if not self.flow_active or generation != self.app.consumer_generation_id:
                return
            if turn % YIELD_EVERY == 0:
                await asyncio.sleep(0)
            read = self._read_offset[tp]
            if read is None or record.offset >= read:
                await self.callback(self._to_message(tp, record))
                self._read_offset[tp] = record.offset

    def _read(self, active: Iterable[TP]) -> dict[TP, list[Record]]:
        found = {}
        read, positions = self.journal.read, self._positions
        for tp in active:
            records = read(tp.topic, tp.partition, positions.get(tp, 0), POLL_RECORDS, POLL_BYTES)
            if records:
                found[tp] = records
                positions[tp] = records[-1].offset + 1
        return found

    def _new_topicpartition(self, topic: str, partition: int) -> TP:
        return TP(topic, partition)

    def _to_message(self, tp: TP, record: Record) -> ConsumerMessage:
        return ConsumerMessage(
            record.topic,
            record.partition,
            record.offset,
            record.timestamp / 1000,
            0,
            list(record.headers),
            record.key,
            record.value,
            None,
            len(record.key or b""),
            len(record.value or b""),
            tp,
            generation_id=self.app.consumer_generation_id,
        )


def _tidy_log(path: Path, now: int) -> None:
    with Log(path) as log:
        log.tidy(now=now)


def _all_active(partitions: Iterable[TP]) -> ClientAssignment:
    actives: dict[str, list[int]] = {}
    for topic, partition in sorted(partitions):
        actives.setdefault(topic, []).append(partition)
    return ClientAssignment(actives=actives, standbys={})
