"""The same line on Apache Kafka: told once, whoever comes and goes."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from pipeline.adapters.history import KafkaHistory
from pipeline.adapters.kafka.connection import Connection
from pipeline.adapters.kafka.start import Kafka
from pipeline.adapters.wire import decode
from pipeline.config import KafkaSettings
from pipeline.events import DocumentSpec, EventRejected, FetchOutcome, PageFetched
from tests.fakes import FixedClock, Mailbox
from tests.flow import line as states
from tests.flow.line import DOCUMENT, NOON, Line, line, page

pytestmark = pytest.mark.kafka
LONG_S = 45.0


@pytest.fixture
def cluster(kafka: str) -> Kafka:
    """The session's broker, with topics and groups that no other test uses."""
    prefix = f"flow-{uuid.uuid4().hex[:8]}."
    return Kafka(
        Connection(servers=(kafka,)), KafkaSettings(prefix=prefix, partitions=3, session_timeout_s=6.0)
    )


async def test_change_is_told_once(tmp_path: Path, cluster: Kafka) -> None:
    """A change is told; a restart tells it no second time and remembers what the next change is against."""
    async with line(tmp_path, kafka=cluster) as run:
        await run.confirmed(page(), day=0)
        await run.confirmed(states.a_clause_is_added(), day=1)
        await run.sent(1)
    async with line(tmp_path, run.mailbox, run.clock, cluster) as again:
        await again.settled()
        told = _alerts(again.mailbox)
        await again.confirmed(states.a_clause_is_reworded(), day=2)
        await again.until(lambda: len(_alerts(again.mailbox)) > 1, within_s=LONG_S)
    assert len(told) == 1
    assert set(Counter(due.delivery_id for due in again.mailbox.sent).values()) == {1}


async def test_other_worker_goes_on(tmp_path: Path, cluster: Kafka) -> None:
    """When a worker leaves, another one finds the change against the version that the first recorded."""
    mailbox, clock = Mailbox(), FixedClock()
    async with line(tmp_path, mailbox, clock, cluster) as one:
        await one.confirmed(page(), day=0)
        await one.settled()
        async with AsyncExitStack() as stack:
            two = await stack.enter_async_context(line(tmp_path, mailbox, clock, cluster))
            await both(one, two)
            await one.program.__aexit__(None, None, None)
            await two.confirmed(states.a_clause_is_added(), day=1)
            await two.until(lambda: bool(_alerts(mailbox)), within_s=LONG_S)
    assert len(_alerts(mailbox)) == 1


async def test_rebalances_under_load_double_nothing(tmp_path: Path, cluster: Kafka) -> None:
    """Twelve changes are each told once while workers join, leave and outnumber the partitions."""
    mailbox, clock = Mailbox(), FixedClock()
    documents = [
        msgspec.structs.replace(DOCUMENT, id=f"example/terms-{n}", name=f"Terms {n}") for n in range(12)
    ]
    async with line(tmp_path, mailbox, clock, cluster) as first:
        for document in documents:
            await read(first, document, page(), day=0)
        async with AsyncExitStack() as stack:
            for number, document in enumerate(documents):
                await read(first, document, states.a_clause_is_added(), day=1)
                if number in {1, 3, 5}:
                    await stack.enter_async_context(line(tmp_path, mailbox, clock, cluster))
        await first.until(lambda: _told(mailbox) == {document.id for document in documents}, within_s=LONG_S)
        await first.settled()
    assert set(Counter(due.delivery_id for due in mailbox.sent).values()) == {1}


async def test_rolling_restart_loses_and_doubles_nothing(tmp_path: Path, cluster: Kafka) -> None:
    """Every worker is replaced by another while pages change; each change is told once."""
    mailbox, clock = Mailbox(), FixedClock()
    documents = [
        msgspec.structs.replace(DOCUMENT, id=f"example/terms-{n}", name=f"Terms {n}") for n in range(9)
    ]
    async with AsyncExitStack() as stack:
        old = [await stack.enter_async_context(line(tmp_path, mailbox, clock, cluster)) for _ in range(2)]
        for document in documents:
            await read(old[0], document, page(), day=0)
        for number, document in enumerate(documents):
            if number % 4 == 1:
                await old.pop(0).program.__aexit__(None, None, None)
                old.append(await stack.enter_async_context(line(tmp_path, mailbox, clock, cluster)))
            await read(old[-1], document, states.a_clause_is_added(), day=1)
        await old[0].until(lambda: _told(mailbox) == {document.id for document in documents}, within_s=LONG_S)
        await old[0].settled()
    assert set(Counter(due.delivery_id for due in mailbox.sent).values()) == {1}


@pytest.mark.parametrize(
    "value",
    [b"{}", None, b"\xff\x00", b'{"type": "PageFetched", "schema": 99}', b"x" * 900_000],
    ids=["foreign", "null", "binary", "newer", "900-kB"],
)
async def test_foreign_record_is_set_aside(tmp_path: Path, cluster: Kafka, value: bytes | None) -> None:
    """What another program wrote onto our topic is rejected with its place, and the line goes on."""
    async with line(tmp_path, kafka=cluster) as run:
        await written(cluster, "pages.fetched", DOCUMENT.id, value)
        await run.confirmed(page(), day=0)
        await run.confirmed(states.a_clause_is_added(), day=1)
        await run.until(lambda: bool(_alerts(run.mailbox)), within_s=LONG_S)
    with KafkaHistory(cluster) as history:
        events = [decode(record.value) for record in history.records("events.rejected")]
    rejected = {event.id: event.topic for event in events if isinstance(event, EventRejected)}
    assert list(rejected.values()) == [cluster.settings.prefix + "pages.fetched"], "a repeat has the same id"


def _alerts(mailbox: Mailbox) -> list[str]:
    return [due.delivery_id for due in mailbox.sent if due.alert and due.alert.changes and not due.update]


def _told(mailbox: Mailbox) -> set[str]:
    return {due.alert.document.id for due in mailbox.sent if due.alert and due.alert.document}


async def both(*runs: Line) -> None:
    """Wait until two workers share the partitions."""
    await runs[0].until(
        lambda: all(
            run.program.app.consumer.assignment() and not run.program.app.rebalancing for run in runs
        ),
        within_s=LONG_S,
    )


async def read(run: Line, document: DocumentSpec, body: bytes, *, day: int) -> None:
    """Put a read of a document's page and the one that confirms it into the first topic."""
    ref = await run.blobs.put(body, media_type="text/html")
    run.clock.moment = NOON + timedelta(days=day, hours=1)
    for confirms in (False, True):
        event = PageFetched(
            document=document,
            fetched_at=NOON + timedelta(days=day, hours=confirms),
            outcome=FetchOutcome.OK,
            status=200,
            headers={"content-type": "text/html"},
            body=ref,
            confirms=confirms,
        )
        await run.put(event)


async def written(cluster: Kafka, topic: str, key: str, value: bytes | None) -> None:
    """Write a record as a program would that knows nothing of us."""
    async with AIOKafkaProducer(**cluster.connection.options()) as producer:
        await producer.send_and_wait(cluster.settings.prefix + topic, value, key=key.encode())
    await asyncio.sleep(0)
