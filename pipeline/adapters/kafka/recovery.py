"""Faust's recovery of tables, mended where it loses records, believes too early, or hangs.

Faust 0.15.3
- resumes the streams' partitions while the flow is still open from reading changelogs, seeks them to their committed
  offsets, and then clears every queue: what came in between is never handled. Here the flow is shut first;
- takes a question to the brokers that was not answered in time for answered, and with it tables for recovered of which
  nothing was read. Here it is asked again until there is an answer or partitions are handed out anew;
- applies what an earlier hand-out left in the queue, some of it to the wrong table. Here it is passed over;
- waits for ever for a last record that compaction has removed. Here the position read tells the end as well;
- counts all partitions after each record: a hundred thousand take a minute. Here records are taken by the hundred.

(faust-streaming issues 21, 74, 158 and 216 tell of hangs, gaps and refusals after rebalances.)
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, cast

import structlog
from aiokafka.errors import IllegalStateError, KafkaError
from faust.tables.recovery import Recovery
from faust.types import TP
from mode import Service

from pipeline.adapters.embedded.settings import PromptTables
from pipeline.adapters.parts import stamp_of
from pipeline.errors import StoreError

AT_ONCE = 1000  # records applied in one go
LOOK_S = 0.25
QUIET = 4  # looks in a row at which nothing came and the position had passed the end
ASK_AGAIN_S = 2.0

logger = structlog.get_logger(__name__)


class SteadyRecovery(Recovery):
    """Reads each changelog from where its table's mark is to where the changelog ended when the reading began."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._quiet: Counter[TP] = Counter()

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        """Shut the flow, then let the streams start."""
        self.app.consumer.stop_flow()
        self.app.flow_control.suspend()
        await super().on_recovery_completed(generation_id)

    async def _wait(self, coro: Any, timeout: Any = None) -> None:
        """Wait for as long as it takes, for a stop, or for another rebalance."""
        await super()._wait(coro, timeout=None)

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

    async def _seek_offsets(self, consumer: Any, *given: Any) -> None:
        await answered(lambda: super(SteadyRecovery, self)._seek_offsets(consumer, *given))

    def _forget(self, tp: TP, reason: str) -> None:
        logger.warning("table.read-anew", changelog=tp.topic, partition=tp.partition, reason=reason)
        cast(Any, self.tp_to_table[tp]).entries.forget(tp.partition)
        self.active_offsets[tp] = cast(Any, None)

    @Service.task
    async def _slurp_changelogs(self) -> None:
        """Apply what comes from the changelogs, for ever."""
        queue = self.tables.changelog_queue
        while not self.should_stop:
            self.signal_recovery_end.clear()
            try:
                events = [await asyncio.wait_for(queue.get(), LOOK_S)]
            except TimeoutError:
                events = []
                if self.in_recovery:
                    await self._pass_over()
            while len(events) < AT_ONCE and not queue.empty():
                events.append(queue.get_nowait())
            if events:
                self._take(events)
            if self.in_recovery and not self.need_recovery():
                self._set_recovery_ended()
                self.signal_recovery_end.set()
                await asyncio.sleep(0)

    def _take(self, events: Iterable[Any]) -> None:
        """Apply records that are newer than what is known, and were read for this hand-out of partitions."""
        generation = self.app.consumer_generation_id
        self._quiet.clear()
        fresh: defaultdict[Any, list[Any]] = defaultdict(list)
        for event in events:
            message = event.message
            if message.generation_id != generation or message.tp not in self.active_tps:
                continue
            seen = self.active_offsets[message.tp]
            if seen is None or message.offset > seen:
                self.active_offsets[message.tp] = message.offset
                fresh[self.tp_to_table[message.tp]].append(event)
            elif message.offset == seen:
                self._compare(message)
        for table, records in fresh.items():
            table.apply_changelog_batch(records)

    def _compare(self, message: Any) -> None:
        """See that the record at a table's mark is the one that it was when the mark was set."""
        entries = cast(Any, self.tp_to_table[message.tp]).entries
        mark, stamp_ms = entries.parts.mark(message.tp.partition), stamp_of(message.timestamp)
        if mark and mark.offset == message.offset and mark.stamp_ms not in {0, stamp_ms}:
            entries.forget(message.tp.partition)
            raise StoreError(
                f"the changelog {message.tp.topic} is not the one that was read before",
                remedy="start again: the table is then read from the beginning",
            )

    async def _pass_over(self) -> None:
        """Count as read what compaction has removed, up to the position that the reading has long come to."""
        for tp in [tp for tp, left in self.active_remaining().items() if left > 0]:
            position = await self._position(tp)
            self._quiet[tp] += position is not None and position > self.active_highwaters[tp]
            if self._quiet[tp] >= QUIET and self.tables.changelog_queue.empty():
                self.active_offsets[tp] = self.active_highwaters[tp]

    async def _position(self, tp: TP) -> int | None:
        try:
            return await self.app.consumer.position(tp)
        except KafkaError:  # it was handed out anew, or the broker is away: asked again
            return None


async def answered(ask: Callable[[], Awaitable[Any]]) -> Any:
    """Ask the brokers until they answer; IllegalStateError when partitions are handed out anew meanwhile."""
    while True:
        try:
            return await ask()
        except IllegalStateError:
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
