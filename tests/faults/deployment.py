"""A deployment to be troubled: one program on the embedded log, or workers and pollers on three Kafka brokers."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.topics import POLLERS, WORKERS
from tests.faults.brokers import Brokers, three_brokers
from tests.faults.fleet import Member, say
from tests.faults.network import Namespace, obstacle
from tests.faults.trouble import Trouble
from tests.faults.world import FaultyWorld

PARTITIONS = 4
SESSION_S = 6.0  # the shortest that a broker allows by default
KAFKA: Mapping[str, Any] = {"partitions": PARTITIONS, "session_timeout": f"{SESSION_S:g}s"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What runs, and what may befall it. `one` is a member whose death the others must make up for."""

    config: Path
    members: Sequence[Member]
    trouble: Trouble
    brokers: Brokers | None = None

    @property
    def one(self) -> Member | None:
        return self.members[0] if self.brokers else None

    async def start(self) -> None:
        """Start everything."""
        for member in self.members:
            await member.start()

    async def at_rest(self) -> None:
        """Wait until all members share the work and nothing is handed over any more."""
        if self.brokers:
            await self.brokers.shared({WORKERS: 2, POLLERS: 2})


@asynccontextmanager
async def deployed(world: FaultyWorld, *, broker: str, seed: int, full: bool) -> AsyncIterator[Deployment]:
    """Prepare a deployment; at the end nothing of it runs. `full` adds the faults that take longest."""
    chance = random.Random(f"trouble {seed}")
    async with AsyncExitStack() as stack:
        make = _on_kafka if broker == "kafka" else _alone
        made = await make(stack, world, chance, full=full)
        try:
            yield made
        finally:
            for member in made.members:
                await member.kill()


async def _alone(
    stack: AsyncExitStack, world: FaultyWorld, chance: random.Random, *, full: bool
) -> Deployment:
    config = world.configuration(f"embedded://{world.folder}/log.db")
    members = [Member("run", config, "run")]
    return Deployment(config=config, members=members, trouble=Trouble(chance, members))


async def _on_kafka(
    stack: AsyncExitStack, world: FaultyWorld, chance: random.Random, *, full: bool
) -> Deployment:
    brokers = Brokers(three_brokers(world.folder / "kafka"))
    stack.push_async_callback(brokers.down)
    await brokers.up(small_disk=full)
    config = world.configuration(brokers.url, kafka=KAFKA)
    if why := obstacle():
        say(f"no network is cut: {why}")
    space = None if why else Namespace(f"faults-{brokers.ports[0]}", [*brokers.ports, *world.ports.values()])
    members = [
        Member("worker1", config, "worker"),
        Member("worker2", config, "worker", within=space.within if space else ()),
        Member("poller1", config, "poll"),
        Member("poller2", config, "poll"),
    ]
    trouble = Trouble(chance, members)
    if space:
        await stack.enter_async_context(space)
    trouble.also(brokers, (space, members[1]) if space else None, SESSION_S)
    return Deployment(config=config, members=members, trouble=trouble, brokers=brokers)
