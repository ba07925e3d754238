"""Before anything runs on a cluster: it answers, it is the one we know, and its topics fit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from pipeline.adapters.kafka.admin import (
    KNOCK_AGAIN_S,
    Admin,
    admin_of,
    misfits,
    replication_of,
    wanted_topics,
)
from pipeline.adapters.kafka.connection import Connection, connection_of
from pipeline.adapters.kafka.logs import quieten
from pipeline.config import KafkaSettings, Settings
from pipeline.errors import ConfigError, StoreError

T = TypeVar("T")

WATCH_S = 15.0
KNOWN = "kafka-cluster-id"

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Kafka:
    """A cluster as this deployment uses it."""

    connection: Connection
    settings: KafkaSettings

    async def prepare(self, *, data: Path, group: str) -> str:
        """Wait for the cluster, see that it is ours, make missing topics if that is allowed, and check all.

        Returns the cluster's id. ConfigError with what does not fit and what to do; StoreError when the cluster does
        not answer in time.
        """
        return await self.patiently(partial(self._prepared, data, group))

    async def patiently(self, act: Callable[[], Awaitable[T]]) -> T:
        """Do what a start needs of the cluster, again while a broker is away or coming back, for `wait_s` at most."""
        quieten()
        end = time.monotonic() + self.settings.wait_s
        while True:
            try:
                return await act()
            except StoreError as error:
                if time.monotonic() + KNOCK_AGAIN_S > end:
                    raise
                logger.warning("kafka.waiting", reason=str(error), remedy=error.remedy)
                await asyncio.sleep(KNOCK_AGAIN_S)

    async def _prepared(self, data: Path, group: str) -> str:
        async with admin_of(self.connection, wait_s=self.settings.wait_s) as admin:
            cluster_id, brokers = await admin.cluster()
            recognise(cluster_id, data)
            replication = replication_of(brokers, self.settings.replication)
            if self.settings.create_topics:
                await self.create(admin, replication)
            refuse(await self.check(admin, replication))
            await admin.coordinator(group)
            return cluster_id

    async def watch(self, every_s: float = WATCH_S) -> None:
        """Say when the cluster is away and when it is back; ConfigError when a topic was deleted under us."""
        gone, away = set[str](), False
        while True:
            await asyncio.sleep(every_s)
            try:
                async with admin_of(self.connection) as admin:
                    there = await admin.present(self._names())
            except StoreError as error:
                away = True
                logger.warning("kafka.unreachable", reason=str(error), remedy="what is at work waits for it")
                continue
            if away:
                away = False
                logger.info("kafka.reachable-again")
            before, gone = gone, self._names() - there
            if gone & before:
                raise _deleted(sorted(gone & before))

    def _names(self) -> set[str]:
        return {topic.name for topic in wanted_topics(self.settings.partitions, self.settings.prefix)}

    async def create(self, admin: Admin, replication: int) -> list[str]:
        """Create the topics that are not there; returns their names."""
        there = await admin.sizes()
        wanted = wanted_topics(self.settings.partitions, self.settings.prefix)
        made = await admin.create(
            [topic for topic in wanted if topic.name not in there], replication=replication
        )
        if made:
            logger.info("kafka.topics-created", topics=len(made), replication=replication)
        return made

    async def check(self, admin: Admin, replication: int) -> list[str]:
        """Return what does not fit."""
        wanted = wanted_topics(self.settings.partitions, self.settings.prefix)
        found = await admin.found(topic.name for topic in wanted)
        return misfits(wanted, found, replication=replication)


def _deleted(names: list[str]) -> ConfigError:
    return ConfigError(
        f"the topics {', '.join(names)} were deleted while we ran, with what they held",
        key="kafka",
        remedy="a start makes them again, empty; restore them from a backup first if there is one",
    )


def kafka_of(settings: Settings) -> Kafka:
    """Return the cluster that the settings name."""
    return Kafka(connection_of(settings), settings.kafka)


def refuse(facts: Iterable[str]) -> None:
    """Raise ConfigError when something does not fit."""
    told = list(facts)
    if told:
        raise ConfigError(
            "the topics on this cluster do not fit:\n  " + "\n  ".join(told),
            key="kafka",
            remedy="`clausewire topics check` shows this list again",
        )


def recognise(cluster_id: str, data: Path) -> None:
    """Remember a cluster in the data folder; ConfigError when the folder belongs to another one."""
    file = data / KNOWN
    known = file.read_text(encoding="utf-8").strip() if file.exists() else ""
    if known and known != cluster_id:
        raise ConfigError(
            f"this is the Kafka cluster {cluster_id}, and the data folder {data} belongs to {known}",
            key="broker",
            remedy=f"point `broker:` at that cluster or `data:` at another folder; if the move is meant, delete {file}",
        )
    if not known:
        data.mkdir(parents=True, exist_ok=True)
        file.write_text(cluster_id + "\n", encoding="utf-8")
