"""A running program whose subscriptions gather: alerts in, messages out, over restarts of the same folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from agents.app import World, wire, wire_agents
from agents.declare import Declared
from agents.match_stories import Desk
from agents.program import Program
from agents.rounds import Sources
from pipeline.adapters.blobs import FolderBlobs
from pipeline.adapters.kafka.start import Kafka
from pipeline.adapters.tables import TableMemory
from pipeline.alerts.gather import Gathering
from pipeline.alerts.outbox import Outbox
from pipeline.events import (
    AlertRaised,
    Channel,
    DeliveryDue,
    DocumentSpec,
    Event,
    Gather,
    Severity,
    SilenceDeclared,
    SubscriptionDeclared,
)
from pipeline.news.watch import WatchIndex
from tests.fakes import NOON, FixedClock, Mailbox

SLACK = SubscriptionDeclared(
    subscription_id="desk",
    name="Desk",
    channel=Channel.SLACK,
    declared_at=NOON,
    target={"channel": "#policy"},
    gather=Gather(how="group"),
)
MAIL = SubscriptionDeclared(
    subscription_id="post",
    name="Post",
    channel=Channel.EMAIL,
    declared_at=NOON,
    target={"to": ["reader@example.org"]},
    gather=Gather(how="daily", zone="Europe/Berlin", at=480),
)


def changed(number: int, *, service: str = "Example", severity: Severity = Severity.MEDIUM) -> AlertRaised:
    """Return the alert of a change of one of a service's documents."""
    document = DocumentSpec(
        id=f"{service.lower()}/{number}",
        service=service,
        name=f"Policy {number}",
        url="https://example.org/p",
    )
    return AlertRaised(
        alert_id=f"alt-{service}-{number}", kind="change", raised_at=NOON, title=f"Change {number}", summary="",
        severity=severity, service=service, document=document,
    )  # fmt: skip


class Parents(Mailbox):
    """A mailbox that keeps what each message belongs under as well."""

    def __init__(self) -> None:
        super().__init__()
        self.parents: list[dict[str, str] | None] = []

    async def send(self, due: DeliveryDue, *, parent: dict[str, str] | None) -> object:  # type: ignore[override]
        self.parents.append(parent)
        return await super().send(due, parent=parent)


class Gathered:
    """The program, the hand that puts alerts in, and what its readers got."""

    def __init__(
        self,
        folder: Path,
        clock: FixedClock,
        subscriptions: Sequence[SubscriptionDeclared],
        boxes: dict[str, Mailbox],
        silences: list[SilenceDeclared],
        kafka: Kafka | None,
    ) -> None:
        self.clock, self.boxes, self.silences = clock, boxes, silences
        broker = "kafka://" if kafka else f"embedded://{folder}/log.db"
        self.program = Program("clausewire", broker, data=folder, clock=clock, kafka=kafka)
        world = World(
            blobs=FolderBlobs(folder / "blobs"),
            desk=Desk(WatchIndex([]), []),
            declared=Declared(Sources(), Sources()),
            subscriptions=lambda: tuple(subscriptions),
            notifiers={
                one.subscription_id: (one.channel, boxes[one.subscription_id]) for one in subscriptions
            },
            silences=lambda at: [one for one in silences if one.starts_at <= at < one.ends_at],
        )
        (wire_agents if kafka else wire)(self.program, world)

    async def put(self, *events: Event) -> None:
        await self.program.log.publish_all(events)

    def outbox(self, key: str = "desk|group:example") -> Outbox:
        """Return what the program remembers of what is to be sent."""
        return TableMemory(self.program.app.tables["outboxes"], Outbox).recall(key) or Outbox()

    async def waiting(self, number: int, key: str = "desk|group:example") -> None:
        """Wait until so many deliveries wait under a group."""
        await self.until(lambda: len(self.state(key).members) == number)

    def state(self, key: str = "desk|group:example") -> Gathering:
        """Return what the program remembers of a group."""
        return TableMemory(self.program.app.tables["gathered"], Gathering).recall(key) or Gathering()

    async def sent(self, who: str, number: int) -> list[DeliveryDue]:
        await self.until(lambda: len(self.boxes[who].sent) >= number)
        return self.boxes[who].sent

    def at(self, moment: datetime) -> None:
        """Let it be later."""
        self.clock.moment = moment

    async def until(self, holds: Callable[[], bool], *, within_s: float = 20.0) -> None:
        """Wait until something holds; TimeoutError when it does not in time."""
        async with asyncio.timeout(within_s):
            while not holds():
                await asyncio.sleep(0.01)


@asynccontextmanager
async def gathering(
    folder: Path,
    clock: FixedClock,
    *subscriptions: SubscriptionDeclared,
    boxes: dict[str, Mailbox] | None = None,
    silences: list[SilenceDeclared] | None = None,
    kafka: Kafka | None = None,
) -> AsyncIterator[Gathered]:
    """Run the program inside the context; what it remembers lies in the folder."""
    boxes = boxes or {one.subscription_id: Parents() for one in subscriptions}
    running = Gathered(folder, clock, subscriptions, boxes, [] if silences is None else silences, kafka)
    async with running.program:
        yield running
