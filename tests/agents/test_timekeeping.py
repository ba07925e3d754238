"""A clock that jumps is noticed and told with what to do."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from agents.timekeeping import watch_clock
from tests.fakes import FixedClock


@pytest.mark.parametrize(
    ("by", "told"),
    [(timedelta(days=1), "by_s=86400"), (timedelta(days=-1), "by_s=-86400"), (timedelta(seconds=2), "")],
    ids=["forward", "back", "adjusted"],
)
async def test_jump_is_told(capsys: pytest.CaptureFixture[str], by: timedelta, told: str) -> None:
    """A jump either way is told with how far and the remedy; an adjustment is not."""
    clock = FixedClock()
    watching = asyncio.create_task(watch_clock(clock=clock, steady=lambda: 0.0, every_s=0.01))
    await asyncio.sleep(0.05)
    clock.moment += by
    await asyncio.sleep(0.05)
    watching.cancel()
    said = capsys.readouterr().out
    assert (told in said, "NTP" in said) == (True, bool(told))
