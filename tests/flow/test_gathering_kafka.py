"""What a subscription hears together, on Apache Kafka: once each, whoever comes and goes."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.adapters.kafka.connection import Connection
from pipeline.adapters.kafka.start import Kafka
from pipeline.alerts.attempt import alert_id
from pipeline.config import KafkaSettings
from tests.fakes import NOON, FixedClock
from tests.flow.gathering import SLACK, Parents, changed, gathering

pytestmark = pytest.mark.kafka
LONG_S = 60.0


@pytest.fixture
def cluster(kafka: str) -> Kafka:
    """The session's broker, with topics and groups that no other test uses."""
    prefix = f"gather-{uuid.uuid4().hex[:8]}."
    return Kafka(
        Connection(servers=(kafka,)), KafkaSettings(prefix=prefix, partitions=3, session_timeout_s=6.0)
    )


async def test_other_worker_tells_what_the_first_gathered(tmp_path: Path, cluster: Kafka) -> None:
    """What one worker gathered before it left is told by the next one, with what came since, in one message."""
    clock, boxes = FixedClock(), {"desk": Parents()}
    async with gathering(tmp_path / "one", clock, SLACK, boxes=boxes, kafka=cluster) as one:
        await one.put(changed(1), changed(2))
        await one.until(lambda: len(one.state().members) == 2, within_s=LONG_S)
    async with gathering(tmp_path / "two", clock, SLACK, boxes=boxes, kafka=cluster) as two:
        await two.put(changed(3), changed(1))
        await two.until(lambda: len(two.state().members) == 3, within_s=LONG_S)
        two.at(NOON + timedelta(minutes=1))
        await two.until(lambda: bool(boxes["desk"].sent), within_s=LONG_S)
        await asyncio.sleep(2.0)
    (sent,) = boxes["desk"].sent
    assert sorted(map(alert_id, sent.members)) == ["alt-Example-1", "alt-Example-2", "alt-Example-3"]
