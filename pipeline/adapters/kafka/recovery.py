"""Faust's recovery of tables, mended where it loses records, believes too early, hangs, or is slow.

Faust 0.15.3
- resumes the streams' partitions while the flow is still open from reading changelogs, seeks them to their committed
  offsets, and then clears every queue: what came in between is never handled. Here the flow is shut first;
- takes a question to the brokers that was not answered in time for answered, and with it tables for recovered of which
  nothing was read. Here it is asked again until there is an answer or partitions are handed out anew;
- reads changelogs through the queues of its streams: what an earlier hand-out left there is applied, some of it to the
  wrong table; a last record that compaction has removed is waited for, for ever; a record costs 0.2 ms of CPU. Here a
  client of our own reads them, up to where they ended when the reading began.

(faust-streaming issues 21, 74, 158 and 216 tell of hangs, gaps and refusals after rebalances.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError, OffsetOutOfRangeError
from faust.tables.recovery import Recovery
from faust.types import TP
from mode import Service

from pipeline.adapters.embedded.settings import PromptTables
from pipeline.adapters.parts import Change, Mark

AT_ONCE = 2000  # records applied in one go
FETCH_WAIT_MS = 50
ASK_AGAIN_S = 2.0

logger = structlog.get_logger(__name__)


class SteadyRecovery(Recovery):
    """Reads each changelog from where its table's mark is to where the changelog ended when the reading began."""

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        """Shut the flow, then let the streams start."""
        self.app.consumer.stop_flow()
        self.app.flow_control.suspend()
        await super().on_recovery_completed(generation_id)

    async def _wait(self, coro: Any, timeout: Any = None) -> None:
        """Wait for as long as it takes, for a stop, or for another rebalance."""
        await super()._wait(coro, timeout=None)

    def _add(self, table: Any, tp: TP, offsets: Any) -> None:
        """Take a partition as its table holds it now: Faust goes on from where it was, were all forgotten since."""
        self.tp_to_table[tp] = table
        offsets[tp] = table.persisted_offset(tp)

    async def _build_highwaters(self, consumer: Any, *given: Any) -> None:
        await answered(lambda: super(SteadyRecovery, self)._build_highwaters(consumer, *given))

    async def _build_offsets(self, consumer: Any, tps: set[TP], destination: Any, title: str) -> None:
        """Find out where to read on; a table that its changelog does not go on from is read anew."""
        earliest = await answered(lambda: consumer.earliest_offsets(*tps))
        for tp in tps:
            known, first, last = destination[tp], earliest.get(tp) or 0, self.active_highwaters[tp]
            if known is not None and not first - 1 <= known <= last:
                self._forget(tp, f"it ends at {known}, and the changelog holds {first} to {last}")
            if destination[tp] is None:
                destination[tp] = first - 1

    async def _seek_offsets(self, consumer: Any, tps: set[TP], offsets: Any, title: str) -> None:
        """Read what is missing: the streams' consumer is left where it is."""
        while missing := [tp for tp in tps if offsets[tp] < self.active_highwaters[tp]]:
            try:
                await answered(lambda missing=missing: self._read(missing))  # type: ignore[misc]
            except (ForeignLog, OffsetOutOfRangeError):
                await self._build_highwaters(consumer, tps, self.active_highwaters, title)
                await self._build_offsets(consumer, tps, offsets, title)

    async def _read(self, tps: list[TP]) -> None:
        """Read changelogs to their ends, by a client that belongs to no group."""
        connection: Any = cast(Any, self.app.transport).connection
        async with AIOKafkaConsumer(
            client_id=self.app.conf.broker_client_id,
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_wait_ms=FETCH_WAIT_MS,
            **connection.options(),
        ) as reader:
            left = {TopicPartition(tp.topic, tp.partition): tp for tp in tps}
            reader.assign(list(left))
            await self._turn(reader, left)
            while left:
                await self._read_on(reader, left)

    async def _turn(self, reader: Any, left: dict[TopicPartition, TP]) -> None:
        """Turn to the last record known, to see that it is it; where there is none, to the first that is kept."""
        firsts = await reader.beginning_offsets(list(left))
        for part, tp in left.items():
            known = self.active_offsets[tp]
            reader.seek(part, known + 1 if known == firsts[part] - 1 else max(0, known))

    async def _read_on(self, reader: Any, left: dict[TopicPartition, TP]) -> None:
        """Take what comes next; partitions that are read as far as is wanted are left no more."""
        found = await reader.getmany(*left, timeout_ms=200, max_records=AT_ONCE)
        for part, records in found.items():
            self._take(left[part], records)
        for part, tp in list(left.items()):
            if await reader.position(part) > self.active_highwaters[tp]:
                self.active_offsets[tp] = self.active_highwaters[tp]
                del left[part]
        if left and not found:
            self._look(left, await reader.end_offsets(list(left)))
        await asyncio.sleep(0)

    def _look(self, left: dict[TopicPartition, TP], ends: dict[TopicPartition, int]) -> None:
        """See that what is waited for can come: a changelog may lose its end, and what was read of it, under us."""
        cut = [tp for part, tp in left.items() if ends[part] <= self.active_highwaters[tp]]
        for tp in cut:
            self._forget(tp, "the changelog lost its end while it was read")
        if cut:
            raise ForeignLog

    def _take(self, tp: TP, records: list[Any]) -> None:
        """Hold what is newer than what is known."""
        known, entries = self.active_offsets[tp], cast(Any, self.tp_to_table[tp]).entries
        if records[0].offset == known:
            self._compare(tp, records[0])
        changes = [Change(record.key, record.value) for record in records if record.offset > known]
        if changes:
            last = records[-1]
            entries.parts.apply(tp.partition, changes, Mark(last.offset, last.timestamp))
            self.active_offsets[tp] = last.offset

    def _compare(self, tp: TP, record: Any) -> None:
        """See that the record at a table's mark is the one that it was when the mark was set."""
        mark = cast(Any, self.tp_to_table[tp]).entries.parts.known(tp.partition)
        if mark and mark.offset == record.offset and mark.stamp_ms not in {0, record.timestamp}:
            self._forget(tp, "the changelog is not the one that was read before")
            raise ForeignLog

    def _forget(self, tp: TP, reason: str) -> None:
        logger.warning("table.read-anew", changelog=tp.topic, partition=tp.partition, reason=reason)
        cast(Any, self.tp_to_table[tp]).entries.forget(tp.partition)
        self.active_offsets[tp] = cast(Any, None)

    @Service.task
    async def _slurp_changelogs(self) -> None:
        """Nothing: no changelog comes by the streams' queues."""


class ForeignLog(Exception):
    """A changelog is not the one that a table was filled from."""


async def answered(ask: Callable[[], Awaitable[Any]]) -> Any:
    """Ask the brokers until they answer; IllegalStateError when partitions are handed out anew meanwhile."""
    while True:
        try:
            return await ask()
        except (IllegalStateError, OffsetOutOfRangeError):
            raise
        except (KafkaError, OSError, TimeoutError) as error:
            logger.warning("kafka.no-answer", reason=repr(error)[:200], doing="recovering tables")
            await asyncio.sleep(ASK_AGAIN_S)


class SteadyTables(PromptTables):
    """A table manager with that recovery."""

    @property
    def recovery(self) -> Recovery:
        """Return the service that recovers the tables."""
        if self._recovery is None:
            self._recovery = SteadyRecovery(
                cast(Any, self.app), cast(Any, self), beacon=self.beacon, loop=self.loop
            )
        return self._recovery
