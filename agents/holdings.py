"""What this process holds: partitions come and go, and with them the work beside the agents.

Before partitions are taken away everything at work on them is given a moment to end, and is cancelled then: no
record is handled and no table written after the hand-over. Once partitions have come, their tables are recovered
and what an earlier owner left in the log is read, the work beside the agents is told to look at what it holds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

import structlog

from agents.stage import Stage

DRAIN_S = 5.0
CATCH_UP_S = 15.0
LOOK_S = 0.05
ASK_AGAIN_S = 1.0

logger = structlog.get_logger(__name__)


class Holder(Protocol):
    """Work beside the agents that depends on the partitions held."""

    async def let_go(self) -> None: ...

    async def take_up(self) -> None: ...


class Holdings:
    """Follows what a Faust app is given and loses, and tells the stages and the holders."""

    def __init__(
        self,
        app: Any,
        stages: Iterable[Stage],
        topic_name: Callable[[str], str],
        is_counted_on: Callable[[], bool] = lambda: True,
    ) -> None:
        self._app = app
        self._stages = stages
        self._name = topic_name
        self._is_counted_on = is_counted_on
        self._holders: list[tuple[Holder, str]] = []
        self._given_up: int | None = None
        self._taken_up: int | None = None

    def add(self, holder: Holder, topic: str) -> None:
        """Tell a holder, once a topic is read as far as it reached when its partitions came."""
        self._holders.append((holder, topic))

    def is_ours(self, record: Any) -> bool:
        """Say whether a record came with the partitions that are held now."""
        came = record.message.generation_id
        return bool(came == self._app.consumer_generation_id and came != self._given_up)

    async def may_write(self, record: Any) -> bool:
        """Say whether a record is still this process's to finish; waits while the group may have given it up."""
        came = record.message.generation_id
        while came == self._app.consumer_generation_id and not self._is_counted_on():
            await asyncio.sleep(LOOK_S)
        return bool(came == self._app.consumer_generation_id)

    async def let_go(self) -> None:
        """Let what is at work end, within bounds."""
        self._given_up = self._app.consumer_generation_id
        drains: list[Awaitable[None]] = [stage.drain(DRAIN_S) for stage in self._stages]
        await asyncio.gather(*drains, *(holder.let_go() for holder, _ in self._holders))

    @property
    def settled(self) -> bool:
        """Whether partitions are handed out and tables recovered."""
        app = self._app
        return bool(
            app.consumer_generation_id != self._given_up
            and not app.rebalancing
            and app.tables.recovery.completed.is_set()
        )

    async def follow(self) -> None:
        """Tell the holders whenever partitions have come, for ever."""
        while True:
            generation = self._app.consumer_generation_id
            if self.settled and generation != self._taken_up:
                self._taken_up = generation
                await asyncio.gather(*(self._take_up(*held, generation) for held in self._holders))
            await asyncio.sleep(LOOK_S)

    async def _take_up(self, holder: Holder, topic: str, generation: int) -> None:
        await self._caught_up(topic, generation)
        if self.settled and self._app.consumer_generation_id == generation:
            await holder.take_up()
        elif self._taken_up == generation:
            self._taken_up = None

    async def _caught_up(self, topic: str, generation: int) -> None:
        """Wait until what lay in a topic's partitions when they came is done, within bounds."""
        consumer, name = self._app.consumer, self._name(topic)
        tps = [tp for tp in consumer.assignment() if tp.topic == name]
        deadline = time.monotonic() + CATCH_UP_S
        ends = await self._ends(tps, generation) if tps else {}
        while time.monotonic() < deadline and self._app.consumer_generation_id == generation:
            if all((consumer._committed_offset[tp] or 0) >= (end or 0) for tp, end in ends.items()):
                return
            await asyncio.sleep(LOOK_S)

    async def _ends(self, tps: list[Any], generation: int) -> Any:
        """Return how far partitions reach; asked again while the broker does not answer."""
        while self._app.consumer_generation_id == generation:
            try:
                return await self._app.consumer.highwaters(*tps)
            except Exception as error:  # whatever the driver raises: it is no answer
                logger.warning("holdings.no-answer", reason=repr(error)[:200])
                await asyncio.sleep(ASK_AGAIN_S)
        return {}
