"""The running program: one Faust app, its stages and memories, and the tasks beside them.

Nothing listens on any port. The program is ready once its tables are recovered; it stops when asked to, or with
the exception that crashed it. Never awaits `app.stop()` from inside an agent: that deadlocks Faust.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import faust
import structlog

from agents.holdings import Holder, Holdings
from agents.stage import Stage
from pipeline.adapters.embedded import quiet_settings
from pipeline.adapters.kafka.lease import Lease
from pipeline.adapters.kafka.logs import quieten
from pipeline.adapters.kafka.start import Kafka
from pipeline.adapters.kafka.transport import attach, driver_settings
from pipeline.adapters.publish import TopicLog
from pipeline.adapters.rocks import shelves_of
from pipeline.adapters.tables import LastingTable, Staged, TableMemory
from pipeline.adapters.wire import decode
from pipeline.errors import StoreError
from pipeline.events import Event
from pipeline.ports import Clock, Meter, Tracer, Unmetered, Untraced
from pipeline.topics import TABLES_BY_NAME, TOPICS, TopicSpec

V = TypeVar("V")
READY_WITHIN_S = 60.0
TOUCH_S = 300.0
HALT_WITHIN_S = 10.0

logger = structlog.get_logger(__name__)


class Program:
    """A Faust app whose agents are stages. Use as an async context: inside, it runs.

    `name` is the consumer group; on Kafka (`kafka` given) topics and group bear the prefix of its settings.
    """

    def __init__(
        self,
        name: str,
        broker: str,
        *,
        data: Path,
        clock: Clock,
        partitions: int = 4,
        kafka: Kafka | None = None,
        meter: Meter | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self.clock = clock
        self.meter, self.tracer = meter or Unmetered(), tracer or Untraced()
        self._data = data
        self._kafka = kafka
        self._prefix = kafka.settings.prefix if kafka else ""
        partitions = kafka.settings.partitions if kafka else partitions
        settings = driver_settings(kafka.settings.session_timeout_s) if kafka else {}
        self.app = faust_app(self._prefix + name, broker, data=data, partitions=partitions, **settings)
        self._shelves = shelves_of(kafka.settings.store if kafka else "memory")
        self._topics = {spec.name: self._topic(spec, partitions) for spec in TOPICS}
        self._sizes = {spec.name: spec.partitions or partitions for spec in TOPICS}
        self.log = TopicLog(self._topics, self.meter)
        self.stages: list[Stage] = []
        self._lease = Lease(kafka.settings.session_timeout_s) if kafka else None
        self._holdings = Holdings(self.app, self.stages, self._prefix.__add__, self.is_counted_on)
        if kafka and self._lease:
            attach(self.app, kafka.connection, self._holdings.let_go, self._lease)
        self._beside: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._crash: asyncio.Future[None] | None = None
        self._recovery: Any = None
        self.stopping = asyncio.Event()

    def is_counted_on(self) -> bool:
        """Say whether nobody else can have been given this process's work: it was not paused or cut off too long."""
        return self._lease is None or self._lease.holds

    def memory(self, name: str, topic: str, kind: type[V]) -> TableMemory[V]:
        """Return a typed memory that lives with a topic's partitions and recovers from its changelog."""
        assert TABLES_BY_NAME[name].topic == topic, "pipeline/topics.py names every table and its topic"
        table = self.app.Table(
            name,
            partitions=self._sizes[topic],
            key_type=bytes,
            value_type=bytes,
            options={"shelves": self._shelves},
        )
        return TableMemory(table, kind)

    def agent(
        self,
        topic: str,
        step: Callable[..., AsyncIterator[Event]] | Callable[..., Awaitable[None]],
        *takes: type[Event],
        abreast: int = 64,
        **given: Any,
    ) -> None:
        """Put a step under the one loop: it is called with each event of its types and what it is given."""
        name = getattr(step, "__name__", str(step))
        stage = Stage(
            name=name,
            step=partial(step, **given),
            takes=takes,
            log=self.log,
            decode=decode,
            staging=Staged,
            clock=self.clock,
            crashed=self._crashed,
            abreast=abreast,
            is_ours=self._holdings.is_ours,
            may_write=self._holdings.may_write,
            meter=self.meter,
            tracer=self.tracer,
        )
        self.stages.append(stage)
        self.app.agent(self._topics[topic], name=f"{topic}.{name}")(stage.run)

    def holds(self, holder: Holder, topic: str) -> None:
        """Tell a holder what comes and goes of a topic's partitions."""
        self._holdings.add(holder, topic)

    def topic(self, name: str) -> Any:
        """Return a topic as Faust has it."""
        return self._topics[name]

    def beside(self, task: Callable[..., Coroutine[Any, Any, None]], **given: Any) -> None:
        """Run a task beside the agents, from when the memories are recovered until the program stops."""
        self._beside.append(partial(task, **given))

    async def __aenter__(self) -> Program:
        self._crash = asyncio.get_running_loop().create_future()
        try:
            await self._start()
            await self._ready()
        except BaseException:
            await self._halt()
            raise
        beside = [*self._beside, self._holdings.follow, self._watch, self._touch]
        if self._kafka:
            beside.append(self._kafka.watch)
        self._tasks = [asyncio.create_task(self._guarded(task), name=_name(task)) for task in beside]
        return self

    async def _start(self) -> None:
        if self._kafka:
            quieten()
            group = self.app.conf.id
            cluster_id = await self._kafka.prepare(data=self._data, group=group)
            self._shelves.open(self._data / "tables" / cluster_id / group)
        self._recovery = (
            self.app.tables.recovery
        )  # made here: those who ask for our health would make it in a thread
        await self.app.start()
        for topic in [] if self._kafka else self._topics.values():
            await topic.declare()

    async def _touch(self) -> None:
        """Keep what is kept on the disk from counting as old."""
        while True:
            await asyncio.sleep(TOUCH_S)
            for table in self.app.tables.values():
                table.entries.touch()

    async def _watch(self) -> None:
        """Notice that Faust gave up: it stops by itself and tells nobody."""
        while not self.app.should_stop:
            await asyncio.sleep(0.5)
        if not self.stopping.is_set():
            raise self.app.crash_reason or StoreError("Faust stopped by itself", remedy="see the log above")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._halt()
        if self._crash and self._crash.done() and not self._crash.cancelled():
            self._crash.exception()

    async def _halt(self) -> None:
        """Stop; a broker that does not answer is waited for within bounds: the group finds out by itself."""
        stopping = asyncio.create_task(self.app.stop())
        await asyncio.wait([stopping], timeout=HALT_WITHIN_S)
        if not stopping.done():
            logger.warning(
                "program.broke-off", remedy="the broker does not answer; what is open is done again"
            )
            stopping.cancel()
        await asyncio.gather(stopping, return_exceptions=True)
        self._shelves.close()

    @property
    def unready(self) -> str:
        """Why this process does no work just now, in a word; empty when it does."""
        if self._crash and self._crash.done():
            return "crashed"
        if self.stopping.is_set():
            return "stopping"
        if self._crash is None or self._recovery is None or not self.app.started:
            return "starting"
        if self.app.rebalancing:
            return "rebalancing"
        if not self._holdings.settled:
            return "recovering"
        return "" if self.log.takes_writes else "the log takes no writes"

    async def run_until(self, stop: asyncio.Event) -> None:
        """Run until asked to stop; raises what crashed the program."""
        assert self._crash is not None, "the program runs inside its context"
        asked = asyncio.create_task(stop.wait())
        try:
            waiting: list[asyncio.Future[Any]] = [asked, self._crash]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asked.cancel()
        if self._crash.done():
            self._crash.result()

    def _crashed(self, error: BaseException) -> None:
        if self._crash and not self._crash.done():
            self._crash.set_exception(error)

    async def _guarded(self, task: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await task()
        except Exception as error:
            self._crashed(error)

    async def _ready(self) -> None:
        """Wait until partitions are assigned and tables recovered, for as long as reading goes on."""
        end, left = time.monotonic() + READY_WITHIN_S, -1
        while self.app.rebalancing or not self._recovery.completed.is_set():
            await asyncio.sleep(0.01)
            if self.app.should_stop:
                raise self.app.crash_reason or StoreError(
                    "Faust stopped by itself", remedy="see the log above"
                )
            if left != (left := self._recovery.active_remaining_total()):
                end = time.monotonic() + READY_WITHIN_S
            if time.monotonic() > end:
                raise StoreError(
                    f"the broker {self.app.conf.broker[0]} gave no partitions within {READY_WITHIN_S:g} s",
                    remedy="see that it runs and that its topics exist (clausewire doctor)",
                )

    def _topic(self, spec: TopicSpec, partitions: int) -> Any:
        return self.app.topic(
            self._prefix + spec.name,
            partitions=spec.partitions or partitions,
            compacting=spec.compacted or None,
            retention=spec.retention_s,
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
            internal=True,
        )


def _name(task: Callable[..., Any]) -> str:
    inner = task.func if isinstance(task, partial) else task
    return getattr(inner, "__name__", str(inner))


def faust_app(name: str, broker: str, *, data: Path, partitions: int, **settings: Any) -> Any:
    """Return a Faust app that keeps to itself: no web server, no log set-up of its own, no leader topic."""
    logging.getLogger("faust").setLevel(logging.WARNING)
    logging.getLogger("mode").setLevel(logging.WARNING)
    return faust.App(
        name,
        broker=broker,
        datadir=str(data / "faust"),
        store="memory://",
        topic_partitions=partitions,
        Table=LastingTable,
        broker_commit_interval=0.5,
        producer_acks=-1,
        **{"stream_wait_empty": False, **quiet_settings(), **settings},
    )
