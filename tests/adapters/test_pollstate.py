"""What pollers remember: one suite for the fake and for the file, and what only the file can do."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.adapters.pollstate import PollStates
from pipeline.errors import StoreError
from pipeline.events import BodyRef
from pipeline.polling import Health, PollState, Validators
from pipeline.ports import PollMemory
from tests.agents.polls import DictMemory

STATE = PollState(
    source_id="acme/terms",
    url="https://example.com/terms",
    health=Health.OK,
    due_at=datetime(2024, 10, 17, 8, 0, 0, 123456, tzinfo=UTC),
    validators=Validators(url="https://example.com/terms", etag='W/"caf\xe9"'),
    body=BodyRef(sha256="0" * 64, size=7),
    confirmed=True,
    seen=("a b", "c"),
)


@pytest.fixture(params=["fake", "file"])
async def memory(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[PollMemory]:
    if request.param == "fake":
        yield DictMemory()
        return
    async with PollStates(tmp_path / "polls.sqlite") as states:
        yield states


async def test_unknown_source(memory: PollMemory) -> None:
    """Of a source that was never polled nothing is remembered."""
    assert await memory.load("nobody") is None


async def test_round_trip(memory: PollMemory) -> None:
    """A state comes back as it was saved, odd bytes and fractions of seconds too."""
    await memory.save(STATE)
    assert await memory.load(STATE.source_id) == STATE


async def test_last_one_counts(memory: PollMemory) -> None:
    """The last state that was saved is the one that is remembered."""
    await memory.save(PollState(source_id=STATE.source_id))
    await memory.save(STATE)
    assert await memory.load(STATE.source_id) == STATE


async def test_many_at_once(memory: PollMemory) -> None:
    """States saved side by side are all remembered."""
    states = [PollState(source_id=str(n), failures=n) for n in range(500)]
    await asyncio.gather(*(memory.save(state) for state in states))
    assert [await memory.load(state.source_id) for state in states] == states


async def test_survives_restart(tmp_path: Path) -> None:
    """What was saved is there when the file is opened again, by whoever reads it."""
    async with PollStates(tmp_path / "polls.sqlite") as states:
        await states.save(STATE)
    async with PollStates(tmp_path / "polls.sqlite") as states:
        assert await states.all() == [STATE]


async def test_unreadable_state(tmp_path: Path) -> None:
    """A state that cannot be read counts as none: its source is read anew."""
    path = tmp_path / "polls.sqlite"
    async with PollStates(path) as states:
        await states.save(STATE)
        with sqlite3.connect(path) as database:
            database.execute("UPDATE polls SET state = x'7b6f'")
        database.close()
        assert await states.load(STATE.source_id) is None


@pytest.mark.parametrize("content", [b"this is no database" * 100])
async def test_unusable_file(tmp_path: Path, content: bytes) -> None:
    """A file that is no database is a clear error that names it."""
    path = tmp_path / "polls.sqlite"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"polls\.sqlite"):
        async with PollStates(path):
            pass
