"""Who is told may change while the program runs, and holds when it starts again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from agents.serve import running
from pipeline.adapters.history import open_history
from pipeline.config import Settings
from pipeline.config.loading import parse
from pipeline.events import (
    AlertRaised,
    Channel,
    Event,
    Matcher,
    Severity,
    SilenceDeclared,
    SubscriptionDeclared,
)
from tests.fakes import NOON, FixedClock


def settings(folder: Path) -> Settings:
    return parse(b"routes: [{name: File, to: {console: file.txt}}]", folder / "clausewire.yaml", {})


def alert(number: int) -> AlertRaised:
    return AlertRaised(
        alert_id=f"alt-{number}", kind="change", raised_at=NOON + timedelta(minutes=number),
        title=f"Change number {number}", summary="", severity=Severity.HIGH,
    )  # fmt: skip


def desk(folder: Path) -> SubscriptionDeclared:
    return SubscriptionDeclared(
        subscription_id="desk",
        name="Desk",
        channel=Channel.CONSOLE,
        declared_at=NOON,
        by="command",
        target={"file": str(folder / "desk.txt")},
    )


def declare(folder: Path, *events: Event) -> None:
    with open_history(settings(folder).broker, create=True) as history:
        history.append(events)


def told(path: Path) -> str:
    return path.read_text() if path.exists() else ""


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.02)


async def test_who_comes_and_goes_is_told_meanwhile(tmp_path: Path) -> None:
    """A subscription that another process declares is told from then on, until it is paused."""
    async with running(settings(tmp_path), FixedClock(NOON + timedelta(hours=1))) as program:
        await program.log.publish(alert(1))
        await until(lambda: "number 1" in told(tmp_path / "file.txt"))
        declare(tmp_path, desk(tmp_path))
        await asyncio.sleep(1.0)
        await program.log.publish(alert(2))
        await until(lambda: "number 2" in told(tmp_path / "desk.txt"))
        declare(tmp_path, replace(desk(tmp_path), active=False))
        await asyncio.sleep(1.0)
        await program.log.publish(alert(3))
        await until(lambda: "number 3" in told(tmp_path / "file.txt"))
    assert [f"number {n}" in told(tmp_path / "desk.txt") for n in (1, 2, 3)] == [False, True, False]


@pytest.mark.parametrize("silenced", [False, True])
async def test_what_was_declared_holds_from_the_first_alert(tmp_path: Path, silenced: bool) -> None:
    """An alert that waits in the log at the start meets every subscription and silence declared before."""
    silence = SilenceDeclared(
        silence_id="sil-1", matchers=(Matcher(what="kind", words=("change",)),), starts_at=NOON,
        ends_at=NOON + timedelta(hours=1), declared_at=NOON, subscriptions=("desk",),
    )  # fmt: skip
    declare(tmp_path, desk(tmp_path), alert(1), *((silence,) if silenced else ()))
    async with running(settings(tmp_path), FixedClock(NOON + timedelta(hours=1))):
        await until(lambda: "number 1" in told(tmp_path / "file.txt"))
        await asyncio.sleep(0.3)
    assert ("number 1" in told(tmp_path / "desk.txt")) is not silenced
