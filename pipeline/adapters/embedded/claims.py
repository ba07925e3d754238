"""Partitions of the embedded log run again by several processes: each is held by one at a time, by a lock file.

What a process found, what it remembers and how far it came go into the log in one transaction: after a kill the
next process goes on where the last transaction ended, and nothing stands in the log twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from pipeline.adapters.embedded.lock import WorkerLock, holder
from pipeline.adapters.embedded.log import Log
from pipeline.adapters.embedded.records import Entry, Record
from pipeline.adapters.wire import headers, pack
from pipeline.errors import StoreError
from pipeline.events import Event
from pipeline.ports import Kept, Portion, Scope
from pipeline.topics import PLACES, STATES

BATCH = 32  # records between two commits
LOOK_S = 0.2
SLACK = 256  # superseded states that may lie about before they are cleared away


class EmbeddedPortion:
    """One partition in the hands of this process; see the port."""

    def __init__(self, log: Log, scope: Scope, number: int) -> None:
        self.number = number
        self._log = log
        self._scope = scope
        self._end = scope.ends[number]
        self._states = scope.prefix + STATES
        self._keys: set[str] = set()
        self._written = 0
        self._next = 0

    @property
    def at_end(self) -> bool:
        """Whether everything was read."""
        return self._next >= self._end

    async def begin(self) -> dict[str, bytes]:
        """Return what was remembered at the last commit."""
        self._next = _position(self._log, self._scope, self.number)
        states: dict[str, bytes] = {}
        position = 0
        while batch := self._log.read(self._states, self.number, position):
            position = batch[-1].offset + 1
            for record in batch:
                states[(record.key or b"").decode()] = record.value or b""
        self._keys, self._written = set(states), len(states)
        return states

    async def read(self) -> list[Kept]:
        """Return what comes next, at most a commit's worth."""
        batch = self._log.read(self._scope.topic, self.number, self._next, BATCH)
        batch = [record for record in batch if record.offset < self._end]
        self._next = batch[-1].offset + 1 if batch else self._end
        return [kept(record) for record in batch]

    async def save(self, results: Iterable[Event], states: Mapping[str, bytes]) -> None:
        """Make what was read done, with what came of it."""
        entries = entries_of(results, self._scope.prefix)
        entries += [
            Entry(self._states, key.encode(), value, partition=self.number) for key, value in states.items()
        ]
        done = {(self._scope.topic, self.number): self._next}
        self._log.write(entries, [(self._scope.group, done)])
        self._clear(states)

    def _clear(self, states: Mapping[str, bytes]) -> None:
        self._keys |= states.keys()
        self._written += len(states)
        if self._written > 2 * len(self._keys) + SLACK:
            self._log.compact(self._states, now=int(time.time() * 1000))
            self._written = len(self._keys)


async def claims(log: Log, scope: Scope) -> AsyncGenerator[Portion, None]:
    """Yield one partition after the other that nobody is at work on, until all are done, whoever did them."""
    while left := _undone(log, scope):
        idle = True
        for number in left:
            lock = WorkerLock(_claim(log.path, scope.group, number))
            try:
                lock.acquire()
            except StoreError:
                continue
            try:
                if number in _undone(log, scope):
                    idle = False
                    yield EmbeddedPortion(log, scope, number)
            finally:
                lock.release()
        if idle:
            await asyncio.sleep(LOOK_S)


def is_claimed(log: Path, group: str) -> bool:
    """Say whether a process is at work on a partition under a group."""
    return any(holder(path.with_suffix("")) is not None for path in _locks(log, group))


def unlock(log: Path, group: str) -> None:
    """Clear away the lock files of a group at which nobody is at work."""
    for path in _locks(log, group):
        lock = WorkerLock(path.with_suffix(""))
        try:
            lock.acquire()
        except StoreError:
            continue
        path.unlink(missing_ok=True)
        lock.release()


def entries_of(events: Iterable[Event], prefix: str) -> list[Entry]:
    """Return the records that events are, on their topics or on shadows of these."""
    return [
        Entry(
            f"{prefix}{topic}",
            key(event).encode(),
            pack(event),
            tuple(headers(event).items()),
            int(event.at.timestamp() * 1000),
        )
        for event in events
        for topic, key in PLACES[type(event)]
    ]


def kept(record: Record) -> Kept:
    """Return a record as commands read it."""
    return Kept(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
        key=record.key,
        value=record.value,
        headers=dict(record.headers),
    )


def _claim(log: Path, group: str, number: int) -> Path:
    return log.with_name(f"{log.name}.{group}.{number}")


def _locks(log: Path, group: str) -> list[Path]:
    return list(log.parent.glob(f"{log.name}.{group}.*.lock"))


def _position(log: Log, scope: Scope, number: int) -> int:
    first = log.first_offsets(scope.topic)[number]
    return max(first, log.committed(scope.group).get((scope.topic, number), 0))


def _undone(log: Log, scope: Scope) -> list[int]:
    return [number for number, end in enumerate(scope.ends) if _position(log, scope, number) < end]
