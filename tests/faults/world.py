"""The world that a faulted program works in: pages that change one by one, receivers that fail now and then.

Revision r of document n says a number of its own, 1000·n + r, so that every message tells which change it is about.
A document changes only after the change before it arrived everywhere: what is expected is known exactly.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter, defaultdict
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml
from aiohttp import web
from aiosmtpd.smtp import SMTP

from agents.demo.inbox import Arrival, Inbox
from agents.demo.receivers import Mailbox, SlackStandIn, WebhookReceiver
from pipeline.adapters.clock import SystemClock
from pipeline.alerts.route import delivery_id
from pipeline.events import Channel

HOST = "127.0.0.1"
SECRETS = {
    "WEBHOOK_SECRET": "whsec_" + "ZmF1bHRzIGZhdWx0cyBmYXVsdHMgZmF1bHRzIGZhdWx0cyE=",
    "SLACK_BOT_TOKEN": "xoxb-faults",
}
ROUTES = {"hook": Channel.WEBHOOK, "desk": Channel.SLACK, "post": Channel.EMAIL}
TOO_LATE_S = 20.0  # a webhook's sender waits for 15 s
CLAUSES = (
    "By using the Service you agree to these Terms and to our Privacy Policy as they stand today.",
    "You are responsible for your account and must keep your password safe and tell us of misuse.",
    "You keep the ownership of your content and grant us a licence to host it and to display it.",
    "Fees are billed monthly in advance and are not refundable, except where the law says otherwise.",
    "Disputes are resolved by the courts of the county where you live at the time of the claim.",
    "We may suspend your account if you breach these Terms, and you may close it at any time.",
)


class FaultyWorld:
    """Sites and receivers on loopback; `trouble` is the share of first attempts that receivers answer badly."""

    def __init__(self, folder: Path, *, documents: int, seed: int, trouble: float = 0.1) -> None:
        self.folder = folder
        self.random = random.Random(seed)
        self.revisions = [0] * documents
        self.reads: Counter[int] = Counter()
        self.inbox = Inbox(folder / "received", SystemClock())
        self.trouble = trouble
        self._troubled: set[str] = set()
        self._stack = AsyncExitStack()
        self.ports: dict[str, int] = {}

    async def __aenter__(self) -> FaultyWorld:
        site = web.Application()
        site.router.add_get("/d/{number}", self._page)
        webhook = WebhookReceiver(self.inbox, SECRETS["WEBHOOK_SECRET"]).app()
        webhook.middlewares.append(self._sometimes_bad)
        slack = SlackStandIn(self.inbox, SECRETS["SLACK_BOT_TOKEN"]).app()
        slack.middlewares.append(self._sometimes_lost)
        for name, app in (("site", site), ("hook", webhook), ("desk", slack)):
            self.ports[name] = await self._serve(app)
        self.ports["post"] = await self._mail()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def configuration(self, broker: str, **sections: Any) -> Path:
        """Write the configuration of the program, with more sections if given, and return where it is."""
        documents = [
            {
                "service": f"Service {number}",
                "name": "Terms",
                "url": f"http://{HOST}:{self.ports['site']}/d/{number}",
                "interval": "1s",
            }
            for number in range(len(self.revisions))
        ]
        hook = {"url": f"http://{HOST}:{self.ports['hook']}/hooks/clausewire", "secret_env": "WEBHOOK_SECRET"}
        settings = {
            "data": "data",
            "broker": broker,
            "fetch": {"spacing": "0s", "jitter": 0.0},
            "smtp": {
                "host": HOST,
                "port": self.ports["post"],
                "security": "none",
                "from": "c <c@example.org>",
            },
            "slack": {"api_url": f"http://{HOST}:{self.ports['desk']}/api/"},
            "documents": documents,
            "routes": [
                {"name": "hook", "to": {"webhook": {**hook, "allow_private": True}}},
                {"name": "desk", "to": {"slack": {"channel": "#desk", "token_env": "SLACK_BOT_TOKEN"}}},
                {"name": "post", "to": {"email": {"to": ["reader@example.org"]}}},
            ],
            **sections,
        }
        path = self.folder / "clausewire.yaml"
        path.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
        return path

    def number(self, document: int) -> int:
        """Return the number that a document's revision says."""
        return 1000 * (document + 1) + self.revisions[document]

    def arrived(self, document: int) -> bool:
        """Say whether the change to a document's revision reached every destination."""
        if self.revisions[document] == 0:
            return self.reads[document] >= 3
        return all(self.number(document) in told for told in self.told().values())

    def all_arrived(self) -> bool:
        """Say whether the last change to every document reached every destination."""
        return all(self.arrived(document) for document in range(len(self.revisions)))

    def told(self) -> dict[Channel, dict[int, set[str]]]:
        """Return, per channel, the message ids under which the change to each number was told."""
        alerts = self._alert_ids()
        told: dict[Channel, dict[int, set[str]]] = {channel: defaultdict(set) for channel in ROUTES.values()}
        for name, channel in ROUTES.items():
            ids = {delivery_id(alert, name): number for alert, number in alerts.items()}
            for arrival in self.inbox.arrivals:
                if arrival.channel is channel and arrival.message_id in ids:
                    told[channel][ids[arrival.message_id]].add(arrival.message_id)
        return told

    def strays(self) -> list[Arrival]:
        """Return the messages whose ids belong to nothing that a webhook was told of: doubles under another id."""
        known = {
            delivery_id(str(arrival.body["id"]), name)
            for arrival in self.inbox.arrivals
            if arrival.channel is Channel.WEBHOOK
            for name in ROUTES
        }
        return [arrival for arrival in self.inbox.arrivals if arrival.message_id not in known]

    def _alert_ids(self) -> dict[str, int]:
        """Return the alerts that the webhook was told of, with the number that each is about."""
        return {
            str(arrival.body["id"]): max(
                int(found) for found in re.findall(r"\b\d{4,6}\b", _new_words(arrival))
            )
            for arrival in self.inbox.arrivals
            if arrival.channel is Channel.WEBHOOK and arrival.body["data"].get("changes")
        }

    async def _page(self, request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        self.reads[number] += 1
        clauses = [
            *CLAUSES,
            f"We retain your data for {self.number(number)} days after you close your account.",
        ]
        text = "".join(f"<h2>Section {at}</h2><p>{clause}</p>" for at, clause in enumerate(clauses, 1))
        page = f"<html lang='en'><head><title>Terms</title></head><body><main><h1>Terms</h1>{text}</main></body></html>"
        return web.Response(text=page, content_type="text/html")

    @web.middleware
    async def _sometimes_bad(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Answer some first attempts with 500, 429, too late or not at all, before or after the message was taken."""
        message_id = request.headers.get("webhook-id", "")
        if message_id in self._troubled or self.random.random() >= self.trouble:
            return await handler(request)  # type: ignore[no-any-return]
        self._troubled.add(message_id)
        kind = self.random.choice(("500", "429", "lost before", "lost after", "too late"))
        if kind in {"lost after", "too late"}:
            await handler(request)
        if kind == "too late":
            await asyncio.sleep(TOO_LATE_S)
        if kind.startswith("lost") and request.transport:
            request.transport.abort()
        return web.Response(status=429 if kind == "429" else 500, headers={"Retry-After": "1"})

    @web.middleware
    async def _sometimes_lost(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Take some posts and lose the answer: the sender cannot know."""
        answer = await handler(request)
        if (
            request.path.endswith("chat.postMessage")
            and self.random.random() < self.trouble / 2
            and request.transport
        ):
            request.transport.abort()
        return answer  # type: ignore[no-any-return]

    async def _serve(self, app: web.Application) -> int:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, HOST, 0).start()
        return int(runner.addresses[0][1])

    async def _mail(self) -> int:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(Mailbox(self.inbox), loop=loop), HOST, 0)
        self._stack.callback(server.close)
        return int(server.sockets[0].getsockname()[1])


def _new_words(arrival: Arrival) -> str:
    changes = arrival.body["data"]["changes"]
    return " ".join(str((change.get("new") or {}).get("text", "")) for change in changes) + " 0000"
