"""The one loop under every stream agent: read, decide, publish, then remember.

Events of one key are handled in order, those of different keys side by side. An event's offset is committed only
after what its step yielded was acknowledged by the log and what it remembered is in the changelog, so that a crash
repeats work and loses none. Three failures only: RetryError (the same again, later), RejectError (set aside on
`events.rejected` with stage, reason and original bytes) and anything else (we are wrong: the process stops).
"""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog

from agents.bound import bound_to
from pipeline.errors import RejectError, RetryError
from pipeline.events import Event, EventRejected
from pipeline.ports import Clock, Meter, Publisher, Staging, Tracer, Unmetered, Untraced

# A step yields what follows from an event; a fold only remembers it.
Step = Callable[[Any], AsyncIterator[Event]]
Fold = Callable[[Any], Awaitable[None]]

LONGEST_WAIT_S = 60.0
GIVEN_UP = "given-up"
LARGEST_KEPT = 512 * 1024  # bytes; base64 adds a third, and a record has room for a mebibyte

logger = structlog.get_logger(__name__)


async def always(record: Any) -> bool:
    """Say of every record that it is ours to finish: there is nobody else."""
    return True


@dataclass(kw_only=True)
class Stage:
    """One agent: its name, its step, and the log that it publishes to.

    `takes` names the event types that concern it; others on the topic pass by. `abreast` bounds the events in
    hand, `first_wait_s` is the first wait before a retry. `crashed` is told the exception that must stop the process.
    `is_ours` says whether a record's partition is still this process's; what is not is left to its new owner.
    `may_write` says so for certain, just before something is written: a process that was paused must not write over
    what others have written since.
    """

    name: str
    step: Step | Fold
    takes: tuple[type[Event], ...]
    log: Publisher
    decode: Callable[[bytes | None], Event]
    staging: Callable[[], Staging]
    clock: Clock
    crashed: Callable[[BaseException], None]
    abreast: int = 64
    first_wait_s: float = 0.5
    is_ours: Callable[[Any], bool] = lambda record: True
    may_write: Callable[[Any], Awaitable[bool]] = always
    meter: Meter = field(default_factory=Unmetered)
    tracer: Tracer = field(default_factory=Untraced)
    _last: dict[bytes | None, asyncio.Task[None]] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._places = asyncio.Semaphore(self.abreast)

    async def run(self, stream: Any) -> None:
        """Handle every event of a Faust stream until it ends."""
        async for record in stream.noack().events():
            await self._places.acquire()
            if not self.is_ours(record):
                self._places.release()
                continue
            before = self._last.get(record.key)
            task = asyncio.create_task(self._handle(record, before), name=f"{self.name} {record.key!r}")
            self._last[record.key] = task
            self._tasks.add(task)
            task.add_done_callback(partial(self._done, record.key))

    async def drain(self, within_s: float) -> None:
        """Let the events in hand end; what has not ended in time is given up, unacknowledged, and done again."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within_s)
        given_up = list(self._tasks)
        for task in given_up:
            task.cancel()
        await asyncio.gather(*given_up, return_exceptions=True)

    def _done(self, key: bytes | None, task: asyncio.Task[None]) -> None:
        self._places.release()
        self._tasks.discard(task)
        if self._last.get(key) is task:
            del self._last[key]
        if not task.cancelled() and (error := task.exception()):
            self.meter.handled(self.name, "crashed")
            self.crashed(error)

    async def _handle(self, record: Any, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
            if before.cancelled() or before.exception():
                return  # its offset must stay uncommitted, and so must ours
        started = time.perf_counter()
        with bound_to(record, self.name, self.tracer), self.staging() as staged:
            outcome = await self._until_done(record, staged)
        if outcome != GIVEN_UP:
            record.ack()
        self.meter.handled(self.name, outcome, time.perf_counter() - started)

    async def _until_done(self, record: Any, staged: Staging) -> str:
        wait_s = self.first_wait_s
        while True:
            try:
                return await self._once(record, staged)
            except RetryError as error:
                staged.clear()
                self.meter.handled(self.name, "retried")
                logger.warning(
                    "stage.retry", stage=self.name, reason=str(error), remedy=error.remedy, wait_s=wait_s
                )
                await asyncio.sleep(wait_s)
                wait_s = min(wait_s * 2, LONGEST_WAIT_S)

    async def _once(self, record: Any, staged: Staging) -> str:
        """Handle a record; returns how that ended: done, passed (not for this stage), rejected or given up."""
        try:
            event = self.decode(record.value)
            if not isinstance(event, self.takes):
                return "passed"
            results = [result async for result in self._results(event)]
            if not await self.may_write(record):
                return GIVEN_UP
            await self.log.publish_all(results)
        except RejectError as error:  # of the step, or of the log: a record that is too large
            staged.clear()
            logger.warning("stage.rejected", stage=self.name, reason=str(error), remedy=error.remedy)
            if not await self.may_write(record):
                return GIVEN_UP
            await self.log.publish_all([rejection(self.name, error, record, self.clock)])
            return "rejected"
        if not await self.may_write(record):
            return GIVEN_UP
        await staged.settle()
        return "done"

    async def _results(self, event: Event) -> AsyncIterator[Event]:
        handled = self.step(event)
        if isinstance(handled, AsyncIterator):
            async for result in handled:
                yield result
        else:
            await handled


def rejection(stage: str, error: RejectError, record: Any, clock: Clock) -> EventRejected:
    """Return the event that sets a record aside, with its place and its bytes, unless these would not fit again."""
    message, value = record.message, record.value or b""
    fits = len(value) <= LARGEST_KEPT
    return EventRejected(
        stage=stage,
        reason=f"{type(error).__name__}: {error}"
        + ("" if fits else f" (a record of {len(value):,} bytes: read it where it lies)"),
        remedy=error.remedy,
        rejected_at=clock.now(),
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        origin_key=(record.key or b"").decode(errors="replace"),
        value_base64=b64encode(value if fits else b"").decode(),
        headers={name: value.decode(errors="replace") for name, value in dict(message.headers or {}).items()},
    )
