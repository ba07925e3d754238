"""The one loop under both pollers: whose turn it is, so many at once, and no source delaying another."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Generic, TypeVar
from urllib.parse import urlsplit

import structlog

from pipeline.errors import RetryError
from pipeline.events import DocumentSpec, FeedSpec
from pipeline.polling import DAY_S, PollState, fresh_state
from pipeline.ports import Clock, PollMemory

S = TypeVar("S", DocumentSpec, FeedSpec)

LONGEST_NAP_S = 0.5  # clocks jump: suspended machines, demos
STORE_RETRY_S = 15.0
GRACE_S = 1.0
SET_BACK = timedelta(seconds=30)

logger = structlog.get_logger(__name__)


class Sources(Generic[S]):
    """The sources to poll now; they may be declared and withdrawn while a poller runs."""

    def __init__(self, specs: Iterable[S] = ()) -> None:
        self._specs: dict[str, S] = {}
        self._touched: set[str] = set()
        self._states: dict[str, PollState] = {}
        self.changed = asyncio.Event()
        for spec in specs:
            self.declare(spec)

    def declare(self, spec: S) -> None:
        """Poll this source from now on; the same id again replaces what it was."""
        if self._specs.get(spec.id) != spec:
            self._specs[spec.id] = spec
            self._touch(spec.id)

    def withdraw(self, source_id: str) -> None:
        """Poll this source no more; what is remembered of it stays."""
        if self._specs.pop(source_id, None) is not None:
            self._touch(source_id)

    def keep_only(self, source_ids: set[str]) -> None:
        """Poll none but these."""
        for source_id in self._specs.keys() - source_ids:
            self.withdraw(source_id)

    def get(self, source_id: str) -> S | None:
        """Return the source as it is declared now, None if it is not."""
        return self._specs.get(source_id)

    def take_touched(self) -> set[str]:
        """Return the ids that were declared or withdrawn since the last call."""
        touched, self._touched = self._touched, set()
        return touched

    def note(self, state: PollState) -> None:
        """Let onlookers see how a source is doing."""
        self._states[state.source_id] = state

    @property
    def states(self) -> Mapping[str, PollState]:
        """How each source that was polled by this process is doing: health, last error, next attempt."""
        return self._states

    def _touch(self, source_id: str) -> None:
        self._touched.add(source_id)
        self.changed.set()


Poll = Callable[[S, PollState], Awaitable[PollState]]
"""Reads a source once, publishes what came of it, and returns the state to remember."""


@dataclass(kw_only=True)
class Rounds(Generic[S]):
    """Polls each source when it is due: at most `limit` at once, and one at a time on each host."""

    sources: Sources[S]
    poll: Poll[S]
    memory: PollMemory
    clock: Clock
    stop: asyncio.Event
    limit: int = 32
    _due: list[tuple[datetime, str]] = field(default_factory=list)
    _due_at: dict[str, datetime] = field(default_factory=dict)
    _states: dict[str, PollState] = field(default_factory=dict)
    _waiting: dict[str, deque[str]] = field(default_factory=dict)  # by host: due, not yet polled
    _hosts: deque[str] = field(default_factory=deque)  # hosts with someone waiting and nobody being polled
    _polled: set[str] = field(default_factory=set)  # hosts where somebody is being polled
    _busy: set[str] = field(default_factory=set)  # sources that wait for their host or are being polled
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _crash: BaseException | None = None
    _looked_at: datetime | None = None

    async def run(self) -> None:
        """Poll until `stop` is set; a poll in hand then gets a second to finish. A poll's crash is raised."""
        stopper = asyncio.create_task(self._stopped())
        try:
            while not self.stop.is_set():
                self.sources.changed.clear()
                self._mind_clock()
                await self._admit()
                self._ripen()
                self._launch()
                await self._nap()
                if self._crash is not None:
                    raise self._crash
        finally:
            stopper.cancel()
            await self._drain()

    def _mind_clock(self) -> None:
        """When the clock was set back, reckon anew when sources are due: else they would wait until it caught up."""
        now, before = self.clock.now(), self._looked_at
        self._looked_at = now
        if before is None or before - now < SET_BACK:
            return
        for source_id in list(self._due_at):
            spec = self.sources.get(source_id)
            if spec is not None:
                self._schedule(source_id, self._first_due(self._states[source_id], spec.interval_s))

    async def _stopped(self) -> None:
        await self.stop.wait()
        self.sources.changed.set()

    async def _admit(self) -> None:
        """Take note of sources that were declared, changed or withdrawn."""
        for source_id in sorted(self.sources.take_touched()):
            spec = self.sources.get(source_id)
            if spec is None:
                self._due_at.pop(source_id, None)
                if source_id not in self._busy:  # another process may read it before it comes back here
                    self._states.pop(source_id, None)
                continue
            state = fresh_state(await self._recalled(source_id), source_id, spec.url)
            self._remember(state)
            if source_id not in self._busy:
                self._schedule(source_id, self._first_due(state, spec.interval_s))

    async def _recalled(self, source_id: str) -> PollState | None:
        """Return what is remembered of a source, however long the store takes to be usable again."""
        while source_id not in self._states and not self.stop.is_set():
            try:
                return await self.memory.load(source_id)
            except RetryError as error:
                logger.error("poll.not-recalled", source=source_id, error=str(error), remedy=error.remedy)
                await self._paused(STORE_RETRY_S)
        return self._states.get(source_id)

    async def _paused(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.stop.wait()

    def _first_due(self, state: PollState, interval_s: float) -> datetime:
        """Return when to poll a source met anew: as remembered, sooner if its interval was shortened."""
        now = self.clock.now()
        if state.due_at is None:
            return now
        longest = max(interval_s, DAY_S) if state.failures else interval_s
        return min(state.due_at, now + timedelta(seconds=longest))

    def _schedule(self, source_id: str, due_at: datetime) -> None:
        self._due_at[source_id] = due_at
        heapq.heappush(self._due, (due_at, source_id))

    def _ripen(self) -> None:
        """Move the sources whose time has come to the queues of their hosts."""
        now = self.clock.now()
        while self._due and self._due[0][0] <= now:
            due_at, source_id = heapq.heappop(self._due)
            spec = self.sources.get(source_id)
            if spec is None or self._due_at.get(source_id) != due_at:
                continue  # withdrawn, or scheduled anew since
            del self._due_at[source_id]
            self._busy.add(source_id)
            host = urlsplit(spec.url).netloc.lower()
            self._waiting.setdefault(host, deque()).append(source_id)
            if len(self._waiting[host]) == 1 and host not in self._polled:
                self._hosts.append(host)

    def _launch(self) -> None:
        while self._hosts and len(self._tasks) < self.limit:
            host = self._hosts.popleft()
            source_id = self._waiting[host].popleft()
            if not self._waiting[host]:
                del self._waiting[host]
            self._polled.add(host)
            task = asyncio.create_task(self._poll_one(source_id), name=f"poll {source_id}")
            self._tasks.add(task)
            task.add_done_callback(partial(self._done, host))

    def _done(self, host: str, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._polled.discard(host)
        if host in self._waiting:
            self._hosts.append(host)
        if not task.cancelled() and task.exception() is not None:
            self._crash = self._crash or task.exception()
        self.sources.changed.set()

    async def _poll_one(self, source_id: str) -> None:
        """Poll a source that was not withdrawn in the meantime, and say when it is due next."""
        spec = self.sources.get(source_id)
        due_at = await self._polled_once(spec) if spec is not None else None
        self._busy.discard(source_id)
        current = self.sources.get(source_id)
        if current is None:
            return
        if due_at is None or current != spec:  # declared anew while it was polled
            state = fresh_state(self._states[source_id], source_id, current.url)
            self._remember(state)
            due_at = self._first_due(state, current.interval_s)
        self._schedule(source_id, due_at)

    async def _polled_once(self, spec: S) -> datetime:
        due_at = self.clock.now() + timedelta(seconds=min(spec.interval_s, STORE_RETRY_S))
        try:
            state = await self.poll(spec, self._states[spec.id])
            await self.memory.save(state)
        except RetryError as error:  # the log or a store cannot take a write now: all is read again
            logger.error("poll.not-stored", source=spec.id, error=str(error), remedy=error.remedy)
            return due_at
        self._remember(state)
        return state.due_at or due_at

    def _remember(self, state: PollState) -> None:
        self._states[state.source_id] = state
        self.sources.note(state)

    async def _nap(self) -> None:
        """Sleep until a source is due, a poll ends or the sources change."""
        if self.sources.changed.is_set():
            return
        nap_s = LONGEST_NAP_S
        if self._due:
            nap_s = min(nap_s, max(0.0, (self._due[0][0] - self.clock.now()).total_seconds()))
        with suppress(TimeoutError):
            async with asyncio.timeout(nap_s):
                await self.sources.changed.wait()

    async def _drain(self) -> None:
        """Let the polls in hand finish, for a second; what is cut off then is read again after the start."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GRACE_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
