"""Messages through Apprise to real receivers on loopback: sent once, explained when not, nothing secret repeated."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from pipeline.adapters import apprise as adapter
from pipeline.adapters import apprise_service
from pipeline.adapters.apprise import AppriseNotifier, opened
from pipeline.adapters.apprise_service import service
from pipeline.adapters.clock import SystemClock
from pipeline.alerts.render import apprise as render
from pipeline.errors import ConfigError, DeliveryError, PipelineError, RefusedError
from tests.adapters.hooks import Receiver, receiving
from tests.alerts.samples import alert, change, due

pytest.importorskip("apprise", reason="apprise is not installed: pip install 'clausewire[apprise]'")

TOKEN = "s3cr3t-token-of-ours"
DISCORD = f"discord://1234567890/{TOKEN}"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def notifier(url: str, **also: Any) -> AppriseNotifier:
    return await opened(url, compose=render.compose, clock=SystemClock(), **also)


def place(receiver: Receiver, path: str = TOKEN, scheme: str = "json") -> str:
    return f"{scheme}://127.0.0.1:{receiver.server.port}/{path}"


def told(receiver: Receiver, key: str = "message") -> str:
    ((_, _, body),) = receiver.got
    return str(json.loads(body)[key])


async def refusal(url: str, **also: Any) -> PipelineError:
    with pytest.raises(PipelineError) as caught:
        await (await notifier(url, **also)).send(due(), parent=None)
    return caught.value


@pytest.fixture
def discord(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> str:
    """A Discord webhook, Discord being the receiver on loopback."""
    from apprise.plugins.discord import NotifyDiscord

    monkeypatch.setattr(NotifyDiscord, "notify_url", receiver.url("").rstrip("/"))
    return DISCORD


async def test_discord_gets_markdown(receiver: Receiver, discord: str) -> None:
    """Discord shows what was struck and what is new, and the delivery's id; nothing is cut."""
    sent = await (await notifier(discord)).send(due(), parent=None)
    content = told(receiver, "content")
    assert "We keep your data for ~~90 days~~**18 months** after you leave." in content
    assert content.endswith("Delivery: dlv-1")
    assert sent.response == "Discord took it"


async def test_discord_message_fits(receiver: Receiver, discord: str) -> None:
    """A clause of 60 kB comes in one message of 2,000 characters, its marks closed."""
    await (await notifier(discord)).send(due(alert(change("word " * 12_000))), parent=None)
    content = told(receiver, "content")
    assert len(content) <= 2_000
    assert content.count("**") == 2


async def test_ntfy_gets_text(receiver: Receiver) -> None:
    """A service without Markdown gets the plain marks, with the title in its own field."""
    await (await notifier(place(receiver, "alerts", "ntfy"))).send(due(), parent=None)
    assert "[-90 days-]{+18 months+}" in told(receiver)
    assert json.loads(receiver.got[0][2])["title"] == "X — Privacy Policy [HIGH]"


async def test_ntfy_message_stays_a_message(receiver: Receiver) -> None:
    """ntfy counts bytes, and makes a file of more than 4,096."""
    long = due(alert(change("Wörter über Daten. " * 900)))
    await (await notifier(place(receiver, "alerts", "ntfy"))).send(long, parent=None)
    assert 1_000 < len(told(receiver).encode()) <= 4_096


async def test_repeat_carries_id(receiver: Receiver) -> None:
    """A second attempt at a delivery ends in the same id, by which a reader knows it."""
    sender = await notifier(place(receiver))
    receiver.script = [500, 200]
    with pytest.raises(DeliveryError):
        await sender.send(due(), parent=None)
    await sender.send(due(), parent=None)
    assert [json.loads(body)["message"].rpartition("\n")[2] for _, _, body in receiver.got] == [
        "Delivery: dlv-1"
    ] * 2


@pytest.mark.parametrize(
    ("status", "kind", "remedy"),
    [
        (400, RefusedError, "report"),
        (401, DeliveryError, "token"),
        (404, DeliveryError, "gone"),
        (422, RefusedError, "report"),
        (429, DeliveryError, ""),
        (503, DeliveryError, ""),
    ],
)
async def test_status_decides(
    receiver: Receiver, status: int, kind: type[PipelineError], remedy: str
) -> None:
    """A message that will never be taken is refused; what may heal is tried again, with what to do."""
    receiver.script = [status, status]
    error = await refusal(place(receiver))
    assert type(error) is kind
    assert (getattr(error, "status", None), remedy in error.remedy) == (status, True)


@pytest.mark.parametrize("option", ["retry=3", "optional=yes", "retry=2&wait=0.1&optional=yes"])
async def test_apprise_neither_retries_nor_forgives(receiver: Receiver, option: str) -> None:
    """Whatever the URL asks for, a message is tried once, and a failure is one."""
    receiver.script = [503, 503, 503, 503]
    assert isinstance(await refusal(f"{place(receiver)}?{option}"), DeliveryError)
    assert len(receiver.got) == 1


async def test_redirect_is_not_followed(receiver: Receiver) -> None:
    """A redirect to a metadata service is an error, not a journey."""
    error = await refusal(f"{place(receiver, 'redirect')}?redirect=yes")
    assert isinstance(error, DeliveryError)
    assert error.status == 307


@pytest.mark.parametrize(("path", "ambiguous"), [("hang", True), ("drop", True)])
async def test_lost_answer_is_ambiguous(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, path: str, ambiguous: bool
) -> None:
    """Where the message may have been taken, the error says so."""
    monkeypatch.setattr(apprise_service, "READ_S", 0.3)
    error = await refusal(place(receiver, path))
    assert isinstance(error, DeliveryError)
    assert error.ambiguous is ambiguous


async def test_nobody_there_is_certain() -> None:
    """Where nobody listens nothing was taken."""
    error = await refusal(f"json://127.0.0.1:1/{TOKEN}")
    assert isinstance(error, DeliveryError)
    assert (error.ambiguous, "nobody listens there" in str(error)) == (False, True)


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_refused_message_is_sent_plain(receiver: Receiver, status: int) -> None:
    """What a service will never take is told shortly and plainly instead, with the same id."""
    receiver.script = [status, 200]
    sent = await (await notifier(place(receiver))).send(due(), parent=None)
    first, second = (json.loads(body)["message"] for _, _, body in receiver.got)
    assert sent.response == "JSON took it"
    assert len(second) <= 500 < len(first)
    assert "**" not in second
    assert second.endswith("Delivery: dlv-1")


async def test_services_words_are_kept(receiver: Receiver) -> None:
    """What the service says of a message that it does not take stands in the reason."""
    error = await refusal(place(receiver, "echo"))
    assert "error=400" in str(error)
    assert "bad None" in str(error)


async def test_time_is_bounded(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that hangs is given up on, and what it took is not known."""
    monkeypatch.setattr(apprise_service, "READ_S", 2.0)
    error = await refusal(place(receiver, "hang"), timeout_s=0.2)
    assert isinstance(error, DeliveryError)
    assert (error.ambiguous, "0.2 s" in str(error)) == (True, True)


async def test_messages_go_one_at_a_time(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one message hangs the next is sent back to the outbox, sure not to have been posted."""
    monkeypatch.setattr(apprise_service, "READ_S", 0.5)
    monkeypatch.setattr(adapter, "TURN_S", 0.1)
    sender = await notifier(place(receiver, "hang"))
    first, second = await asyncio.gather(
        sender.send(due(), parent=None),
        sender.send(due(delivery_id="dlv-2"), parent=None),
        return_exceptions=True,
    )
    assert isinstance(first, DeliveryError)
    assert isinstance(second, DeliveryError)
    assert (first.ambiguous, second.ambiguous) == (True, False)


async def test_hanging_services_delay_no_other(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty services that hang keep the forty-first waiting for nothing."""
    monkeypatch.setattr(apprise_service, "READ_S", 1.5)
    hanging = [await notifier(place(receiver, "hang")) for _ in range(40)]
    stuck = [asyncio.create_task(one.send(due(), parent=None)) for one in hanging]
    await asyncio.sleep(0.3)
    sent = await asyncio.wait_for((await notifier(place(receiver))).send(due(), parent=None), 1.0)
    outcomes = await asyncio.gather(*stuck, return_exceptions=True)
    assert sent.response == "JSON took it"
    assert {type(outcome) for outcome in outcomes} == {DeliveryError}


class Lines(logging.Handler):
    """What reaches the program's own log."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith(("aiohttp", "asyncio")):  # the receiver's
            self.told.append(record.getMessage())


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler, root = Lines(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.mark.parametrize("path", ["echo", "drop", TOKEN])
async def test_no_secret_is_told(
    receiver: Receiver, lines: Lines, capfd: pytest.CaptureFixture[str], path: str
) -> None:
    """Neither errors nor logs, at any level, repeat the token of a URL, not even when the service does."""
    receiver.script = [500]
    url = f"json://user:{TOKEN}@127.0.0.1:{receiver.server.port}/{path}?+X-Token={TOKEN}"
    error = await refusal(url)
    shown = f"{error!r} {error} {error.remedy} {error.__cause__} {capfd.readouterr()}"
    assert TOKEN not in shown
    assert TOKEN not in "".join(lines.told)


@pytest.mark.parametrize(
    ("url", "fact"),
    [
        ("", "no service"),
        ("not a url", "no service"),
        (f"nosuch://{TOKEN}", "no service"),
        ("discord://", "no service"),
        (f"tgram://123456789:abcdefghijklmnopqrstuvwxyz123456789/111/222?key={TOKEN}", "names 2 places"),
    ],
)
def test_unusable_url_is_told(url: str, fact: str) -> None:
    """A URL that Apprise does not know, or that leads to several places, is refused without being repeated."""
    with pytest.raises(ConfigError, match=fact) as caught:
        service(url)
    assert TOKEN not in f"{caught.value} {caught.value.remedy}"
    assert caught.value.remedy


def test_missing_extra_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Apprise is not installed, the remedy is the command that installs it."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ConfigError, match=r"pip install 'clausewire\[apprise\]'"):
        service(DISCORD)


@pytest.mark.parametrize(
    "url",
    [
        DISCORD,
        f"https://discord.com/api/webhooks/1234567890/{TOKEN}",
        "tgram://123456789:abcdefghijklmnopqrstuvwxyz123456789/12345",
        "ntfy://a-topic-of-ours?priority=high",
        "pagerduty://A1BRTD4JD@TIiajkdnlazkcOXrIdevi7F/?region=eu",
        "workflow://prod-1.westeurope.logic.azure.com:443/0123456789/abcdefgh/",
    ],
)
def test_public_services_pass(url: str) -> None:
    """A stranger may name a service at a fixed address."""
    assert service(url, public=True)


@pytest.mark.parametrize(
    "url",
    [
        "json://169.254.169.254/latest",
        "json://example.org/hook",
        "form://10.0.0.1",
        "ntfy://10.0.0.1/topic",
        "ntfys://internal.example/topic",
        "gotify://10.0.0.1/token-of-ours",
        "mailto://user:pass@example.org",
        "syslog://",
        "workflow://10.0.0.1:443/0123456789/abcdefgh/",
        "workflow://logic.azure.com.evil.example:443/0123456789/abcdefgh/",
        "workflow://p.logic.azure.com:443/0123456789/abcdefgh/?template=/etc/passwd",
        f"{DISCORD}?template=/etc/passwd",
        f"{DISCORD}#?template=/etc/passwd",
        f"{DISCORD}/?tts=yes;template=/etc/passwd",
        f"{DISCORD}/%3Ftemplate=/etc/passwd",
        "zulip://bot@evil.example/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "ntfy://topic?mode=private",
        "https://127.0.0.1/hook",
    ],
)
def test_private_places_do_not(url: str) -> None:
    """A stranger may name nothing that leads to a host of their choice, to a file, or to this machine."""
    with pytest.raises(ConfigError):
        service(url, public=True)
