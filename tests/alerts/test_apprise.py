"""Messages for services that Apprise knows: within their limits, marks whole, nobody called, nothing interpreted."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerts.render.apprise import Message, Room, compose
from pipeline.events import DeliveryDue
from tests.alerts.samples import HOSTILE, alert, change, due, reworded, story, updated, withdrawn

DISCORD = Room(title=250, body=2_000, shared=True, markdown=True)
NTFY = Room(title=200, body=4_096, shared=True, octets=True)
PAGER = Room(title=0, body=1_024)
TINY = Room(title=0, body=280)
ROOMS = (DISCORD, NTFY, PAGER, TINY)


def whole(message: Message, room: Room) -> int:
    """What a service counts: where it has no title, the title comes first in the body."""
    return room.size(message.body) + (room.size(message.title) + 4 if room.shared or not room.title else 0)


def many(count: int, words: int = 40) -> DeliveryDue:
    changes = (reworded(f"old words {at} " * words, f"new words {at} " * words) for at in range(count))
    return due(alert(*changes))


def gathered(count: int) -> DeliveryDue:
    members = tuple(
        due(alert(alert_id=f"alt-{at}", title=f"X changes document {at}"), delivery_id=f"dlv-{at}")
        for at in range(count)
    )
    return due(alert(), delivery_id="dlv-g", gathered="group", members=members)


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("count", [1, 3, 40])
def test_message_fits(room: Room, count: int) -> None:
    """However much changed, a message is within what the service takes, and ends with the delivery's id."""
    message = compose(many(count), room=room)
    assert whole(message, room) <= room.body
    assert message.body.endswith("Delivery: dlv-1")


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_fits(room: Room, text: str) -> None:
    """Words of sixty thousand letters, joined emoji or half characters break no limit and no encoding."""
    message = compose(due(alert(change(text), reworded(text, text[::-1]), title=text)), room=room)
    assert whole(message, room) <= room.body
    message.body.encode()


@pytest.mark.parametrize("room", ROOMS)
def test_marks_are_whole(room: Room) -> None:
    """What is opened is closed: no struck or added words are cut in the middle."""
    body = compose(many(12), room=room).body
    signs = ("~~", "**") if room.markdown else ()
    assert all(body.count(sign) % 2 == 0 for sign in signs)
    assert (body.count("[-"), body.count("{+")) == (body.count("-]"), body.count("+}"))


def test_rest_is_counted() -> None:
    """Changes that are not shown are counted exactly."""
    body = compose(many(30), room=DISCORD).body
    left = re.search(r"(\d+) more changes", body)
    assert left
    assert int(left[1]) + body.count("— reworded, ") == 30


@pytest.mark.parametrize("room", ROOMS)
def test_gathered_message_fits(room: Room) -> None:
    """A message about many alerts fits too, and says how many there are or are not shown."""
    message = compose(gathered(60), room=room)
    assert whole(message, room) <= room.body
    assert re.search(r"\b60\b|\d+ more", f"{message.title}\n{message.body}")
    assert message.body.endswith("Delivery: dlv-g")


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("told", [updated("coverage", coverage=(story(),)), updated(), withdrawn()])
def test_updates_fit(room: Room, told: object) -> None:
    """An update or a withdrawal fits, whatever its alert holds."""
    message = compose(due(told, alert=alert(title="word " * 900)), room=room)
    assert whole(message, room) <= room.body


def test_update_leads_to_the_page() -> None:
    """Where no thread shows what an update is about, it says so and links to the page."""
    body = compose(due(updated(), alert=alert()), room=DISCORD).body
    assert "Confirmed by a second read" in body
    assert "Page: https://x.example/privacy" in body


@pytest.mark.parametrize("room", [DISCORD, NTFY])
@pytest.mark.parametrize(
    "call", ["@everyone", "@here", "(@channel)", "x@everyone", "<@123>", "<!here>", "<#C1>", "@all"]
)
def test_nobody_is_called(room: Room, call: str) -> None:
    """What would call people in a chat is parted by a sign that is not seen."""
    message = compose(due(alert(change(f"We tell {call} of it."), title=f"{call} changes")), room=room)
    assert call not in f"{message.title} {message.body}"


@pytest.mark.parametrize("kept", ["legal@example.org", "https://example.org/@user/a_b*c~d"])
def test_addresses_stay_whole(kept: str) -> None:
    """Mail addresses and links are not touched."""
    assert kept in compose(due(alert(change(f"Write to {kept} today."))), room=DISCORD).body


def test_markdown_is_literal() -> None:
    """The policy's own signs are shown as they are."""
    body = compose(due(alert(change("**bold** _it_ ~no~ `code` [a](b)"))), room=DISCORD).body
    assert r"**\*\*bold\*\* \_it\_ \~no\~ \`code\` \[a](b)**" in body


@pytest.mark.parametrize("text", ["We [-never-] sell.", "Ask {+us+} first.", "a -] b [- c"])
def test_foreign_marks_are_not_struck(text: str) -> None:
    """Where a policy's own words look like our marks, the message keeps to plain marks."""
    body = compose(due(alert(reworded("90 days", text))), room=DISCORD).body
    assert "~~" not in body
    assert "[-90 days-]" in body


def test_lines_of_a_clause_stay_quoted() -> None:
    """Each line of a clause is quoted and marked by itself."""
    body = compose(due(alert(change("first\nsecond"))), room=DISCORD).body
    assert "> **first**\n> **second**" in body


@given(st.text(max_size=3_000), st.text(max_size=3_000), st.sampled_from(ROOMS))
def test_any_words_fit(old: str, new: str, room: Room) -> None:
    """No words whatever make a message too long or impossible to encode."""
    message = compose(due(alert(reworded(old, new), change(new), title=old)), room=room)
    assert whole(message, room) <= room.body
    f"{message.title}{message.body}".encode()
