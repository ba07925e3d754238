"""Killed at random moments: nothing is lost and nothing told twice. The short form; `make faults` is the long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.run import run


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    """Every expected alert arrives once at each destination, under the ids of an undisturbed run."""
    outcome = await run(tmp_path, kills=4, seed=11, documents=4)
    assert outcome.well, (str(outcome), outcome.lost[:5], outcome.doubled[:5], outcome.replay)
