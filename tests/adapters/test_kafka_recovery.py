"""What recovery and hand-over ask of a broker is asked until it is answered."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import (
    IllegalStateError,
    KafkaConnectionError,
    OffsetOutOfRangeError,
    RequestTimedOutError,
)
from faust.types import TP

from agents.holdings import Holdings
from pipeline.adapters.kafka.recovery import ForeignLog, SteadyRecovery, answered
from pipeline.adapters.parts import MemoryParts


class Broker:
    """Fails in these ways first, then answers."""

    def __init__(self, *fails: Exception) -> None:
        self._fails = list(fails)
        self.asked = 0

    async def ask(self, *_: Any) -> dict[str, int]:
        self.asked += 1
        if self._fails:
            raise self._fails.pop(0)
        return {"page": 3}


async def test_unanswered_question_is_asked_again() -> None:
    """No answer is no answer: the table is not taken for recovered."""
    broker = Broker(RequestTimedOutError())
    assert (await answered(broker.ask), broker.asked) == ({"page": 3}, 2)


@pytest.mark.parametrize("fault", [IllegalStateError(), OffsetOutOfRangeError({})])
async def test_new_state_of_things_ends_the_asking(fault: Exception) -> None:
    """Where partitions are handed out anew, or records are gone, the same question is of no use."""
    broker = Broker(fault)
    with pytest.raises(type(fault)):
        await answered(broker.ask)
    assert broker.asked == 1


class Held:
    """Work that is told when its partitions are there."""

    def __init__(self) -> None:
        self.taken = asyncio.Event()

    async def let_go(self) -> None: ...

    async def take_up(self) -> None:
        self.taken.set()


async def test_lost_broker_does_not_end_a_hand_over() -> None:
    """A broker that is away for a moment while partitions are taken up does not end the program."""
    broker, held, tp = Broker(KafkaConnectionError()), Held(), SimpleNamespace(topic="page")
    consumer = SimpleNamespace(assignment=lambda: [tp], highwaters=broker.ask, _committed_offset={"page": 3})
    done = asyncio.Event()
    done.set()
    app = SimpleNamespace(
        consumer=consumer,
        consumer_generation_id=1,
        rebalancing=False,
        tables=SimpleNamespace(recovery=SimpleNamespace(completed=done)),
    )
    holdings = Holdings(app, [], str)
    holdings.add(held, "page")
    following = asyncio.create_task(holdings.follow())
    async with asyncio.timeout(10):
        await held.taken.wait()
    following.cancel()
    assert broker.asked == 2


PART, TABLE_PART = TopicPartition("changelog", 0), TP("changelog", 0)


class Changelog:
    """A changelog of one partition that keeps the offsets from `first` to before `end`, as a client reads it."""

    def __init__(self, first: int, end: int) -> None:
        self.first, self.end, self.at = first, end, 0

    async def beginning_offsets(self, parts: Any) -> dict[TopicPartition, int]:
        return dict.fromkeys(parts, self.first)

    async def end_offsets(self, parts: Any) -> dict[TopicPartition, int]:
        return dict.fromkeys(parts, self.end)

    def seek(self, part: TopicPartition, offset: int) -> None:
        self.at = offset

    async def position(self, part: TopicPartition) -> int:
        return self.at

    async def getmany(self, *parts: TopicPartition, **_: Any) -> dict[TopicPartition, list[Any]]:
        if not self.first <= self.at <= self.end:
            raise OffsetOutOfRangeError({PART: self.at})
        offsets, self.at = range(self.at, self.end), self.end
        return (
            {PART: [SimpleNamespace(offset=n, key=b"%d" % n, value=b"v", timestamp=n) for n in offsets]}
            if offsets
            else {}
        )


class Table:
    """A table that holds its changelog up to an offset."""

    def __init__(self, known: int | None) -> None:
        self.known, self.entries, self.parts = known, self, MemoryParts()
        self.forget = self.parts.forget

    def persisted_offset(self, tp: TP) -> int | None:
        return self.known


async def recovering(table: Any, highwater: int = -1) -> SteadyRecovery:
    """A recovery of one table, up to a record of its changelog."""
    app: Any = SimpleNamespace(conf=SimpleNamespace(stream_recovery_delay=0.0))
    tables: Any = SimpleNamespace()
    recovery = SteadyRecovery(app, tables)
    recovery.add_active(table, TABLE_PART)
    recovery.active_highwaters[TABLE_PART] = highwater
    return recovery


async def test_forgotten_table_is_read_from_the_beginning() -> None:
    """A partition that stays ours, and of which nothing is held any more, is not gone on with where it was."""
    table: Any = Table(500)
    recovery = await recovering(table)
    table.known = None
    recovery.add_active(table, TABLE_PART)
    assert recovery.active_offsets[TABLE_PART] is None


async def test_changelog_without_its_beginning_is_read() -> None:
    """Where the first offsets are gone, reading begins with the first record that is kept."""
    recovery, reader, left = await recovering(Table(4), highwater=6), Changelog(5, 7), {PART: TABLE_PART}
    await recovery._turn(reader, left)
    await recovery._read_on(reader, left)
    assert (left, recovery.active_offsets[TABLE_PART]) == ({}, 6)


async def test_changelog_that_is_cut_while_it_is_read() -> None:
    """Nobody waits for records that a changelog has lost: what was read is forgotten, and read anew."""
    recovery, reader, left = await recovering(Table(2), highwater=9), Changelog(0, 5), {PART: TABLE_PART}
    await recovery._turn(reader, left)
    await recovery._read_on(reader, left)
    with pytest.raises(ForeignLog):
        await recovery._read_on(reader, left)
    assert recovery.active_offsets[TABLE_PART] is None
