"""All of the demo's surroundings together: sites, receivers, one clock, and the configuration that names them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml
from aiohttp import web

from agents.demo.inbox import Arrival, Inbox
from agents.demo.receivers import Mailbox, SlackStandIn, WebhookReceiver
from agents.demo.site import LOOPBACK, Site
from agents.demo.story import Day, Document, Story, read_story
from pipeline import config
from pipeline.adapters.clock import SettableClock
from pipeline.errors import ConfigError

INTERVAL = "400ms"
FEED_INTERVAL = "1s"
SECRETS = ("SLACK_BOT_TOKEN", "WEBHOOK_SECRET")


class DemoWorld:
    """The world around the program: `async with DemoWorld(folder) as world`, then advance day by day.

    `settings()` is what the program is to run with, `clock` the time that it is to tell, `received` what arrived.
    Everything listens on 127.0.0.1 on free ports; everything that arrives lies as a file under `folder`.
    """

    def __init__(self, folder: Path, story: Story | None = None) -> None:
        self.folder = folder
        self.story = story or read_story()
        self.clock = SettableClock(self.story.days[0].noon)
        self.inbox = Inbox(folder, self.clock)
        self.site = Site(self.story)
        self.env = {name: _made_up(name) for name in SECRETS}
        self._roots: dict[str, str] = {}
        self._mail_port = 0
        self._open = AsyncExitStack()

    @property
    def received(self) -> list[Arrival]:
        """Everything that arrived so far, in order."""
        return self.inbox.arrivals

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        async with AsyncExitStack() as opening:
            await opening.enter_async_context(self.site)
            webhook = WebhookReceiver(self.inbox, self.env["WEBHOOK_SECRET"])
            slack = SlackStandIn(self.inbox, self.env["SLACK_BOT_TOKEN"])
            self._roots["webhook"] = await _served(opening, webhook.app())
            self._roots["slack"] = await _served(opening, slack.app())
            self._mail_port = await _mail_server(opening, Mailbox(self.inbox))
            self._open = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    def settings(self) -> config.Settings:
        """Write the demo's clausewire.yaml and return what it comes to, read as any other."""
        path = self.folder / "clausewire.yaml"
        text = yaml.safe_dump(self._configuration(), sort_keys=False, allow_unicode=True, width=100)
        path.write_text(f"# Written by `clausewire demo` for its loopback world.\n{text}", encoding="utf-8")
        return config.load(path, self.env)

    def _configuration(self) -> dict[str, Any]:
        return {
            "data": "data",
            "fetch": {"contact": "demo@example.org", "spacing": "0s", "jitter": 0.0},
            "smtp": {
                "host": LOOPBACK,
                "port": self._mail_port,
                "security": "none",
                "from": "Clausewire <clausewire@example.org>",
            },
            "slack": {"api_url": f"{self._roots['slack']}/api/"},
            "documents": [self._document(document) for document in self.story.documents],
            "feeds": [
                {"name": feed.name, "url": self.site.url(feed.id), "interval": FEED_INTERVAL}
                for feed in self.story.feeds
            ],
            "watches": [{"name": watch.name, "query": watch.query} for watch in self.story.watches],
            "routes": self._routes(),
        }

    def _document(self, document: Document) -> dict[str, Any]:
        more = {"aliases": list(document.aliases), "select": document.select}
        return {
            "service": document.service,
            "name": document.name,
            "url": self.site.url(document.id),
            "interval": INTERVAL,
            **{key: value for key, value in more.items() if value},
        }

    def _routes(self) -> list[dict[str, Any]]:
        webhook = {
            "url": f"{self._roots['webhook']}/hooks/clausewire",
            "secret_env": "WEBHOOK_SECRET",
            "allow_private": True,
        }
        return [
            {
                "name": "Policy desk",
                "to": {"slack": {"channel": "#policy-desk", "token_env": "SLACK_BOT_TOKEN"}},
                "only": {"kinds": ["change", "story"]},
            },
            {
                "name": "Operations",
                "to": {"webhook": webhook},
                "only": {"kinds": ["change", "story", "health"]},
            },
            {
                "name": "Counsel",
                "to": {"email": {"to": ["counsel@example.org"]}},
                "only": {"kinds": ["change"]},
            },
        ]

    async def advance(self, day: Day) -> None:
        """Let a day begin: its time, its pages, its news."""
        self.clock.set(day.noon)
        self.site.turn(day)

    async def polled(self, documents: int, feeds: int, *, within_s: float = 20.0) -> bool:
        """Wait until every source was read so often since the day began; False when it was not, in time."""
        wanted = {document.id: documents for document in self.story.documents}
        wanted |= {feed.id: feeds for feed in self.story.feeds}
        return await until(
            lambda: all(self.site.reads[one] >= times for one, times in wanted.items()), within_s
        )

    async def quiet(self, still_s: float = 0.5, *, within_s: float = 10.0) -> bool:
        """Wait until nothing arrived for a while; False when it never came to rest."""
        loop = asyncio.get_running_loop()
        end, seen, since = loop.time() + within_s, len(self.received), loop.time()
        while loop.time() - since < still_s:
            if loop.time() > end:
                return False
            await asyncio.sleep(0.02)
            if len(self.received) != seen:
                seen, since = len(self.received), loop.time()
        return True


def _made_up(name: str) -> str:
    """Return a secret of the demo: always the same, worth nothing outside it."""
    digest = hashlib.sha256(f"clausewire demo {name}".encode()).digest()
    prefix = "whsec_" if name == "WEBHOOK_SECRET" else "xoxb-demo-"
    return prefix + base64.b64encode(digest).decode()


async def until(holds: Callable[[], bool], within_s: float) -> bool:
    """Wait until something holds; False when it does not, in time."""
    try:
        async with asyncio.timeout(within_s):
            while not holds():
                await asyncio.sleep(0.02)
    except TimeoutError:
        return False
    return True


async def _served(stack: AsyncExitStack, app: web.Application) -> str:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, LOOPBACK, 0).start()
    return f"http://{LOOPBACK}:{runner.addresses[0][1]}"


async def _mail_server(stack: AsyncExitStack, mailbox: Mailbox) -> int:
    try:
        from aiosmtpd.smtp import SMTP
    except ImportError:
        raise ConfigError(
            "the demo's mail server is not installed", remedy="pip install 'clausewire[demo]'"
        ) from None

    def protocol() -> SMTP:
        return SMTP(mailbox, hostname="mail.example.org", enable_SMTPUTF8=True, loop=loop)

    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, LOOPBACK, 0)
    stack.push_async_callback(_closed, server)
    return int(server.sockets[0].getsockname()[1])


async def _closed(server: asyncio.Server) -> None:
    server.close()
    await server.wait_closed()
