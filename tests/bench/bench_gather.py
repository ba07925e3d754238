"""What gathering holds when it is killed: documents of two services change, and each alert is told in one message.

Run `python -m tests.bench.bench_gather [--kills N] [--broker embedded|kafka] [--seed N]`. On Kafka two workers are killed in
turn. The last line is `alerts N, lost N, in two messages N, doubled N`, over a Slack channel (groups of a service) and
a mailbox (groups of everything).
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web
from aiosmtpd.smtp import SMTP

from agents.demo.inbox import Inbox
from agents.demo.receivers import Mailbox, SlackStandIn
from pipeline.adapters.clock import SystemClock
from pipeline.adapters.history import open_history
from pipeline.adapters.wire import decode
from pipeline.alerts.attempt import members
from pipeline.alerts.route import delivery_id
from pipeline.events import AlertRaised, DeliveryAttempted, DeliveryDue, Event
from tests.faults.fleet import Member, say
from tests.faults.world import CLAUSES, SECRETS
from tests.kafka import cluster

HOST = "127.0.0.1"
DOCUMENTS, OF_FIRST = 8, 5
LOST_ANSWERS = 0.1
REST_S = {"embedded": (0.0, 4.0), "kafka": (8.0, 22.0)}  # between what changed and the kill


class World:
    """A site whose documents change, a Slack channel that loses answers, and a mailbox."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder, self.chance = folder, chance
        self.inbox = Inbox(folder / "received", SystemClock())
        self.revisions = [0] * DOCUMENTS
        self.reads: Counter[int] = Counter()

    async def page(self, request: web.Request) -> web.Response:
        """Serve a document as it stands."""
        number = int(request.match_info["number"])
        self.reads[number] += 1
        days = 1000 * (number + 1) + self.revisions[number]
        clauses = (*CLAUSES, f"We retain your data for {days} days after you close your account.")
        text = "".join(f"<h2>Section {at}</h2><p>{clause}</p>" for at, clause in enumerate(clauses, 1))
        page = f"<html lang='en'><head><title>Terms</title></head><body><main><h1>Terms</h1>{text}</main></body></html>"
        return web.Response(text=page, content_type="text/html")

    @web.middleware
    async def sometimes_lost(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Take some posts and lose the answer."""
        answer = await handler(request)
        if (
            request.path.endswith("chat.postMessage")
            and self.chance.random() < LOST_ANSWERS
            and request.transport
        ):
            request.transport.abort()
        return answer  # type: ignore[no-any-return]

    async def read(self, numbers: list[int], times: int, within_s: float = 120.0) -> None:
        """Wait until documents were read so many times more; TimeoutError when they are not."""
        wanted = {number: self.reads[number] + times for number in numbers}
        async with asyncio.timeout(within_s):
            while any(self.reads[number] < count for number, count in wanted.items()):
                await asyncio.sleep(0.1)


@asynccontextmanager
async def served(world: World, broker: str, **sections: Any) -> AsyncIterator[Path]:
    """Serve the world inside the context, and yield the configuration of a program that works in it."""
    site = web.Application()
    site.router.add_get("/d/{number}", world.page)
    slack = SlackStandIn(world.inbox, SECRETS["SLACK_BOT_TOKEN"]).app()
    slack.middlewares.append(world.sometimes_lost)
    runners = [web.AppRunner(app, access_log=None, shutdown_timeout=0.5) for app in (site, slack)]
    for runner in runners:
        await runner.setup()
        await web.TCPSite(runner, HOST, 0).start()
    loop = asyncio.get_running_loop()
    post = await loop.create_server(lambda: SMTP(Mailbox(world.inbox), loop=loop), HOST, 0)
    ports = [*(runner.addresses[0][1] for runner in runners), post.sockets[0].getsockname()[1]]
    try:
        yield configured(world.folder, broker, ports, sections)
    finally:
        post.close()
        for runner in runners:
            await runner.cleanup()


def configured(folder: Path, broker: str, ports: list[int], sections: dict[str, Any]) -> Path:
    """Write the configuration and return where it is."""
    site, slack, post = ports
    services = ["Example"] * OF_FIRST + ["Other"] * (DOCUMENTS - OF_FIRST)
    settings = {
        "data": "data",
        "broker": broker,
        "fetch": {"spacing": "0s", "jitter": 0.0},
        "smtp": {"host": HOST, "port": post, "security": "none", "from": "c <c@example.org>"},
        "slack": {"api_url": f"http://{HOST}:{slack}/api/"},
        "documents": [
            {
                "service": service,
                "name": f"Terms {at}",
                "url": f"http://{HOST}:{site}/d/{at}",
                "interval": "1s",
            }
            for at, service in enumerate(services)
        ],
        "routes": [
            {
                "name": "Desk",
                "to": {"slack": {"channel": "#desk", "token_env": "SLACK_BOT_TOKEN"}},
                "gather": {"by": "service", "wait": "1s", "interval": "3s"},
            },
            {
                "name": "Post",
                "to": {"email": {"to": ["reader@example.org"]}},
                "gather": {"by": "all", "wait": "2s", "interval": "4s"},
            },
        ],
        **sections,
    }
    path = folder / "clausewire.yaml"
    path.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    return path


async def killed(world: World, fleet: list[Member], broker: str, kills: int) -> None:
    """Change documents and kill the program, time and again; at the end let it finish."""
    await world.read(list(range(DOCUMENTS)), 3)
    for number in range(kills):
        changed = world.chance.sample(range(DOCUMENTS), world.chance.randint(2, DOCUMENTS))
        for document in changed:
            world.revisions[document] += 1
        await world.read(changed, 3)
        await asyncio.sleep(world.chance.uniform(*REST_S[broker]))
        victim = fleet[number % len(fleet)]
        await victim.kill()
        await victim.start()
        say(f"kill {number + 1}: {len(world.inbox.arrivals)} messages so far")
    await asyncio.sleep(60.0)


def counted(world: World, broker: str) -> None:
    """Print what became of every alert."""
    with open_history(broker) as history:
        raised, outbox, ledger = (
            [decode(record.value) for record in history.records(topic)]
            for topic in ("alerts.raised", "outbox", "deliveries")
        )
    alerts = {event.alert_id for event in raised if isinstance(event, AlertRaised) and event.kind == "change"}
    dues = {event.id: event for event in outbox if isinstance(event, DeliveryDue)}
    over, skipped = _ended(ledger, "sent", "skipped"), _ended(ledger, "skipped")
    lost = twice = 0
    for who in ("desk", "post"):
        mine = [one for one in dues.values() if one.subscription_id == who]
        told = Counter(told_of(mine))
        lost += len({delivery_id(alert, who) for alert in alerts} - set(told) - skipped)
        lost += sum(one.id not in over for one in mine)
        twice += sum(count > 1 for count in told.values())
        say(f"{who}: {len(mine)} messages, {sum(bool(one.members) for one in mine)} of them gathered")
    print(f"alerts {len(alerts)}, lost {lost}, in two messages {twice}, doubled {world.inbox.repeats}")


def told_of(dues: list[DeliveryDue]) -> Iterator[str]:
    """Yield the deliveries that messages stand for."""
    for due in dues:
        yield from members(due) or (due.delivery_id,)


def _ended(ledger: list[Event], *outcomes: str) -> set[str]:
    return {
        event.delivery_id
        for event in ledger
        if isinstance(event, DeliveryAttempted) and event.outcome in outcomes
    }


@contextmanager
def brokers(folder: Path, broker: str) -> Iterator[str]:
    """Have a broker inside the context, and yield its URL."""
    if broker == "embedded":
        yield f"embedded://{folder}/log.db"
        return
    with cluster(folder / "kafka") as kafka:
        yield f"kafka://{HOST}:{kafka.port}"


async def run(folder: Path, broker: str, kills: int, seed: int) -> None:
    """Run it all, and print what came of it."""
    world = World(folder, random.Random(seed))
    with brokers(folder, broker) as url:
        kafka = {"kafka": {"partitions": 3, "session_timeout": "6s"}} if broker == "kafka" else {}
        async with served(world, url, **kafka) as config:
            words = ("worker", "worker", "poll") if broker == "kafka" else ("run",)
            fleet = [Member(f"{word}{at}", config, word) for at, word in enumerate(words)]
            for member in fleet:
                await member.start()
            try:
                await killed(world, fleet[:2], broker, kills)
            finally:
                for member in fleet:
                    await member.stop()
        counted(world, url)


def main() -> None:
    """Read what is asked for and run it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=20)
    options.add_argument("--broker", choices=tuple(REST_S), default="embedded")
    options.add_argument("--seed", type=int, default=7)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="gather-") as folder:
        asyncio.run(run(Path(folder), asked.broker, asked.kills, asked.seed))


if __name__ == "__main__":
    main()
