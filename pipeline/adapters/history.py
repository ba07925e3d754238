"""The log as commands use it: to read what happened and to append to it, beside a running program or without one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from pipeline.adapters.embedded import Entry, Log, path_of
from pipeline.adapters.kafka.connection import Connection, is_kafka, servers_of
from pipeline.adapters.kafka.history import KafkaHistory
from pipeline.adapters.kafka.start import Kafka, kafka_of
from pipeline.adapters.wire import headers, pack
from pipeline.config import KafkaSettings, Settings
from pipeline.errors import StoreError
from pipeline.events import Event
from pipeline.ports import Kept
from pipeline.topics import PLACES, TOPICS, TopicSpec


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
            yield Kept(
                topic=topic,
                partition=record.partition,
                offset=record.offset,
                at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
                key=record.key,
                value=record.value,
                headers=dict(record.headers),
            )

    def append(self, events: Iterable[Event], *, prefix: str = "") -> int:
        """Append events to their topics, or to shadow topics whose names begin with a prefix."""
        entries = [
            Entry(
                f"{prefix}{topic}",
                key(event).encode(),
                pack(event),
                tuple(headers(event).items()),
                _ms(event.at) or 0,
            )
            for event in events
            for topic, key in PLACES[type(event)]
        ]
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
