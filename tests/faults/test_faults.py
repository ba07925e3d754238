"""Killed at random moments: nothing is lost and nothing told twice. The short form; `make faults` is the long one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from agents.cluster import bring_jars
from pipeline.errors import PipelineError
from tests.faults.run import run
from tests.kafka import cache, without


@pytest.fixture
def brokers_can_run() -> None:
    """Skips loudly where no Kafka can be started; fails there in CI."""
    if shutil.which("java") is None:
        without("there is no java on this machine; install a Java 17 runtime")
    try:
        (cache() / "libs").mkdir(parents=True, exist_ok=True)
        bring_jars(cache() / "libs")
    except PipelineError as error:
        without(f"{error}. {error.remedy}")


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    """Every expected alert arrives once at each destination, under the ids of an undisturbed run."""
    outcome = await run(tmp_path, kills=4, seed=11, documents=4, full=False)
    assert outcome.well, (str(outcome), outcome.lost[:5], outcome.doubled[:5], outcome.wrong)


@pytest.mark.slow
@pytest.mark.kafka
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("brokers_can_run")
async def test_kafka_deployment_survives(tmp_path: Path) -> None:
    """The same holds for two workers and two pollers on three brokers, when any of them dies or is cut off."""
    outcome = await run(tmp_path, kills=3, seed=11, documents=3, broker="kafka", full=False)
    assert outcome.well, (str(outcome), outcome.lost[:5], outcome.doubled[:5], outcome.wrong)
