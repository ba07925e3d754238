"""Parts of tables on the local disk: what the changelog says, whoever left them and however."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from pipeline.adapters.parts import Change, Mark, PartedStore, Parts
from pipeline.adapters.rocks import FORMAT_KEY, OLDEST_S, BrokenStore, Rocks

pytest.importorskip("rocksdict", reason="the extra rocksdb is not installed")

KEPT = [Change(b"a", b"1"), Change(b"b", b"2")]


class Day:
    """A time of day that is set by hand."""

    seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def day() -> Day:
    return Day()


@pytest.fixture
def rocks(tmp_path: Path, day: Day) -> Iterator[Rocks]:
    made = Rocks(now=day)
    made.open(tmp_path)
    yield made
    made.close()


def filled(rocks: Rocks, table: str = "documents") -> Parts:
    """A table with two entries on partition 3, up to record 7."""
    parts = rocks.parts(table)
    parts.apply(3, KEPT, Mark(7, 70))
    return parts


def again(rocks: Rocks, home: Path) -> Rocks:
    """The same folder, opened by a later process."""
    rocks.close()
    rocks.open(home)
    return rocks


def test_parts_outlive_the_process(rocks: Rocks, tmp_path: Path) -> None:
    """A later process finds values, mark and size."""
    filled(rocks)
    parts = again(rocks, tmp_path).parts("documents")
    assert (dict(parts.items(3)), parts.mark(3), parts.size(3)) == (dict(KEPT), Mark(7, 70), 2)


def test_parts_are_apart(rocks: Rocks) -> None:
    """Other partitions and tables, whatever their names begin with, hold nothing of it."""
    filled(rocks)
    others = [
        rocks.parts("documents").items(2),
        rocks.parts("documents").items(4),
        rocks.parts("doc").items(3),
    ]
    assert [list(items) for items in others] == [[], [], []]


def test_last_change_of_a_batch_counts(rocks: Rocks) -> None:
    """A key that is set, deleted and set again within a batch has its last value, and counts once."""
    parts = filled(rocks)
    parts.apply(3, [Change(b"a", None), Change(b"c", b"3"), Change(b"a", b"4"), Change(b"b", None)], Mark(11))
    assert (dict(parts.items(3)), parts.size(3)) == ({b"a": b"4", b"c": b"3"}, 2)


def test_forgotten_part_is_empty(rocks: Rocks) -> None:
    """Of a forgotten part nothing is left, its mark included; its neighbours stay."""
    parts = filled(rocks)
    parts.apply(4, KEPT, Mark(1))
    parts.forget(3)
    assert (list(parts.items(3)), parts.mark(3), len(list(parts.items(4)))) == ([], None, 2)


@pytest.mark.parametrize(
    ("later_s", "stands"), [(OLDEST_S - 1, True), (OLDEST_S + 1, False), (-OLDEST_S - 1, False)]
)
def test_old_part_is_forgotten(rocks: Rocks, day: Day, later_s: float, stands: bool) -> None:
    """A part left for so long that deletions may be gone from its changelog, or from a time to come, is read anew."""
    parts = filled(rocks)
    day.seconds += later_s
    assert (parts.mark(3) is not None, parts.get(3, b"a") == b"1") == (stands, stands)


def test_touched_part_stays_young(rocks: Rocks, day: Day) -> None:
    """A part that is held all the while does not grow old."""
    parts = filled(rocks)
    day.seconds += OLDEST_S - 1
    parts.touch(3)
    day.seconds += OLDEST_S - 1
    assert parts.mark(3) == Mark(7, 70)


def test_value_without_a_mark_ages(rocks: Rocks, day: Day) -> None:
    """What came out of step is held, and does not make its part younger."""
    parts = filled(rocks)
    day.seconds += OLDEST_S - 1
    parts.apply(3, [Change(b"c", b"3")], None)
    held = parts.get(3, b"c")
    day.seconds += 2
    assert (held, parts.mark(3)) == (b"3", None)


def held_on_disk(rocks: Rocks) -> PartedStore:
    """A store of one partition on the disk, read as far as record 7."""
    table: Any = SimpleNamespace(name="t", partitions=1)
    store = PartedStore("memory://", SimpleNamespace(), table, parts=rocks.parts("documents"))
    store.parts.apply(0, KEPT, Mark(7, 70))
    store.hold({0})
    store.reached(0, 7)
    return store


@pytest.mark.parametrize("jump_s", [OLDEST_S + 1, -OLDEST_S - 1])
def test_clock_that_jumps_empties_no_part_in_use(rocks: Rocks, day: Day, jump_s: float) -> None:
    """What is held stays while it is written on, however the clock is set; young again at the next touch."""
    store = held_on_disk(rocks)
    day.seconds += jump_s
    store.confirm(0, Change(b"c", b"3"), Mark(8, 80))
    found = store.find(b"a"), store.find(b"c")
    store.touch()
    assert (found, store.persisted_offset(TP("t", 0))) == ((b"1", b"3"), 8)


def test_part_that_is_being_read_ages(rocks: Rocks, day: Day) -> None:
    """Deletions may be missing from a part until it was read to the end: neither a batch nor a touch makes it young."""
    store = held_on_disk(rocks)
    day.seconds += OLDEST_S - 1
    store.hold({0})
    store.parts.apply(0, [Change(b"c", b"3")], Mark(8, 80))
    store.touch()
    day.seconds += 2
    assert store.persisted_offset(TP("t", 0)) is None


def test_two_processes_have_two_folders(rocks: Rocks, tmp_path: Path) -> None:
    """A second process with the same data folder has a folder of its own, and the first one's when that has ended."""
    filled(rocks)
    two, three = Rocks(now=rocks.now), Rocks(now=rocks.now)
    two.open(tmp_path)
    first = rocks.folder
    rocks.close()
    three.open(tmp_path)
    found = two.parts("documents").mark(3), three.parts("documents").mark(3)
    folders = (two.folder, three.folder)
    two.close()
    three.close()
    assert (found, folders) == ((None, Mark(7, 70)), (tmp_path / "2", first))


def test_unused_folder_is_emptied(rocks: Rocks, tmp_path: Path, day: Day) -> None:
    """What a process left that never came back is deleted once nothing in it counts any more."""
    left = Rocks(now=day)
    left.open(tmp_path)
    left.close()
    os.utime(tmp_path / "2" / "lock", (day.seconds, day.seconds))
    day.seconds += OLDEST_S + 1
    again(rocks, tmp_path)
    assert not (tmp_path / "2" / "db").exists()


def spoilt(folder: Path) -> None:
    for file in folder.glob("db/MANIFEST-*"):
        file.write_bytes(b"\0" * 64)


def cut(folder: Path) -> None:
    (folder / "db" / "CURRENT").unlink()


def replaced(folder: Path) -> None:
    for file in sorted((folder / "db").iterdir()):
        file.unlink()
    (folder / "db").rmdir()
    (folder / "db").write_text("no folder")


def marked(folder: Path) -> None:
    (folder / "spoilt").touch()


@pytest.mark.parametrize("harm", [spoilt, cut, replaced, marked])
def test_broken_store_is_made_anew(rocks: Rocks, tmp_path: Path, harm: object) -> None:
    """A store that cannot be opened, or that failed before, is thrown away; its tables begin empty."""
    filled(rocks)
    rocks.close()
    harm(tmp_path / "1")  # type: ignore[operator]
    rocks.open(tmp_path)
    parts = rocks.parts("documents")
    found = parts.mark(3)
    parts.apply(3, KEPT, Mark(0))
    assert (found, parts.get(3, b"a")) == (None, b"1")


def test_other_layout_is_made_anew(rocks: Rocks, tmp_path: Path) -> None:
    """A store that another version wrote is thrown away."""
    filled(rocks)
    rocks._database.put(FORMAT_KEY, b"0")
    assert again(rocks, tmp_path).parts("documents").mark(3) is None


def test_failure_is_remembered(rocks: Rocks, tmp_path: Path) -> None:
    """After a failed read nothing is answered any more, and the next start begins empty."""
    parts = filled(rocks)
    rocks._database.close()
    for _ in range(2):
        with pytest.raises(BrokenStore, match="start again"):
            parts.get(3, b"a")
    rocks.broken = None
    assert again(rocks, tmp_path).parts("documents").mark(3) is None


KILLED = """
import os, signal, sys
from pathlib import Path
from pipeline.adapters.parts import Change, Mark
from pipeline.adapters.rocks import Rocks
rocks = Rocks()
rocks.open(Path(sys.argv[1]))
parts = rocks.parts("documents")
for number in range(5000):
    parts.apply(3, [Change(b"%d" % number, b"x" * 100)], Mark(number, number))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killed_process_leaves_a_whole(tmp_path: Path) -> None:
    """After kill -9 values and mark agree, and the folder is free."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    rocks = Rocks()
    rocks.open(tmp_path)
    parts = rocks.parts("documents")
    mark = parts.mark(3)
    held, folder = len(list(parts.items(3))), rocks.folder
    rocks.close()
    assert (done.returncode, mark and mark.offset + 1, folder) == (-signal.SIGKILL, held, tmp_path / "1")
