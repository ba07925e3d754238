"""What befalls a deployment: the choice is the seed's; what lasts goes on while the next thing happens."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from tests.faults.brokers import Brokers
from tests.faults.fleet import Member, say
from tests.faults.network import Namespace

BUSY_S = 0.2


class Trouble:
    """Chooses and does; `counts` tells what was done. Only a SIGKILL counts as a kill."""

    def __init__(self, chance: random.Random, members: Sequence[Member]) -> None:
        self.counts: Counter[str] = Counter()
        self._chance = chance
        self._members = list(members)
        self._held: set[str] = set()
        self._lasting: set[asyncio.Task[None]] = set()
        self._kinds: list[tuple[int, Callable[[], Awaitable[None]]]] = [(1, self._kill)]
        self._brokers: Brokers | None = None
        self._namespace: tuple[Namespace, Member] | None = None

    def also(
        self,
        brokers: Brokers,
        namespace: tuple[Namespace, Member] | None,
        session_s: float,
    ) -> None:
        """Add what only a deployment on Kafka can suffer."""
        self._brokers, self._namespace, self._session_s = brokers, namespace, session_s
        self._kinds = [(6, self._kill), (2, self._kill_broker), (1, self._stop_broker), (2, self._pause)]
        if namespace:
            self._kinds.append((1, self._cut))
        if brokers.small:
            self._kinds.append((1, self._fill))

    @property
    def kills(self) -> int:
        return sum(number for kind, number in self.counts.items() if kind.startswith("kill"))

    async def next(self) -> None:
        """Let the next thing happen."""
        weights, kinds = zip(*self._kinds, strict=True)
        await self._chance.choices(kinds, weights)[0]()

    async def over(self) -> None:
        """Wait until nothing lasts any more; raises what went wrong with the faults themselves."""
        await asyncio.gather(*self._lasting)

    async def _kill(self) -> None:
        member = await self._free(self._members)
        await member.kill()
        self._note(f"kill {member.name.rstrip('0123456789')}", member.name)
        await member.start()

    async def _pause(self) -> None:
        member = await self._free(self._members)
        for_s = self._session_s + self._chance.uniform(1.0, 6.0)
        self._note("pause", f"{member.name} for {for_s:.1f} s")
        self._last(member.name, self._paused(member, for_s))

    async def _paused(self, member: Member, for_s: float) -> None:
        member.pause()
        await asyncio.sleep(for_s)
        member.go_on()

    async def _cut(self) -> None:
        assert self._namespace is not None
        namespace, member = self._namespace
        await self._free([member])
        for_s = self._session_s + self._chance.uniform(1.0, 6.0)
        self._note("cut", f"{member.name}'s network for {for_s:.1f} s")
        self._last(member.name, self._cut_off(namespace, for_s))

    async def _cut_off(self, namespace: Namespace, for_s: float) -> None:
        namespace.cut()
        await asyncio.sleep(for_s)
        namespace.mend()

    async def _kill_broker(self) -> None:
        await self._lose_broker(kill=True)

    async def _stop_broker(self) -> None:
        await self._lose_broker(kill=False)

    async def _lose_broker(self, *, kill: bool) -> None:
        brokers = await self._all_brokers()
        node, for_s = self._chance.choice(brokers.cluster.members), self._chance.uniform(0.5, 8.0)
        self._note("kill broker" if kill else "stop broker", f"node {node.number} for {for_s:.1f} s")
        self._last("brokers", brokers.lose(node, kill=kill, for_s=for_s))

    async def _fill(self) -> None:
        brokers = await self._all_brokers()
        assert brokers.small is not None
        self._note("fill", f"the disk of node {brokers.small.number}")
        self._last("brokers", brokers.fill(brokers.small))

    async def _all_brokers(self) -> Brokers:
        """Return the brokers once none of them is away."""
        assert self._brokers is not None
        while "brokers" in self._held:
            await asyncio.sleep(BUSY_S)
        return self._brokers

    async def _free(self, members: Sequence[Member]) -> Member:
        """Return one that nothing is happening to."""
        while not (free := [member for member in members if member.name not in self._held]):
            await asyncio.sleep(BUSY_S)
        return self._chance.choice(free)

    def _last(self, name: str, act: Coroutine[Any, Any, float | None]) -> None:
        """Let something go on beside what happens next, and nothing else happen to what it happens to."""

        async def lasting() -> None:
            try:
                await act
            finally:
                self._held.discard(name)

        self._held.add(name)
        task = asyncio.create_task(lasting(), name=f"trouble with {name}")
        self._lasting.add(task)

    def _note(self, kind: str, what: str) -> None:
        self.counts[kind] += 1
        say(f"{kind}: {what} ({self.kills} kills)")
