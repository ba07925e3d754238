"""Partitions of a replay on Kafka: who lost one writes nothing more, and what was not committed stands nowhere."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from pipeline.adapters.kafka.claims import KafkaPortion, member
from pipeline.adapters.kafka.connection import Connection
from pipeline.adapters.kafka.history import KafkaHistory
from pipeline.adapters.kafka.start import Kafka
from pipeline.config import KafkaSettings
from pipeline.errors import ClaimLostError
from pipeline.events import DocumentSpec, FetchOutcome, PageFetched
from pipeline.ports import Scope
from pipeline.topics import STATES
from tests.fakes import NOON

pytestmark = pytest.mark.kafka
SCOPE = Scope(topic="pages.fetched", ends=(1,), group="clausewire-replay-rp-test", prefix="shadow.rp-test.")
PAGE = PageFetched(
    document=DocumentSpec(id="example/terms", service="Example", name="Terms", url="https://example.org"),
    fetched_at=NOON,
    outcome=FetchOutcome.OK,
)


@pytest.fixture
def cluster(kafka: str) -> Kafka:
    """The session's broker, with a page on a partition of this test's own, and the topics of a replay."""
    settings = KafkaSettings(prefix=f"claims-{uuid.uuid4().hex[:8]}.", partitions=1, session_timeout_s=6.0)
    made = Kafka(Connection(servers=(kafka,)), settings)
    with KafkaHistory(made) as history:
        history.append([PAGE])
        history.declare(SCOPE.prefix, 1)
    return made


async def test_late_writer_is_fenced(cluster: Kafka) -> None:
    """Who comes back to a partition that another has taken over can make nothing done, and leaves nothing behind."""
    async with held(cluster) as late, succeeding(late) as successor:
        assert len(await late.read()) == 1
        assert await successor.begin() == {}
        with pytest.raises(ClaimLostError):
            await late.save([], {"example/terms": b"late"})
        await successor.read()
        await successor.save([], {"example/terms": b"ours"})
        async with succeeding(late) as third:
            assert await third.begin() == {"example/terms": b"ours"}
            assert third.at_end


async def test_killed_in_a_transaction_leaves_nothing(cluster: Kafka) -> None:
    """What was written and not committed when a process was killed stands in no shadow topic, and is read again."""
    async with held(cluster) as killed, succeeding(killed) as successor:
        await killed.read()
        await killed._writer.begin_transaction()
        await killed._writer.send_and_wait(
            cluster.settings.prefix + SCOPE.prefix + STATES, b"half", key=b"example/terms", partition=0
        )
        assert await successor.begin() == {}
        assert len(await successor.read()) == 1
        await successor.save([], {})
    with KafkaHistory(cluster) as history:
        assert list(history.records(SCOPE.prefix + STATES)) == []


@asynccontextmanager
async def held(cluster: Kafka) -> AsyncIterator[KafkaPortion]:
    """A partition as it fell to this process, begun."""
    async with member(cluster, SCOPE) as joined, aclosing(joined.claims()) as coming:
        portion = await anext(coming)
        assert isinstance(portion, KafkaPortion)
        await portion.begin()
        yield portion


@asynccontextmanager
async def succeeding(portion: KafkaPortion) -> AsyncIterator[KafkaPortion]:
    """The same partition in other hands."""
    successor = KafkaPortion(portion._member, portion.number)
    yield successor
    await successor.close()


def test_history_is_read_at_a_place(cluster: Kafka) -> None:
    """A record is read by its place, one that is not there is none, and what comes is read from where one stood."""
    with KafkaHistory(cluster) as history:
        found = history.fetch("pages.fetched", 0, 0)
        seen = {0: 1}
        history.append([PAGE])
        assert found
        assert found.key == b"example/terms"
        assert history.fetch("pages.fetched", 0, 7) is None
        assert [record.offset for record in history.news("pages.fetched", seen)] == [1]
        assert seen == {0: 2}
