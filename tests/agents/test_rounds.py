"""The loop under the pollers: fair, bounded, and never stuck on one host."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from msgspec import structs

from agents.rounds import Rounds, Sources
from pipeline.adapters.clock import SystemClock
from pipeline.errors import StoreError
from pipeline.events import DocumentSpec
from pipeline.polling import PollState
from tests.agents.polls import DictMemory
from tests.agents.test_poll_policies import until


class Polls:
    """Polls that take a while, and tell what was polled and how many at once."""

    def __init__(self, seconds: float = 0.0, interval_s: float = 60.0) -> None:
        self.seconds, self.interval_s = seconds, interval_s
        self.polled: list[str] = []
        self.now = self.most = 0

    async def poll(self, spec: DocumentSpec, state: PollState) -> PollState:
        self.polled.append(spec.id)
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(self.seconds)
        self.now -= 1
        return structs.replace(state, due_at=SystemClock().now() + timedelta(seconds=self.interval_s))


def spec(source_id: str, host: str) -> DocumentSpec:
    return DocumentSpec(id=source_id, service="s", name="n", url=f"http://{host}/{source_id}")


class Going:
    """Rounds that go until the context ends."""

    def __init__(
        self, polls: Polls, *specs: DocumentSpec, limit: int = 4, memory: DictMemory | None = None
    ) -> None:
        self.sources: Sources[DocumentSpec] = Sources(specs)
        self.stop = asyncio.Event()
        self.rounds = Rounds(
            sources=self.sources, poll=polls.poll, memory=memory or DictMemory(), clock=SystemClock(),
            stop=self.stop, limit=limit,
        )  # fmt: skip

    async def __aenter__(self) -> Going:
        self.task = asyncio.create_task(self.rounds.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop.set()
        await self.task


async def test_bounded() -> None:
    """No more than the limit are polled at once, and all are polled."""
    polls = Polls(0.01)
    async with Going(polls, *(spec(str(n), f"h{n}") for n in range(40)), limit=4):
        await until(lambda: len(polls.polled) == 40)
    assert polls.most == 4


async def test_big_host_starves_nobody() -> None:
    """A host with hundreds of sources takes one place at a time, and others get theirs."""
    polls = Polls(0.02)
    crowd = [spec(f"big{n:03}", "big") for n in range(300)]
    others = [spec(f"z{n}", f"h{n}") for n in range(6)]
    async with Going(polls, *crowd, *others, limit=3):
        await until(lambda: {f"z{n}" for n in range(6)} <= set(polls.polled))
    assert len([name for name in polls.polled if name.startswith("big")]) < 30


async def test_due_as_remembered() -> None:
    """After a restart a source is polled when it was due, not at once."""
    due = SystemClock().now() + timedelta(seconds=0.4)
    memory = DictMemory([PollState(source_id="a", url="http://h/a", due_at=due)])
    polls = Polls()
    async with Going(polls, spec("a", "h"), spec("b", "h"), memory=memory):
        await until(lambda: "b" in polls.polled)
        assert "a" not in polls.polled
        await until(lambda: "a" in polls.polled)
        assert SystemClock().now() >= due


class SetBack(SystemClock):
    """A clock that was a day ahead until it was set."""

    ahead = timedelta(days=1)

    def now(self) -> datetime:
        return super().now() + self.ahead


async def test_clock_set_back() -> None:
    """When the clock is set back by a day, sources are polled at their interval all the same, not in a day."""
    polls, clock = Polls(), SetBack()

    async def poll(spec: DocumentSpec, state: PollState) -> PollState:
        return structs.replace(await polls.poll(spec, state), due_at=clock.now() + timedelta(seconds=0.3))

    going = Going(polls, structs.replace(spec("a", "h"), interval_s=0.3))
    going.rounds.clock, going.rounds.poll = clock, poll
    async with going:
        await until(lambda: len(polls.polled) == 1)
        clock.ahead = timedelta()
        await until(lambda: len(polls.polled) >= 3)


async def test_redeclared() -> None:
    """A source that changes its address is polled at once; the same declaration again changes nothing."""
    polls = Polls()
    async with Going(polls, spec("a", "h")) as going:
        await until(lambda: polls.polled == ["a"])
        going.sources.declare(spec("a", "h"))
        await asyncio.sleep(0.1)
        assert polls.polled == ["a"]
        going.sources.declare(spec("a", "elsewhere"))
        await until(lambda: polls.polled == ["a", "a"])


async def test_redeclared_in_hand() -> None:
    """A source that changes its address while it is polled is polled at the new one next, once."""
    polls = Polls(0.2)
    async with Going(polls, spec("a", "h")) as going:
        await until(lambda: polls.now == 1)
        going.sources.declare(spec("a", "elsewhere"))
        await until(lambda: len(polls.polled) == 2)
        await asyncio.sleep(0.3)
    assert polls.polled == ["a", "a"]
    assert going.sources.states["a"].url == "http://elsewhere/a"


async def test_withdrawn_and_back() -> None:
    """A source that was withdrawn while it was polled is polled no more, until it is declared again."""
    polls = Polls(0.1, interval_s=0.01)
    async with Going(polls, spec("a", "h")) as going:
        await until(lambda: polls.now == 1)
        going.sources.withdraw("a")
        await asyncio.sleep(0.3)
        assert len(polls.polled) == 1
        going.sources.declare(spec("a", "h"))
        await until(lambda: len(polls.polled) >= 2)


async def test_store_trouble_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """While what was remembered cannot be read nothing is polled, since all would be news again."""
    monkeypatch.setattr("agents.rounds.STORE_RETRY_S", 0.1)

    class Ailing(DictMemory):
        fails = 2

        async def load(self, source_id: str) -> PollState | None:
            self.fails -= 1
            if self.fails >= 0:
                raise StoreError("the disk is away")
            return await super().load(source_id)

    polls, memory = Polls(), Ailing([PollState(source_id="a", url="http://h/a", failures=7)])
    async with Going(polls, spec("a", "h"), memory=memory):
        await until(lambda: polls.polled == ["a"])
    assert memory.states["a"].failures == 7
