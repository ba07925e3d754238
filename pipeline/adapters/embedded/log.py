"""The embedded log as commands use it: open, append, read, look after, close. Safe beside a running worker."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from pipeline.adapters.embedded import store, upkeep
from pipeline.adapters.embedded.errors import closed, storing, too_large, unknown_topic
from pipeline.adapters.embedded.partitioner import Partitioner, new_partitioner
from pipeline.adapters.embedded.records import Entry, Headers, Place, Record, size_of
from pipeline.adapters.embedded.store import Part, Topic

MAX_RECORD_BYTES = 1_048_576
MAX_READ_BYTES = 4_194_304


class Log:
    """A durable log of topics in one SQLite file; every method may raise StoreError.

    What `append` returned is on the disk. Any number of processes may read and append at the same time: offsets are
    given out inside the transaction, and a running worker sees within some 50 ms what others appended.
    """

    def __init__(
        self, path: Path | str, *, create: bool = True, max_record_bytes: int = MAX_RECORD_BYTES
    ) -> None:
        self.path = Path(path)
        self.max_record_bytes = max_record_bytes
        self.commits = 0
        self._partition: Partitioner = new_partitioner()
        self._lock = threading.RLock()
        self._parts: dict[tuple[str, int], Part] = {}
        self._topics: dict[str, Topic] = {}
        self._version: int | None = None
        self._db: sqlite3.Connection | None = store.connect(self.path, create=create)

    def __enter__(self) -> Log:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the file then is whole, its write-ahead log folded in if nobody else has it open."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    def interrupt(self) -> None:
        """Break off what another thread is doing with this log."""
        if self._db is not None:
            self._db.interrupt()

    # topics

    def topics(self) -> dict[str, Topic]:
        """Every topic by name, with its partitions and its configuration under Kafka's names."""
        with self._reading():
            return dict(self._topics)

    def create(self, topic: str, partitions: int = 1, **config: object) -> None:
        """Declare a topic; again is harmless, with another number of partitions it is a ConfigError.

        Configuration is given with underscores for dots: `cleanup_policy="compact"`, `retention_ms=…`,
        `max_message_bytes=…`, `delete_retention_ms=…`.
        """
        named = {key.replace("_", "."): str(value) for key, value in config.items() if value is not None}
        with self._writing() as db:
            store.create(db, topic, partitions, named)
            self._version = None  # our own writing does not show in data_version

    def configure(self, topic: str, **config: object) -> None:
        """Set configuration keys of a topic that exists, keeping the others."""
        named = {key.replace("_", "."): str(value) for key, value in config.items() if value is not None}
        with self._writing() as db:
            store.configure(db, topic, named)

    def delete_topic(self, topic: str) -> bool:
        """Drop a topic with all its records; False when there is none."""
        with self._writing() as db:
            return store.delete(db, topic)

    # appending

    def append(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None = None,
        headers: Headers = (),
        timestamp: int = 0,
        partition: int | None = None,
    ) -> Place:
        """Append one record, on the disk on return; `timestamp` is in ms since 1970, 0 means now."""
        return self.append_many([Entry(topic, key, value, headers, timestamp, partition)])[0]

    def append_many(self, entries: Iterable[Entry]) -> list[Place]:
        """Append records in one transaction: all or none, on the disk on return."""
        return self.write(list(entries), [])

    def commit(self, group: str, offsets: Mapping[tuple[str, int], int]) -> None:
        """Set the next offsets that a group will read, by (topic, partition)."""
        self.write([], [(group, offsets)])

    def write(
        self, entries: Sequence[Entry], commits: Sequence[tuple[str, Mapping[tuple[str, int], int]]]
    ) -> list[Place]:
        """Append records and set groups' offsets in one transaction."""
        with self._writing(keep=True) as db:
            for entry in entries:
                self.check_size(entry)
            rows, places, ends = self._placed(entries)
            store.insert(db, rows)
            store.advance(db, ((self._parts[key].id, end) for key, end in ends.items()))
            for group, offsets in commits:
                store.commit(db, group, [(self._part(*key).id, end) for key, end in offsets.items()])
        for key, end in ends.items():
            self._parts[key] = self._parts[key]._replace(next=end)
        return places

    def check_size(self, entry: Entry) -> None:
        """Raise RecordTooLargeError, a RejectError, for a record over its topic's limit."""
        size, limit = size_of(entry), self.limit(entry.topic)
        if size > limit:
            raise too_large(entry.topic, size, limit)

    def limit(self, topic: str) -> int:
        """The most bytes that a record of a topic may have: its `max.message.bytes`, else the log's default."""
        held = self._topics.get(topic)
        asked = held.config.get("max.message.bytes") if held is not None else None
        return int(asked) if asked is not None else self.max_record_bytes

    def _placed(
        self, entries: Sequence[Entry]
    ) -> tuple[list[tuple[int, Entry]], list[Place], dict[tuple[str, int], int]]:
        rows: list[tuple[int, Entry]] = []
        places: list[Place] = []
        ends: dict[tuple[str, int], int] = {}
        now = int(time.time() * 1000)
        for entry in entries:
            topic = entry.topic
            partition = self._partition_of(entry)
            part = self._part(topic, partition)
            offset = ends.get((topic, partition), part.next)
            ends[topic, partition] = offset + 1
            rows.append(
                (
                    (part.id << store.BITS) + offset,
                    entry if entry.timestamp else entry._replace(timestamp=now),
                )
            )
            places.append(Place(topic, partition, offset))
        return rows, places, ends

    def _partition_of(self, entry: Entry) -> int:
        if entry.partition is not None:
            return entry.partition
        return self._partition(entry.key, self._topic(entry.topic).partitions)

    # reading

    def partition(self, topic: str, key: bytes | None) -> int:
        """The partition of a key in a topic."""
        with self._reading():
            return self._partition(key, self._topic(topic).partitions)

    def read(
        self, topic: str, partition: int, start: int = 0, limit: int = 500, max_bytes: int = MAX_READ_BYTES
    ) -> list[Record]:
        """Up to `limit` records from offset `start` on, fewer when they pass `max_bytes`; [] at the end."""
        with self._reading() as db:
            return store.read(db, self._part(topic, partition), start, limit, max_bytes)

    def records(self, topic: str, *, since: int | None = None, until: int | None = None) -> Iterator[Record]:
        """Every record of a topic as it stands now, partition by partition, with a time in [since, until) ms."""
        with self._reading():
            held = [self._part(topic, number) for number in range(self._topic(topic).partitions)]
        for part in held:
            position = part.first
            while position < part.next and (batch := self.read(topic, part.partition, position)):
                yield from (
                    record
                    for record in batch
                    if record.offset < part.next
                    and (since is None or record.timestamp >= since)
                    and (until is None or record.timestamp < until)
                )
                position = batch[-1].offset + 1

    def parts(self) -> dict[tuple[str, int], Part]:
        """Every partition with the offsets it spans, by (topic, partition)."""
        with self._reading():
            return dict(self._parts)

    def first_offsets(self, topic: str) -> list[int]:
        """The first offset kept of each partition of a topic."""
        with self._reading():
            return [self._part(topic, number).first for number in range(self._topic(topic).partitions)]

    def end_offsets(self, topic: str) -> list[int]:
        """The high-water mark of each partition of a topic: the offset of the record that comes next."""
        with self._reading():
            return [self._part(topic, number).next for number in range(self._topic(topic).partitions)]

    def committed(self, group: str) -> dict[tuple[str, int], int]:
        """The next offset that a group will read, by (topic, partition); nothing for what it never committed."""
        with self._reading() as db:
            return {(topic, partition): end for topic, partition, end in store.committed(db, group)}

    def forget(self, group: str) -> None:
        """Drop all that a group has committed."""
        with self._writing() as db:
            store.forget(db, group)

    # upkeep

    def compact(self, topic: str, *, now: int) -> int:
        """Keep the newest record of each key, drop tombstones past `delete.retention.ms`; the number dropped."""
        with self._reading():
            config, held = self._topic(topic).config, self._parts_of(topic)
        grace = int(config.get("delete.retention.ms", upkeep.DAY_MS))
        return sum(self._drop(part, self._stale(part, now - grace)) for part in held)

    def trim(self, topic: str, *, before: int) -> int:
        """Drop the records older than a time, in ms, from the front of each partition; the number dropped."""
        with self._reading():
            held = self._parts_of(topic)
        return sum(self._drop(part, self._expired(part, before), front=True) for part in held)

    def tidy(self, *, now: int) -> int:
        """Trim and compact every topic as its configuration says; the number of records dropped."""
        dropped = 0
        for topic in self.topics().values():
            policy = topic.config.get("cleanup.policy", "delete").split(",")
            retention = int(topic.config.get("retention.ms", -1))
            if "delete" in policy and retention >= 0:
                dropped += self.trim(topic.name, before=now - retention)
            if "compact" in policy and self._is_dirty(topic.name):
                dropped += self.compact(topic.name, now=now)
        return dropped

    def _stale(self, part: Part, horizon: int) -> list[int]:
        with self._reading() as db:
            return upkeep.stale(db, part, horizon)

    def _expired(self, part: Part, before: int) -> list[int]:
        with self._reading() as db:
            return upkeep.expired(db, part, before)

    def _is_dirty(self, topic: str) -> bool:
        with self._reading() as db:
            return any(upkeep.is_dirty(db, part) for part in self._parts_of(topic))

    def _drop(self, part: Part, ids: list[int], *, front: bool = False) -> int:
        for start in range(0, len(ids), upkeep.BATCH):
            batch = ids[start : start + upkeep.BATCH]
            with self._writing() as db:
                upkeep.drop(db, part, batch, front=front)
        if not front:
            with self._writing() as db:
                upkeep.mark_clean(db, part)
        return len(ids)

    # inside

    def refresh(self) -> bool:
        """Look whether another process wrote since the last look; True when it did."""
        with self._lock, storing(self.path):
            return self._refresh(self._open())

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock, storing(self.path):
            db = self._open()
            self._refresh(db)
            yield db

    @contextmanager
    def _writing(self, *, keep: bool = False) -> Iterator[sqlite3.Connection]:
        """A transaction; with `keep` the caller itself brings what is known of the partitions up to date."""
        with self._lock, storing(self.path):
            db = self._open()
            db.execute("BEGIN IMMEDIATE")
            before = db.total_changes
            try:
                self._refresh(db)
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            finally:
                if not keep:
                    self._version = None  # data_version tells of others' changes only
            self.commits += db.total_changes > before

    def _refresh(self, db: sqlite3.Connection) -> bool:
        version = db.execute("PRAGMA data_version").fetchone()[0]
        if version == self._version:
            return False
        self._version = version
        self._topics = {topic.name: topic for topic in store.topics(db)}
        self._parts = {(part.topic, part.partition): part for part in store.parts(db)}
        return True

    def _open(self) -> sqlite3.Connection:
        if self._db is None:
            raise closed(self.path)
        return self._db

    def _topic(self, topic: str) -> Topic:
        try:
            return self._topics[topic]
        except KeyError:
            raise unknown_topic(topic) from None

    def _part(self, topic: str, partition: int) -> Part:
        try:
            return self._parts[topic, partition]
        except KeyError:
            raise unknown_topic(f"{topic}[{partition}]" if topic in self._topics else topic) from None

    def _parts_of(self, topic: str) -> list[Part]:
        return [self._part(topic, number) for number in range(self._topic(topic).partitions)]
