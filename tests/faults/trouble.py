"""What befalls a deployment: the choice is the seed's; what lasts goes on while the next thing happens."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from tests.faults.brokers import Brokers
from tests.faults.fleet import Member, say
from tests.faults.network import Cable
from tests.faults.receivers import Snare

BUSY_S = 0.2
AIM_S = 8.0  # for a message to come by


class Trouble:
    """Chooses and does; `counts` tells what was done. Only a SIGKILL counts as a kill."""

    def __init__(self, chance: random.Random, members: Sequence[Member], snare: Snare) -> None:
        self.counts: Counter[str] = Counter()
        self._chance = chance
        self._members = list(members)
        self._snare = snare
        self._held: set[str] = set()
        self._lasting: set[asyncio.Task[None]] = set()
        self._kinds: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (1, self._kill),
            (1, self._kill_sender),
        ]
        self._brokers: Brokers | None = None
        self._cable: tuple[Cable, Member] | None = None

    def also(
        self,
        brokers: Brokers,
        cable: tuple[Cable, Member] | None,
        session_s: float,
    ) -> None:
        """Add what only a deployment on Kafka can suffer."""
        self._brokers, self._cable, self._session_s = brokers, cable, session_s
        self._kinds = [
            (3, self._kill),
            (4, self._kill_sender),
            (2, self._kill_broker),
            (1, self._stop_broker),
            (2, self._pause),
            (1, self._pause_sender),
        ]
        if cable:
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

    async def _kill_sender(self) -> None:
        """Kill a process while a receiver holds a message of its."""
        sender, channel = await self._caught()
        if sender is None:
            return await self._kill()
        await sender.kill()
        self._snare.let_go()
        self._note(f"kill during {channel}", sender.name)
        return await sender.start()

    async def _pause_sender(self) -> None:
        """Pause a process past its session while a receiver holds a message of its, which is answered meanwhile."""
        sender, channel = await self._caught()
        if sender is None:
            return await self._pause()
        for_s = self._session_s + self._chance.uniform(1.0, 6.0)
        self._note(f"pause during {channel}", f"{sender.name} for {for_s:.1f} s")
        self._last(sender.name, self._paused(sender, for_s))
        await asyncio.sleep(BUSY_S)
        return self._snare.let_go()

    async def _caught(self) -> tuple[Member | None, str]:
        """Catch a message; return who sends it, None where none came by, and by which channel."""
        found = await self._snare.caught(AIM_S)
        if found is None:
            return None, ""
        channel, port = found
        sender = next((member for member in self._members if member.sends_from(port)), None)
        if sender is None and self._cable:
            sender = self._cable[1]  # what comes through our relay
        if sender is None or sender.name in self._held:
            self._snare.let_go()
            return None, ""
        return sender, channel.value

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
        assert self._cable is not None
        cable, member = self._cable
        await self._free([member])
        for_s = self._session_s + self._chance.uniform(1.0, 6.0)
        self._note("cut", f"{member.name}'s network for {for_s:.1f} s")
        self._last(member.name, self._cut_off(cable, for_s))

    async def _cut_off(self, cable: Cable, for_s: float) -> None:
        cable.cut()
        await asyncio.sleep(for_s)
        cable.mend()

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
