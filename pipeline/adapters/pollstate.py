"""What the pollers remember, in one SQLite file: many saves are one transaction, none blocks the event loop."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import msgspec

from pipeline.errors import StoreError
from pipeline.polling import PollState

T = TypeVar("T")

SCHEMA = "CREATE TABLE IF NOT EXISTS polls (source_id TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID"


class PollStates:
    """The states of all sources, by id; an `async with` opens and closes the file. StoreError if it is unusable.

    A save returns when its state is in the file. A power cut may lose the last ones, and costs a read each.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="polls")
        self._file: sqlite3.Connection | None = None
        self._pending: dict[str, bytes] = {}
        self._flush: asyncio.Task[None] | None = None

    async def __aenter__(self) -> PollStates:
        try:
            self._file = await self._aside(lambda: _open(self._path))
        except StoreError:
            self._thread.shutdown()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._flush is not None:
            await asyncio.wait([self._flush])
        await self._aside(self._database.close)
        self._thread.shutdown()

    async def load(self, source_id: str) -> PollState | None:
        """Return what is remembered of a source; what this version cannot read counts as nothing."""
        held = self._pending.get(source_id) or await self._aside(lambda: self._read(source_id))
        return _decoded(held) if held is not None else None

    async def save(self, state: PollState) -> None:
        """Remember a source's state, together with the others that are being saved."""
        self._pending[state.source_id] = msgspec.json.encode(state)
        if self._flush is None:
            self._flush = asyncio.create_task(self._write_soon())
        await asyncio.shield(self._flush)

    async def all(self) -> list[PollState]:
        """Return every state, by source id."""
        rows = await self._aside(
            lambda: self._database.execute("SELECT state FROM polls ORDER BY source_id").fetchall()
        )
        return [state for (row,) in rows if (state := _decoded(row)) is not None]

    async def _write_soon(self) -> None:
        await asyncio.sleep(0)
        rows, self._pending, self._flush = self._pending, {}, None
        await self._aside(lambda: self._write(rows))

    def _write(self, rows: dict[str, bytes]) -> None:
        with self._database as database:
            database.executemany("INSERT OR REPLACE INTO polls VALUES (?, ?)", rows.items())

    def _read(self, source_id: str) -> bytes | None:
        row = self._database.execute("SELECT state FROM polls WHERE source_id = ?", (source_id,)).fetchone()
        return None if row is None else bytes(row[0])

    @property
    def _database(self) -> sqlite3.Connection:
        assert self._file is not None, "the states are used inside their `async with`"
        return self._file

    async def _aside(self, act: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, act)
        except sqlite3.Error as error:
            raise StoreError(
                f"{self._path} cannot be used: {error}",
                remedy="Check the disk's free space and the file's permissions",
            ) from error


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, check_same_thread=False, timeout=10)
    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.execute(SCHEMA)
        database.commit()
    except sqlite3.Error:
        database.close()
        raise
    return database


def _decoded(row: bytes) -> PollState | None:
    try:
        return msgspec.json.decode(row, type=PollState)
    except (msgspec.ValidationError, msgspec.DecodeError):
        return None
