"""Topics made right: what is wanted, what does not fit, and what a start refuses."""

from __future__ import annotations

import dataclasses
import uuid
from pathlib import Path

import pytest
from aiokafka.admin import NewTopic

from pipeline.adapters.kafka.admin import Found, admin_of, misfits, replication_of, wanted_topics
from pipeline.adapters.kafka.connection import Connection, servers_of
from pipeline.adapters.kafka.start import Kafka, recognise
from pipeline.config import KafkaSettings
from pipeline.errors import ConfigError
from pipeline.topics import TABLES, TOPICS

WANTED = {topic.name: topic for topic in wanted_topics(4)}
CHANGELOG = "clausewire-reading-changelog"


def test_every_table_has_its_changelog() -> None:
    """Every changelog is compacted and has the partitions of the topic that it lives with."""
    made = [(WANTED[table.changelog], WANTED[table.topic]) for table in TABLES]
    assert {log.config["cleanup.policy"] for log, _ in made} == {"compact"}
    assert all(log.partitions == topic.partitions for log, topic in made)


def test_history_is_kept_for_ever() -> None:
    """A topic without a retention is never cut, whatever the cluster's default."""
    kept = [spec for spec in TOPICS if not spec.compacted and spec.retention_s is None]
    assert {WANTED[spec.name].config["retention.ms"] for spec in kept} == {"-1"}


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("pages.fetched", {"partitions": 6}, "kafka: {partitions: 6}"),
        (CHANGELOG, {"partitions": 6}, "they must be equal"),
        ("sources", {"config": {"cleanup.policy": "delete"}}, "cleanup.policy=compact"),
        ("pages.fetched", {"config": {"cleanup.policy": "compact"}}, "history would lose records"),
        (
            "clausewire-calendar-changelog",
            {"config": {"cleanup.policy": "compact", "delete.retention.ms": "60000"}},
            "keep what was deleted",
        ),
        (
            "alerts.raised",
            {"config": {"cleanup.policy": "delete", "retention.ms": "604800000"}},
            "retention.ms=-1",
        ),
        ("outbox", {"replication": 1}, "accept the risk"),
        (
            "outbox",
            {"config": {"cleanup.policy": "delete", "max.message.bytes": "1000"}},
            "large records would not fit",
        ),
    ],
)
def test_misfit_is_told(name: str, change: dict[str, object], told: str) -> None:
    """What does not fit is told with what to do about it, and nothing else is."""
    found = {
        topic.name: Found(
            name=topic.name, partitions=topic.partitions, replication=3, config=dict(topic.config)
        )
        for topic in WANTED.values()
    }
    found[name] = dataclasses.replace(found[name], **change)  # type: ignore[arg-type]
    facts = misfits(WANTED.values(), found, replication=3)
    assert any(fact.startswith(name) and told in fact for fact in facts)


def test_missing_topic_is_told() -> None:
    """A topic that is not there is told with the command that makes it."""
    assert all("clausewire topics create" in fact for fact in misfits(WANTED.values(), {}, replication=1))


@pytest.mark.parametrize(("brokers", "asked", "copies"), [(1, 0, 1), (3, 0, 3), (5, 0, 3), (3, 2, 2)])
def test_replication_fits_cluster(brokers: int, asked: int, copies: int) -> None:
    """Three copies, or as many as there are brokers, or as many as were asked for."""
    assert replication_of(brokers, asked) == copies


@pytest.mark.parametrize(
    ("url", "servers"),
    [
        ("kafka://a:1", ("a:1",)),
        ("kafka://a:1;kafka://b:2", ("a:1", "b:2")),
        ("kafka://a:1,b:2", ("a:1", "b:2")),
        ("kafka://a", ("a:9092",)),
    ],
)
def test_addresses_are_read(url: str, servers: tuple[str, ...]) -> None:
    """A broker's URL names one address or several."""
    assert servers_of(url) == servers


def test_other_cluster_is_refused(tmp_path: Path) -> None:
    """A data folder belongs to the cluster that it met first."""
    recognise("one", tmp_path)
    recognise("one", tmp_path)
    with pytest.raises(ConfigError, match="belongs to one"):
        recognise("two", tmp_path)


@pytest.fixture
def cluster(kafka: str) -> Kafka:
    """The session's broker, with topics that no other test uses."""
    prefix = f"topics-{uuid.uuid4().hex[:8]}."
    return Kafka(Connection(servers=(kafka,)), KafkaSettings(prefix=prefix, partitions=2))


@pytest.mark.kafka
async def test_topics_are_made_once(tmp_path: Path, cluster: Kafka) -> None:
    """The first start makes every topic as it is wanted, the second finds nothing to do."""
    await cluster.prepare(data=tmp_path, group="g")
    async with admin_of(cluster.connection) as admin:
        assert await cluster.create(admin, 1) == []
        assert await cluster.check(admin, 1) == []


@pytest.mark.kafka
async def test_start_may_not_create(tmp_path: Path, cluster: Kafka) -> None:
    """Where a start may make nothing, missing topics end it with the command that makes them."""
    settings = KafkaSettings(prefix=cluster.settings.prefix, create_topics=False)
    with pytest.raises(ConfigError, match="clausewire topics create"):
        await Kafka(cluster.connection, settings).prepare(data=tmp_path, group="g")


@pytest.mark.kafka
async def test_wrong_topic_stops_start(tmp_path: Path, cluster: Kafka) -> None:
    """A topic that somebody made with the broker's defaults ends the start before anything runs on it."""
    async with admin_of(cluster.connection) as admin:
        await admin.client.create_topics([NewTopic(cluster.settings.prefix + "sources", 2, 1)])
    with pytest.raises(ConfigError, match=r"cleanup\.policy=delete"):
        await cluster.prepare(data=tmp_path, group="g")


@pytest.mark.kafka
async def test_deleted_topic_is_noticed(tmp_path: Path, cluster: Kafka) -> None:
    """A topic deleted under a running worker ends it, with what to do."""
    await cluster.prepare(data=tmp_path, group="g")
    async with admin_of(cluster.connection) as admin:
        await admin.delete([cluster.settings.prefix + "outbox"])
    with pytest.raises(ConfigError, match="outbox were deleted"):
        await cluster.watch(every_s=0.1)
