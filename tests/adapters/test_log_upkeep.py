"""Retention and compaction of the embedded log, and how it saves fsyncs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import faust
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.adapters.embedded import Entry, Log, quiet_settings
from pipeline.adapters.embedded.journal import Journal
from pipeline.adapters.embedded.upkeep import DAY_MS, MIN_DIRTY
from pipeline.errors import ConfigError, RejectError
from tests.adapters.log_broker import until


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    """An empty log."""
    with Log(tmp_path / "log.db") as log:
        yield log


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """A journal that is open, with one topic."""
    journal = Journal(tmp_path / "log.db", max_record_bytes=1000)
    await journal.open()
    await journal.create("t", 1, {})
    yield journal
    await journal.close()


def offsets(log: Log, topic: str = "t") -> list[int]:
    """The offsets that a topic still holds."""
    return [record.offset for record in log.records(topic)]


def test_trimming_drops_the_old(log: Log) -> None:
    """Trimming drops records older than a time from the front, and the partition then begins after them."""
    log.create("t")
    log.append_many(Entry("t", None, b"v", timestamp=when) for when in (10, 20, 30, 40))
    assert log.trim("t", before=30) == 2
    assert (offsets(log), log.first_offsets("t"), log.end_offsets("t")) == ([2, 3], [2], [4])


def test_trimming_stops_at_the_young(log: Log) -> None:
    """An old record behind a young one stays, as it does in Kafka, whose segments go from the front."""
    log.create("t")
    log.append_many(Entry("t", None, b"v", timestamp=when) for when in (10, 40, 20, 50))
    assert log.trim("t", before=30) == 1
    assert offsets(log) == [1, 2, 3]


def test_last_record_stays(log: Log) -> None:
    """Neither retention nor compaction takes the last record, for which a recovering table waits."""
    log.create("t", cleanup_policy="compact,delete")
    log.append_many(Entry("t", b"k", None, timestamp=1) for _ in range(3))
    log.trim("t", before=DAY_MS)
    log.compact("t", now=3 * DAY_MS)
    assert (offsets(log), log.end_offsets("t")) == ([2], [3])


def test_offsets_go_on_after_trimming(log: Log) -> None:
    """What is appended after trimming and compaction gets the next offset, also in a log opened anew."""
    log.create("t")
    log.append_many(Entry("t", b"k", b"v", timestamp=1) for _ in range(3))
    log.compact("t", now=1)
    with Log(log.path) as again:
        assert again.append("t", b"v").offset == 3


@pytest.mark.parametrize(("age_ms", "expected"), [(DAY_MS - 1, [0, 1]), (DAY_MS + 1, [1])])
def test_tombstones_go_after_a_day(log: Log, age_ms: int, expected: list[int]) -> None:
    """A tombstone is kept for a day, so that everyone learns of the deletion."""
    log.create("t")
    log.append("t", None, key=b"gone", timestamp=1)
    log.append("t", b"v", key=b"end", timestamp=1)
    log.compact("t", now=1 + age_ms)
    assert offsets(log) == expected


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([b"a", b"b", b"c", None]), st.one_of(st.none(), st.binary(max_size=3)))
    )
)
def test_compaction_keeps_the_newest(
    tmp_path_factory: pytest.TempPathFactory, records: list[tuple[bytes, bytes]]
) -> None:
    """Whatever was appended, compaction leaves the newest of each key, every record without one, and their order."""
    with Log(tmp_path_factory.mktemp("compact") / "log.db") as log:
        log.create("t")
        log.append_many(Entry("t", key, value, timestamp=1) for key, value in records)
        log.compact("t", now=2)
        newest = {key: offset for offset, (key, _) in enumerate(records)}
        assert offsets(log) == [at for at, (key, _) in enumerate(records) if key is None or newest[key] == at]


def test_tidying_follows_configuration(log: Log) -> None:
    """Tidying trims and compacts what its configuration says, and nothing else."""
    log.create("kept")
    log.create("short", retention_ms=100)
    log.create("newest", cleanup_policy="compact")
    for topic in ("kept", "short", "newest"):
        log.append_many(Entry(topic, b"k", b"v", timestamp=n + 1) for n in range(MIN_DIRTY + 2))
    log.tidy(now=MIN_DIRTY + 100)
    assert [len(offsets(log, topic)) for topic in ("kept", "short", "newest")] == [MIN_DIRTY + 2, 3, 1]


def test_tidying_waits_for_enough(log: Log) -> None:
    """A compacted topic with little in it, or nothing new, is left in peace."""
    log.create("t", cleanup_policy="compact")
    log.append_many(Entry("t", b"k", b"v") for _ in range(10))
    assert log.tidy(now=1) == 0


async def test_appends_share_commits(journal: Journal) -> None:
    """Appends that are under way together go to the disk together: far fewer commits than records."""
    before = journal.commits
    await asyncio.gather(*[journal.append(Entry("t", None, b"v", partition=0)) for _ in range(500)])
    assert journal.commits - before <= 5


async def test_refusal_hits_only_its_own(journal: Journal) -> None:
    """One append that cannot be done fails alone, though it shared a transaction with others."""
    good = journal.append(Entry("t", None, b"v", partition=0))
    bad = journal.append(Entry("nowhere", None, b"v", partition=0))
    with pytest.raises(ConfigError, match="nowhere"):
        await bad
    assert (await good).offset == 0


async def test_large_append_raises_at_once(journal: Journal) -> None:
    """A record over the limit is refused before it is queued."""
    with pytest.raises(RejectError, match="too large"):
        journal.append(Entry("t", None, b"x" * 1001, partition=0))


async def test_others_appends_are_noticed(journal: Journal) -> None:
    """What another process appends is known within a few hundredths of a second."""
    noticed = asyncio.Event()
    journal.listeners.append(noticed.set)
    with Log(journal.path) as other:
        other.append("t", b"v")
    started = time.monotonic()
    await noticed.wait()
    assert time.monotonic() - started < 0.5
    assert journal.ends[("t", 0)] == 1


async def test_closing_writes_the_rest(tmp_path: Path) -> None:
    """What was appended and not awaited is on the disk once the journal is closed."""
    journal = Journal(tmp_path / "log.db", max_record_bytes=1000)
    await journal.open()
    await journal.create("t", 1, {})
    sent = [journal.append(Entry("t", None, b"v", partition=0)) for _ in range(100)]
    await journal.close()
    with Log(journal.path) as log:
        assert log.end_offsets("t") == [100]
    assert all(future.done() for future in sent)


async def test_transactions_are_refused(tmp_path: Path) -> None:
    """An app that asks for exactly-once is told that this broker has no transactions."""
    app = faust.App(
        "exact",
        broker=f"embedded://{tmp_path / 'log.db'}",
        store="memory://",
        datadir=str(tmp_path),
        processing_guarantee="exactly_once",
        **quiet_settings(),
    )
    app.in_worker = True
    with pytest.raises(ConfigError, match="no transactions"):
        await app.start()


async def test_file_can_be_removed_after_stop(tmp_path: Path) -> None:
    """A stopped app holds nothing open: its log is one file beside an empty lock."""
    app = faust.App(
        "clean",
        broker=f"embedded://{tmp_path / 'log.db'}",
        store="memory://",
        datadir=str(tmp_path),
        **quiet_settings(),
    )
    await app.start()
    await app.stop()
    await until(lambda: sorted(path.name for path in tmp_path.glob("log*")) == ["log.db", "log.db.lock"])
