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
from tests.faults.network import Cable, Namespace, Proxy, obstacle
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

    async def at_rest(self) -> list[str]:
        """Wait until all members share the work and nothing is handed over any more; return what does not come to rest."""
        wanted = {WORKERS: 2, POLLERS: 2}
        if self.brokers is None:
            return []
        sizes = await self.brokers.shared(wanted)
        return [
            f"{group} is not at rest with {wanted[group]} members: {told}" for group, told in sizes.items()
        ]


@asynccontextmanager
async def deployed(
    world: FaultyWorld, *, broker: str, seed: int, full: bool, proxy: bool = False
) -> AsyncIterator[Deployment]:
    """Prepare a deployment; at the end nothing of it runs.

    `full` adds the faults that take longest; `proxy` cuts a network by a proxy even where namespaces are allowed.
    """
    chance = random.Random(f"trouble {seed}")
    async with AsyncExitStack() as stack:
        if broker == "kafka":
            made = await _on_kafka(stack, world, chance, full=full, proxy=proxy)
        else:
            made = _alone(world, chance)
        try:
            yield made
        finally:
            for member in made.members:
                await member.kill()


def _alone(world: FaultyWorld, chance: random.Random) -> Deployment:
    config = world.configuration(f"embedded://{world.folder}/log.db")
    members = [Member("run", config, "run")]
    return Deployment(config=config, members=members, trouble=Trouble(chance, members, world.trouble.snare))


async def _on_kafka(
    stack: AsyncExitStack, world: FaultyWorld, chance: random.Random, *, full: bool, proxy: bool
) -> Deployment:
    brokers = Brokers(three_brokers(world.folder / "kafka"))
    stack.push_async_callback(brokers.down)
    await brokers.up(small_disk=full)
    config = world.configuration(brokers.url, kafka=KAFKA)
    cable, second = await _cabled(stack, world, brokers, config, proxy=proxy)
    members = [
        Member("worker1", config, "worker"),
        second,
        Member("poller1", config, "poll"),
        Member("poller2", config, "poll"),
    ]
    trouble = Trouble(chance, members, world.trouble.snare)
    trouble.also(brokers, (cable, second), SESSION_S)
    return Deployment(config=config, members=members, trouble=trouble, brokers=brokers)


async def _cabled(
    stack: AsyncExitStack, world: FaultyWorld, brokers: Brokers, config: Path, *, proxy: bool
) -> tuple[Cable, Member]:
    """Return a worker whose network can be cut, and what cuts it."""
    why = "so it was asked" if proxy else obstacle()
    if not why:
        space = Namespace(f"faults-{brokers.ports[0]}", [*brokers.ports, *world.ports.values()])
        await stack.enter_async_context(space)
        return space, Member("worker2", config, "worker", within=space.within)
    say(f"a proxy cuts the network, from the brokers alone: {why}")
    cable = await stack.enter_async_context(Proxy(brokers.proxies))
    behind = world.configuration(brokers.proxied_url, file="clausewire-2.yaml", kafka=KAFKA)
    return cable, Member("worker2", behind, "worker")
