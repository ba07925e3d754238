"""The log as commands use it: to read what happened and to append to it, beside a running program or without one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from pipeline.adapters.embedded import Log, path_of
from pipeline.adapters.embedded.claims import entries_of, is_claimed, kept, unlock
from pipeline.adapters.kafka.connection import Connection, is_kafka, servers_of
from pipeline.adapters.kafka.history import KafkaHistory
from pipeline.adapters.kafka.start import Kafka, kafka_of
from pipeline.config import KafkaSettings, Settings
from pipeline.errors import StoreError
from pipeline.events import Event
from pipeline.ports import Kept
from pipeline.topics import TOPICS, TopicSpec, shadow_specs


class EmbeddedHistory:
    """History in the embedded log's file."""

    def __init__(self, log: Log, *, partitions: int) -> None:
        self._log = log
        self._partitions = partitions

    def __enter__(self) -> EmbeddedHistory:
        return self

    def __exit__(self, *_: object) -> None:
        self._log.close()

    def topics(self) -> dict[str, int]:
        """Return the number of records ever appended to each topic that is there."""
        return {name: sum(self._log.end_offsets(name)) for name in sorted(self._log.topics())}

    def records(
        self, topic: str, *, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[Kept]:
        """Yield the records of a topic whose time lies in [since, until), partition by partition."""
        if topic not in self._log.topics():
            return
        for record in self._log.records(topic, since=_ms(since), until=_ms(until)):
            yield kept(record)

    def append(self, events: Iterable[Event], *, prefix: str = "") -> int:
        """Append events to their topics, or to shadow topics whose names begin with a prefix."""
        entries = entries_of(events, prefix)
        self._create({entry.topic for entry in entries}, prefix)
        self._log.append_many(entries)
        return len(entries)

    def put_back(self, topic: str, key: bytes, value: bytes, attributes: dict[str, str]) -> None:
        """Append original bytes to a topic again."""
        kept = tuple((name, text.encode()) for name, text in attributes.items())
        self._log.append(topic, value, key=key, headers=kept)

    def drop(self, prefix: str) -> list[str]:
        """Delete the topics whose names begin with a prefix; return their names."""
        names = [name for name in self._log.topics() if name.startswith(prefix)]
        for name in names:
            self._log.delete_topic(name)
        return names

    def spans(self, topic: str) -> list[tuple[int, int]]:
        """Return the first offset and the end of each partition; nothing where there is no such topic."""
        if topic not in self._log.topics():
            return []
        return list(zip(self._log.first_offsets(topic), self._log.end_offsets(topic), strict=True))

    def committed(self, group: str, topic: str) -> dict[int, int]:
        """Return the next offset that a group will read of each partition where it committed any."""
        return {
            partition: end for (name, partition), end in self._log.committed(group).items() if name == topic
        }

    def declare(self, prefix: str, partitions: int) -> None:
        """Make the shadow topics of a replay over a topic of so many partitions."""
        for spec in shadow_specs(partitions):
            self._log.create(f"{prefix}{spec.name}", spec.partitions, **config(spec))

    def forget(self, group: str) -> bool:
        """Delete what a group has committed; False where a process is at work in it, and nothing is deleted."""
        if is_claimed(self._log.path, group):
            return False
        self._log.forget(group)
        unlock(self._log.path, group)
        return True

    def fetch(self, topic: str, partition: int, offset: int) -> Kept | None:
        """Return one record, None where it is not there."""
        found = self._log.read(topic, partition, offset, 1)
        return kept(found[0]) if found and found[0].offset == offset else None

    def news(self, topic: str, seen: dict[int, int]) -> list[Kept]:
        """Return what lies beyond the offsets that were seen, and move these on."""
        found: list[Kept] = []
        for partition in range(len(self.spans(topic))):
            while batch := self._log.read(topic, partition, seen.get(partition, 0)):
                seen[partition] = batch[-1].offset + 1
                found += map(kept, batch)
        return found

    def _create(self, names: Iterable[str], prefix: str) -> None:
        there = self._log.topics()
        for name in names:
            if name not in there:
                spec = next(spec for spec in TOPICS if f"{prefix}{spec.name}" == name)
                self._log.create(name, spec.partitions or self._partitions, **config(spec))


def config(spec: TopicSpec) -> dict[str, object]:
    """Return a topic's configuration under Kafka's names, underscores for dots."""
    kept: dict[str, object] = {"retention_ms": spec.retention_s * 1000} if spec.retention_s else {}
    return {**kept, "cleanup_policy": "compact"} if spec.compacted else kept


def open_history(
    where: Settings | str, *, partitions: int = 4, create: bool = False
) -> EmbeddedHistory | KafkaHistory:
    """Return the history of a deployment, or behind a broker's URL that needs no more than its address.

    Errors say what to do where there is none yet.
    """
    broker = where if isinstance(where, str) else where.broker
    if is_kafka(broker):
        plain = Kafka(Connection(servers=servers_of(broker)), KafkaSettings())
        return KafkaHistory(plain if isinstance(where, str) else kafka_of(where))
    path = path_of(broker)
    if not create and not path.exists():
        raise StoreError(
            f"there is no log at {path} yet", remedy="start `clausewire run`, or `clausewire import` pages"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    return EmbeddedHistory(Log(path), partitions=partitions)


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)
