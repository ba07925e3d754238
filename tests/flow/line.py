"""The real program around a page whose states have names: page in, message out, through the real agents."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

from agents.app import World, wire, wire_agents
from agents.declare import Declared
from agents.match_stories import Desk
from agents.program import Program
from agents.rounds import Sources
from pipeline.adapters.blobs import FolderBlobs
from pipeline.adapters.kafka.start import Kafka
from pipeline.events import (
    Channel,
    DocumentSpec,
    Entry,
    Event,
    FeedFetched,
    FeedSpec,
    FetchOutcome,
    Filters,
    PageFetched,
    SubscriptionDeclared,
)
from pipeline.news.names import ServiceName
from pipeline.news.watch import Watch, WatchIndex
from tests.fakes import NOON, FixedClock, Mailbox

DOCUMENT = DocumentSpec(
    id="example/terms", service="Example", name="Terms of Service", url="https://example.org/terms"
)
FEED = FeedSpec(id="news", name="News", url="https://news.example.org/rss")

EVERYTHING = Filters(kinds=("change", "story", "health"))

CLAUSES = (
    ("Acceptance", "By using the Service you agree to these Terms and to our Privacy Policy."),
    ("Your account", "You are responsible for your account and must keep your password safe and secret."),
    (
        "Your content",
        "You keep the ownership of your content. You grant us a licence to host and display it.",
    ),
    ("Data retention", "We retain your personal data for 30 days after you close your account with us."),
    ("Payments", "Fees are billed monthly in advance and are not refundable under any circumstances."),
    ("Disputes", "Disputes are resolved by the courts in the county where you live at the time."),
    ("Changes", "We may update these Terms. We will notify you by e-mail 30 days before they apply."),
)
TRAINING = (
    "Machine learning",
    "We may share your content with third-party collaborators to train artificial intelligence models.",
)


def page(clauses: tuple[tuple[str, str], ...] = CLAUSES, *, wrapper: str = "main") -> bytes:
    """Return the terms as an ordinary page of a site."""
    body = "".join(f"<h2>{title}</h2><p>{text}</p>" for title, text in clauses)
    return (
        f"<!doctype html><html lang='en'><head><title>Terms of Service</title></head><body>"
        f"<nav><a href='/'>Home</a> <a href='/help'>Help</a></nav>"
        f"<{wrapper}><h1>Terms of Service</h1>{body}</{wrapper}><footer>Example Ltd</footer></body></html>"
    ).encode()


def a_clause_is_added() -> bytes:
    return page((*CLAUSES, TRAINING))


def a_clause_is_reworded() -> bytes:
    return page(tuple((title, text.replace("30 days after", "90 days after")) for title, text in CLAUSES))


def the_page_is_reflowed() -> bytes:
    return page(tuple((title, text.replace(" ", "\n  ", 3)) for title, text in CLAUSES))


def the_markup_changes() -> bytes:
    return page(wrapper="article").replace(b"<p>", b"<p class='c-42'>").replace(b"<h2>", b"<h2 id='x'>")


def the_page_is_gone() -> bytes:
    return b"<html><head><title>Page not found</title></head><body><h1>Page not found</h1></body></html>"


def article(title: str, summary: str, *, at: datetime = NOON) -> FeedFetched:
    """Return a feed that brings one entry."""
    entry = Entry(
        id=title, feed_id=FEED.id, outlet="News", title=title, url="https://news.example.org/1", summary=summary,
        published_at=at,
    )  # fmt: skip
    return FeedFetched(feed=FEED, fetched_at=at, outcome=FetchOutcome.OK, entries=(entry,))


class Line:
    """A running program, the hand that puts pages in, and the mailbox at its end."""

    def __init__(
        self,
        folder: Path,
        mailbox: Mailbox | None = None,
        clock: FixedClock | None = None,
        kafka: Kafka | None = None,
    ) -> None:
        self.folder = folder
        self.blobs = FolderBlobs(folder / "blobs")
        self.mailbox = mailbox or Mailbox()
        self.clock = clock or FixedClock()
        broker = "kafka://" if kafka else f"embedded://{folder}/log.db"
        self.program = Program("clausewire", broker, data=folder, clock=self.clock, kafka=kafka)
        (wire_agents if kafka else wire)(self.program, self._world())

    def _world(self) -> World:
        desk = Desk(
            WatchIndex([Watch("ai", "AI training", '"artificial intelligence" OR "train AI"')]),
            [ServiceName(id="example", name="Example", aliases=("Example Ltd",))],
        )
        me = SubscriptionDeclared(
            subscription_id="me", name="me", channel=Channel.WEBHOOK, declared_at=NOON, filters=EVERYTHING
        )
        return World(
            blobs=self.blobs,
            desk=desk,
            declared=Declared(Sources(), Sources()),
            subscriptions=lambda: (me,),
            notifiers={"me": (Channel.WEBHOOK, self.mailbox)},
        )

    async def read(
        self, body: bytes, *, day: int, confirms: bool = False, media: str = "text/html"
    ) -> PageFetched:
        """Put a read of the page into the first topic."""
        event = PageFetched(
            document=DOCUMENT,
            fetched_at=NOON + timedelta(days=day, hours=confirms),
            outcome=FetchOutcome.OK,
            status=200,
            headers={"content-type": media},
            body=await self.blobs.put(body, media_type=media),
            confirms=confirms,
        )
        self.clock.moment = max(self.clock.moment, event.fetched_at)
        await self.put(event)
        return event

    async def put(self, event: Event) -> None:
        await self.program.log.publish(event)

    async def confirmed(self, body: bytes, *, day: int) -> None:
        """Put a read of the page and a second, equal one into the first topic."""
        await self.read(body, day=day)
        await self.read(body, day=day, confirms=True)

    async def until(self, holds: Callable[[], bool], *, within_s: float = 20.0) -> None:
        """Wait until something holds; TimeoutError when it does not in time."""
        async with asyncio.timeout(within_s):
            while not holds():
                await asyncio.sleep(0.01)

    async def sent(self, number: int) -> None:
        await self.until(lambda: len(self.mailbox.sent) >= number)

    async def settled(self) -> None:
        """Wait until nothing moves any more."""
        await asyncio.sleep(0.7)


@asynccontextmanager
async def line(
    folder: Path,
    mailbox: Mailbox | None = None,
    clock: FixedClock | None = None,
    kafka: Kafka | None = None,
) -> AsyncIterator[Line]:
    """Run the program inside the context."""
    running = Line(folder, mailbox, clock, kafka)
    async with running.program:
        yield running
