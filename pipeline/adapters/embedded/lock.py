"""One worker at a time: a lock file beside the log that names the process that holds it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from pipeline.errors import StoreError


class WorkerLock:
    """Held by the worker that serves a log; the kernel lets go of it when the process dies, however it dies."""

    def __init__(self, log: Path) -> None:
        self.path = log.with_name(log.name + ".lock")
        self._file: int | None = None

    def acquire(self) -> None:
        """Take the lock, or raise StoreError naming the process that has it."""
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = _read(file)
            os.close(file)
            raise _taken(self.path, owner) from None
        if not _is_at(file, self.path):  # cleared away between opening and locking: lock what lies there now
            os.close(file)
            self.acquire()
            return
        os.ftruncate(file, 0)
        os.pwrite(file, str(os.getpid()).encode(), 0)
        self._file = file

    def release(self) -> None:
        """Let go; the file stays, empty, so that no two processes ever lock different files."""
        if self._file is not None:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None


def holder(log: Path) -> int | None:
    """The process id of the worker that serves this log now, None when none does."""
    path = log.with_name(log.name + ".lock")
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(_read(file) or 0)
    else:
        return None
    finally:
        os.close(file)


def _is_at(file: int, path: Path) -> bool:
    """Say whether an open file is the one that lies at a path."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _read(file: int) -> str:
    return os.pread(file, 32, 0).decode(errors="replace").strip()


def _taken(path: Path, owner: str) -> StoreError:
    return StoreError(
        f"another worker (process {owner or 'unknown'}) already serves the log {path.with_suffix('')}",
        remedy=f"stop it first (kill {owner}), or give this worker a log of its own"
        if owner
        else "stop it first",
    )
