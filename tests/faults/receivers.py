"""Receivers that fail now and then, and that can hold a message while its sender is killed.

Each message meets trouble at its first attempt at most: refused, too many, too late, or the connection lost, before
or after the message was taken. What was taken and not answered must come again, or be found by its sender.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from agents.demo.inbox import Inbox
from agents.demo.receivers import Mailbox
from pipeline.events import Channel

WEBHOOK_LATE_S = SLACK_LATE_S = 20.0  # their senders wait for 15 s
MAIL_LATE_S = 35.0  # and here for 30 s
MAILS = 0.3  # the share of the others' trouble: a mail comes again only after a minute
KINDS = ("refused", "too many", "lost before", "lost after", "too late")
TAKEN = {"lost after", "too late"}


class Snare:
    """Catches the next message while a receiver has it, and holds it until it is let go."""

    def __init__(self) -> None:
        self._caught: asyncio.Future[tuple[Channel, int]] | None = None
        self._go = asyncio.Event()

    async def caught(self, within_s: float) -> tuple[Channel, int] | None:
        """Return the channel of the next message and the port it was sent from; None where none came in time."""
        self._caught, self._go = asyncio.get_running_loop().create_future(), asyncio.Event()
        try:
            return await asyncio.wait_for(self._caught, within_s)
        except TimeoutError:
            self._go.set()
            return None

    def let_go(self) -> None:
        """Let the receiver go on."""
        self._go.set()

    async def pass_by(self, channel: Channel, port: int) -> bool:
        """Go past; return whether it was caught and its sender is gone."""
        if self._caught is None or self._caught.done():
            return False
        self._caught.set_result((channel, port))
        await self._go.wait()
        return True


class Trouble:
    """What befalls messages: the choice is the seed's. `counts` tells what befell whom."""

    def __init__(self, chance: random.Random, share: float, *, mails: float = MAILS) -> None:
        self.share = share
        self._mails = mails
        self.counts: Counter[tuple[Channel, str]] = Counter()
        self.snare = Snare()
        self.owed: set[str] = set()
        self._chance = chance
        self._met: set[str] = set()

    def kind(self, channel: Channel, message_id: str) -> str:
        """Return what befalls a message at this attempt, "" for nothing."""
        self.owed.discard(message_id)
        share = self.share * (self._mails if channel is Channel.EMAIL else 1.0)
        first = message_id not in self._met  # a repeat may be the last that its sender makes
        self._met.add(message_id)
        if not first or self._chance.random() >= share:
            return ""
        kind = self._chance.choice(KINDS)
        self.counts[channel, kind] += 1
        if channel is not Channel.SLACK:  # where the sender finds what was taken and sends nothing again
            self.owed.add(message_id)
        return kind

    async def is_taken(self, channel: Channel, port: int) -> bool:
        """Return whether a message is taken: one whose sender was killed meanwhile is, or is not."""
        return not await self.snare.pass_by(channel, port) or self._chance.random() < 0.5


def web_trouble(
    trouble: Trouble, channel: Channel, late_s: float, key: Callable[[web.Request], Awaitable[str]]
) -> Any:
    """Return a middleware that lets messages meet trouble; `key` reads a message's id, "" for what is none."""

    @web.middleware
    async def troubled(request: web.Request, handler: Any) -> web.StreamResponse:
        message_id = await key(request)
        if not message_id:
            return await handler(request)  # type: ignore[no-any-return]
        assert request.transport is not None
        await request.read()  # what came is here even when its sender is gone
        kind, port = trouble.kind(channel, message_id), request.transport.get_extra_info("peername")[1]
        answer = None
        if kind in TAKEN | {""}:
            if await trouble.is_taken(channel, port):
                answer = await handler(request)
            else:
                kind = "lost before"
        if kind == "too late":
            await asyncio.sleep(late_s)
        if kind.startswith("lost") and request.transport:
            request.transport.abort()
        return answer or web.Response(status=429 if kind == "too many" else 500, headers={"Retry-After": "1"})

    return troubled


async def webhook_id(request: web.Request) -> str:
    """Return a webhook's message id."""
    return request.headers.get("webhook-id", "")


async def slack_id(request: web.Request) -> str:
    """Return the delivery id in the metadata of a message posted to Slack."""
    if not request.path.endswith("chat.postMessage"):
        return ""
    said = await request.json()
    return str(said.get("metadata", {}).get("event_payload", {}).get("delivery_id", ""))


class FaultyMailbox(Mailbox):
    """A mail server's hand that lets mails meet trouble."""

    def __init__(self, inbox: Inbox, trouble: Trouble) -> None:
        super().__init__(inbox)
        self._trouble = trouble

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take a mail, or not, and answer, or not."""
        kind, answer = self._trouble.kind(Channel.EMAIL, _message_id(envelope.content)), ""
        if kind in TAKEN | {""}:
            if await self._trouble.is_taken(Channel.EMAIL, session.peer[1]):
                answer = await super().handle_DATA(server, session, envelope)
            else:
                kind = "lost before"
        if kind == "too late":
            await asyncio.sleep(MAIL_LATE_S)
        if kind.startswith("lost") and server.transport:
            server.transport.abort()
        return answer or ("452 too many mails" if kind == "too many" else "451 not now")


def _message_id(mail: bytes) -> str:
    head = mail.partition(b"\r\n\r\n")[0].replace(b"\r\n ", b" ")
    found = [line for line in head.split(b"\r\n") if line.lower().startswith(b"message-id:")]
    return found[0].partition(b":")[2].strip().decode() if found else ""
