"""A stand-in for Slack on loopback: keeps channels and threads, refuses what Slack documents it refuses.

`faults` are taken one per call of the method that they name: a status, an error word, "lost" (done, and the
answer never sent) or "hung" (not done, and no answer).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from aiohttp import test_utils, web

from tests.alerts.blockkit import problems

TOKEN = "xoxb-stand-in-0123456789"
CHANNELS = {"C1": "legal", "C2": "quiet"}


class Slack:
    """What was called and what stands in the channels."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.messages: list[dict[str, Any]] = []
        self.faults: dict[str, list[Any]] = {}
        self.archived: set[str] = set()
        self._ts = itertools.count(1)
        self.server: test_utils.TestServer

    @property
    def base_url(self) -> str:
        return str(self.server.make_url("/api/"))

    @property
    def hook_url(self) -> str:
        return str(self.server.make_url("/services/T0/B0/s3cr3t-hook-path"))

    def called(self) -> list[str]:
        return [method for method, _ in self.calls]

    async def api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        if method.startswith("conversations."):
            arguments = dict(await request.post())  # reading methods take a form
        else:
            arguments = msgspec.json.decode(await request.read())
        self.calls.append((method, arguments))
        fault = self.faults[method].pop(0) if self.faults.get(method) else None
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _no("invalid_auth")
        if fault == "hung":
            await asyncio.sleep(60)
        if isinstance(fault, int):
            return web.Response(status=fault, headers={"Retry-After": "30"}, text="busy")
        if fault and fault != "lost":
            return _no(fault)
        answer = getattr(self, "_" + method.replace(".", "_"))(arguments)
        if fault == "lost":
            await asyncio.sleep(60)
        return web.json_response(answer)

    async def hook(self, request: web.Request) -> web.StreamResponse:
        message = msgspec.json.decode(await request.read())
        self.calls.append(("hook", message))
        fault = self.faults["hook"].pop(0) if self.faults.get("hook") else None
        if fault:
            return web.Response(status=fault[0], text=fault[1], headers={"Retry-After": "30"})
        if found := problems(message):
            return web.Response(status=400, text=f"invalid_payload {found}")
        self.messages.append(message)
        return web.Response(text="ok")

    def _chat_postMessage(self, sent: dict[str, Any]) -> dict[str, Any]:  # Slack's word
        channel = self._channel(sent)
        if channel is None:
            return {"ok": False, "error": "channel_not_found"}
        if channel in self.archived:
            return {"ok": False, "error": "is_archived"}
        if sent.get("thread_ts") and not self._at(channel, sent["thread_ts"]):
            return {"ok": False, "error": "thread_not_found"}
        if found := problems(sent):
            return {"ok": False, "error": "invalid_blocks", "problems": found}
        message = {**sent, "channel": channel, "ts": f"17000000{next(self._ts):02d}.000100"}
        self.messages.append(message)
        return {"ok": True, "channel": channel, "ts": message["ts"], "message": message}

    def _chat_update(self, sent: dict[str, Any]) -> dict[str, Any]:
        message = self._at(sent["channel"], sent["ts"])
        if message is None:
            return {"ok": False, "error": "message_not_found"}
        if found := problems(sent):
            return {"ok": False, "error": "invalid_blocks", "problems": found}
        message.update(sent)
        return {"ok": True, "channel": sent["channel"], "ts": sent["ts"]}

    def _conversations_history(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["channel"] not in CHANNELS:
            return {"ok": False, "error": "channel_not_found"}
        shown = [
            message
            for message in self.messages
            if message["channel"] == asked["channel"]
            and ("thread_ts" not in message or message.get("reply_broadcast"))
        ]
        return self._page(shown, asked)

    def _conversations_replies(self, asked: dict[str, Any]) -> dict[str, Any]:
        thread = asked["ts"]
        return self._page(
            [found for found in self.messages if thread in {found["ts"], found.get("thread_ts")}], asked
        )

    def _page(self, messages: list[dict[str, Any]], asked: dict[str, Any]) -> dict[str, Any]:
        """One message a page, so that whoever looks must turn pages."""
        at = int(asked.get("cursor", 0))
        newest_first = messages[::-1]
        cursor = str(at + 1) if at + 1 < len(newest_first) else ""
        kept = {} if asked.get("include_all_metadata") else {"metadata": None}
        page = [{**message, **kept} for message in newest_first[at : at + 1]]
        return {"ok": True, "messages": page, "response_metadata": {"next_cursor": cursor}}

    def _channel(self, sent: dict[str, Any]) -> str | None:
        names = {f"#{name}": channel for channel, name in CHANNELS.items()}
        return names.get(sent["channel"], sent["channel"] if sent["channel"] in CHANNELS else None)

    def _at(self, channel: str, ts: str) -> dict[str, Any] | None:
        return next(
            (found for found in self.messages if (found["channel"], found["ts"]) == (channel, ts)), None
        )


def _no(word: str) -> web.Response:
    return web.json_response({"ok": False, "error": word})


@contextlib.asynccontextmanager
async def standing() -> AsyncIterator[Slack]:
    slack = Slack()
    app = web.Application()
    app.router.add_post("/api/{method}", slack.api)
    app.router.add_post("/services/{path:.*}", slack.hook)
    slack.server = test_utils.TestServer(app)
    await slack.server.start_server(shutdown_timeout=0.1)
    try:
        yield slack
    finally:
        await slack.server.close()
