"""The one loop: publish, then remember, then acknowledge; retry, reject or crash and nothing else."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from agents.stage import Stage
from pipeline.adapters.tables import Staged, TableMemory
from pipeline.adapters.wire import decode, pack
from pipeline.errors import RejectError, StoreError
from pipeline.events import ChangeSettled, Event, EventRejected
from tests.fakes import FixedClock, ListLog, Message, Record, Stream


def settled(change_id: str, document_id: str = "x/terms") -> ChangeSettled:
    return ChangeSettled(
        document_id=document_id,
        change_id=change_id,
        settled_at=datetime(2024, 10, 17, tzinfo=UTC),
        how="confirmed",
    )


def record(event: Event, offset: int = 0) -> Record:
    return Record(pack(event), event.key.encode(), Message(offset=offset))


async def run(
    step: Any, records: list[Record], *, log: ListLog | None = None
) -> tuple[ListLog, list[BaseException]]:
    log, crashes = log or ListLog(), []
    stage = Stage(
        name="test",
        step=step,
        takes=(ChangeSettled,),
        log=log,
        decode=decode,
        staging=Staged,
        clock=FixedClock(),
        crashed=crashes.append,
        first_wait_s=0.0,
    )
    await stage.run(Stream(records))
    while [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]:
        await asyncio.sleep(0)
    return log, crashes


async def echo(event: ChangeSettled) -> AsyncIterator[Event]:
    yield event


async def test_results_are_published_and_acknowledged() -> None:
    """What a step yields is on the log, and its event's offset may be committed."""
    one = record(settled("a"))
    log, _ = await run(echo, [one])
    assert (log.published, one.acked) == ([settled("a")], True)


async def test_other_events_pass_by() -> None:
    """An event that the stage does not take is acknowledged and left alone."""
    foreign = Record(
        pack(EventRejected(stage="s", reason="r", rejected_at=NOW, topic="t", partition=0, offset=0))
    )
    log, _ = await run(echo, [foreign])
    assert (log.published, foreign.acked) == ([], True)


NOW = datetime(2024, 10, 17, tzinfo=UTC)


@pytest.mark.parametrize("value", [b"not json", None, b'{"type": "ChangeSettled"}'])
async def test_foreign_bytes_are_set_aside(value: bytes | None) -> None:
    """Bytes that are no event are rejected with stage, place and the original bytes."""
    log, _ = await run(echo, [Record(value, b"k", Message(topic="clauses.changed", partition=3, offset=7))])
    (rejected,) = log.published
    assert isinstance(rejected, EventRejected)
    assert (rejected.stage, rejected.topic, rejected.partition, rejected.offset) == (
        "test",
        "clauses.changed",
        3,
        7,
    )


async def test_refused_event_yields_nothing_else() -> None:
    """What a step yielded before it gave up is not published: the rejection stands alone."""

    async def half(event: ChangeSettled) -> AsyncIterator[Event]:
        yield event
        raise RejectError("never", remedy="let it be")

    log, _ = await run(half, [record(settled("a"))])
    assert [type(event) for event in log.published] == [EventRejected]


async def test_world_may_heal() -> None:
    """A log that cannot take a write now is tried again until it can."""
    log = ListLog(failures=[StoreError("full"), StoreError("still full")])
    one = record(settled("a"))
    await run(echo, [one], log=log)
    assert (log.published, one.acked) == ([settled("a")], True)


async def test_our_own_error_stops_the_process() -> None:
    """An exception that nobody foresaw crashes; its event and those after it under its key stay unacknowledged."""

    async def broken(event: ChangeSettled) -> AsyncIterator[Event]:
        yield event
        raise ZeroDivisionError

    records = [record(settled("a")), record(settled("b"), 1)]
    _, crashes = await run(broken, records)
    assert [type(error) for error in crashes] == [ZeroDivisionError]
    assert not any(one.acked for one in records)


async def test_order_per_key_is_kept() -> None:
    """Events of one key are handled one after the other, however long each takes."""
    order: list[str] = []

    async def slow_first(event: ChangeSettled) -> AsyncIterator[Event]:
        await asyncio.sleep(0.01 if event.change_id == "a" else 0)
        order.append(event.change_id)
        yield event

    await run(slow_first, [record(settled("a")), record(settled("b"), 1), record(settled("c", "y/terms"), 2)])
    assert order == ["c", "a", "b"]


class Table(dict[bytes, bytes]):
    """A table that tells when it is written."""

    def __init__(self, told: Callable[[], None]) -> None:
        super().__init__()
        self._told = told

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._told()
        super().__setitem__(key, value)


async def test_remembering_comes_after_publishing() -> None:
    """The memory is written only once everything yielded is on the log, even what is yielded later."""
    log = ListLog()
    published_when_kept: list[int] = []
    table = Table(lambda: published_when_kept.append(len(log.published)))
    memory = TableMemory(table, ChangeSettled)

    async def early(event: ChangeSettled) -> AsyncIterator[Event]:
        memory.keep(event.key, event)
        assert memory.recall(event.key) == event
        yield event

    await run(early, [record(settled("a"))], log=log)
    assert published_when_kept == [1]


async def test_failed_attempt_remembers_nothing() -> None:
    """What a step kept before the log refused is forgotten when the step is tried again."""
    memory = TableMemory({}, ChangeSettled)
    recalled: list[ChangeSettled | None] = []

    async def keeping(event: ChangeSettled) -> AsyncIterator[Event]:
        recalled.append(memory.recall(event.key))
        memory.keep(event.key, event)
        yield event

    await run(keeping, [record(settled("a"))], log=ListLog(failures=[StoreError("full")]))
    assert recalled == [None, None]


async def test_memory_too_large_is_refused() -> None:
    """What no changelog would take is set aside with its reason; nothing is published, and the process goes on."""
    memory = TableMemory({}, ChangeSettled)
    noise = random.Random(1).randbytes(1_100_000).hex()

    async def growing(event: ChangeSettled) -> AsyncIterator[Event]:
        yield event
        memory.keep(event.key, settled(noise))

    log, crashes = await run(growing, [record(settled("a"))])
    assert [type(event) for event in log.published] == [EventRejected]
    assert crashes == []


@pytest.mark.parametrize(
    ("allowed", "published"), [([False], 0), ([True, False], 1)], ids=["before", "between"]
)
async def test_given_up_work_is_left_alone(allowed: list[bool], published: int) -> None:
    """What another process may have been given meanwhile is neither remembered nor acknowledged."""
    answers, log, table = iter(allowed), ListLog(), dict[bytes, bytes]()
    memory: TableMemory[Any] = TableMemory(table, ChangeSettled)

    async def keep(event: ChangeSettled) -> AsyncIterator[Event]:
        yield event
        memory.keep(event.key, event)

    async def may_write(record: Any) -> bool:
        return next(answers)

    one = record(settled("a"))
    stage = Stage(
        name="test", step=keep, takes=(ChangeSettled,), log=log, decode=decode, staging=Staged,
        clock=FixedClock(), crashed=lambda error: None, may_write=may_write,
    )  # fmt: skip
    await stage.run(Stream([one]))
    await stage.drain(1.0)
    assert (len(log.published), one.acked, table) == (published, False, {})


async def test_given_up_record_is_not_set_aside() -> None:
    """A record that cannot be handled, and that another process may have been given, is that one's to set aside."""
    log, one = ListLog(), record(settled("a"))

    async def refuse(event: ChangeSettled) -> None:
        raise RejectError("no", remedy="none")

    async def may_write(record: Any) -> bool:
        return False

    stage = Stage(
        name="test", step=refuse, takes=(ChangeSettled,), log=log, decode=decode, staging=Staged,
        clock=FixedClock(), crashed=lambda error: None, may_write=may_write,
    )  # fmt: skip
    await stage.run(Stream([one]))
    await stage.drain(1.0)
    assert (log.published, one.acked) == ([], False)
