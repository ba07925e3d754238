"""What recovery and hand-over ask of a broker is asked until it is answered."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import (
    IllegalStateError,
    KafkaConnectionError,
    OffsetOutOfRangeError,
    RequestTimedOutError,
)

from agents.holdings import Holdings
from pipeline.adapters.kafka.recovery import answered


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
