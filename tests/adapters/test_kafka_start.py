"""A start on Kafka while a broker is coming or going."""

from __future__ import annotations

import pytest

from pipeline.adapters.kafka.connection import Connection
from pipeline.adapters.kafka.start import Kafka
from pipeline.config import KafkaSettings
from pipeline.errors import ConfigError, PipelineError, StoreError


def started(wait_s: float) -> Kafka:
    return Kafka(Connection(servers=("127.0.0.1:1",)), KafkaSettings(wait_s=wait_s))


def answers(*fails: PipelineError):  # type: ignore[no-untyped-def]
    """What a start asks of the cluster: it fails in these ways first."""
    waiting = list(fails)

    async def asked() -> str:
        if waiting:
            raise waiting.pop(0)
        return "done"

    return asked


async def test_start_outlasts_a_lost_broker() -> None:
    """What a broker's absence spoils is asked again."""
    assert await started(20.0).patiently(answers(StoreError("a broker is away"))) == "done"


@pytest.mark.parametrize(
    ("wait_s", "fault"),
    [(0.0, StoreError("a broker is away")), (20.0, ConfigError("the topics do not fit"))],
    ids=["too-long", "no-cure"],
)
async def test_start_gives_up(wait_s: float, fault: PipelineError) -> None:
    """A start ends when the wait is over, and at once where waiting does not help."""
    with pytest.raises(type(fault)):
        await started(wait_s).patiently(answers(fault))
