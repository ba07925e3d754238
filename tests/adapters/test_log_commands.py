"""The embedded log as commands use it: topics, appending, reading, groups and their errors."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.adapters.embedded import Entry, Log, path_of
from pipeline.adapters.embedded.partitioner import key_hash, new_partitioner
from pipeline.adapters.embedded.records import headers_of, pack_headers, unpack_headers
from pipeline.errors import ConfigError, PipelineError, RejectError, StoreError


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    """An empty log with one topic of one partition."""
    with Log(tmp_path / "log.db") as log:
        log.create("t", 1)
        yield log


def values(log: Log, topic: str = "t", **when: int) -> list[bytes | None]:
    """The values of a topic, in order."""
    return [record.value for record in log.records(topic, **when)]


def test_topic_keeps_its_configuration(log: Log) -> None:
    """A topic's partitions and configuration are there for whoever opens the log next."""
    log.create("compacted", 4, cleanup_policy="compact", retention_ms=1000)
    with Log(log.path) as again:
        topic = again.topics()["compacted"]
    assert (topic.partitions, topic.config) == (4, {"cleanup.policy": "compact", "retention.ms": "1000"})


def test_creating_again_is_harmless(log: Log) -> None:
    """Declaring a topic again leaves its records and its configuration alone."""
    log.append("t", b"v")
    log.create("t", 1, cleanup_policy="compact")
    assert (values(log), log.topics()["t"].config) == ([b"v"], {})


def test_other_partitions_refused(log: Log) -> None:
    """Declaring a topic with another number of partitions is an error that says both numbers."""
    with pytest.raises(ConfigError, match="has 1 partitions, not 2"):
        log.create("t", 2)


def test_configuring_adds(log: Log) -> None:
    """Configuring sets the keys given and keeps the others."""
    log.configure("t", retention_ms=5)
    log.configure("t", cleanup_policy="delete")
    assert log.topics()["t"].config == {"retention.ms": "5", "cleanup.policy": "delete"}


def test_deleted_topic_is_gone(log: Log) -> None:
    """A deleted topic is gone with its records and commits, and may be made anew."""
    log.append("t", b"v")
    log.commit("g", {("t", 0): 1})
    assert (log.delete_topic("t"), log.delete_topic("t")) == (True, False)
    log.create("t", 2)
    assert (values(log), log.committed("g"), log.end_offsets("t")) == ([], {}, [0, 0])


def test_appending_gives_places(log: Log) -> None:
    """Each appended record is told its partition and offset."""
    log.create("two", 2)
    places = log.append_many(
        [Entry("t", b"k", b"1"), Entry("two", b"k", b"2", partition=1), Entry("t", b"k", b"3")]
    )
    assert places == [("t", 0, 0), ("two", 1, 0), ("t", 0, 1)]


def test_appending_is_all_or_none(log: Log) -> None:
    """When one of a batch cannot be appended, none is, and offsets do not skip."""
    with pytest.raises(PipelineError):
        log.append_many([Entry("t", None, b"1"), Entry("nowhere", None, b"2")])
    assert log.append("t", b"3").offset == 0


@pytest.mark.parametrize(
    "act",
    [
        lambda log: log.append("nowhere", b"v"),
        lambda log: log.append("t", b"v", partition=7),
        lambda log: log.read("nowhere", 0),
        lambda log: list(log.records("nowhere")),
        lambda log: log.end_offsets("nowhere"),
        lambda log: log.commit("g", {("nowhere", 0): 1}),
        lambda log: log.configure("nowhere", retention_ms=1),
        lambda log: log.compact("nowhere", now=0),
    ],
)
def test_unknown_topic_is_named(log: Log, act: object) -> None:
    """Whatever is asked of a topic or partition that is not there, the error names it."""
    assert callable(act)
    with pytest.raises(ConfigError, match=r"nowhere|t\[7\]"):
        act(log)


def test_large_record_is_refused(log: Log) -> None:
    """A record over the limit is rejected with its size, the limit and what to do; the rest goes on."""
    with pytest.raises(
        RejectError, match="2,000,000 bytes is too large for topic 't', which takes 1,048,576"
    ) as caught:
        log.append("t", b"x" * 2_000_000)
    assert "blob store" in caught.value.remedy
    assert log.append("t", b"x" * 1_048_576).offset == 0


def test_topic_sets_its_limit(log: Log) -> None:
    """A topic's `max.message.bytes` is its limit, above or below the log's."""
    log.create("small", 1, max_message_bytes=10)
    log.create("big", 1, max_message_bytes=3_000_000)
    log.append("big", b"x" * 2_000_000)
    with pytest.raises(RejectError, match="too large"):
        log.append("small", b"x" * 11)


def test_reading_is_bounded(log: Log) -> None:
    """A read stops at the number of records and at the bytes asked for, and brings at least one."""
    log.append_many(Entry("t", None, b"x" * 1000) for _ in range(10))
    assert len(log.read("t", 0, 2, limit=3)) == 3
    assert len(log.read("t", 0, 0, max_bytes=2500)) == 3
    assert [record.offset for record in log.read("t", 0, 4, max_bytes=1)] == [4]


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (None, None, [b"1", b"2", b"3"]),
        (20, None, [b"2", b"3"]),
        (None, 20, [b"1"]),
        (20, 30, [b"2"]),
        (31, None, []),
    ],
)
def test_records_by_time(log: Log, since: int | None, until: int | None, expected: list[bytes]) -> None:
    """Records are found by their own time, from one moment up to another."""
    for value, timestamp in ((b"1", 10), (b"2", 20), (b"3", 30)):
        log.append("t", value, timestamp=timestamp)
    assert [record.value for record in log.records("t", since=since, until=until)] == expected


def test_records_end_where_they_stood(log: Log) -> None:
    """A run over a topic ends where the topic ended when it began, so that a replay may append to what it reads."""
    log.append_many(Entry("t", None, b"v") for _ in range(3))
    copied = [log.append("t", record.value) for record in log.records("t")]
    assert len(copied) == 3


def test_commits_are_per_group(log: Log) -> None:
    """Each group has its own offsets; one that never committed has none."""
    log.commit("a", {("t", 0): 3})
    log.commit("a", {("t", 0): 5})
    assert (log.committed("a"), log.committed("b")) == ({("t", 0): 5}, {})


def test_two_processes_share_offsets(log: Log) -> None:
    """Two that append by turns never give out an offset twice."""
    with Log(log.path) as other:
        offsets = [writer.append("t", b"v").offset for _ in range(5) for writer in (log, other)]
    assert offsets == list(range(10))


def test_missing_log_is_not_made(tmp_path: Path) -> None:
    """A command that only reads says that there is no log, and leaves none behind."""
    with pytest.raises(StoreError, match=r"absent\.db cannot be opened"):
        Log(tmp_path / "absent.db", create=False)
    assert list(tmp_path.iterdir()) == []


def test_missing_folder_is_named(tmp_path: Path) -> None:
    """A log in a folder that is not there is an error with the folder in its remedy."""
    with pytest.raises(StoreError) as caught:
        Log(tmp_path / "absent" / "log.db")
    assert str(tmp_path / "absent") in caught.value.remedy


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    """A file that is no database, or a database of another program, is refused and not touched."""
    text, database = tmp_path / "text", tmp_path / "other.db"
    text.write_bytes(b"dear diary, " * 100)
    other = sqlite3.connect(database)
    other.execute("CREATE TABLE bookmarks(url TEXT)")
    other.close()
    before = text.read_bytes(), database.read_bytes()
    for path in (text, database):
        with pytest.raises(StoreError, match="not a log"):
            Log(path)
    assert (text.read_bytes(), database.read_bytes()) == before


def test_closed_log_says_so(log: Log) -> None:
    """A log that was closed refuses, and closing again is harmless."""
    log.close()
    log.close()
    with pytest.raises(StoreError, match="closed"):
        log.append("t", b"v")


def test_closing_leaves_one_file(tmp_path: Path) -> None:
    """Once everyone has closed it, a log is one file that can be copied or deleted."""
    with Log(tmp_path / "log.db") as log:
        log.create("t")
        log.append("t", b"v")
    assert [path.name for path in tmp_path.iterdir()] == ["log.db"]


@pytest.mark.parametrize("url", ["embedded://log.db", "embedded://", "embedded:///", "kafka://host/log.db"])
def test_url_needs_a_path(url: str) -> None:
    """A URL that names no file is an error that shows how to write one."""
    with pytest.raises(ConfigError, match="embedded:///absolute"):
        path_of(url)


def test_url_names_a_path() -> None:
    """Three slashes and a path, which may hold spaces."""
    assert path_of("embedded:///var/lib/a%20b/log.db") == Path("/var/lib/a b/log.db")


@given(st.lists(st.tuples(st.text(), st.binary())))
def test_headers_come_back(headers: list[tuple[str, bytes]]) -> None:
    """Any headers come back as they were, in order, repeats and all."""
    assert list(unpack_headers(pack_headers(headers_of(headers)))) == headers


@given(st.binary(), st.integers(min_value=1, max_value=64))
def test_partition_is_in_range(key: bytes, partitions: int) -> None:
    """Every key has a partition, the same each time, also when its hash is not in the cache."""
    partition = new_partitioner()
    assert partition(key, partitions) == partition(key, partitions) == key_hash(key) % partitions
