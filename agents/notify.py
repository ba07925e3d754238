"""From deliveries due to messages sent: a fold that remembers, and a pump that sends.

The fold keeps, per destination and thread, what is still to be sent and what was. The pump sends what is due, one
message of a thread at a time and many threads abreast, and publishes how each attempt ended; only the fold of that
event settles a delivery. A crash in between repeats the attempt with the same ids.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from structlog.contextvars import bound_contextvars

from pipeline import trace
from pipeline.alerts import attempt as attempts
from pipeline.alerts import outbox as fold
from pipeline.alerts.outbox import Outbox
from pipeline.errors import DeliveryError, PipelineError
from pipeline.events import Channel, DeliveryAttempted, DeliveryDue
from pipeline.ports import Clock, Memory, Meter, Notifier, Publisher, Tracer, Unmetered, Untraced
from pipeline.tenure import Tenure

logger = structlog.get_logger(__name__)

LOOK_S = 0.02
LONGEST_ATTEMPT_S = 60.0
LAST_MOMENT_S = 1.5
PER_DESTINATION = 8
OURS = "this is a fault of ours: please report it with the log's traceback; the delivery is tried again"
LONGEST_HOLD_S = 5.0
LOOK_AGAIN = timedelta(seconds=5)  # at what is kept back
HEARSAY = timedelta(seconds=20)  # by which a process knows of every subscription


Notifiers = Mapping[str, tuple[Channel, Notifier]]
Waits = Callable[[DeliveryDue, datetime], datetime | None]


def at_once(due: DeliveryDue, now: datetime) -> datetime | None:
    """Keep nothing back."""
    return None


class Outboxes(Protocol):
    """What is remembered of every thread at every destination of this process's partitions."""

    def recall(self, key: str) -> Outbox | None: ...

    def items(self) -> Iterable[tuple[str, Outbox]]: ...

    def holds(self, key: str) -> bool: ...


class Keeps(Memory[Outbox], Protocol):
    """Remembers outboxes, and says when others can recall what was kept."""

    def after(self, act: Callable[[], None]) -> None: ...


async def keep_outbox(event: DeliveryDue | DeliveryAttempted, *, memory: Keeps, pump: Pump) -> None:
    """Take a delivery, or how an attempt at one ended, into the outbox of its thread.

    The pump looks at it only once it can be recalled: it would find nothing before, and not look again.
    """
    key = thread_key(event)
    outbox = memory.recall(key) or Outbox()
    if isinstance(event, DeliveryDue):
        known = trace.current()
        outbox = fold.due(outbox, event, traceparent=known.parent if known else "")
    else:
        outbox = fold.attempted(outbox, event)
    memory.keep(key, outbox)
    memory.after(lambda: pump.look_at(key))


def thread_key(event: DeliveryDue | DeliveryAttempted) -> str:
    """Return the key under which a thread's deliveries to one destination are kept."""
    return f"{event.subscription_id}|{event.thread}"


@dataclass(kw_only=True)
class Pump:
    """Sends what is due. `notifiers` are by subscription id; `abreast` bounds the messages under way at once.

    `waits` says until when a message is kept back, outside its reader's hours or while its subscription is off.
    While `is_counted_on` says no, others may have been given the work, and nothing is begun. `tenure` is told when the
    work was taken up, for the notifiers that can look whether another process did it.
    """

    outboxes: Outboxes
    notifiers: Notifiers
    log: Publisher
    clock: Clock
    is_counted_on: Callable[[], bool] = lambda: True
    tenure: Tenure | None = None
    abreast: int = 200
    hold_s: float = LONGEST_HOLD_S
    meter: Meter = field(default_factory=Unmetered)
    tracer: Tracer = field(default_factory=Untraced)
    waits: Waits = at_once
    _asleep: dict[str, datetime] = field(default_factory=dict)
    _busy: set[str] = field(default_factory=set)
    _load: Counter[str] = field(default_factory=Counter)
    _waiting: set[str] = field(default_factory=set)
    _unheard: dict[str, datetime] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _recording: set[asyncio.Task[None]] = field(default_factory=set)  # how the attempt ended is known
    _held: bool = True

    def look_at(self, key: str) -> None:
        """Say that a thread may have something to send."""
        self._waiting.add(key)
        self._asleep.pop(key, None)

    async def run(self) -> None:
        """Send for ever, from when this process has taken up what an earlier one left unsent."""
        try:
            while True:
                if not self._held and self.is_counted_on():
                    self._start_due()
                await asyncio.sleep(LOOK_S)
        finally:
            await self._finish()

    async def take_up(self) -> None:
        """Send what is due on the partitions that this process holds now."""
        if self.tenure:
            self.tenure.begin(self.clock.now())
        self._held = False
        self._waiting = {key for key in self._waiting if self.outboxes.holds(key)}
        for key, outbox in self.outboxes.items():
            if fold.wake_at(outbox):
                self.look_at(key)

    async def let_go(self) -> None:
        """Begin nothing more, and give the messages under way a moment: a sent one should be recorded as sent.

        What is not sent by then is the next owner's: going on with it would send it twice.
        """
        self._held = True
        await self._ended(self.hold_s)
        for task in self._tasks - self._recording:
            task.cancel()

    async def _finish(self) -> None:
        """Give the messages under way a moment: a sent one should be recorded as sent."""
        await self._ended(LAST_MOMENT_S)
        for task in self._tasks:
            task.cancel()

    async def _ended(self, within_s: float) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within_s)

    def _start_due(self) -> None:
        now = self.clock.now()
        for key in sorted(self._waiting - self._busy):
            if key in self._asleep and self._asleep[key] > now:
                continue
            if len(self._tasks) >= self.abreast:
                return
            if self._load[key.partition("|")[0]] >= PER_DESTINATION:
                continue  # one hanging endpoint delays no other
            outbox = self.outboxes.recall(key) or Outbox()
            if fold.wake_at(outbox) is None and not fold.overtaken(outbox):
                self._waiting.discard(key)
            elif self._has_work(outbox):
                self._start(key, outbox)
            else:
                self._sleep(key, outbox, now)

    def _has_work(self, outbox: Outbox) -> bool:
        return bool(fold.overtaken(outbox)) or self._next(outbox) is not None

    def _next(self, outbox: Outbox) -> DeliveryDue | None:
        """Return what to send now, None where nothing is due or what is due is kept back."""
        now = self.clock.now()
        due = fold.next_up(outbox, now)
        return None if due is None or self.waits(due, now) or self._is_news(due, now) else due

    def _is_news(self, due: DeliveryDue, now: datetime) -> bool:
        """Say whether a subscription has not been heard of yet: its first alert may come before word of itself."""
        if due.subscription_id in self.notifiers:
            self._unheard.pop(due.subscription_id, None)
            return False
        return now - self._unheard.setdefault(due.subscription_id, now) < HEARSAY

    def _sleep(self, key: str, outbox: Outbox, now: datetime) -> None:
        """Look at a thread again when its time comes, and now and then before: hours and pauses may change."""
        wake = fold.wake_at(outbox) or now
        self._asleep[key] = min(wake, now + LOOK_AGAIN) if wake > now else now + LOOK_AGAIN

    def _start(self, key: str, outbox: Outbox) -> None:
        self._busy.add(key)
        self._load[key.partition("|")[0]] += 1
        task = asyncio.create_task(self._work(key, outbox), name=f"deliver {key}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(self._recording.discard)

    async def _work(self, key: str, outbox: Outbox) -> None:
        try:
            for late, reason in fold.overtaken(outbox):
                await self._settle(key, attempts.skipped(late, reason, at=self.clock.now()))
            due = self._next(outbox)
            if due:
                known = trace.parse(fold.traceparent_of(outbox, due)) or trace.begin(due.delivery_id)
                with bound_contextvars(trace_id=known.trace_id), self.tracer.span("deliver", known):
                    ended = await self._attempt(outbox, due)
                    if task := asyncio.current_task():
                        self._recording.add(task)
                    await self._settle(key, ended)
        finally:
            self._busy.discard(key)
            self._load[key.partition("|")[0]] -= 1

    async def _settle(self, key: str, event: DeliveryAttempted) -> None:
        """Publish how an attempt ended, and wait until the fold has it: it must not be sent again meanwhile."""
        logger.info(
            "delivery." + event.outcome,
            delivery_id=event.delivery_id,
            subscription=event.subscription_id,
            what=event.what,
            attempt=event.attempt,
            status=event.status,
            reason=event.reason,
        )
        self.meter.delivered(self._channel(event.subscription_id), event.outcome)
        await self._published(event)
        while not self._held and not self._is_folded(key, event):
            await asyncio.sleep(LOOK_S)

    def _channel(self, subscription_id: str) -> str:
        known = self.notifiers.get(subscription_id)
        return known[0].value if known else "none"

    async def _published(self, event: DeliveryAttempted) -> None:
        wait_s = 0.1
        while True:
            try:
                return await self.log.publish(event)
            except PipelineError as error:
                logger.warning("delivery.unrecorded", reason=str(error), wait_s=wait_s)
                await asyncio.sleep(wait_s)
                wait_s = min(wait_s * 2, 30.0)

    def _is_folded(self, key: str, event: DeliveryAttempted) -> bool:
        return not fold.is_pending(self.outboxes.recall(key) or Outbox(), event)

    async def _attempt(self, outbox: Outbox, due: DeliveryDue) -> DeliveryAttempted:
        number, started = fold.attempt_of(outbox, due), self.clock.now()
        if due.subscription_id not in self.notifiers:
            return attempts.skipped(due, "the subscription is no longer configured", at=started)
        channel, notifier = self.notifiers[due.subscription_id]
        try:
            async with asyncio.timeout(LONGEST_ATTEMPT_S):
                receipt = await notifier.send(due, parent=fold.parent(outbox, due))
        except TimeoutError:
            is_ours = channel is Channel.EMAIL  # it is our own mail server that is slow
            slow = DeliveryError(f"no answer within {LONGEST_ATTEMPT_S:g} s", ambiguous=True, ours=is_ours)
            return self._failed(due, slow, channel, number)
        except PipelineError as error:
            return self._failed(due, error, channel, number)
        except (
            Exception
        ) as error:  # our own mistake in one message must not stop the others, nor lose this one
            logger.exception("delivery.broken", delivery_id=due.delivery_id)
            ours = DeliveryError(
                f"the message could not be made or sent: {type(error).__name__}", ours=True, remedy=OURS
            )
            return self._failed(due, ours, channel, number)
        now = self.clock.now()
        return attempts.sent(
            due,
            attempt=number,
            at=now,
            duration_s=(now - started).total_seconds(),
            status=receipt.status,
            response=receipt.response,
            receipt=receipt.receipt,
        )

    def _failed(
        self, due: DeliveryDue, error: PipelineError, channel: Channel, number: int
    ) -> DeliveryAttempted:
        return attempts.failed(due, error, channel=channel, attempt=number, at=self.clock.now())
