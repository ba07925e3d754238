"""Tables come back right on Kafka: from the changelog, from the local disk, after anything that may befall either."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from agents.program import Program
from pipeline.adapters.kafka.admin import Wanted, admin_of, wanted_topics
from pipeline.adapters.kafka.connection import Connection
from pipeline.adapters.kafka.start import Kafka
from pipeline.adapters.tables import TableMemory, frozen
from pipeline.config import KafkaSettings
from pipeline.events import ReminderSet
from tests.fakes import NOON, FixedClock

pytestmark = pytest.mark.kafka
LONG_S = 60.0
CHANGELOG = "clausewire-calendar-changelog"


@pytest.fixture(params=["memory", "rocksdb"])
def cluster(kafka: str, request: pytest.FixtureRequest) -> Kafka:
    """The session's broker, with topics and groups that no other test uses; tables in memory or on the disk."""
    if request.param == "rocksdb":
        pytest.importorskip("rocksdict", reason="the extra rocksdb is not installed")
    prefix = f"recovery-{uuid.uuid4().hex[:8]}."
    settings = KafkaSettings(prefix=prefix, partitions=3, session_timeout_s=6.0, store=request.param)
    return Kafka(Connection(servers=(kafka,)), settings)


class Worker:
    """A program with one table, the calendar, and nothing that rings."""

    def __init__(self, cluster: Kafka, folder: Path) -> None:
        self.program = Program("clausewire", "kafka://", data=folder, clock=FixedClock(), kafka=cluster)
        self.calendar: TableMemory[ReminderSet] = self.program.memory("calendar", "reminders", ReminderSet)
        self.program.agent("reminders", self.keep, ReminderSet)

    async def keep(self, event: ReminderSet) -> None:
        """Keep a reminder, or forget it when it is done."""
        if event.done:
            self.calendar.forget(event.key)
        else:
            self.calendar.keep(event.key, event)

    def held(self) -> dict[str, str]:
        """What this worker holds: which change each reminder is about."""
        return {key: event.change_id for key, event in self.calendar.items()}

    async def put(self, *events: ReminderSet) -> None:
        await self.program.log.publish_all(events)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(LONG_S):
            while not holds():
                await asyncio.sleep(0.02)


@asynccontextmanager
async def worker(cluster: Kafka, folder: Path) -> AsyncIterator[Worker]:
    made = Worker(cluster, folder)
    async with made.program:
        yield made


def reminder(number: int, change: str = "a", *, done: bool = False) -> ReminderSet:
    """A reminder far in the future."""
    return ReminderSet(
        reminder_id=f"r{number}",
        what="confirm",
        set_at=NOON,
        due_at=NOON.replace(year=2099),
        change_id=change,
        done=done,
    )


def kept(*events: ReminderSet) -> dict[str, str]:
    return {event.key: event.change_id for event in events}


MANY = [reminder(number) for number in range(30)]


async def filled(cluster: Kafka, folder: Path) -> None:
    """A worker takes thirty reminders, and ends."""
    async with worker(cluster, folder) as one:
        await one.put(*MANY)
        await one.until(lambda: one.held() == kept(*MANY))


async def test_restart_finds_everything(tmp_path: Path, cluster: Kafka) -> None:
    """A worker that starts again holds what was kept, forgotten entries not included, and goes on from there."""
    await filled(cluster, tmp_path)
    gone, new = MANY[0], reminder(99)
    async with worker(cluster, tmp_path) as two:
        before = two.held()
        await two.put(msgspec.structs.replace(gone, done=True), new)
        await two.until(lambda: two.held() == kept(*MANY[1:], new))
    async with worker(cluster, tmp_path) as three:
        assert (before, three.held()) == (kept(*MANY), kept(*MANY[1:], new))


async def test_lost_disk_is_made_good(tmp_path: Path, cluster: Kafka) -> None:
    """A worker whose disk is empty holds the same."""
    await filled(cluster, tmp_path)
    shutil.rmtree(tmp_path / "tables", ignore_errors=True)
    async with worker(cluster, tmp_path) as two:
        assert two.held() == kept(*MANY)


async def test_other_worker_wrote_since(tmp_path: Path, cluster: Kafka) -> None:
    """What another worker wrote and deleted meanwhile is what a worker that comes back holds."""
    await filled(cluster, tmp_path / "one")
    async with worker(cluster, tmp_path / "two") as two:
        await two.put(*[msgspec.structs.replace(event, done=True) for event in MANY[:10]], reminder(77))
        await two.until(lambda: two.held() == kept(*MANY[10:], reminder(77)))
    async with worker(cluster, tmp_path / "one") as back:
        assert back.held() == kept(*MANY[10:], reminder(77))


async def test_strangers_record_is_not_skipped(tmp_path: Path, cluster: Kafka) -> None:
    """A record that somebody else wrote between ours is read by the next start."""
    stranger = reminder(5, "stranger")
    async with worker(cluster, tmp_path) as one:
        await one.put(MANY[5])
        await one.until(lambda: one.held() == kept(MANY[5]))
        place = one.calendar.partition(stranger.key)
        async with AIOKafkaProducer(**cluster.connection.options()) as producer:
            await producer.send_and_wait(
                cluster.settings.prefix + CHANGELOG,
                frozen(stranger),
                key=stranger.key.encode(),
                partition=place,
            )
        rest = [event for event in MANY if event.key != stranger.key]
        await one.put(*rest)
        await one.until(lambda: len(one.held()) == len(rest) + 1)
    async with worker(cluster, tmp_path) as two:
        assert two.held() == kept(*rest, stranger)


async def test_changelog_made_anew(tmp_path: Path, cluster: Kafka) -> None:
    """A worker whose changelog was deleted and filled by others believes the changelog, not its disk."""
    await filled(cluster, tmp_path)
    name = cluster.settings.prefix + CHANGELOG
    async with admin_of(cluster.connection) as admin:
        await admin.delete([name])
        await admin.gone([name])
        config = next(t.config for t in wanted_topics(3, cluster.settings.prefix) if t.name == name)
        await admin.create([Wanted(name=name, partitions=3, config=config)], replication=1)
    others = [reminder(number, "other") for number in range(60)]
    probe = Worker(cluster, tmp_path)
    async with AIOKafkaProducer(**cluster.connection.options()) as producer:
        for event in others:
            await producer.send_and_wait(
                name, frozen(event), key=event.key.encode(), partition=probe.calendar.partition(event.key)
            )
    async with worker(cluster, tmp_path) as two:
        assert two.held() == kept(*others)


async def test_more_workers_than_partitions(tmp_path: Path, cluster: Kafka) -> None:
    """Five workers on three partitions hold every entry once between them; so do those that are left."""
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(worker(cluster, tmp_path))
        await first.put(*MANY)
        await first.until(lambda: first.held() == kept(*MANY))
        more = await asyncio.gather(*(stack.enter_async_context(worker(cluster, tmp_path)) for _ in range(2)))
        more += await asyncio.gather(
            *(stack.enter_async_context(worker(cluster, tmp_path)) for _ in range(2))
        )
        await first.until(lambda: shared(first, *more) == sorted(kept(*MANY)))
        await first.program.__aexit__(None, None, None)
        await more[0].until(lambda: shared(*more) == sorted(kept(*MANY)))


def shared(*workers: Worker) -> list[str]:
    """What workers hold together, twice what two hold."""
    return sorted(key for one in workers for key in one.held())


async def test_other_cluster_has_other_tables(tmp_path: Path, cluster: Kafka) -> None:
    """Under another prefix, in the same data folder, nothing is known."""
    await filled(cluster, tmp_path)
    other = replace(
        cluster, settings=msgspec.structs.replace(cluster.settings, prefix=cluster.settings.prefix + "b.")
    )
    async with worker(other, tmp_path) as two:
        assert two.held() == {}
