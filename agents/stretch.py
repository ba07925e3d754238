"""One partition of a replay on its way: page by page, and what came of a few of them made lasting at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import msgspec

from agents.plan import SUMS, Plan, Sums, packed, unpacked
from agents.rerun import Rerun, Standing
from pipeline.errors import ClaimLostError, DecodeError, RejectError
from pipeline.events import Event, EventRejected, PageFetched
from pipeline.ports import Kept, Portion

Decode = Callable[[bytes | None], Event]
Lines = Callable[[Standing], Rerun]


async def work(portions: AsyncIterator[Portion], plan: Plan, *, lines: Lines, decode: Decode) -> None:
    """Run the partitions that come to this process, until there are none left."""
    async for portion in portions:
        try:
            await Stretch(portion, plan, lines, decode).run()
        except ClaimLostError:
            continue  # it has gone to another process, which goes on after the last commit


class Stretch:
    """One partition on its way: what is remembered of its documents lies here packed, a few kilobytes each."""

    def __init__(self, portion: Portion, plan: Plan, lines: Lines, decode: Decode) -> None:
        self._portion = portion
        self._plan = plan
        self._wanted = plan.wanted
        self._lines = lines
        self._decode = decode
        self._states: dict[str, bytes] = {}
        self._changed: dict[str, bytes] = {}
        self._found: list[Event] = []
        self._sums = Sums()

    async def run(self) -> None:
        """Go through the partition from where it was left."""
        begun = await self._portion.begin()
        sums = begun.pop(SUMS, None)
        self._sums = unpacked(sums, Sums) if sums else Sums()
        self._states = begun
        through = False
        while not through:
            for record in await self._portion.read():
                await self._record(record)
            through = self._portion.at_end
            if through:
                await self._ring()
            await self._save()

    async def _record(self, record: Kept) -> None:
        event = self._page(record)
        if event is None:
            return
        line = self._line(event.key)
        try:
            async for result in line.page(event):
                self._keep(result, self._wanted.reaches(result.at))
        except RejectError as error:
            self._found.append(_rejected(event, record, error))
        self._leave(event.key, line)
        pages = self._sums.pages + self._wanted.reaches(event.at)
        self._sums = msgspec.structs.replace(self._sums, pages=pages)

    def _page(self, record: Kept) -> PageFetched | None:
        if self._wanted.until and record.at >= self._wanted.until:
            return None
        try:
            event = self._decode(record.value)
        except DecodeError:
            return None
        if not isinstance(event, PageFetched):
            return None
        documents = self._wanted.documents
        return event if not documents or event.key in documents else None

    async def _ring(self) -> None:
        """Ring, at the end, what fell due by the time that history reaches to."""
        moment = self._wanted.until or self._plan.last
        for key in sorted(self._states):
            line = self._line(key)
            before = len(line.left.calendar)
            async for result in line.until(moment):
                self._keep(result, self._wanted.covers(result.at))
            if len(line.left.calendar) != before:
                self._leave(key, line)

    def _keep(self, result: Event, is_wanted: bool) -> None:
        if is_wanted:
            self._found.append(result)
            self._sums = msgspec.structs.replace(self._sums, results=self._sums.results + 1)

    def _line(self, key: str) -> Rerun:
        left = self._states.get(key)
        return self._lines(unpacked(left, Standing) if left else Standing())

    def _leave(self, key: str, line: Rerun) -> None:
        self._states[key] = self._changed[key] = packed(line.left)

    async def _save(self) -> None:
        await self._portion.save(self._found, {**self._changed, SUMS: packed(self._sums)})
        self._found, self._changed = [], {}


def _rejected(event: PageFetched, record: Kept, error: RejectError) -> EventRejected:
    return EventRejected(
        stage="replay",
        reason=str(error),
        remedy=error.remedy,
        rejected_at=event.at,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        origin_key=event.key,
    )
