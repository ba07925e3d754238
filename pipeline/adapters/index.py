"""An index of what was told: alerts, what became known of them, attempts to deliver, versions; in one SQLite file.

It holds places in the log and what lists are made of, never the alerts themselves, and nothing that the log lacks:
lost or damaged, it is made anew. One process has the file; another that finds it taken keeps its own, for as long
as it runs. Times are microseconds since 1970.
"""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.adapters.indexed import SCHEMA, TABLES, marks, micros, rows
from pipeline.alerts.route import delivery_id
from pipeline.errors import StoreError
from pipeline.ports import Kept

VERSION = 1  # of the tables: an index of another version is made anew
WAIT_S = 2.0


class Spot(NamedTuple):
    """Where a record lies in the log."""

    topic: str
    partition: int
    offset: int


class Mark(NamedTuple):
    """How far a partition was read, and the identity of the last record read there."""

    next: int
    last: str


class Index:
    """The index in a file of a folder. Any thread may use it; every method may raise StoreError."""

    def __init__(self, file: Path, *, log: str) -> None:
        """Open or make the index of a log; `log` tells one log from another."""
        self._lock = threading.Lock()
        self._own: tempfile.TemporaryDirectory[str] | None = None
        self._db = self._opened(file, log)

    def __enter__(self) -> Index:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._db.close()
        if self._own:
            self._own.cleanup()

    @property
    def lasts(self) -> bool:
        """Whether this is the index that stays, rather than one for as long as this process runs."""
        return self._own is None

    def marks(self) -> Mapping[tuple[str, int], Mark]:
        """Return how far each partition was read."""
        found = self.ask("SELECT topic, partition, next, last FROM marks")
        return {(topic, partition): Mark(next_, last) for topic, partition, next_, last in found}

    def take(self, records: Sequence[Kept]) -> None:
        """Take records of one partition in, in order, and remember how far it was read; a repeat changes nothing."""
        if not records:
            return
        last = records[-1]
        entries = [entry for record in records for entry in rows(record)]
        with self._writing() as db:
            for table, group in _grouped(entries):
                db.executemany(TABLES[table], group)
            place = (last.topic, last.partition, last.offset + 1, marks(last))
            db.execute("INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?)", place)

    def forget_before(self, moment: datetime) -> int:
        """Forget the attempts of before a time, as the log does; return how many."""
        with self._writing() as db:
            db.execute(
                "DELETE FROM members WHERE attempt IN (SELECT id FROM attempts WHERE at < ?)",
                (micros(moment),),
            )
            return db.execute("DELETE FROM attempts WHERE at < ?", (micros(moment),)).rowcount

    def clear(self) -> None:
        """Forget everything, to be read anew."""
        with self._writing() as db:
            for table in (*TABLES, "marks"):
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - the names are ours

    def ask(self, sql: str, values: Mapping[str, Any] | Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows that answer a question."""
        with self._lock, _told():
            return self._db.execute(sql, values).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _told():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise

    def _opened(self, file: Path, log: str) -> sqlite3.Connection:
        """Return the file's connection; a damaged file is made anew, one that is taken gives way to one of our own."""
        with _told():
            file.parent.mkdir(parents=True, exist_ok=True)
            try:
                return _connected(file, log)
            except sqlite3.DatabaseError as error:
                if not _is_taken(error):
                    _remove(file)
                    return _connected(file, log)
            self._own = tempfile.TemporaryDirectory(prefix="clausewire-index-", ignore_cleanup_errors=True)
            return _connected(Path(self._own.name) / file.name, log)


def _connected(file: Path, log: str) -> sqlite3.Connection:
    """Open a file for this process alone, and empty it where it is of another log or another version."""
    db = sqlite3.connect(file, timeout=WAIT_S, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA cache_size = -32000")
        db.create_function("delivery_of", 2, delivery_id, deterministic=True)
        db.execute("BEGIN EXCLUSIVE")
        if not _is_of(db, log):
            for name in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                db.execute(f'DROP TABLE "{name[0]}"')
            for statement in SCHEMA:
                db.execute(statement)
            db.execute("INSERT INTO about VALUES (?, ?)", (VERSION, log))
        db.execute("COMMIT")
    except BaseException:
        db.close()
        raise
    return db


def _is_of(db: sqlite3.Connection, log: str) -> bool:
    try:
        found = db.execute("SELECT version, log FROM about").fetchone()
    except sqlite3.OperationalError:
        return False
    return bool(found == (VERSION, log))


def _is_taken(error: sqlite3.DatabaseError) -> bool:
    return error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def _remove(file: Path) -> None:
    for name in (file.name, f"{file.name}-wal", f"{file.name}-shm"):
        with suppress(FileNotFoundError):
            file.with_name(name).unlink()


def _grouped(entries: Iterable[tuple[str, tuple[Any, ...]]]) -> Iterable[tuple[str, list[tuple[Any, ...]]]]:
    groups: dict[str, list[tuple[Any, ...]]] = {}
    for table, row in entries:
        groups.setdefault(table, []).append(row)
    return groups.items()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreError(
            f"the index of alerts cannot be used: {error}",
            remedy="free space, or remove index.db: it is made anew",
        ) from error
