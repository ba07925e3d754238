"""Where the demo's alerts arrive: a webhook receiver, a stand-in for Slack's API, and a mail server.

Each checks what its real counterpart would refuse, and keeps what it takes in a folder, as files to look at.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiohttp import web

from agents.demo.blockkit import plain, violations
from agents.demo.inbox import Arrival, Inbox
from pipeline.events import Channel

TOLERANCE_S = 300.0


# --- webhook --------------------------------------------------------------------------------------------------


def verified(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """Return why a request is not a Standard Webhooks message of the secret's owner, "" when it is one.

    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """
    message_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or not stamp.isdecimal():
        return "webhook-id or webhook-timestamp is missing"
    if abs(int(stamp) - now.timestamp()) > TOLERANCE_S:
        return "webhook-timestamp is more than five minutes off"
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = b".".join((message_id.encode(), stamp.encode(), body))
    expected = "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    given = headers.get("webhook-signature", "").split()
    matched = any(hmac.compare_digest(expected.encode(), one.encode()) for one in given)
    return "" if matched else "no webhook-signature matches"


class WebhookReceiver:
    """An endpoint that takes what is signed with its secret and refuses everything else with 401."""

    def __init__(self, inbox: Inbox, secret: str) -> None:
        self._inbox = inbox
        self._secret = secret

    def app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 20)
        app.router.add_post("/hooks/clausewire", self._take)
        return app

    async def _take(self, request: web.Request) -> web.Response:
        body, now = await request.read(), self._inbox.clock.now()
        if fault := verified(self._secret, request.headers, body, now):
            self._inbox.refuse(f"webhook: {fault}")
            return web.Response(status=401, text=fault)
        said = json.loads(body)
        arrival = Arrival(
            channel=Channel.WEBHOOK,
            at=now,
            message_id=request.headers["webhook-id"],
            text=json.dumps(said, indent=2, ensure_ascii=False),
            file=self._inbox.file(Channel.WEBHOOK, ".json"),
            body=said,
            faults=("over 20 kB",) if len(body) > 20_000 else (),
        )
        self._inbox.take(arrival, json.dumps(said, indent=2, ensure_ascii=False).encode())
        return web.Response(status=204)


# --- slack ----------------------------------------------------------------------------------------------------


class SlackStandIn:
    """The part of Slack's Web API that posts, updates and looks up messages, with its refusals."""

    def __init__(self, inbox: Inbox, token: str) -> None:
        self._inbox = inbox
        self._token = token
        self._posts: dict[str, dict[str, Any]] = {}

    def app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 20)
        for method, answer in (
            ("auth.test", self._auth),
            ("chat.postMessage", self._post),
            ("chat.update", self._update),
            ("conversations.history", self._history),
            ("conversations.replies", self._replies),
        ):
            app.router.add_route("*", f"/api/{method}", self._checked(answer))
        return app

    def _checked(self, answer: Any) -> Any:
        async def handle(request: web.Request) -> web.Response:
            if request.headers.get("Authorization") != f"Bearer {self._token}":
                return web.json_response({"ok": False, "error": "invalid_auth"})
            return web.json_response(answer(await _arguments(request)))

        return handle

    def _auth(self, said: dict[str, Any]) -> dict[str, Any]:
        return {"ok": True, "team": "Demo", "user": "clausewire", "bot_id": "B0DEMO", "user_id": "U0DEMO"}

    def _post(self, said: dict[str, Any]) -> dict[str, Any]:
        if faults := violations(said):
            self._inbox.refuse(f"slack: {'; '.join(faults)}")
            return {
                "ok": False,
                "error": faults[0].split(":")[0],
                "response_metadata": {"messages": faults},
            }
        now = self._inbox.clock.now()
        ts = f"{int(now.timestamp())}.{len(self._posts) + 1:06d}"
        self._posts[ts] = {**said, "ts": ts}
        self._keep(said, ts, now)
        return {"ok": True, "channel": "C0DEMO", "ts": ts, "message": self._posts[ts]}

    def _keep(self, said: dict[str, Any], ts: str, now: datetime) -> None:
        payload = said.get("metadata", {}).get("event_payload", {})
        arrival = Arrival(
            channel=Channel.SLACK,
            at=now,
            message_id=payload.get("delivery_id", ts),
            text=plain(said),
            file=self._inbox.file(Channel.SLACK, ".json"),
            body=said,
        )
        self._inbox.take(arrival, json.dumps(said, indent=2, ensure_ascii=False).encode())

    def _update(self, said: dict[str, Any]) -> dict[str, Any]:
        ts = said.get("ts", "")
        if ts not in self._posts:
            return {"ok": False, "error": "message_not_found"}
        if faults := violations(said):
            self._inbox.refuse(f"slack update: {'; '.join(faults)}")
            return {"ok": False, "error": faults[0].split(":")[0]}
        self._posts[ts] = {**self._posts[ts], **said}
        return {"ok": True, "channel": "C0DEMO", "ts": ts, "text": said.get("text", "")}

    def _history(self, said: dict[str, Any]) -> dict[str, Any]:
        posts = [post for post in self._posts.values() if not post.get("thread_ts")]
        return {"ok": True, "messages": posts[::-1], "has_more": False}

    def _replies(self, said: dict[str, Any]) -> dict[str, Any]:
        root = said.get("ts", "")
        posts = [post for ts, post in self._posts.items() if root in (ts, post.get("thread_ts"))]
        return {"ok": True, "messages": posts, "has_more": False}


async def _arguments(request: web.Request) -> dict[str, Any]:
    """Return a call's arguments, sent as JSON, as a form (with JSON inside) or in the query."""
    if request.content_type == "application/json":
        said = await request.json()
        return dict(said)
    form = {**request.query, **(await request.post())}
    return {key: _value(value) for key, value in form.items()}


def _value(value: Any) -> Any:
    looks_like_json = isinstance(value, str) and value[:1] in "[{" and value
    return json.loads(value) if looks_like_json else value


# --- mail -----------------------------------------------------------------------------------------------------


class Mailbox:
    """What aiosmtpd hands a delivered mail to."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take a mail; its parts must be readable and its lines within SMTP's limits."""
        data: bytes = envelope.content
        mail = message_from_bytes(data, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        arrival = Arrival(
            channel=Channel.EMAIL,
            at=self._inbox.clock.now(),
            message_id=str(mail["Message-ID"]).strip("<>").partition("@")[0],
            text=_reading(mail),
            file=self._inbox.file(Channel.EMAIL, ".eml"),
            faults=tuple(_mail_faults(mail, data)),
        )
        self._inbox.take(arrival, data)
        return "250 Message accepted for delivery"


def _reading(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    text = part.get_content() if part else ""
    return f"Subject: {mail['Subject']}\n\n{text}"


def _mail_faults(mail: EmailMessage, data: bytes) -> list[str]:
    faults = [f"defect: {type(defect).__name__}" for part in mail.walk() for defect in part.defects]
    if any(len(line) > 998 for line in data.split(b"\r\n")):
        faults.append("a line over 998 octets")
    missing = [name for name in ("Date", "From", "To", "Subject", "Message-ID") if not mail[name]]
    faults += [f"no {name}" for name in missing]
    if mail.get_body(("plain",)) is None or mail.get_body(("html",)) is None:
        faults.append("a text part and an HTML part are expected")
    return faults
