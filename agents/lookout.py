"""Seeing a process from outside: what it measured, whether it lives, whether it works. Only when it is asked for.

A pulse beats in the event loop; a server in a thread of its own tells how long ago it last did, so that a loop that
hangs is seen. Every few seconds what is so at the moment is looked at: the lag, the tables, the sources, the broker.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import structlog
from faust.types import TP

from agents.declare import Declared
from agents.program import Program
from pipeline.adapters.metrics import TEXT, MeteredFetches, Metrics
from pipeline.adapters.otel import tracer_for
from pipeline.adapters.scrapes import Answer, ScrapeServer, told
from pipeline.ports import Fetches, Meter, Tracer, Unmetered
from pipeline.topics import TOPICS

BEAT_S = 0.25
LOOK_S = 5.0
PATIENCE_S = 5.0  # for the broker's answer
CLOSED = {"starting", "stopping"}  # when a program's tables may not be open
STUCK_S = 30.0  # without a beat; no step holds the loop for so long

logger = structlog.get_logger(__name__)


@dataclass(kw_only=True)
class Watched:
    """A program as the lookout knows it; times are monotonic seconds.

    `away_since` is when it last stopped working, `silent_since` when the broker was asked what it has not answered yet.
    """

    program: Program
    away_since: float | None
    silent_since: float | None = None
    lag: Mapping[str, int] = field(default_factory=dict)
    stages: list[str] = field(default_factory=list)

    @property
    def group(self) -> str:
        return str(self.program.app.conf.id)

    def unready(self, now: float, patience_s: float) -> str:
        """Why it does no work, in a word; empty when it does."""
        silent = self.silent_since is not None and now - self.silent_since > patience_s
        return self.program.unready or ("the broker does not answer" if silent else "")


class Lookout:
    """Watches programs, and tells over HTTP. Use as an async context; without a port it does nothing at all."""

    def __init__(
        self,
        port: int | None = None,
        host: str = "127.0.0.1",
        *,
        look_s: float = LOOK_S,
        stuck_s: float = STUCK_S,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.metrics = Metrics()
        self.meter: Meter = Unmetered() if port is None else self.metrics
        self.tracer: Tracer = tracer_for()
        self.url = ""
        self._look_s, self._stuck_s, self._patience_s = look_s, stuck_s, patience_s
        self._declared: Declared | None = None
        self._watched: list[Watched] = []
        self._beat_at = time.monotonic()
        self._tasks: list[asyncio.Task[None]] = []
        paths = {"/metrics": self._metrics, "/health/live": self._live, "/health/ready": self._ready}
        self._server = None if port is None else ScrapeServer(host, port, paths)

    @property
    def eyes(self) -> dict[str, Any]:
        """Keyword arguments for a program that is to be watched."""
        return {"meter": self.meter, "tracer": self.tracer}

    def watch(self, program: Program) -> None:
        """Watch a program; before it starts."""
        self._watched.append(Watched(program=program, away_since=time.monotonic()))

    def metered(self, fetches: Fetches, kind: str, declared: Declared) -> Fetches:
        """Return the reads of sources of a kind, counted; and have the sources' health told."""
        self._declared = declared
        return fetches if self._server is None else MeteredFetches(fetches, self.meter, kind)

    async def __aenter__(self) -> Lookout:
        if self._server is not None:
            self.url = self._server.open()
            logger.info("lookout.listening", metrics=f"{self.url}/metrics", ready=f"{self.url}/health/ready")
            self._beat_at = time.monotonic()
            self._tasks = [asyncio.create_task(self._beat()), asyncio.create_task(self._look())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            await asyncio.to_thread(self._server.close)

    # in the loop

    async def _beat(self) -> None:
        while True:
            self._beat_at = now = time.monotonic()
            for watched in self._watched:
                self._note(watched, now)
            await asyncio.sleep(BEAT_S)

    def _note(self, watched: Watched, now: float) -> None:
        """Measure how long a program is away."""
        if not watched.stages:
            watched.stages = [stage.name for stage in watched.program.stages]
            for name in watched.stages:
                self.metrics.begin_stage(name)
        if watched.program.unready:
            watched.away_since = watched.away_since or now
        elif watched.away_since is not None:
            self.metrics.recovered(watched.group, now - watched.away_since)
            watched.away_since = None

    async def _look(self) -> None:
        asking: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                for watched in self._watched:
                    before = asking.get(watched.group)  # one question at a time: a lost broker answers late
                    if not watched.program.unready and (before is None or before.done()):
                        asking[watched.group] = asyncio.create_task(self._ask(watched))
                self._count()
                await asyncio.sleep(self._look_s)
        finally:
            for task in asking.values():
                task.cancel()
            await asyncio.gather(*asking.values(), return_exceptions=True)

    async def _ask(self, watched: Watched) -> None:
        """Ask the broker how far its topics reach."""
        watched.silent_since = watched.silent_since or time.monotonic()
        try:
            watched.lag = await lag(watched.program)
        except Exception as error:  # whatever the driver raises: it is no answer
            logger.warning("lookout.no-answer", group=watched.group, reason=repr(error)[:200])
        else:
            watched.silent_since = None
            self._count()

    def _count(self) -> None:
        lags: dict[tuple[str, ...], float] = {
            (watched.group, topic): float(number)
            for watched in self._watched
            for topic, number in watched.lag.items()
        }
        self.metrics.set_states("consumer_lag_records", lags)
        self.metrics.set_states("table_entries", dict(_entries(self._watched)))
        if self._declared is not None:
            self.metrics.set_states("sources", health(self._declared))

    # in the server's threads

    def _metrics(self) -> Answer:
        self.metrics.set_states("ready", {(): float(not self._unready())})
        return Answer(self.metrics.text(), TEXT)

    def _live(self) -> Answer:
        why = self._dead()
        return told({"live": not why, **({"reason": why} if why else {})}, well=not why)

    def _ready(self) -> Answer:
        why = self._unready()
        return told({"ready": not why, **({"reasons": why} if why else {})}, well=not why)

    def _dead(self) -> str:
        still_s = time.monotonic() - self._beat_at
        if still_s > self._stuck_s:
            return f"the event loop has hung for {still_s:.0f} s"
        crashed = [w.group for w in self._watched if w.program.unready == "crashed"]
        return f"{', '.join(crashed)} crashed" if crashed else ""

    def _unready(self) -> dict[str, str]:
        if dead := self._dead():
            return {"process": dead}
        now = time.monotonic()
        found = {w.group: w.unready(now, self._patience_s) for w in self._watched}
        return {group: why for group, why in found.items() if why} if found else {"process": "starting"}


async def lag(program: Program) -> dict[str, int]:
    """Return how many records each topic has that this process has still to work through, as the broker says now."""
    consumer: Any = program.app.consumer
    names = {program.topic(spec.name).get_topic_name(): spec.name for spec in TOPICS}
    held = [tp for tp in consumer.assignment() if tp.topic in names]
    ends = await consumer.highwaters(*(held or [TP(next(iter(names)), 0)]))
    behind: Counter[str] = Counter()
    for tp in held:
        done = consumer._committed_offset[tp] or 0
        behind[names[tp.topic]] += max(0, (ends[tp] or 0) - done)
    return dict(behind)


def health(declared: Declared) -> dict[tuple[str, ...], float]:
    """Return how many documents and feeds are in which health."""
    counted: Counter[tuple[str, ...]] = Counter()
    for kind, sources in (("document", declared.documents), ("feed", declared.feeds)):
        for source_id, state in list(sources.states.items()):
            if sources.get(source_id) is not None:
                counted[kind, state.health.value] += 1
    return {labels: float(number) for labels, number in counted.items()}


def _entries(watched: Iterable[Watched]) -> Iterable[tuple[tuple[str, ...], float]]:
    for one in watched:
        if one.program.unready in CLOSED:
            continue
        for name, table in list(one.program.app.tables.items()):
            yield (one.group, str(name)), float(len(table))
