"""The world that a faulted program works in: pages and feeds that change one by one, receivers that fail now and then.

Revision r of document n says a number of its own, 1000·(n+1) + r, so that every message tells which change it is about.
A document changes only after the change before it arrived everywhere, and the news reports what was told: what is
expected is known exactly.
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
from agents.demo.receivers import SlackStandIn, WebhookReceiver
from pipeline.adapters.clock import SystemClock
from pipeline.alerts.route import delivery_id
from pipeline.events import Channel
from tests.faults.press import OUTLETS, WATCH, Fact, Press, place
from tests.faults.receivers import (
    MAILS,
    SLACK_LATE_S,
    WEBHOOK_LATE_S,
    FaultyMailbox,
    Trouble,
    slack_id,
    web_trouble,
    webhook_id,
)

HOST = "127.0.0.1"
SECRETS = {
    "WEBHOOK_SECRET": "whsec_" + "ZmF1bHRzIGZhdWx0cyBmYXVsdHMgZmF1bHRzIGZhdWx0cyE=",
    "SLACK_BOT_TOKEN": "xoxb-faults",
}
ROUTES = {"hook": Channel.WEBHOOK, "desk": Channel.SLACK, "post": Channel.EMAIL}
NEWS_ABROAD = 4
SETS = "sets"  # a webhook that is told in groups
CLAUSES = (
    "By using the Service you agree to these Terms and to our Privacy Policy as they stand today.",
    "You are responsible for your account and must keep your password safe and tell us of misuse.",
    "You keep the ownership of your content and grant us a licence to host it and to display it.",
    "Fees are billed monthly in advance and are not refundable, except where the law says otherwise.",
    "Disputes are resolved by the courts of the county where you live at the time of the claim.",
    "We may suspend your account if you breach these Terms, and you may close it at any time.",
)


class FaultyWorld:
    """Sites, feeds and receivers on loopback; `trouble` is the share of first attempts that receivers answer badly.

    A mail that met trouble comes again after a minute: with `patient` some do.
    """

    def __init__(
        self, folder: Path, *, documents: int, seed: int, trouble: float = 0.1, patient: bool = True
    ) -> None:
        self.folder = folder
        self.random = random.Random(seed)
        self.revisions = [0] * documents
        self.reads: Counter[int] = Counter()
        self.press = Press(random.Random(f"press {seed}"))
        self.inbox = Inbox(folder / "received", SystemClock())
        self.sets = Inbox(folder / "received-sets", SystemClock())
        chance = random.Random(f"receivers {seed}")
        self.trouble = Trouble(chance, trouble, mails=MAILS if patient else 0.0)
        self._stack = AsyncExitStack()
        self.ports: dict[str, int] = {}

    async def __aenter__(self) -> FaultyWorld:
        site = web.Application()
        site.router.add_get("/d/{number}", self._page)
        site.router.add_get("/news/{outlet}", self._feed)
        hook, sets = (
            WebhookReceiver(inbox, SECRETS["WEBHOOK_SECRET"]).app() for inbox in (self.inbox, self.sets)
        )
        for app in (hook, sets):
            app.middlewares.append(web_trouble(self.trouble, Channel.WEBHOOK, WEBHOOK_LATE_S, webhook_id))
        desk = SlackStandIn(self.inbox, SECRETS["SLACK_BOT_TOKEN"]).app()
        desk.middlewares.append(web_trouble(self.trouble, Channel.SLACK, SLACK_LATE_S, slack_id))
        for name, app in (("site", site), ("hook", hook), ("desk", desk), (SETS, sets)):
            self.ports[name] = await self._serve(app)
        self.ports["post"] = await self._mail()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def configuration(self, broker: str, *, file: str = "clausewire.yaml", **sections: Any) -> Path:
        """Write the configuration of the program, with more sections if given, and return where it is."""
        site = f"http://{HOST}:{self.ports['site']}"
        documents = [
            {
                "service": f"Service {number}",
                "name": "Terms",
                "url": f"{site}/d/{number}",
                "interval": "1s",
            }
            for number in range(len(self.revisions))
        ]
        hook, sets = (
            {
                "url": f"http://{HOST}:{self.ports[name]}/hooks/clausewire",
                "secret_env": "WEBHOOK_SECRET",
                "allow_private": True,
            }
            for name in ("hook", SETS)
        )
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
            "feeds": [
                {"name": outlet, "url": f"{site}/news/{outlet}", "interval": "1s"} for outlet in OUTLETS
            ],
            "watches": [{"name": "Tides", "query": WATCH}],
            "routes": [
                {"name": "hook", "to": {"webhook": hook}},
                {
                    "name": SETS,
                    "to": {"webhook": sets},
                    "gather": {"by": "all", "wait": "2s", "interval": "3s"},
                },
                {"name": "desk", "to": {"slack": {"channel": "#desk", "token_env": "SLACK_BOT_TOKEN"}}},
                {"name": "post", "to": {"email": {"to": ["reader@example.org"]}}},
            ],
            **sections,
        }
        path = self.folder / file
        path.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
        return path

    def number(self, document: int) -> int:
        """Return the number that a document's revision says."""
        return 1000 * (document + 1) + self.revisions[document]

    def numbers(self, document: int) -> range:
        """Return the numbers of a document's changes."""
        return range(1000 * (document + 1) + 1, self.number(document) + 1)

    def facts(self) -> list[Fact]:
        """Return what readers are to be told so far."""
        changes = [("change", number) for n in range(len(self.revisions)) for number in self.numbers(n)]
        return [*changes, *self.press.facts]

    def expected(self) -> list[tuple[str, Fact]]:
        """Return by which route what is to arrive."""
        return [(route, fact) for fact in self.facts() for route in routes_of(fact)]

    def publish(self) -> None:
        """Let one more news item come out, unless many are still on their way."""
        told = self.told()

        def is_told(fact: Fact) -> bool:
            return all(fact in told[route] for route in routes_of(fact))

        if sum(not is_told(fact) for fact in self.press.facts) >= NEWS_ABROAD:
            return
        changes = [self.number(n) for n, last in enumerate(self.revisions) if last]
        self.press.next(
            (number for number in changes if is_told(("change", number))),
            is_told,
            lambda number: f"Service {number // 1000 - 1}",
        )

    def arrived(self, document: int) -> bool:
        """Say whether the change to a document's revision reached everybody who is told at once."""
        if self.revisions[document] == 0:
            return self.reads[document] >= 3
        told = self.told()
        return all(("change", self.number(document)) in told[route] for route in ROUTES)

    def changes_arrived(self) -> bool:
        """Say whether the last change to every document reached everybody who is told at once."""
        return all(self.arrived(document) for document in range(len(self.revisions)))

    def all_arrived(self) -> bool:
        """Say whether all that was to arrive did."""
        told = self.told()
        return self.changes_arrived() and all(fact in told[route] for route, fact in self.expected())

    def is_over(self) -> bool:
        """Say whether all arrived, and what was taken without an answer came again."""
        return not self.trouble.owed and self.all_arrived()

    def told(self) -> dict[str, dict[Fact, set[str]]]:
        """Return, by route, the ids of the messages that told each fact."""
        hooked = [arrival for arrival in self.inbox.arrivals if arrival.channel is Channel.WEBHOOK]
        facts = {str(arrival.body["id"]): fact for arrival in hooked if (fact := _fact(arrival))}
        told: dict[str, dict[Fact, set[str]]] = {route: defaultdict(set) for route in (*ROUTES, SETS)}
        for name, channel in ROUTES.items():
            ids = {delivery_id(told_id, name): fact for told_id, fact in facts.items()}
            for arrival in self.inbox.arrivals:
                if arrival.channel is channel and arrival.message_id in ids:
                    told[name][ids[arrival.message_id]].add(arrival.message_id)
        for arrival in self.sets.arrivals:
            for alert_id in _alerts(arrival):
                told[SETS][facts.get(alert_id, ("unknown", 0))].add(arrival.message_id)
        return told

    def strays(self) -> list[Arrival]:
        """Return the messages that nothing expected accounts for: doubles under another id, or of no fact."""
        known = {
            delivery_id(str(arrival.body["id"]), name)
            for arrival in self.inbox.arrivals
            if arrival.channel is Channel.WEBHOOK and _fact(arrival)
            for name in ROUTES
        }
        return [arrival for arrival in self.inbox.arrivals if arrival.message_id not in known]

    async def _page(self, request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        self.reads[number] += 1
        clauses = [
            *CLAUSES,
            f"We retain your data for {self.number(number)} days after you close your account.",
            *(f"See {place(said)}." for said in self.numbers(number)),
        ]
        text = "".join(f"<h2>Section {at}</h2><p>{clause}</p>" for at, clause in enumerate(clauses, 1))
        page = f"<html lang='en'><head><title>Terms</title></head><body><main><h1>Terms</h1>{text}</main></body></html>"
        return web.Response(text=page, content_type="text/html")

    async def _feed(self, request: web.Request) -> web.Response:
        root = f"http://{HOST}:{self.ports['site']}"
        text = self.press.feed(request.match_info["outlet"], root)
        return web.Response(text=text, content_type="application/rss+xml")

    async def _serve(self, app: web.Application) -> int:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, HOST, 0).start()
        return int(runner.addresses[0][1])

    async def _mail(self) -> int:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: SMTP(FaultyMailbox(self.inbox, self.trouble), loop=loop), HOST, 0
        )
        self._stack.callback(server.close)
        return int(server.sockets[0].getsockname()[1])


def routes_of(fact: Fact) -> list[str]:
    """Return where a fact is told: of more outlets that report a story a mailbox does not hear, a group of alerts only."""
    return {"second": ["hook", "desk"], "report": [*ROUTES]}.get(fact[0], [*ROUTES, SETS])


def _alerts(arrival: Arrival) -> list[str]:
    """Return the alerts that a message tells for the first time; an alert told alone has its own id."""
    if arrival.body["type"] == "clausewire.alert.raised":
        return [str(arrival.body["id"])]
    members = arrival.body["data"].get("members", ())
    return [str(member["alert_id"]) for member in members if member["what"] == "alert"]


def _fact(arrival: Arrival) -> Fact | None:
    """Return what a webhook's message tells, None for what nobody expects."""
    data, kind = arrival.body["data"], str(arrival.body["type"]).rpartition(".")[2]
    if kind == "raised":
        words = data["title"] if data["kind"] == "story" else _new_words(data["changes"])
    elif kind == "updated" and data["how"] == "coverage":
        words = " ".join(story["title"] for story in data["coverage"])
    else:
        return None
    number = max((int(found) for found in re.findall(r"\b(?:No)?(\d{4,6})\b", words)), default=0)
    names = {("raised", "change"): "change", ("raised", "story"): "story", ("updated", "story"): "second"}
    return names.get((kind, data["kind"]), "report"), number


def _new_words(changes: list[dict[str, Any]]) -> str:
    return " ".join(str((change.get("new") or {}).get("text", "")) for change in changes)
