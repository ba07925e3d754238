"""Three Kafka brokers that lose their processes or their disk, one at a time, and what must hold at the end."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from agents.cluster import Cluster, Node, bring_jars
from pipeline.adapters.kafka.admin import wanted_topics
from pipeline.topics import POLLERS, WORKERS
from tests.faults.fleet import say
from tests.kafka import cache

PORTS = range(21_000, 30_000, 40)  # below those that the system gives to outgoing connections
PROXIED, BEHIND, BEFORE = "PROXIED", 2, 3  # a listener, and how far from a node's port it and its proxy are
DISK_MB = 192
IN_SYNC_WITHIN_S = 120.0
FULL_WITHIN_S = 20.0
OURS = {"__consumer_offsets"}


def three_brokers(folder: Path) -> Cluster:
    """Return a cluster of three in a folder, not started yet, its jars brought; PipelineError where that fails.

    Beside the plain listener each has one that clients are told to find at a proxy's port.
    """
    libs = cache() / "libs"
    libs.mkdir(parents=True, exist_ok=True)
    bring_jars(libs)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "libs").symlink_to(libs)
    settings = {"log.cleaner.backoff.ms": "1000", "log.index.size.max.bytes": "65536"}
    for port in PORTS:
        found = Cluster(
            folder=folder,
            nodes=3,
            port=port,
            settings=settings,
            listeners={PROXIED: port + BEHIND},
            advertised={PROXIED: port + BEFORE},
        )
        if not any(node.listens() for node in found.members):
            return found
    raise OSError("no ports are free")


class Brokers:
    """The running brokers; `small` is the one whose disk is small enough to be filled, if the machine allows it."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.small: Node | None = None

    @property
    def url(self) -> str:
        return f"kafka://{self.cluster.bootstrap}"

    @property
    def proxied_url(self) -> str:
        """Where a client begins that comes through the proxies."""
        return "kafka://" + ",".join(f"127.0.0.1:{port + BEFORE}" for port in self.ports)

    @property
    def proxies(self) -> dict[int, int]:
        """Where the proxies listen, and where they lead."""
        return {port + BEFORE: port + BEHIND for port in self.ports}

    @property
    def ports(self) -> list[int]:
        return [node.port for node in self.cluster.members]

    async def up(self, *, small_disk: bool) -> None:
        """Start all three."""
        if small_disk:
            self._mount(self.cluster.members[-1])
        await asyncio.to_thread(self.cluster.up)
        await self.in_sync()

    async def down(self) -> None:
        """Stop all three."""
        await asyncio.to_thread(self.cluster.down)
        if self.small:
            await asyncio.to_thread(subprocess.run, ["umount", str(self.small.folder / "data")], check=False)

    def _mount(self, node: Node) -> None:
        data = node.folder / "data"
        data.mkdir(parents=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "faults", str(data)]
        if (
            shutil.which("mount")
            and os.geteuid() == 0
            and subprocess.run(command, check=False).returncode == 0
        ):
            self.small = node

    async def lose(self, node: Node, *, kill: bool, for_s: float) -> None:
        """Have a broker gone for a while, and wait until it has caught up again."""
        await asyncio.to_thread(self.cluster.stop, node, kill=kill)
        await asyncio.sleep(for_s)
        await self._back(node)

    async def fill(self, node: Node) -> float:
        """Fill a broker's disk until it gives up, make room and have it back; returns how long it lasted."""
        began, filler = time.monotonic(), node.folder / "data" / "filler"
        await asyncio.to_thread(_filled, filler)
        while node.pid() is not None and time.monotonic() < began + FULL_WITHIN_S:
            await asyncio.sleep(0.2)
            await asyncio.to_thread(_filled, filler)
        lasted = time.monotonic() - began
        await asyncio.to_thread(self.cluster.stop, node, kill=True)
        filler.unlink()
        await self._back(node)
        return lasted

    async def _back(self, node: Node) -> None:
        self.cluster.start(node)
        await asyncio.to_thread(self.cluster.wait, [node])
        await self.in_sync()

    async def in_sync(self) -> None:
        """Wait until every partition has all its replicas: another broker may be lost only then."""
        end = time.monotonic() + IN_SYNC_WITHIN_S
        while time.monotonic() < end:
            with suppress(KafkaError, OSError, TimeoutError):  # of a broker that is still coming
                if await self._all_in_sync():
                    return
            await asyncio.sleep(0.5)
        raise TimeoutError(f"the brokers are not in sync after {IN_SYNC_WITHIN_S:g} s")

    async def _all_in_sync(self) -> bool:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.cluster.bootstrap, request_timeout_ms=5000)
        await admin.start()
        try:
            brokers = (await admin.describe_cluster())["brokers"]
            topics = await admin.describe_topics()
        finally:
            await admin.close()
        parts = [part for topic in topics for part in topic["partitions"]]
        return len(brokers) == len(self.cluster.members) and all(
            len(part["isr"]) == len(part["replicas"]) for part in parts
        )

    async def shared(self, members: Mapping[str, int], within_s: float = IN_SYNC_WITHIN_S) -> dict[str, str]:
        """Wait until each group is at rest with so many members; return what the others were like at last."""
        began, left = time.monotonic(), dict.fromkeys(members, "no answer")
        while left and time.monotonic() < began + within_s:
            with suppress(KafkaError, OSError):
                found = await self._states_of(members)
                left = {
                    group: told
                    for group, told in found.items()
                    if told != f"Stable, {members[group]} members"
                }
            if left:
                await asyncio.sleep(0.5)
        say(
            f"the groups came to rest in {time.monotonic() - began:.1f} s"
            if not left
            else f"not at rest: {left}"
        )
        return left

    async def _states_of(self, groups: Iterable[str]) -> dict[str, str]:
        """Return the state of each group and how many members it has."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.cluster.bootstrap)
        await admin.start()
        try:
            # one by one: aiokafka 0.14.0 cannot read an answer about two
            told = [answer for group in groups for answer in await admin.describe_consumer_groups([group])]
        finally:
            await admin.close()
        found = [group for answer in told for group in answer.groups]
        return {group[1]: f"{group[2]}, {len(group[5])} members" for group in found}

    async def lag(self) -> dict[str, int]:
        """Return, by group, topic and partition, what was not committed of what the groups read."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.cluster.bootstrap)
        reader = AIOKafkaConsumer(bootstrap_servers=self.cluster.bootstrap)
        await admin.start()
        await reader.start()
        try:
            sizes = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics()}
            found = {}
            for group in (WORKERS, POLLERS):
                committed = await admin.list_consumer_group_offsets(group)
                ends = await reader.end_offsets(list(_parts({part.topic for part in committed}, sizes)))
                for part, end in ends.items():
                    done = committed[part].offset if part in committed else 0
                    if end > max(done, 0):
                        found[f"{group} {part.topic}-{part.partition}"] = end - max(done, 0)
            return found
        finally:
            await reader.stop()
            await admin.close()

    async def strangers(self, partitions: int) -> list[str]:
        """Return the topics that are none of the deployment's: shadow topics that nobody deleted."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.cluster.bootstrap)
        await admin.start()
        try:
            names = {topic["topic"] for topic in await admin.describe_topics()}
        finally:
            await admin.close()
        return sorted(names - OURS - {topic.name for topic in wanted_topics(partitions)})


def _parts(topics: Iterable[str], sizes: Mapping[str, int]) -> Iterator[TopicPartition]:
    return (TopicPartition(name, number) for name in topics for number in range(sizes[name]))


def _filled(file: Path) -> None:
    """Write until no more can be written."""
    with file.open("ab", buffering=0) as out:
        for size in (1 << 20, 1 << 12, 1 << 6, 1):
            try:
                while True:
                    out.write(b"\0" * size)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
