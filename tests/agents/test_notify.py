"""The pump: what is due is sent, one destination delays no other, and a fault of ours loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from msgspec.structs import replace

from agents.notify import PER_DESTINATION, Pump, keep_outbox, thread_key
from pipeline.adapters.tables import DictMemory, Staged, TableMemory
from pipeline.alerts.outbox import Outbox
from pipeline.errors import DeliveryError, RefusedError
from pipeline.events import (
    AlertRaised,
    AlertWithdrawn,
    Channel,
    DeliveryAttempted,
    DeliveryDue,
    Event,
    Severity,
)
from pipeline.tenure import Tenure
from tests.fakes import NOON, FixedClock, Mailbox


class Outboxes(DictMemory[Outbox]):
    """Outboxes of a process that holds every partition."""

    def __init__(self) -> None:
        super().__init__(Outbox)

    def items(self) -> list[tuple[str, Outbox]]:
        return [(key, outbox) for key in self.kept if (outbox := self.recall(key))]

    def holds(self, key: str) -> bool:
        return True


class FoldingLog:
    """A log whose attempted deliveries come back to the fold, as the outbox topic brings them."""

    def __init__(self, outboxes: Outboxes) -> None:
        self.outboxes = outboxes
        self.attempts: list[DeliveryAttempted] = []
        self.pump: Pump | None = None

    async def publish(self, event: Event) -> None:
        await self.publish_all([event])

    async def publish_all(self, events: object) -> None:
        for event in events:  # type: ignore[attr-defined]
            if isinstance(event, DeliveryAttempted):
                self.attempts.append(event)
                await keep_outbox(event, memory=self.outboxes, pump=self.pump)  # type: ignore[arg-type]


def due(number: int, subscription: str = "me") -> DeliveryDue:
    alert = AlertRaised(
        alert_id=f"alt-{number}", kind="change", raised_at=NOON, title="t", summary="s", severity=Severity.LOW
    )
    return DeliveryDue(
        delivery_id=f"dlv-{subscription}-{number}",
        subscription_id=subscription,
        thread=f"doc-{number}",
        due_at=NOON,
        alert=alert,
    )


@asynccontextmanager
async def pumping(**mailboxes: Mailbox) -> AsyncIterator[FoldingLog]:
    """Run a pump over mailboxes by subscription id."""
    outboxes = Outboxes()
    log = FoldingLog(outboxes)
    notifiers = {name: (Channel.WEBHOOK, mailbox) for name, mailbox in mailboxes.items()}
    log.pump = Pump(outboxes=outboxes, notifiers=notifiers, log=log, clock=FixedClock())
    await log.pump.take_up()
    running = asyncio.create_task(log.pump.run())
    yield log
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def put(log: FoldingLog, *events: DeliveryDue) -> None:
    for event in events:
        await keep_outbox(event, memory=log.outboxes, pump=log.pump)  # type: ignore[arg-type]


async def attempted(log: FoldingLog, number: int) -> None:
    async with asyncio.timeout(10):
        while len(log.attempts) < number:
            await asyncio.sleep(0.01)


async def test_due_delivery_is_sent_once() -> None:
    """A delivery that is due is sent and recorded, and not sent again."""
    mailbox = Mailbox()
    async with pumping(me=mailbox) as log:
        await put(log, due(1))
        await attempted(log, 1)
        await asyncio.sleep(0.1)
    assert (len(mailbox.sent), [event.outcome for event in log.attempts]) == (1, ["sent"])


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (DeliveryError("busy"), "failed"),
        (RefusedError("gone"), "refused"),
        (ZeroDivisionError("ours"), "failed"),
    ],
)
async def test_error_has_its_outcome(error: Exception, outcome: str) -> None:
    """What may heal is tried again, a fault of our own too; what never will is refused."""
    async with pumping(me=Mailbox(failures=[error])) as log:  # type: ignore[list-item]
        await put(log, due(1))
        await attempted(log, 1)
    assert [event.outcome for event in log.attempts] == [outcome]


async def test_unknown_destination_is_skipped() -> None:
    """A delivery to a subscription that is no longer there is recorded as skipped in a while, with the reason."""
    async with pumping() as log:
        await put(log, due(1))
        await asyncio.sleep(0.1)
        assert log.attempts == []
        assert log.pump is not None
        log.pump.clock.moment += timedelta(minutes=1)  # type: ignore[attr-defined]
        await attempted(log, 1)
    assert [(event.outcome, "no longer" in event.reason) for event in log.attempts] == [("skipped", True)]


async def test_new_destination_is_waited_for() -> None:
    """Where word of a new subscription comes after its first alert, the alert is not skipped but sent."""
    async with pumping() as log:
        await put(log, due(1))
        await asyncio.sleep(0.1)
        assert log.pump is not None
        log.pump.notifiers = {"me": (Channel.WEBHOOK, Mailbox())}
        log.pump.clock.moment += timedelta(seconds=6)  # type: ignore[attr-defined]
        await attempted(log, 1)
    assert [event.outcome for event in log.attempts] == ["sent"]


async def test_what_is_left_is_held_back_too() -> None:
    """Where an alert is withdrawn in its reader's night, what else its thread holds is not sent before the morning."""
    mailbox, one = Mailbox(), due(1)
    assert one.alert is not None
    gone = AlertWithdrawn(alert_id="alt-1", withdrawn_at=NOON, reason="it went back", cause_id="c")
    withdrawal = replace(one, delivery_id="dlv-gone", alert=one.alert, withdrawal=gone)
    other = replace(due(2), thread=one.thread)
    async with pumping(me=mailbox) as log:
        assert log.pump is not None
        log.pump.waits = lambda due, now: now + timedelta(hours=8)
        await put(log, one, other, withdrawal)
        await attempted(log, 2)
        await asyncio.sleep(0.1)
    assert [event.outcome for event in log.attempts] == ["skipped", "skipped"]
    assert mailbox.sent == []


class Hanging(Mailbox):
    """A destination that never answers."""

    def __init__(self) -> None:
        super().__init__()
        self.given_up = asyncio.Event()

    async def send(self, due: DeliveryDue, *, parent: dict[str, str] | None) -> object:  # type: ignore[override]
        self.sent.append(due)
        try:
            await asyncio.Event().wait()
        finally:
            self.given_up.set()


async def test_hanging_destination_delays_no_other() -> None:
    """However much waits for an endpoint that hangs, others are sent to at once."""
    hanging, well = Hanging(), Mailbox()
    async with pumping(hangs=hanging, well=well) as log:
        await put(log, *(due(number, "hangs") for number in range(300)), due(1, "well"))
        await attempted(log, 1)
    assert (len(well.sent), len(hanging.sent)) == (1, PER_DESTINATION)


async def test_unsent_is_left_to_the_next_owner() -> None:
    """What is still being sent when partitions go is given up; nothing is recorded of it."""
    mailbox = Hanging()
    async with pumping(me=mailbox) as log:
        await put(log, due(1))
        async with asyncio.timeout(5):
            while not mailbox.sent:
                await asyncio.sleep(0.01)
            log.pump.hold_s = 0.05  # type: ignore[union-attr]
            await log.pump.let_go()  # type: ignore[union-attr]
            await mailbox.given_up.wait()
    assert log.attempts == []


async def test_tenure_begins_with_partitions() -> None:
    """The notifiers are told when the work was taken up."""
    outboxes = Outboxes()
    tenure = Tenure(NOON - timedelta(days=1))
    pump = Pump(outboxes=outboxes, notifiers={}, log=FoldingLog(outboxes), clock=FixedClock(), tenure=tenure)
    await pump.take_up()
    assert tenure.since >= NOON


def test_thread_has_one_key() -> None:
    """A delivery and how its attempt ended are kept under the same key."""
    event = due(1)
    ended = DeliveryAttempted(
        delivery_id=event.delivery_id,
        subscription_id="me",
        thread=event.thread,
        alert_id="alt-1",
        attempt=1,
        outcome="sent",
        attempted_at=NOON,
    )
    assert thread_key(event) == thread_key(ended)


class PlainTable(dict[bytes, bytes]):
    """A table without a broker."""


async def test_delivery_is_looked_at_once_it_is_kept() -> None:
    """However long a step waits before what it kept can be recalled, the pump does not pass the delivery by."""
    memory, mailbox = TableMemory(PlainTable(), Outbox), Mailbox()
    log = FoldingLog(Outboxes())
    pump = Pump(outboxes=memory, notifiers={"me": (Channel.WEBHOOK, mailbox)}, log=log, clock=FixedClock())
    pump._held = False
    running = asyncio.create_task(pump.run())
    with Staged() as staged:
        await keep_outbox(due(1), memory=memory, pump=pump)
        await asyncio.sleep(0.1)  # as long as the lease is in doubt
        await staged.settle()
    async with asyncio.timeout(5):
        while not mailbox.sent:
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
