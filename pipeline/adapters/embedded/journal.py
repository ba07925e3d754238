"""The log as a running worker uses it, on its event loop: futures for appends, and word of what others appended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from faust.types import TP, RecordMetadata

from pipeline.adapters.embedded.errors import closed
from pipeline.adapters.embedded.log import Log
from pipeline.adapters.embedded.records import Entry, Place, Record
from pipeline.adapters.embedded.writer import Act, Append, Commit, Op, Outcome, Writer
from pipeline.errors import StoreError

WATCH_S = 0.04
PATIENCE_S = 0.004
FEW, MANY = 4, 256

T = TypeVar("T")
logger = logging.getLogger(__name__)


class Journal:
    """One log, opened by the first who uses it and closed by the last.

    Appends are gathered on the event loop and written by one thread; reading is done on the loop, from a connection of
    its own. `listeners` are called whenever there may be more to read.
    """

    def __init__(self, path: Path, *, max_record_bytes: int) -> None:
        self.path = path
        self.max_record_bytes = max_record_bytes
        self.listeners: list[Callable[[], None]] = []
        self.ends: dict[tuple[str, int], int] = {}
        self.commits = 0
        self._users = 0
        self._gathered: list[Op] = []
        self._unwritten = 0
        self._in_flight = 0
        self._flushing: list[asyncio.Future[None]] = []
        self._blocked = False
        self._reader: Log | None = None

    # life

    async def open(self) -> None:
        """Open the log for one more user."""
        self._users += 1
        if self._users > 1:
            return
        try:
            self._loop = asyncio.get_running_loop()
            self._writing, self._reader = await asyncio.to_thread(self._connect)
        except BaseException:
            self._users -= 1
            raise
        self._unwritten = self._in_flight = 0
        self._blocked = False
        self._writer = Writer(self._writing, self._report)
        self._look()
        self._watcher = asyncio.create_task(self._watch(), name=f"watch {self.path.name}")

    def _connect(self) -> tuple[Log, Log]:
        writing = Log(self.path, max_record_bytes=self.max_record_bytes)
        return writing, Log(self.path, max_record_bytes=self.max_record_bytes)

    async def close(self) -> None:
        """Close the log for one user; the last one waits until what was appended is written."""
        self._users -= 1
        if self._users != 0:
            return
        self._hand_over()
        self._watcher.cancel()
        with suppress(asyncio.CancelledError):
            await self._watcher
        await asyncio.to_thread(self._writer.close)
        await asyncio.sleep(0)  # what the thread reported comes in
        reader, self._reader = self._reader, None
        for log in (reader, self._writing):
            if log is not None:
                log.close()

    @property
    def is_open(self) -> bool:
        """Whether anybody uses the log."""
        return self._reader is not None

    @property
    def log(self) -> Log:
        """The log to read from; StoreError when it is closed."""
        if self._reader is None:
            raise closed(self.path)
        return self._reader

    # reading

    def read(self, topic: str, partition: int, start: int, limit: int, max_bytes: int) -> list[Record]:
        """Up to `limit` records from offset `start` on; [] at the end, without asking the disk."""
        if start >= self.ends.get((topic, partition), 0):
            return []
        return self.log.read(topic, partition, start, limit, max_bytes)

    # writing

    def append(self, entry: Entry, *, insist: bool = False) -> asyncio.Future[RecordMetadata]:
        """Append a record; the future gives its place once it is on the disk, or StoreError when it cannot be.

        One that `insist`s is tried until the disk takes it, before anything that came later. A record over the limit
        raises RecordTooLargeError at once.
        """
        self.log.check_size(entry)
        future: asyncio.Future[RecordMetadata] = self._loop.create_future()
        self._gather(Append(entry, future, insist))
        return future

    async def commit(self, group: str, offsets: Mapping[tuple[str, int], int]) -> None:
        """Set a group's next offsets, after everything that was appended before; StoreError when it cannot be."""
        future: asyncio.Future[None] = self._loop.create_future()
        self._gather(Commit(group, offsets, future))
        await future

    async def create(self, topic: str, partitions: int, config: Mapping[str, str]) -> None:
        """Declare a topic, as `Log.create` does."""
        held = self.log.topics().get(topic)
        if held is None or held.partitions != partitions:
            await self.act(lambda log: log.create(topic, partitions, **config))
            self._look()

    async def act(self, do: Callable[[Log], T]) -> T:
        """Do something with the log in the writing thread, after everything that was appended before."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._gather(Act(do, future))
        return await future

    async def flush(self) -> None:
        """Wait until everything appended so far is written or refused, or waits for a disk that is full."""
        while self._unwritten and not self._blocked:
            waiter: asyncio.Future[None] = self._loop.create_future()
            self._flushing.append(waiter)
            await waiter

    def _gather(self, op: Op) -> None:
        if not self._gathered and not self._in_flight:
            self._loop.call_soon(self._hand_over)
        self._gathered.append(op)
        self._unwritten += 1

    def _hand_over(self) -> None:
        """Give the thread what was gathered; while it writes, the next transaction's worth is gathered here."""
        if self._gathered:
            ops, self._gathered = self._gathered, []
            self._in_flight += len(ops)
            self._writer.submit(ops)

    # what comes back

    def _report(self, outcomes: list[Outcome], blocked: bool) -> None:
        with suppress(RuntimeError):  # the loop was closed under us: nobody is left to tell
            self._loop.call_soon_threadsafe(self._settle, outcomes, blocked)

    def _settle(self, outcomes: list[Outcome], blocked: bool) -> None:
        self._unwritten -= len(outcomes)
        self._in_flight -= len(outcomes)
        if blocked or not self._in_flight:
            # under load a moment's patience saves most of the fsyncs; a lone record never waits
            if len(outcomes) > FEW and len(self._gathered) < MANY:
                self._loop.call_later(PATIENCE_S, self._hand_over)
            else:
                self._hand_over()
        ends = self.ends
        for op, outcome in outcomes:
            if type(outcome) is Place:
                topic, partition, offset = outcome
                tp = TP(topic, partition)
                if offset >= ends.get(tp, 0):
                    ends[tp] = offset + 1
                outcome = RecordMetadata(topic, partition, tp, offset, op.entry.timestamp, 0)
            _answer(op.ticket, outcome)
        self._tell_blocked(blocked, outcomes)
        self.commits = self._writing.commits
        self._wake(self._flushing)
        self._notify()

    def _tell_blocked(self, blocked: bool, outcomes: list[Outcome]) -> None:
        if blocked and not self._blocked:
            logger.error("log.blocked path=%s: records wait for the disk to take them", self.path)
        if self._blocked and not blocked:
            logger.warning("log.unblocked path=%s", self.path)
        self._blocked = blocked

    def _wake(self, waiters: list[asyncio.Future[None]]) -> None:
        while waiters:
            waiter = waiters.pop()
            if not waiter.done():
                waiter.set_result(None)

    def _notify(self) -> None:
        for listener in self.listeners:
            listener()

    async def _watch(self) -> None:
        """Look every now and then whether another process appended something."""
        while True:
            await asyncio.sleep(WATCH_S)
            try:
                self._look()
            except StoreError as error:
                logger.warning("log.unread path=%s: %s", self.path, error)

    def _look(self) -> None:
        if self.log.refresh():
            ends = {key: part.next for key, part in self.log.parts().items()}
            if ends != self.ends:
                self.ends = ends
                self._notify()


def _answer(future: asyncio.Future[object], outcome: object) -> None:
    if future.done():
        return
    if isinstance(outcome, BaseException):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
