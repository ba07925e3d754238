"""Parts of tables on the local disk, in one RocksDB: a start reads the end of its changelogs and not all of them.

What lies here is a copy. It is at any moment what the changelogs say up to the marks, because values and mark are
written together and only after the brokers have them; a copy that cannot be read, that was left alone for so long that
records of deletions may be gone from the changelog, or that another layout wrote, is thrown away and read anew.
Every process on a machine has a folder of its own, locked by it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import structlog

from pipeline.adapters.parts import Change, Mark, MemoryShelves, Parts, Shelves
from pipeline.errors import ConfigError, StoreError

FORMAT = b"1"
FORMAT_KEY = b"\0format"
OLDEST_S = (
    12 * 3600.0
)  # half of the time for which a deletion can be read from a changelog (delete.retention.ms)
WRITE_BUFFER = 16 << 20
BLOCK_CACHE = 32 << 20
OPEN_FILES = 128
LOCK, SPOILT, DATA = "lock", "spoilt", "db"

logger = structlog.get_logger(__name__)


class Note(NamedTuple):
    """What is written beside a part: its mark, how many entries it has, until when it was what the changelog says."""

    offset: int
    stamp_ms: int
    size: int
    seen_at: float


class Rocks:
    """The folder of one process, taken by `open`. `now` is the time of day in seconds."""

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self.folder: Path | None = None
        self.broken: BrokenStore | None = None
        self._lock: int | None = None
        self._database: Any = None
        self._parts: dict[str, RocksParts] = {}

    def open(self, home: Path) -> None:
        """Take a folder that no other process has, and open what lies in it; StoreError when the disk refuses.

        `home` is where the processes of one group on one cluster have their folders.
        """
        try:
            home.mkdir(parents=True, exist_ok=True)
            self.folder, self._lock = _free(home)
            self._sweep(home)
            if (self.folder / SPOILT).exists():
                self._clear("it could not be read")
            self._database = self._opened(self.folder / DATA)
        except OSError as error:
            self.close()
            raise StoreError(
                f"the local store {home} cannot be used: {error}",
                remedy="see its permissions and the free space, or write kafka: {store: memory}",
            ) from error

    def close(self) -> None:
        """Write down that what is held is in order, and let go of the folder."""
        for parts in self._parts.values():
            parts.close()
        self._parts.clear()
        if self._database is not None:
            with suppress(Exception):  # what could not be written is read from the changelogs again
                self._database.close()
            self._database = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def parts(self, table: str) -> Parts:
        """Return where a table's entries are."""
        assert self._database is not None, "the store is opened before the tables"
        return self._parts.setdefault(table, RocksParts(self, self._database, table))

    def spoil(self, error: Exception) -> BrokenStore:
        """Have the next start throw away what lies here, and use it no more: what fails once may have gaps."""
        self.broken = BrokenStore(self.folder, error)
        if self.folder is not None:
            with suppress(OSError):
                (self.folder / SPOILT).touch()
        return self.broken

    def _sweep(self, home: Path) -> None:
        """Delete what no process has used for so long that nothing in it counts any more."""
        for folder in home.iterdir():
            if folder == self.folder or not (folder / LOCK).exists():
                continue
            old = self.now() - (folder / LOCK).stat().st_mtime > OLDEST_S
            lock = _locked(folder / LOCK) if old else None
            if lock is not None:
                shutil.rmtree(folder / DATA, ignore_errors=True)
                os.close(lock)

    def _clear(self, reason: str) -> None:
        assert self.folder is not None
        logger.warning("tables.read-anew", folder=str(self.folder), reason=reason)
        data = self.folder / DATA
        if data.is_dir():
            shutil.rmtree(data)
        else:
            data.unlink(missing_ok=True)
        (self.folder / SPOILT).unlink(missing_ok=True)

    def _opened(self, path: Path) -> Any:
        from rocksdict import Rdict

        try:
            database = Rdict(str(path), options=_options())
            if _is_ours(database):
                return database
            database.close()
            reason = "another version wrote it"
        except Exception as error:  # rocksdict raises nothing narrower
            reason = str(error)
        self._clear(reason)
        try:
            database = Rdict(str(path), options=_options())
            _is_ours(database)
        except Exception as error:  # rocksdict raises nothing narrower
            raise OSError(str(error)) from error
        return database


class RocksParts:
    """One table's parts. Keys are the table's name, the partition in four bytes, and the entry's key."""

    def __init__(self, rocks: Rocks, database: Any, table: str) -> None:
        self._rocks = rocks
        self._database = database
        self._name = table.encode() + b"\0"
        self._notes: dict[int, Note | None] = {}

    def get(self, place: int, key: bytes) -> bytes | None:
        """Return the value under a key."""
        return self._read(self._start(place) + key)

    def apply(self, place: int, changes: Iterable[Change], mark: Mark | None) -> None:
        """Take changes, and with them the mark."""
        from rocksdict import WriteBatch

        start, batch, note = self._start(place), WriteBatch(raw_mode=True), self._note(place)
        size = note.size if note else 0
        for key, value in {change.key: change.value for change in changes}.items():
            size += (value is not None) - (self._read(start + key) is not None)
            if value is None:
                batch.delete(start + key)
            else:
                batch.put(start + key, value)
        if mark is not None:
            seen_at = note.seen_at if note else self._rocks.now()  # reading on makes nothing young: see touch
            note = Note(mark.offset, mark.stamp_ms, size, seen_at)
        elif note is not None:
            note = note._replace(size=size)  # not in step with the changelog: it grows old from here
        if note is not None:
            batch.put(self._note_key(place), msgspec.json.encode(note))
        self._guarded(self._database.write, batch)
        self._notes[place] = note

    def mark(self, place: int) -> Mark | None:
        """Return the mark of a part; one that is too old, or of a time that has not come, is forgotten with it."""
        note = self._note(place)
        if note is None:
            return None
        if not -OLDEST_S < self._rocks.now() - note.seen_at < OLDEST_S:
            self.forget(place)
            return None
        return Mark(note.offset, note.stamp_ms)

    def known(self, place: int) -> Mark | None:
        """Return the mark of a part that is in use: a clock that jumps takes nothing from under its readers."""
        note = self._note(place)
        return None if note is None else Mark(note.offset, note.stamp_ms)

    def items(self, place: int) -> Iterator[tuple[bytes, bytes]]:
        """Yield a part's entries as they are now."""
        start = self._start(place)
        for key, value in self._guarded(self._database.items, from_key=start):
            if not key.startswith(start):
                return
            yield key[len(start) :], value

    def size(self, place: int) -> int:
        note = self._note(place)
        return note.size if note else 0

    def release(self, place: int) -> None:
        """Keep the part as it is: it is read on from its mark when the partition comes back."""

    def forget(self, place: int) -> None:
        """Delete a part and its mark."""
        from rocksdict import WriteBatch

        batch = WriteBatch(raw_mode=True)
        batch.delete(self._note_key(place))
        batch.delete_range(self._start(place), self._start(place + 1))
        self._guarded(self._database.write, batch)
        self._notes[place] = None

    def touch(self, place: int) -> None:
        """Write down that a part is still what the changelog says."""
        note = self._note(place)
        if note is not None:
            self._notes[place] = note = note._replace(seen_at=self._rocks.now())
            self._guarded(self._database.put, self._note_key(place), msgspec.json.encode(note))

    def close(self) -> None:
        self._database = None

    def _start(self, place: int) -> bytes:
        return self._name + place.to_bytes(4, "big")

    def _note_key(self, place: int) -> bytes:
        return b"\0" + self._start(place)

    def _note(self, place: int) -> Note | None:
        if place not in self._notes:
            held = self._read(self._note_key(place))
            self._notes[place] = None if held is None else msgspec.json.decode(held, type=Note)
        return self._notes[place]

    def _read(self, key: bytes) -> bytes | None:
        found: bytes | None = self._guarded(self._database.get, key)
        return found

    def _guarded(self, act: Callable[..., Any], *given: Any, **named: Any) -> Any:
        """Do something with the database; what it cannot do spoils the folder, and ends the process."""
        if self._rocks.broken is not None:
            raise self._rocks.broken
        try:
            return act(*given, **named)
        except Exception as error:  # rocksdict raises nothing narrower
            raise self._rocks.spoil(error) from error


class BrokenStore(Exception):
    """The local store failed under us; a new start reads the tables anew from their changelogs."""

    def __init__(self, folder: Path | None, error: Exception) -> None:
        super().__init__(
            f"the local store {folder} failed: {error}; start again and it is filled anew from the changelogs, "
            "or write kafka: {store: memory}"
        )


def shelves_of(store: str) -> Shelves:
    """Return where tables are kept; ConfigError when what is asked for is not installed."""
    if store == "memory":
        return MemoryShelves()
    try:
        import rocksdict  # noqa: F401
    except ImportError:
        raise ConfigError(
            "kafka: {store: rocksdb} needs a package that is not installed",
            key="kafka.store",
            remedy="pip install 'clausewire[rocksdb]', or write store: memory",
        ) from None
    return Rocks()


def _is_ours(database: Any) -> bool:
    """Say whether a database has our layout; an empty one is given it."""
    if database.get(FORMAT_KEY) is None and next(iter(database.keys()), None) is None:
        database.put(FORMAT_KEY, FORMAT)
    return bool(database.get(FORMAT_KEY) == FORMAT)


def _free(home: Path) -> tuple[Path, int]:
    """Return the first folder that nobody has locked."""
    for number in count(1):
        folder = home / str(number)
        folder.mkdir(exist_ok=True)
        lock = _locked(folder / LOCK)
        if lock is not None:
            return folder, lock
    raise AssertionError("numbers do not end")


def _locked(path: Path) -> int | None:
    """Lock a file and return it, None when another process has it; the kernel unlocks it when we die."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    os.utime(file)
    return file


def _options() -> Any:
    """Return options that bound memory: small buffers, one small cache, few open files, hardly any log."""
    from rocksdict import BlockBasedOptions, Cache, Options

    options, blocks = Options(raw_mode=True), BlockBasedOptions()
    blocks.set_block_cache(Cache(BLOCK_CACHE))
    blocks.set_bloom_filter(10, block_based=False)
    options.set_block_based_table_factory(blocks)
    options.create_if_missing(True)
    options.set_write_buffer_size(WRITE_BUFFER)
    options.set_max_write_buffer_number(2)
    options.set_max_total_wal_size(2 * WRITE_BUFFER)
    options.set_max_open_files(OPEN_FILES)
    options.set_max_background_jobs(2)
    options.set_keep_log_file_num(2)
    options.set_max_log_file_size(1 << 20)
    return options
