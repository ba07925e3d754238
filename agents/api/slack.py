"""What readers click in Slack: seen, mute this document or clause, why did I get this. Signed by Slack (v0).

Slack wants an answer within three seconds: what is clicked is acknowledged at once, done beside, and answered at
the response URL that came with it, on Slack's own hosts only.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

import msgspec
import structlog
from aiohttp import web
from msgspec import Meta, Struct

from agents.api.office import Office
from agents.api.problems import ProblemError
from agents.replay import decoded
from agents.why import TOPICS, why
from pipeline.adapters.wire import decode
from pipeline.errors import PipelineError
from pipeline.events import (
    AlertAcknowledged,
    AlertRaised,
    Event,
    Matcher,
    SilenceDeclared,
    derived_id,
)

WINDOW_S = 300
MUTED_FOR = timedelta(days=30)
HOSTS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
MOST = 12  # lines of a reason

logger = structlog.get_logger(__name__)


class Action(Struct, frozen=True):
    """A button that was pressed; `value` is subscription|alert|clause as we wrote it."""

    action_id: Annotated[str, Meta(max_length=255)]
    value: Annotated[str, Meta(max_length=2000)] = ""


class User(Struct, frozen=True):
    """Who pressed it."""

    id: Annotated[str, Meta(max_length=60)]
    username: Annotated[str, Meta(max_length=200)] = ""


class Payload(Struct, frozen=True):
    """What Slack sends of a click, as far as it concerns us."""

    type: str
    user: User
    actions: tuple[Action, ...] = ()
    response_url: Annotated[str, Meta(max_length=1000)] = ""


class Clicked(Struct, frozen=True):
    """A click, understood."""

    action: str
    subscription_id: str
    alert_id: str
    clause_id: str
    user: User


Act = Callable[[Office, Clicked], Awaitable[str]]


class Interactions:
    """Takes clicks and answers them; what is at work ends with the server."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._tasks: set[asyncio.Task[None]] = set()

    async def take(self, request: web.Request) -> web.Response:
        """Answer Slack at once; 401 for what Slack did not sign, 400 for what is no click."""
        body = await request.read()
        verify(self._office, request.headers, body)
        payload = read(body)
        for action in payload.actions:
            if found := clicked(action, payload.user):
                self._begin(found, payload.response_url)
        return web.Response()

    async def close(self, app: web.Application) -> None:
        """Give what is at work a moment."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2.0)
        for task in self._tasks:
            task.cancel()

    def _begin(self, found: Clicked, url: str) -> None:
        task = asyncio.create_task(self._answered(found, url), name="slack click")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answered(self, found: Clicked, url: str) -> None:
        try:
            said = await ACTIONS[found.action](self._office, found)
        except PipelineError as error:
            said = f"That could not be done: {error.args[0]}"
        except Exception:
            logger.exception("slack.broken", action=found.action)
            said = "That could not be done; the log says more."
        logger.info("slack.clicked", action=found.action, alert_id=found.alert_id, user=found.user.id)
        await self._say(url, said, seen=found.action == "ack")

    async def _say(self, url: str, said: str, *, seen: bool) -> None:
        """Answer a click: to who clicked alone, or to all where somebody took the alert on."""
        parts = urlsplit(url)
        if parts.scheme != "https" or parts.hostname not in HOSTS:
            return
        message = {
            "text": said,
            "response_type": "in_channel" if seen else "ephemeral",
            "replace_original": False,
        }
        posts = await self._office.channels.webhooks(private=False)
        with suppress(PipelineError):
            await posts.post(url, json.dumps(message).encode(), {"Content-Type": "application/json"})


def verify(office: Office, headers: Mapping[str, str], body: bytes) -> None:
    """Raise ProblemError unless Slack signed this within five minutes (v0: HMAC-SHA256 of v0:timestamp:body)."""
    if not office.slack_secret:
        raise ProblemError(
            503, "clicks cannot be verified", remedy="Set slack: {signing_secret_env: …} in clausewire.yaml"
        )
    stamp, signature = (
        headers.get("X-Slack-Request-Timestamp", ""),
        headers.get("X-Slack-Signature", ""),
    )
    fresh = (
        stamp.isascii() and stamp.isdecimal() and abs(office.now().timestamp() - int(stamp[:12])) <= WINDOW_S
    )
    signed = hmac.new(
        office.slack_secret.encode(),
        b"v0:" + stamp.encode("utf-8", "surrogateescape") + b":" + body,
        hashlib.sha256,
    )
    if not fresh or not hmac.compare_digest(
        f"v0={signed.hexdigest()}".encode(), signature.encode("utf-8", "surrogateescape")
    ):
        raise ProblemError(401, "Slack did not sign this, or not within five minutes")


def read(body: bytes) -> Payload:
    """Return the click in a form's `payload`; ProblemError 400 for anything else."""
    try:
        fields = parse_qs(body.decode(), max_num_fields=20)
        return msgspec.json.decode(fields["payload"][0], type=Payload)
    except (ValueError, KeyError, msgspec.MsgspecError, RecursionError):
        raise ProblemError(400, "this is no interaction of Slack") from None


def clicked(action: Action, user: User) -> Clicked | None:
    """Return what a button of ours asks for, None for another's."""
    parts = action.value.split("|")
    if action.action_id not in ACTIONS or len(parts) != 3:
        return None
    return Clicked(action.action_id, parts[0], parts[1], parts[2], user)


async def acknowledge(office: Office, found: Clicked) -> str:
    """Record that somebody has seen an alert."""
    await office.log.publish(
        AlertAcknowledged(
            alert_id=found.alert_id,
            subscription_id=found.subscription_id,
            by=found.user.username or found.user.id,
            acknowledged_at=office.now(),
        )
    )
    return f"<@{found.user.id}> has seen this." if found.user.id.isalnum() else "Somebody has seen this."


async def mute_document(office: Office, found: Clicked) -> str:
    """Silence a document for this subscription."""
    alert, _ = await _of(office, found)
    return await _mute(office, found, Matcher(what="thread", words=(alert.thread,)), "this document")


async def mute_clause(office: Office, found: Clicked) -> str:
    """Silence a clause for this subscription; an alert with another clause still comes."""
    await _of(office, found)
    return await _mute(office, found, Matcher(what="clause", words=(found.clause_id,)), "this clause")


async def explain(office: Office, found: Clicked) -> str:
    """Say why this subscription was told."""
    _, known = await _of(office, found)
    one = office.registry.by_id[found.subscription_id]
    outbox = [event for topic in TOPICS for event in await asyncio.to_thread(_events, office, topic)]
    lines = list(why(one, known, outbox, silences=office.registry.silences.values()))
    return "\n".join(_escaped(line) for line in lines[:MOST])


async def _mute(office: Office, found: Clicked, matcher: Matcher, what: str) -> str:
    now = office.now()
    who = found.user.username or found.user.id
    silence = SilenceDeclared(
        silence_id=derived_id("sil", found.subscription_id, matcher.what, *matcher.words)[:16],
        matchers=(matcher,),
        starts_at=now,
        ends_at=now + MUTED_FOR,
        declared_at=now,
        subscriptions=(found.subscription_id,),
        author=who,
        comment="muted in Slack",
    )
    await office.declare(silence)
    ends = f"until {silence.ends_at:%d %B %Y}"
    return f"Muted {what} here {ends}. To end it: clausewire silence expire {silence.silence_id}"


async def _of(office: Office, found: Clicked) -> tuple[AlertRaised, list[Event]]:
    """Return the alert of a click and what became known of it; PipelineError where there is none."""
    raised = await office.told.alert(found.alert_id)
    if raised is None or found.subscription_id not in office.registry.by_id:
        raise PipelineError("this alert or its subscription is no longer kept")
    return raised, [raised, *await office.told.sequels(found.alert_id)]


def _events(office: Office, topic: str) -> list[Event]:
    with office.history() as history:
        return list(decoded(history.records(topic), decode))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


ACTIONS: Mapping[str, Act] = {
    "ack": acknowledge,
    "mute-document": mute_document,
    "mute-clause": mute_clause,
    "why": explain,
}
