"""Faust's producer over the embedded log."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from contextvars import ContextVar
from typing import Any, NoReturn

from faust.transport import base
from faust.transport.producer import ProducerBuffer
from faust.types import TP, FutureMessage, RecordMetadata
from faust.types.core import HeadersArg
from mode import Service

from pipeline.adapters.embedded.declaring import DeclaresTopics
from pipeline.adapters.embedded.errors import no_transactions
from pipeline.adapters.embedded.partitioner import new_partitioner
from pipeline.adapters.embedded.records import Entry, headers_of

_insisting: ContextVar[bool] = ContextVar("insisting", default=False)


class Buffer(ProducerBuffer):
    """What tables write to their changelogs: nobody awaits it, so the log is told to insist on it.

    `put` and `size` leave out a setting that Faust looks up for every message, for a mode that this driver has not.
    """

    def put(self, fut: FutureMessage) -> None:
        """Queue a message to be sent."""
        self.pending.put_nowait(fut)

    @property
    def size(self) -> int:
        """Messages that wait to be sent."""
        return self.pending.qsize()

    @Service.task
    async def _handle_pending(self) -> None:
        _insisting.set(True)
        while not self.should_stop:
            message = await self.pending.get()
            await self._send_pending(message)
            self.message_sent.set()


class Producer(DeclaresTopics, base.Producer):
    """Appends to the log; what `send` returns is done once the record is on the disk."""

    def __init__(self, transport: Any, loop: Any = None, **kwargs: Any) -> None:
        super().__init__(transport, loop=loop, **kwargs)
        self.buffer = Buffer(loop=self.loop, beacon=self.beacon)
        self.buffer.app = self.app
        self._partition = new_partitioner()
        self._counts: dict[str, int] = {}

    async def on_start(self) -> None:
        """Open the log."""
        await self.journal.open()
        await super().on_start()

    async def on_shutdown(self) -> None:
        """Close the log, once everything sent is on the disk."""
        await self.journal.close()

    async def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: HeadersArg | None,
        *,
        transactional_id: str | None = None,
    ) -> Awaitable[RecordMetadata]:
        """Append a record; the future it returns is done when the record is on the disk, or fails with StoreError."""
        if transactional_id is not None:
            raise no_transactions()
        count = self._counts.get(topic) or await self._count(topic)
        if partition is None:
            partition = self._partition(key, count)
        # Faust gives seconds as a float, which may fall just short of the millisecond it stands for
        milliseconds = int((timestamp or time.time()) * 1000 + 0.01)
        entry = Entry(topic, key, value, headers_of(headers), milliseconds, partition)
        return self.journal.append(entry, insist=_insisting.get())

    async def send_and_wait(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: HeadersArg | None,
        *,
        transactional_id: str | None = None,
    ) -> RecordMetadata:
        """Append a record and wait until it is on the disk."""
        sent = await self.send(
            topic, key, value, partition, timestamp, headers, transactional_id=transactional_id
        )
        return await sent

    async def flush(self) -> None:
        """Wait until everything sent so far is on the disk, or refused by it."""
        if self.buffer.started and not self.buffer.should_stop:
            await self.buffer.flush()
        if self.journal.is_open:
            await self.journal.flush()

    def key_partition(self, topic: str, key: bytes) -> TP:
        """The partition of a key."""
        held = self.journal.log.topics().get(topic)
        return TP(topic, self._partition(key, held.partitions if held else self.app.conf.topic_partitions))

    def supports_headers(self) -> bool:
        """Records carry headers."""
        return True

    async def _count(self, topic: str) -> int:
        held = self.journal.log.topics().get(topic)
        if held is None:
            await self.journal.create(topic, self.app.conf.topic_partitions, {})
        self._counts[topic] = held.partitions if held else self.app.conf.topic_partitions
        return self._counts[topic]

    async def begin_transaction(self, transactional_id: str) -> NoReturn:
        """Refused: this broker has no transactions."""
        raise no_transactions()

    async def maybe_begin_transaction(self, transactional_id: str) -> NoReturn:
        """Refused: this broker has no transactions."""
        raise no_transactions()
