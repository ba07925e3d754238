"""A start on Kafka while a broker is coming or going."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agents.serve import serve
from pipeline.adapters.clock import SystemClock
from pipeline.adapters.kafka.connection import Connection
from pipeline.adapters.kafka.start import Kafka
from pipeline.config import KafkaSettings, parse
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


async def test_start_is_broken_off(tmp_path: Path) -> None:
    """Whoever is asked to stop while waiting for a broker stops at once, and in peace."""
    settings = parse(
        b"broker: kafka://127.0.0.1:1\nroutes: [{name: t, to: {console: stdout}}]", tmp_path / "c", {}
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.3, stop.set)
    async with asyncio.timeout(20):
        await serve(settings, SystemClock(), stop, polls=False)
