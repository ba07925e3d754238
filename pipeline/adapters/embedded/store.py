"""The log as rows of one SQLite file: every statement that touches it is here.

A record's row id is its partition's number times 2^40 plus its offset, so that a partition is one contiguous run of
the table and reading on from an offset is a range scan.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline.adapters.embedded.errors import partitions_differ, storing, unknown_topic, wrong_file
from pipeline.adapters.embedded.records import Entry, Record, pack_headers, unpack_headers

BITS = 40
LAST = (1 << BITS) - 1
APPLICATION_ID = 0x434C5731  # "CLW1"

SCHEMA = """
CREATE TABLE IF NOT EXISTS topic(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, config TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS part(id INTEGER PRIMARY KEY, topic INTEGER NOT NULL, partition INTEGER NOT NULL,
  first INTEGER NOT NULL DEFAULT 0, next INTEGER NOT NULL DEFAULT 0, cleaned INTEGER NOT NULL DEFAULT 0,
  UNIQUE(topic, partition));
CREATE TABLE IF NOT EXISTS record(id INTEGER PRIMARY KEY, ts INTEGER NOT NULL, key BLOB, headers BLOB, value BLOB);
CREATE TABLE IF NOT EXISTS committed(grp TEXT NOT NULL, part INTEGER NOT NULL, next INTEGER NOT NULL,
  PRIMARY KEY(grp, part)) WITHOUT ROWID;
"""
PARTS = """SELECT part.id, topic.name, part.partition, part.first, part.next
  FROM part JOIN topic ON topic.id = part.topic"""
INSERT = "INSERT INTO record(id, ts, key, headers, value) VALUES "


class Part(NamedTuple):
    """One partition: its number in the file, and the offsets it spans (`next` is the high-water mark)."""

    id: int
    topic: str
    partition: int
    first: int
    next: int


class Topic(NamedTuple):
    """One topic: its partitions and its configuration under Kafka's names (`cleanup.policy`, `retention.ms` …)."""

    name: str
    partitions: int
    config: Mapping[str, str]


def connect(path: Path, *, create: bool = True) -> sqlite3.Connection:
    """Open the log's file, safe against a power cut (WAL, an fsync at each commit); StoreError when it cannot be."""
    with storing(path):
        mode = "rwc" if create else "rw"
        uri = f"{path.absolute().as_uri()}?mode={mode}"
        db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=30)
        try:
            _prepare(db, path)
        except BaseException:
            db.close()
            raise
        return db


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    application = db.execute("PRAGMA application_id").fetchone()[0]
    if application not in (0, APPLICATION_ID) or (not application and _holds_tables(db)):
        raise wrong_file(path)
    if db.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA journal_size_limit = 67108864")
    db.execute("PRAGMA cache_size = -16384")
    if not application:
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.executescript(SCHEMA)


def _holds_tables(db: sqlite3.Connection) -> bool:
    names = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return bool(names - {"topic", "part", "record", "committed"})


def topics(db: sqlite3.Connection) -> list[Topic]:
    """Every topic, by name."""
    rows = db.execute(
        "SELECT name, (SELECT count(*) FROM part WHERE part.topic = topic.id), config FROM topic ORDER BY name"
    )
    return [Topic(name, partitions, json.loads(config)) for name, partitions, config in rows]


def parts(db: sqlite3.Connection) -> list[Part]:
    """Every partition of every topic."""
    return [Part(*row) for row in db.execute(PARTS)]


def create(db: sqlite3.Connection, name: str, partitions: int, config: Mapping[str, str]) -> None:
    """Add a topic inside a transaction; one that exists is left as it is, ConfigError when its partitions differ."""
    found = db.execute("SELECT id FROM topic WHERE name = ?", (name,)).fetchone()
    if found is None:
        cursor = db.execute("INSERT INTO topic(name, config) VALUES (?, ?)", (name, json.dumps(dict(config))))
        rows = [(cursor.lastrowid, number) for number in range(partitions)]
        db.executemany("INSERT INTO part(topic, partition) VALUES (?, ?)", rows)
        return
    held = db.execute("SELECT count(*) FROM part WHERE topic = ?", found).fetchone()[0]
    if held != partitions:
        raise partitions_differ(name, held, partitions)


def configure(db: sqlite3.Connection, name: str, config: Mapping[str, str]) -> None:
    """Set configuration keys of a topic inside a transaction, keeping the others."""
    row = db.execute("SELECT config FROM topic WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise unknown_topic(name)
    merged = {**json.loads(row[0]), **config}
    db.execute("UPDATE topic SET config = ? WHERE name = ?", (json.dumps(merged), name))


def delete(db: sqlite3.Connection, name: str) -> bool:
    """Drop a topic with its records and commits inside a transaction; False when there is none."""
    ids = [part.id for part in parts(db) if part.topic == name]
    for part in ids:
        db.execute("DELETE FROM record WHERE id BETWEEN ? AND ?", (part << BITS, (part << BITS) + LAST))
        db.execute("DELETE FROM committed WHERE part = ?", (part,))
        db.execute("DELETE FROM part WHERE id = ?", (part,))
    return db.execute("DELETE FROM topic WHERE name = ?", (name,)).rowcount > 0


def insert(db: sqlite3.Connection, rows: Sequence[tuple[int, Entry]]) -> None:
    """Add records under the row ids given, inside a transaction.

    In statements of many rows: each statement lets go of the interpreter lock once, which a busy event loop would
    otherwise make the writing thread wait for at every row.
    """
    start = 0
    while start < len(rows):
        size = min(1 << ((len(rows) - start).bit_length() - 1), 1024)
        flat: list[object] = []
        for id, entry in rows[start : start + size]:
            flat += (id, entry.timestamp, entry.key, pack_headers(entry.headers), entry.value)
        db.execute(INSERT + ",".join(["(?,?,?,?,?)"] * size), flat)
        start += size


def advance(db: sqlite3.Connection, ends: Iterable[tuple[int, int]]) -> None:
    """Set the high-water marks of partitions, (part, next), inside a transaction."""
    db.executemany("UPDATE part SET next = ? WHERE id = ?", ((end, id) for id, end in ends))


def read(db: sqlite3.Connection, part: Part, start: int, limit: int, max_bytes: int) -> list[Record]:
    """Up to `limit` records from offset `start` on, fewer when they pass `max_bytes`, at least one if there is one."""
    low = part.id << BITS
    cursor = db.execute(
        "SELECT id, ts, key, headers, value FROM record WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?",
        (low + start, low + LAST, limit),
    )
    records: list[Record] = []
    topic, partition = part.topic, part.partition
    for id, timestamp, key, headers, value in cursor:
        packed = unpack_headers(headers) if headers else ()
        records.append(Record(topic, partition, id - low, timestamp, key, value, packed))
        max_bytes -= len(value or b"") + 64
        if max_bytes <= 0:
            break
    cursor.close()
    return records


def committed(db: sqlite3.Connection, group: str) -> Iterator[tuple[str, int, int]]:
    """(topic, partition, next offset to read) of everything that a group has committed."""
    yield from db.execute(
        """SELECT topic.name, part.partition, committed.next FROM committed
        JOIN part ON part.id = committed.part JOIN topic ON topic.id = part.topic WHERE grp = ?""",
        (group,),
    ).fetchall()


def commit(db: sqlite3.Connection, group: str, offsets: Iterable[tuple[int, int]]) -> None:
    """Set a group's next offsets, (part, next), inside a transaction."""
    db.executemany(
        "INSERT INTO committed VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET next = excluded.next",
        [(group, part, next_offset) for part, next_offset in offsets],
    )


def forget(db: sqlite3.Connection, group: str) -> None:
    """Drop all that a group has committed, inside a transaction."""
    db.execute("DELETE FROM committed WHERE grp = ?", (group,))
