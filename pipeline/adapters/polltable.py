"""What the pollers remember, in a table beside the sources: who is given a source's partition is given its state."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec

from pipeline.adapters.tables import TableMemory, frozen, thawed
from pipeline.polling import PollState

SETTLED_WITHIN_S = 60.0
LOOK_S = 0.05


class PollTable:
    """The states of this process's sources, by id. A state saved for a source that is another's now is dropped."""

    def __init__(
        self, memory: TableMemory[PollState], is_counted_on: Callable[[], bool] = lambda: True
    ) -> None:
        self._memory = memory
        self._is_counted_on = is_counted_on
        self._table: Any = memory.table

    async def load(self, source_id: str) -> PollState | None:
        """Return what is remembered of a source; what this version cannot read counts as nothing."""
        await self._settled()
        held = self._table.get(source_id.encode())
        try:
            return None if held is None else thawed(held, PollState)
        except (msgspec.ValidationError, msgspec.DecodeError):
            return None

    async def save(self, state: PollState) -> None:
        """Remember a source's state; returns once the changelog has it."""
        await self._settled()
        if not self._is_counted_on() or not self._memory.holds(state.source_id):
            return
        key, value = state.source_id.encode(), frozen(state)
        await self._table.remember(self._memory.partition(state.source_id), key, value)

    async def _settled(self) -> None:
        """Wait until partitions are handed out, within bounds."""
        deadline = time.monotonic() + SETTLED_WITHIN_S
        while not self._table.is_settled and time.monotonic() < deadline:
            await asyncio.sleep(LOOK_S)
