"""Committing no further than what was really done, and stopping without waiting for what may never be.

Faust 0.15.3 finds the offset to commit from the acknowledged offsets alone. When they come out of order it commits
past records that nobody acknowledged: with nothing committed yet an acknowledged 5 commits 6 though 0 to 4 are open,
with 10 committed an acknowledged 11 commits 12 though 10 is open, and a gap left by compaction counts the record after
it as done. Here the offsets delivered are remembered, in order, and a commit goes up to the first that is still open.
It fits any Faust consumer, the one for Kafka too.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Iterable
from typing import Any

from faust.transport.consumer import Consumer
from faust.types import TP, Message

DRAIN_S = 1.0


class OrderlyAcks(Consumer):
    """A consumer whose committed offsets are contiguous, in whatever order its messages are acknowledged."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._delivered: defaultdict[TP, deque[int]] = defaultdict(deque)
        super().__init__(*args, **kwargs)
        deliver = self.callback

        async def remember(message: Message) -> None:
            if self.app.topics.acks_enabled_for(message.topic):
                self._remember(message.tp, message.offset)
            await deliver(message)

        self.callback = remember

    def _remember(self, tp: TP, offset: int) -> None:
        """Note a delivery; one that comes again, after a seek to the committed offset, is noted already."""
        delivered = self._delivered[tp]
        if not delivered or offset > delivered[-1]:
            delivered.append(offset)

    def _new_offset(self, tp: TP) -> int | None:
        delivered, acked = self._delivered[tp], self._acked_index[tp]
        committed = self._committed_offset[tp] or 0
        done = None
        while delivered and (delivered[0] in acked or delivered[0] < committed):
            done = delivered.popleft()
            acked.discard(done)
        if done is None:
            return None
        self._acked[tp] = [offset for offset in self._acked[tp] if offset > done]
        return done + 1

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Nothing to do: an offset that was not delivered holds nothing up."""

    async def wait_empty(self) -> None:
        """Give the steps at work a moment to end, then commit; what is not done by then will be done again.

        Faust waits here for as long as a step takes: a worker in a long one hangs on SIGTERM.
        """
        deadline = time.monotonic() + DRAIN_S
        while not self.should_stop and self._unacked_messages and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
            self._clean_unacked_messages()
        await self.commit_and_end_transactions()

    async def seek(self, partition: TP, offset: int) -> None:
        """Go to an offset; what was delivered of the partition no longer counts."""
        await super().seek(partition, offset)
        self._forget([partition])

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Forget what was delivered of partitions that are taken away."""
        await super().on_partitions_revoked(revoked)
        self._forget(revoked)

    def _forget(self, partitions: Iterable[TP]) -> None:
        for tp in partitions:
            for held in (self._delivered, self._acked, self._acked_index, self._gap):
                held.pop(tp, None)
