"""The thread that writes: as many appends and commits in one transaction, and one fsync, as came during the last."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from pipeline.adapters.embedded.log import Log
from pipeline.adapters.embedded.records import Entry, size_of
from pipeline.errors import PipelineError, StoreError

RETRY_S = 0.5
MAX_BATCH = 4_096
MAX_BATCH_BYTES = 8_388_608


class Append(NamedTuple):
    """A record to append; one that `insist`s is tried until the disk takes it, before anything that came later."""

    entry: Entry
    ticket: Any
    insist: bool


class Commit(NamedTuple):
    """A group's next offsets, to be set after everything that came before."""

    group: str
    offsets: Mapping[tuple[str, int], int]
    ticket: Any


class Act(NamedTuple):
    """Anything else to be done with the log, between transactions."""

    do: Callable[[Log], object]
    ticket: Any


Op = Append | Commit | Act
Outcome = tuple[Any, object]  # an op, and its result or the exception
Report = Callable[[list[Outcome], bool], None]  # the outcomes, and whether something waits for the disk


class Writer:
    """Writes what is submitted, in order, and reports each outcome from its own thread."""

    def __init__(self, log: Log, report: Report) -> None:
        self._log = log
        self._report = report
        self._inbox: deque[Op] = deque()
        self._waiting: deque[Op] = deque()
        self._ready = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"writer of {log.path.name}", daemon=True)
        self._thread.start()

    def submit(self, ops: Iterable[Op]) -> None:
        """Queue what is to be written."""
        with self._ready:
            self._inbox.extend(ops)
            self._ready.notify()

    def close(self) -> None:
        """Write what is queued, trying each but once, and end the thread."""
        with self._ready:
            self._closing = True
            self._ready.notify()
        self._thread.join()

    def _run(self) -> None:
        blocked = False
        while self._take(blocked):
            if isinstance(self._waiting[0], Act):
                self._do(self._waiting.popleft())
            else:
                blocked = self._write(self._batch())

    def _take(self, blocked: bool) -> bool:
        """Wait for work; False when there will be no more. While the disk is full, wait before trying again."""
        with self._ready:
            if blocked and not self._closing:
                self._ready.wait(RETRY_S)
            while not (self._inbox or self._waiting or self._closing):
                self._ready.wait()
            self._waiting.extend(self._inbox)
            self._inbox.clear()
            return bool(self._waiting)

    def _batch(self) -> list[Append | Commit]:
        batch: list[Append | Commit] = []
        room = MAX_BATCH_BYTES
        while self._waiting and len(batch) < MAX_BATCH and room > 0:
            op = self._waiting[0]
            if isinstance(op, Act):
                break
            batch.append(op)
            self._waiting.popleft()
            room -= size_of(op.entry) if isinstance(op, Append) else 64
        return batch

    def _write(self, batch: list[Append | Commit]) -> bool:
        """Write one batch; True when some of it waits for the disk."""
        try:
            self._report(self._written(batch), False)
        except StoreError as error:
            return self._put_off(batch, error)
        except PipelineError as error:
            self._write_singly(batch, error)
        except BaseException as error:
            self._report([(op, error) for op in batch], False)
        return False

    def _written(self, batch: list[Append | Commit]) -> list[Outcome]:
        appends = [op for op in batch if isinstance(op, Append)]
        commits = [op for op in batch if isinstance(op, Commit)]
        places = self._log.write([op.entry for op in appends], [(op.group, op.offsets) for op in commits])
        outcomes: list[Outcome] = [(op, place) for op, place in zip(appends, places, strict=True)]
        return outcomes + [(op, None) for op in commits]

    def _write_singly(self, batch: list[Append | Commit], error: PipelineError) -> None:
        """One of a batch was refused: let only that one fail."""
        if len(batch) == 1:
            self._report([(batch[0], error)], False)
            return
        for op in batch:
            self._write([op])

    def _put_off(self, batch: list[Append | Commit], error: StoreError) -> bool:
        """The disk took nothing: fail all that may fail, keep what insists for the next try."""
        queued = [*batch, *self._waiting]
        kept = [op for op in queued if isinstance(op, Append) and op.insist and not self._closing]
        held = {id(op) for op in kept}
        self._waiting = deque(kept)
        self._report([(op, error) for op in queued if id(op) not in held], bool(kept))
        return bool(kept)

    def _do(self, act: Op) -> None:
        assert isinstance(act, Act)
        try:
            result = act.do(self._log)
        except BaseException as error:
            self._report([(act, error)], False)
        else:
            self._report([(act, result)], False)
