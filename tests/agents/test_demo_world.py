"""The demo's world: sites as of a day, receivers that refuse what their real counterparts would."""

from __future__ import annotations

import smtplib
from asyncio import to_thread
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
from standardwebhooks import Webhook

from agents.demo.world import DemoWorld
from pipeline.config import Settings
from pipeline.events import Channel


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[DemoWorld]:
    async with DemoWorld(tmp_path) as world:
        await world.advance(world.story.days[0])
        yield world


@pytest.fixture
async def web() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


def target(settings: Settings, channel: Channel) -> dict[str, object]:
    return next(route.target for route in settings.routes if route.channel is channel)


async def test_settings_are_whole(world: DemoWorld) -> None:
    """The demo's configuration is a file like any other, and every secret that it names is set."""
    settings = world.settings()
    assert (len(settings.documents), len(settings.routes), settings.missing_secrets()) == (7, 3, ())
    assert settings.feeds[0].id == world.story.feeds[0].id


async def test_unchanged_page_is_304(world: DemoWorld, web: httpx.AsyncClient) -> None:
    """A page has validators; who has it already is told so, until the day that changes it."""
    url = world.site.url("x/privacy-policy")
    first = await web.get(url)
    known = {"If-None-Match": first.headers["etag"]}
    assert (await web.get(url, headers=known)).status_code == 304
    await world.advance(world.story.days[1])
    assert (await web.get(url, headers=known)).status_code == 304
    await world.advance(world.story.days[2])
    assert "Third-party collaborators" in (await web.get(url, headers=known)).text


async def test_restless_page_differs(world: DemoWorld, web: httpx.AsyncClient) -> None:
    """A page with a fresh token in every answer is never the same bytes twice."""
    for day in world.story.days[:5]:
        await world.advance(day)
    url = world.site.url("bluesky/privacy-policy")
    assert (await web.get(url)).content != (await web.get(url)).content


async def test_feed_grows(world: DemoWorld, web: httpx.AsyncClient) -> None:
    """An outlet's feed holds its items from the day they came out."""
    url = world.site.url("texas-scorecard")
    assert "Tarrant" not in (await web.get(url)).text
    await world.advance(world.story.days[5])
    assert "Tarrant County Courts" in (await web.get(url)).text


async def test_readings_are_counted(world: DemoWorld, web: httpx.AsyncClient) -> None:
    """The world knows how often each source was read on the day."""
    settings = world.settings()
    for url in [document.url for document in settings.documents] + [feed.url for feed in settings.feeds]:
        await web.get(url)
    assert await world.polled(1, 1, within_s=1)
    assert not await world.polled(2, 1, within_s=0.05)


BODY = b'{"type": "clausewire.alert.raised", "id": "a", "data": {"alert_id": "a", "kind": "change"}}'


async def test_signed_webhook_is_taken(world: DemoWorld, web: httpx.AsyncClient) -> None:
    """What the reference library signs is taken, kept as a file, and kept once."""
    url = str(target(world.settings(), Channel.WEBHOOK)["url"])
    signature = Webhook(world.env["WEBHOOK_SECRET"]).sign("msg_1", world.clock.now(), BODY.decode())
    stamp = str(int(world.clock.now().timestamp()))
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,other {signature}",
    }
    answers = [await web.post(url, content=BODY, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 204]
    assert (len(world.received), world.inbox.repeats, world.received[0].file.exists()) == (1, 1, True)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"webhook-signature": "v1,AAAA"}, "no webhook-signature matches"),
        ({"webhook-id": "msg_2"}, "no webhook-signature matches"),
        ({"webhook-timestamp": "1"}, "five minutes"),
        ({"webhook-timestamp": "soon"}, "missing"),
        ({"webhook-signature": ""}, "no webhook-signature matches"),
    ],
)
async def test_unsigned_webhook_is_refused(
    world: DemoWorld, web: httpx.AsyncClient, change: dict[str, str], fault: str
) -> None:
    """A request that its secret's owner did not sign, or long ago, is refused and noted."""
    url = str(target(world.settings(), Channel.WEBHOOK)["url"])
    now = world.clock.now()
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(world.env["WEBHOOK_SECRET"]).sign("msg_1", now, BODY.decode()),
    }
    answer = await web.post(url, content=BODY, headers=headers | change)
    assert (answer.status_code, fault in world.inbox.refused[0], world.received) == (401, True, [])


async def test_slack_takes_bot_posts(world: DemoWorld, web: httpx.AsyncClient) -> None:
    """A message within the limits is posted, can be found again, and is kept as its reader sees it."""
    api = world.settings().slack.api_url
    token = {"Authorization": f"Bearer {world.env['SLACK_BOT_TOKEN']}"}
    said = {
        "channel": "#a",
        "text": "t",
        "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "H"}}],
    }
    posted = (await web.post(f"{api}chat.postMessage", json=said, headers=token)).json()
    found = (await web.get(f"{api}conversations.history", params={"channel": "C"}, headers=token)).json()
    assert (posted["ok"], found["messages"][0]["ts"], world.received[0].text) == (True, posted["ts"], "H")


@pytest.mark.parametrize(
    ("token", "blocks", "error"),
    [
        ("wrong", [], "invalid_auth"),
        ("", [{"type": "divider"}] * 51, "invalid_blocks"),
    ],
)
async def test_slack_refuses(
    world: DemoWorld, web: httpx.AsyncClient, token: str, blocks: list[dict[str, str]], error: str
) -> None:
    """A stranger, and a message over Slack's limits, are refused in Slack's words."""
    headers = {"Authorization": f"Bearer {token or world.env['SLACK_BOT_TOKEN']}"}
    said = {"channel": "#a", "text": "t", "blocks": blocks}
    answer = await web.post(f"{world.settings().slack.api_url}chat.postMessage", json=said, headers=headers)
    assert (answer.json()["ok"], answer.json()["error"]) == (False, error)


async def test_mail_is_read(world: DemoWorld) -> None:
    """A mail is parsed as its reader's program would, and what is missing in it is a fault."""
    smtp = world.settings().smtp
    assert smtp is not None
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@example.org", "b@example.org", "Ünïcode"
    mail["Message-ID"] = "<dlv-1@example.org>"
    mail.set_content("Wörds")
    await to_thread(_send, smtp.port, mail)
    (arrival,) = world.received
    assert (arrival.message_id, "Wörds" in arrival.text) == ("dlv-1", True)
    assert arrival.faults == ("no Date", "a text part and an HTML part are expected")


def _send(port: int, mail: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", port) as server:
        server.send_message(mail)
