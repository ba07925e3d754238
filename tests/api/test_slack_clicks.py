"""What readers click in Slack: only what Slack signed, answered at once, done beside."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_sdk.signature import SignatureVerifier

from pipeline.alerts.render.slack import message
from pipeline.alerts.render.words import Links
from pipeline.events import AlertAcknowledged
from tests.alerts import samples
from tests.alerts.samples import SEEN
from tests.api.desk import Desk, desk
from tests.fakes import FixedClock

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
ALERT = samples.alert()


class Replies:
    """Channels whose posts to Slack's response URLs are kept."""

    def __init__(self) -> None:
        self.said: list[tuple[str, dict[str, Any]]] = []

    async def notifier(self, subscription: object) -> Any:
        raise AssertionError("no click sends an alert")

    async def webhooks(self, *, private: bool) -> Replies:
        return self

    async def ask(self, url: str, headers: Mapping[str, str]) -> tuple[int, bytes, Mapping[str, str]]:
        return 200, b"", {}

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, bytes, Mapping[str, str]]:
        self.said.append((url, json.loads(body)))
        return 200, b"ok", {}


def click(action: str, value: str = f"terminal|{ALERT.alert_id}|clause-1", **also: Any) -> bytes:
    """Return the form that Slack sends of a click."""
    payload = {
        "type": "block_actions",
        "user": {"id": "U1", "username": "dana"},
        "actions": [{"action_id": action, "value": value, "block_id": "b"}],
        "response_url": "https://hooks.slack.com/actions/T/1/x",
        **also,
    }
    return urlencode({"payload": json.dumps(payload)}).encode()


def signed(body: bytes, *, age_s: int = 0, secret: str = SECRET) -> dict[str, str]:
    """Return the headers that Slack's own library makes for a body of some seconds ago."""
    stamp = str(int(SEEN.timestamp()) - age_s)
    signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body)
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": str(signature)}


def serving(folder: Path, replies: Replies) -> AbstractAsyncContextManager[Desk]:
    return desk(folder, clock=FixedClock(SEEN), channels=replies, slack_secret=SECRET)


async def sent(api: Desk, body: bytes, headers: dict[str, str]) -> int:
    form = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    async with api.session.post("/slack/interactions", data=body, headers=form) as response:
        return response.status


async def clicked(folder: Path, action: str, **also: Any) -> tuple[Desk, list[tuple[str, dict[str, Any]]]]:
    """Return what a click of Slack's comes to: the desk, and what was answered."""
    replies = Replies()
    async with serving(folder, replies) as api:
        await api.office.log.publish(ALERT)
        body = click(action, **also)
        assert await sent(api, body, signed(body)) == 200
        async with asyncio.timeout(5):
            while not replies.said:
                await asyncio.sleep(0.01)
    return api, replies.said


@pytest.mark.parametrize(("action", "matcher"), [("mute-document", "thread"), ("mute-clause", "clause")])
async def test_mute_silences_for_this_channel(tmp_path: Path, action: str, matcher: str) -> None:
    """A mute silences the document or the clause for the subscription that showed the button, for 30 days."""
    api, said = await clicked(tmp_path, action)
    (silence,) = api.office.registry.silenced(SEEN)
    assert (silence.matchers[0].what, silence.subscriptions, silence.author) == (
        matcher,
        ("terminal",),
        "dana",
    )
    assert silence.silence_id in said[0][1]["text"]


async def test_acknowledgement_is_kept(tmp_path: Path) -> None:
    """Who has seen an alert is in the ledger, and everybody in the channel reads it."""
    api, said = await clicked(tmp_path, "ack")
    with api.office.history() as history:
        values = [record.value or b"" for record in history.records("deliveries")]
    assert (said[0][1]["response_type"], b'"AlertAcknowledged"' in values[0]) == ("in_channel", True)
    assert AlertAcknowledged.__name__.encode() in values[0]


async def test_why_is_answered_to_who_asks(tmp_path: Path) -> None:
    """Who asks why is answered alone, with the reason."""
    _, said = await clicked(tmp_path, "why")
    assert said[0][1]["response_type"] == "ephemeral"
    assert ALERT.alert_id in said[0][1]["text"]


async def test_unknown_alert_is_told(tmp_path: Path) -> None:
    """A click on an alert that is no longer kept is answered in words."""
    _, said = await clicked(tmp_path, "why", value="terminal|alt-gone|")
    assert "no longer kept" in said[0][1]["text"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signed(click("why"), age_s=301),
        signed(click("why"), age_s=-301),
        signed(click("why"), secret="other"),
        signed(click("ack")),
        {**signed(click("why")), "X-Slack-Request-Timestamp": "9" * 400},
        {**signed(click("why")), "X-Slack-Signature": "v0=\u00e9"},
    ],
    ids=["none", "old", "ahead", "secret", "body", "stamp", "bytes"],
)
async def test_unsigned_click_does_nothing(tmp_path: Path, headers: dict[str, str]) -> None:
    """What Slack did not sign within five minutes is refused."""
    replies = Replies()
    async with serving(tmp_path, replies) as api:
        assert await sent(api, click("why"), headers) == 401
    assert replies.said == []


@pytest.mark.parametrize(
    "body", [b"", b"payload=", b"payload=%7B", b"payload=%FF", b"payload=%5B%5D", b"a=b&" * 50]
)
async def test_signed_nonsense_is_refused(tmp_path: Path, body: bytes) -> None:
    """What is signed and still no click is refused."""
    async with serving(tmp_path, Replies()) as api:
        assert await sent(api, body, signed(body)) == 400


@pytest.mark.parametrize(
    "also",
    [
        {"response_url": "https://evil.example/x"},
        {"response_url": "http://hooks.slack.com/x"},
        {"response_url": "https://hooks.slack.com@evil.example/x"},
        {"actions": [{"action_id": "open-page"}]},
        {"actions": [{"action_id": "ack", "value": "too|few"}]},
    ],
)
async def test_foreign_click_is_answered_nowhere(tmp_path: Path, also: dict[str, Any]) -> None:
    """Nothing is posted but to Slack's own hosts, and other buttons are not ours."""
    replies = Replies()
    async with serving(tmp_path, replies) as api:
        body = click("ack", **also)
        assert await sent(api, body, signed(body)) == 200
        await asyncio.sleep(0.1)
    assert replies.said == []


async def test_without_its_secret_nothing_is_taken(tmp_path: Path) -> None:
    """Without the signing secret clicks are refused, and the answer says what to set."""
    async with desk(tmp_path, clock=FixedClock(SEEN)) as api:
        assert await sent(api, click("why"), signed(click("why"))) == 503


def test_buttons_are_there_where_they_act() -> None:
    """A message has buttons to answer with where somebody takes what they send, and else none."""
    names = [
        [
            button["action_id"]
            for block in message(ALERT, delivery_id="d", links=links)["blocks"]
            for button in block.get("elements", ())
            if "value" in button
        ]
        for links in (Links(), Links(actions="desk"))
    ]
    assert names == [[], ["ack", "mute-document", "mute-clause", "why"]]
