"""Turns at hosts: spacing, caps, holds, and nobody waiting for another's host."""

from __future__ import annotations

import asyncio

import pytest

from pipeline.adapters.politeness import REMEMBERED_HOSTS, Politeness


class Traffic:
    """Counts who is being asked."""

    def __init__(self, turns: Politeness) -> None:
        self.turns = turns
        self.now = self.most = 0

    async def ask(self, host: str, seconds: float = 0.02) -> None:
        async with self.turns.turn(host):
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.sleep(seconds)
            self.now -= 1


@pytest.mark.parametrize(
    ("hosts", "most"), [(["a"] * 6, 2), (list("abcdefgh"), 3)], ids=["one host", "many hosts"]
)
async def test_caps(hosts: list[str], most: int) -> None:
    """No more than the cap are asked at once, on a host and in all."""
    traffic = Traffic(Politeness(spacing_s=0, per_host=2, concurrency=3))
    await asyncio.gather(*(traffic.ask(host) for host in hosts))
    assert traffic.most == most


async def test_busy_host_holds_up_nobody() -> None:
    """A hundred waiting for one host leave the slots to others."""
    traffic = Traffic(Politeness(spacing_s=5, per_host=2, concurrency=2))
    crowd = [asyncio.create_task(traffic.ask("busy", 5)) for _ in range(100)]
    await asyncio.sleep(0.01)
    async with asyncio.timeout(1):
        await traffic.ask("free")
    for task in crowd:
        task.cancel()
    await asyncio.gather(*crowd, return_exceptions=True)


async def test_hold_ends() -> None:
    """A hold lasts as long as was asked, and a shorter one does not cut it."""
    moment = 100.0
    turns = Politeness(spacing_s=0, per_host=1, concurrency=1, timer=lambda: moment)
    turns.hold("a", 60)
    turns.hold("a", 5)
    assert (turns.held_s("a"), turns.held_s("b")) == (60, 0)
    moment = 161.0
    assert turns.held_s("a") == 0


async def test_memory_of_hosts_is_bounded() -> None:
    """Hosts that nobody waits for are forgotten, those that asked us to wait are not."""
    turns = Politeness(spacing_s=0, per_host=1, concurrency=1)
    turns.hold("held", 600)
    for number in range(REMEMBERED_HOSTS + 10):
        async with turns.turn(str(number)):
            pass
    assert len(turns._hosts) <= REMEMBERED_HOSTS
    assert turns.held_s("held") > 0
