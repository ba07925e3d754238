"""What the fault suite itself relies on: a cut holds what is sent, a snare catches, news and verdicts are exact."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from pipeline.events import Channel
from tests.faults.network import HOST, Proxy
from tests.faults.press import OUTLETS, Press
from tests.faults.receivers import Snare, Trouble
from tests.faults.run import judged
from tests.faults.world import ROUTES, SETS, FaultyWorld, routes_of
from tests.kafka import free_port


async def test_cut_holds_what_is_sent() -> None:
    """Through a cut proxy nothing comes, and once it is mended everything does, on the same connection."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(echo, HOST, 0)
    listen = free_port()
    async with server, Proxy({listen: server.sockets[0].getsockname()[1]}) as proxy:
        reader, writer = await asyncio.open_connection(HOST, listen)
        proxy.cut()
        writer.write(b"one\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(line := asyncio.ensure_future(reader.readline())), 0.2)
        proxy.mend()
        assert await line == b"one\n"
        writer.close()
        await asyncio.sleep(0.1)  # for the far end to hear of it


async def test_snare_holds_one_message() -> None:
    """The first message that passes is held until it is let go; the next passes freely."""
    snare = Snare()
    caught = asyncio.create_task(snare.caught(1.0))
    await asyncio.sleep(0)
    held = asyncio.create_task(snare.pass_by(Channel.SLACK, 4711))
    assert await caught == (Channel.SLACK, 4711)
    assert (held.done(), await snare.pass_by(Channel.EMAIL, 1)) == (False, False)
    snare.let_go()
    assert await held


def test_trouble_comes_once() -> None:
    """A message meets trouble at its first attempt alone; one that was taken unanswered is owed until it comes again."""
    trouble = Trouble(random.Random(1), 1.0)
    kinds = [trouble.kind(Channel.WEBHOOK, "m"), trouble.kind(Channel.WEBHOOK, "m")]
    assert (bool(kinds[0]), kinds[1], trouble.owed) == (True, "", set())


def test_repeat_meets_no_trouble() -> None:
    """What was answered well once is answered well again: its sender may know that, and not send it a third time."""
    trouble = Trouble(random.Random(1), 0.0)
    kinds = [trouble.kind(Channel.WEBHOOK, "m")]
    trouble.share = 1.0
    assert ([*kinds, trouble.kind(Channel.WEBHOOK, "m")], trouble.owed) == (["", ""], set())


def test_press_tells_what_follows() -> None:
    """A story is told by a second outlet only once it was told everywhere; a change is reported once."""
    press = Press(random.Random(3))
    for told in (False,) * 8 + (True,) * 12:
        press.next([1001, 2001], lambda fact, told=told: told, lambda number: f"Service {number // 1000 - 1}")  # type: ignore[misc]
    kinds = [kind for kind, _ in press.facts]
    assert len(set(press.facts)) == 20
    assert ("second" in kinds[:8], "second" in kinds[8:], kinds.count("report")) == (False, True, 2)


def test_feed_shows_an_outlet_s_items() -> None:
    """Each outlet's feed holds its own items."""
    press = Press(random.Random(3))
    press.next([], bool, str)
    assert ["<item>" in press.feed(outlet, "http://x") for outlet in OUTLETS] == [True, False]


def test_mailboxes_hear_of_a_story_once() -> None:
    """A second outlet's telling is expected by webhook and in Slack."""
    assert (routes_of(("second", 1)), routes_of(("story", 1))) == (["hook", "desk"], [*ROUTES, SETS])


def test_missing_message_is_lost(tmp_path: Path) -> None:
    """What was expected and did not arrive is lost, at each destination, and the outcome is not well."""
    world = FaultyWorld(tmp_path, documents=2, seed=1)
    world.revisions = [1, 0]
    outcome = judged(world, 0, [])
    assert (str(outcome), outcome.well) == ("kills 0, expected 4, lost 4, doubled 0", False)
