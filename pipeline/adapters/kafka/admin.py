"""Topics made right: created as they are wanted, and checked before anything runs on them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupIdNotFound,
    GroupLoadInProgressError,
    KafkaError,
    NonEmptyGroup,
    NotCoordinatorForGroupError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.admin import DeleteGroupsRequest
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.structs import TopicPartition

from pipeline.adapters.kafka.connection import Connection, closed_door
from pipeline.errors import ConfigError, StoreError
from pipeline.topics import TABLES, TOPICS, TopicSpec

T = TypeVar("T")

COORDINATORS_MOVE = (GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError)
ROOM_BYTES = 16 * 1024  # what a batch adds to the largest record
ENOUGH_REPLICAS = 3
DELETIONS_MS = 24 * 3600 * 1000  # how long a deletion can be read at the least: a local store relies on it
SEEN_WITHIN_S = 30.0
KNOCK_AGAIN_S = 2.0

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A topic as it should be; `beside` names the topic whose partitions it must share."""

    name: str
    partitions: int
    config: Mapping[str, str]
    beside: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A topic as the cluster has it."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]


def wanted_topics(partitions: int, prefix: str = "") -> list[Wanted]:
    """Return every topic, then every changelog; `prefix` begins every name."""
    sizes = {spec.name: spec.partitions or partitions for spec in TOPICS}
    topics = [
        Wanted(name=prefix + spec.name, partitions=sizes[spec.name], config=config_of(spec))
        for spec in TOPICS
    ]
    compacted = config_of(TopicSpec(name="", holds="", compacted=True))
    changelogs = [
        Wanted(
            name=prefix + table.changelog,
            partitions=sizes[table.topic],
            config=compacted,
            beside=prefix + table.topic,
        )
        for table in TABLES
    ]
    return [*topics, *changelogs]


def config_of(spec: TopicSpec) -> dict[str, str]:
    """Return a topic's configuration under Kafka's names; -1 keeps for ever."""
    limit = {"max.message.bytes": str(spec.max_record_bytes + ROOM_BYTES)}
    if spec.compacted:
        return {"cleanup.policy": "compact", "delete.retention.ms": str(DELETIONS_MS), **limit}
    kept = -1 if spec.retention_s is None else spec.retention_s * 1000
    return {"cleanup.policy": "delete", "retention.ms": str(kept), **limit}


@asynccontextmanager
async def admin_of(connection: Connection, *, wait_s: float = 0.0) -> AsyncIterator[Admin]:
    """Open an administrator's client; waits for a cluster that does not answer yet, up to `wait_s`.

    ConfigError when the cluster refuses us, StoreError when it stays silent.
    """
    options, end = connection.options(), time.monotonic() + wait_s
    while True:
        client = AIOKafkaAdminClient(client_id="clausewire-admin", request_timeout_ms=30_000, **options)
        try:
            await client.start()
            break
        except (KafkaError, OSError):
            await _close(client)
            reason = await closed_door(connection)
            if isinstance(reason, ConfigError) or time.monotonic() >= end:
                raise reason from None
            logger.warning(
                "kafka.unreachable", reason=str(reason), waiting_s=round(end - time.monotonic(), 1)
            )
            await asyncio.sleep(min(KNOCK_AGAIN_S, max(0.0, end - time.monotonic())))
    try:
        yield Admin(client)
    except KafkaError as error:
        raise StoreError(
            f"Kafka cannot be asked: {error!r}", remedy="see that its brokers run and are reachable"
        ) from error
    finally:
        await _close(client)


async def _close(client: AIOKafkaAdminClient) -> None:
    with suppress(KafkaError, OSError):
        await client.close()


class Admin:
    """What a start asks of a cluster."""

    def __init__(self, client: AIOKafkaAdminClient) -> None:
        self.client = client

    async def cluster(self) -> tuple[str, int]:
        """Return the cluster's id and its number of brokers."""
        told = await self.client.describe_cluster()
        return str(told["cluster_id"] or ""), len(told["brokers"])

    async def present(self, names: Iterable[str]) -> set[str]:
        """Return which of the topics named are there; asks for no others, of which a cluster may have thousands."""
        answer = await self.client._send_request(MetadataRequest(sorted(names), False))  # and makes none
        return {name for code, name, *_ in answer.topics if code != UnknownTopicOrPartitionError.errno}

    async def found(self, names: Iterable[str]) -> dict[str, Found]:
        """Return the topics that are there, of those named."""
        present = await self.sizes()
        there = [name for name in names if name in present]
        configs = await self._configs(there)
        return {
            name: Found(
                name=name, partitions=present[name][0], replication=present[name][1], config=configs[name]
            )
            for name in there
        }

    async def sizes(self) -> dict[str, tuple[int, int]]:
        """Return partitions and replication of every topic."""
        return {
            topic["topic"]: (
                len(topic["partitions"]),
                min((len(part["replicas"]) for part in topic["partitions"]), default=0),
            )
            for topic in await self.client.describe_topics()
            if not topic["error_code"]
        }

    async def _configs(self, names: list[str]) -> dict[str, dict[str, str]]:
        if not names:
            return {}
        asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        answers = await self.client.describe_configs(asked)
        return {
            resource[3]: {entry[0]: entry[1] for entry in resource[4]}
            for answer in answers
            for resource in answer.resources
        }

    async def create(self, wanted: Iterable[Wanted], *, replication: int) -> list[str]:
        """Create topics; those that are there already are left alone. Returns the names of the new."""
        new = [
            NewTopic(
                topic.name,
                topic.partitions,
                replication,
                topic_configs={**topic.config, **_in_sync(replication)},
            )
            for topic in wanted
        ]
        if not new:
            return []
        answer = await self.client.create_topics(new, timeout_ms=30_000)
        made = []
        for name, code, reason in (tuple(error)[:3] for error in answer.topic_errors):
            if code == 0:
                made.append(name)
            elif code != TopicAlreadyExistsError.errno:
                raise ConfigError(
                    f"Kafka does not create the topic {name}: {reason or for_code(code).__name__}",
                    key="kafka",
                    remedy="see kafka: {partitions, replication}, and that our user may create topics",
                )
        await self._seen(topic.name for topic in new)
        return made

    async def _seen(self, names: Iterable[str]) -> None:
        """Wait until every broker that we ask knows the topics and has leaders for them."""
        waited, end = set(names), time.monotonic() + SEEN_WITHIN_S
        while waited:
            for topic in await self.client.describe_topics():
                if not topic["error_code"] and all(part["leader"] >= 0 for part in topic["partitions"]):
                    waited.discard(topic["topic"])
            if waited and time.monotonic() > end:
                raise StoreError(f"Kafka made {', '.join(sorted(waited))} and does not show them")
            await asyncio.sleep(0.05)

    async def delete(self, names: list[str]) -> None:
        """Delete topics."""
        if names:
            answer = await self.client.delete_topics(names)
            for name, code in (tuple(error)[:2] for error in answer.topic_error_codes):
                if code:
                    raise StoreError(f"Kafka does not delete {name}: {for_code(code).__name__}")

    async def gone(self, names: Iterable[str]) -> None:
        """Wait until deleted topics are no longer shown: what is made anew too soon is refused."""
        waited, end = set(names), time.monotonic() + SEEN_WITHIN_S
        while waited & (await self.sizes()).keys() and time.monotonic() < end:
            await asyncio.sleep(0.1)

    async def committed(self, group: str) -> dict[TopicPartition, int]:
        """Return the next offset that a group will read of each partition where it committed any."""

        async def ask(node: int) -> dict[TopicPartition, int]:
            found = await self.client.list_consumer_group_offsets(group, node)
            return {part: at.offset for part, at in found.items() if at.offset >= 0}

        return await self._of_group(group, ask)

    async def forget(self, group: str) -> bool:
        """Delete a consumer group; False where members are in it. One that is not there is as good as deleted."""

        async def ask(node: int) -> bool:
            request = DeleteGroupsRequest([group])  # the client has no method for it
            for _, code in (await self.client._send_request(request, node)).results:
                if code == NonEmptyGroup.errno:
                    return False
                if code not in {0, GroupIdNotFound.errno}:
                    raise for_code(code)(f"the group {group} is not deleted")
            return True

        return await self._of_group(group, ask)

    async def _of_group(self, group: str, ask: Callable[[int], Awaitable[T]]) -> T:
        """Ask a group's coordinator; in a young cluster it takes a moment until there is one, and it may move."""
        end = time.monotonic() + SEEN_WITHIN_S
        while True:
            try:
                return await ask(await self.client.find_coordinator(group))
            except COORDINATORS_MOVE:
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(0.2)

    async def coordinator(self, group: str) -> None:
        """Wait until a group's coordinator is there: a new cluster takes a moment to make its offsets topic."""
        end = time.monotonic() + SEEN_WITHIN_S
        while True:
            try:
                await self.client.find_coordinator(group)
                return
            except KafkaError:
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(0.2)


def _in_sync(replication: int) -> dict[str, str]:
    return {"min.insync.replicas": "2"} if replication >= ENOUGH_REPLICAS else {}


def replication_of(brokers: int, asked: int) -> int:
    """Return how many copies to keep: as asked, else three or as many as there are brokers."""
    return asked or min(ENOUGH_REPLICAS, max(1, brokers))


def misfits(wanted: Iterable[Wanted], found: Mapping[str, Found], *, replication: int) -> list[str]:
    """Return what is wrong with the topics, each as a fact and what to do about it."""
    told = []
    for topic in wanted:
        has = found.get(topic.name)
        if has is None:
            told.append(f"{topic.name} is not there: run `clausewire topics create`")
        else:
            told += _misfit(topic, has, found, replication)
    return told


def _misfit(topic: Wanted, has: Found, found: Mapping[str, Found], replication: int) -> list[str]:
    told = []
    beside = found.get(topic.beside)
    if beside and beside.partitions != has.partitions:
        told.append(
            f"{topic.name} has {has.partitions} partitions and {topic.beside} has {beside.partitions}: "
            "they must be equal; delete the changelog to have it made and filled again"
        )
    elif has.partitions != topic.partitions:
        told.append(
            f"{topic.name} has {has.partitions} partitions, {topic.partitions} are configured: "
            f"write kafka: {{partitions: {has.partitions}}}, or make the topic anew"
        )
    told += [
        f"{topic.name} has {key}={value}: {reason}; set it with kafka-configs --alter --add-config {key}={right}"
        for key, value, right, reason in _misconfigured(topic, has.config)
    ]
    if has.replication < replication:
        told.append(
            f"{topic.name} has {has.replication} replicas, {replication} are wanted: reassign it, "
            f"or accept the risk with kafka: {{replication: {has.replication}}}"
        )
    return told


def _misconfigured(topic: Wanted, has: Mapping[str, Any]) -> Iterable[tuple[str, str, str, str]]:
    policy, wanted = str(has.get("cleanup.policy", "")), topic.config["cleanup.policy"]
    if policy != wanted:
        why = "old values would stay for ever" if wanted == "compact" else "history would lose records"
        yield "cleanup.policy", policy, wanted, why
    if topic.config.get("retention.ms") == "-1" and str(has.get("retention.ms")) != "-1":
        yield "retention.ms", str(has.get("retention.ms")), "-1", "history is to be kept for ever"
    if int(has.get("delete.retention.ms") or DELETIONS_MS) < int(topic.config.get("delete.retention.ms", 0)):
        why = "a worker that was away would keep what was deleted"
        yield "delete.retention.ms", str(has["delete.retention.ms"]), str(DELETIONS_MS), why
    limit = int(topic.config["max.message.bytes"])
    if int(has.get("max.message.bytes") or limit) < limit - ROOM_BYTES:
        yield "max.message.bytes", str(has["max.message.bytes"]), str(limit), "large records would not fit"
