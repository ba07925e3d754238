"""Claims on partitions of the embedded log: one process each, also while the claims of others are cleared away."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from pipeline.adapters.embedded import lock as locks
from pipeline.adapters.embedded.claims import _claim, is_claimed, unlock
from pipeline.adapters.embedded.lock import WorkerLock
from pipeline.errors import StoreError


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


def test_held_claim_stays(log: Path) -> None:
    """Clearing a group away leaves what a process is at work on."""
    held, free = WorkerLock(_claim(log, "group", 0)), WorkerLock(_claim(log, "group", 1))
    held.acquire()
    free.acquire()
    free.release()
    unlock(log, "group")
    assert (held.path.exists(), free.path.exists(), is_claimed(log, "group")) == (True, False, True)
    with pytest.raises(StoreError, match="already serves"):
        WorkerLock(_claim(log, "group", 0)).acquire()
    held.release()


def test_cleared_file_is_not_held(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who opened a claim just before it was cleared away holds the one that lies there afterwards."""
    lock, real, cleared = WorkerLock(_claim(log, "group", 0)), fcntl.flock, []

    def flock(file: int, how: int) -> None:
        if not cleared:
            cleared.append(lock.path.unlink())
        real(file, how)

    monkeypatch.setattr(locks.fcntl, "flock", flock)
    lock.acquire()
    with pytest.raises(StoreError, match="already serves"):
        WorkerLock(_claim(log, "group", 0)).acquire()
    lock.release()
