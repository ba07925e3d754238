"""The embedded log when things go wrong: killed processes, a full disk, a second worker, a signal to stop."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.adapters.embedded import Log
from pipeline.adapters.embedded.lock import holder
from pipeline.errors import StoreError
from tests.adapters.log_broker import until
from tests.adapters.log_children import new_app

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("CLAUSEWIRE_TEST_KILLS", "4"))


@contextmanager
def child(role: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that plays a role on the log at a path, killed if it still runs at the end."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.adapters.log_children", role, str(path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, text=True, stdout=pipe, stderr=pipe) as process:
        try:
            yield process
        finally:
            process.kill()


def first_line(process: subprocess.Popen[str]) -> str:
    """Wait until a process says something."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def is_whole(path: Path) -> bool:
    """Whether SQLite finds nothing wrong with the file."""
    db = sqlite3.connect(path)
    try:
        return bool(db.execute("PRAGMA integrity_check").fetchone() == ("ok",))
    finally:
        db.close()


def listening(pid: int) -> set[str]:
    """The inodes of the sockets on which a process listens."""
    held = {os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    rows = [
        row.split()
        for name in ("tcp", "tcp6")
        for row in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()
    ]
    return {row[9] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in held}


@pytest.mark.slow
@pytest.mark.parametrize("role", ["append-batches", "append-by-app"])
def test_kill_loses_nothing(tmp_path: Path, role: str) -> None:
    """Whatever was acknowledged before a SIGKILL is there afterwards, with no gap, in a file that is whole."""
    path, seed = tmp_path / "log.db", random.SystemRandom().randrange(2**32)
    delays = random.Random(seed)
    acknowledged = -1
    for _ in range(KILLS):
        with child(role, path) as process:
            said = first_line(process) + "\n"
            time.sleep(delays.uniform(0, 0.3))
            process.kill()
            said += process.communicate()[0]
        acknowledged = max(
            [acknowledged, *(int(line) for line in said.splitlines(keepends=True) if line.endswith("\n"))]
        )
        with Log(path) as log:
            assert log.end_offsets("t")[0] > acknowledged, f"seed {seed}"
    with Log(path) as log:
        offsets = [record.offset for record in log.records("t")]
    assert offsets == list(range(len(offsets))), f"seed {seed}"
    assert is_whole(path)


def test_full_disk_refuses(tmp_path: Path) -> None:
    """With the disk full an append fails with the place and the remedy; with room again it goes on; nothing is torn."""
    path = tmp_path / "log.db"
    with child("fill-disk", path) as process:
        said, errors = process.communicate(timeout=60)
    fact, end, after = said.splitlines()
    assert str(path) in fact
    assert "free space" in fact
    assert int(after.split()[1]) == int(end.split()[1])
    with Log(path) as log:
        assert [record.value for record in log.records("t")][-1] == b"after", errors
    assert is_whole(path)


def test_full_disk_under_app(tmp_path: Path) -> None:
    """With the disk full a send fails and a table's change waits; with room again the change is there, and none twice."""
    path = tmp_path / "log.db"
    with child("fill-disk-under-app", path) as process:
        said, errors = process.communicate(timeout=60)
    assert "free space" in said.splitlines()[0], errors
    assert said.splitlines()[-1] == "stopped", errors
    with Log(path) as log:
        assert [len(record.value or b"") for record in log.records("child-held-changelog")] == [200_000]
        assert [record.value for record in log.records("out")] == [b"room again"]
    assert is_whole(path)


async def test_second_worker_refused(tmp_path: Path) -> None:
    """A second worker on a log is told which process has it, and the log is free again once that one ends."""
    path = tmp_path / "log.db"
    with child("serve", path) as process:
        first_line(process)
        with pytest.raises(StoreError, match=rf"process {process.pid}\b"):
            await new_app(path, "second").start()
        held_by = holder(path)
    assert (held_by, holder(path)) == (process.pid, None)


def test_commands_work_beside_worker(tmp_path: Path) -> None:
    """While a worker serves the log, another process reads it and appends to it."""
    path = tmp_path / "log.db"
    with child("serve", path) as process, Log(path) as log:
        first_line(process)
        before = sum(log.end_offsets("t"))
        log.append("t", b"from outside", key=b"k")
        assert sum(log.end_offsets("t")) == before + 1


@pytest.mark.parametrize("role", ["serve", "worker"])
async def test_sigterm_stops_cleanly(tmp_path: Path, role: str) -> None:
    """A worker in the middle of a long step ends within 3 s of SIGTERM, without a complaint, having opened no port."""
    with child(role, tmp_path / "log.db") as process:
        first_line(process)
        ports = listening(process.pid)
        told = time.monotonic()
        process.send_signal(signal.SIGTERM)
        await until(lambda: process.poll() is not None)
        took = time.monotonic() - told
        errors = process.communicate()[1]
    assert (process.returncode, ports) == (0, set()), errors
    assert not any(word in errors for word in ("Traceback", "closed", "never")), errors
    assert took < 3
