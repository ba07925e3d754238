"""History told to one subscription on either broker: in order, at a rate, nothing twice, and gone on with."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from agents.commands.reading import InputError
from pipeline.adapters.kafka.connection import is_kafka
from pipeline.adapters.kafka.start import kafka_of
from pipeline.errors import DeliveryError, RefusedError, StoreError
from pipeline.events import (
    AlertRaised,
    AlertUpdated,
    AlertWithdrawn,
    Channel,
    DeliveryDue,
    Event,
    Origin,
    Severity,
    SubscriptionDeclared,
)
from tests.adapters.log_broker import KINDS
from tests.fakes import NOON, FixedClock, Mailbox
from tests.flow.deployed import Deployment, deployed
from tests.flow.line import DOCUMENT, Line, line

RETELL = ("replay", "--topic", "alerts.raised", "--deliver-to", "me")


class Ticking(FixedClock):
    """The machine's clock: the commands beside the program go by it."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@pytest.fixture(params=KINDS)
def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deployment]:
    with deployed(request, tmp_path) as made:
        yield made


@pytest.fixture
def embedded(tmp_path: Path) -> Deployment:
    return Deployment(tmp_path, f"embedded://{tmp_path}/log.db")


def alert(day: int, *, severity: Severity = Severity.HIGH, kind: str = "change") -> AlertRaised:
    """An alert of the past that nobody was told of, for it came from an archive."""
    return AlertRaised(
        alert_id=f"alt-{day}",
        kind=kind,
        raised_at=NOON + timedelta(days=day),
        title=f"Change {day}",
        summary="",
        severity=severity,
        document=DOCUMENT,
        origin=Origin.IMPORT,
    )


def update(day: int, *, of: int) -> AlertUpdated:
    return AlertUpdated(
        alert_id=f"alt-{of}", updated_at=NOON + timedelta(days=day), how="in-force", cause_id="chg-1"
    )


def withdrawal(day: int, *, of: int) -> AlertWithdrawn:
    return AlertWithdrawn(
        alert_id=f"alt-{of}", withdrawn_at=NOON + timedelta(days=day), reason="it went back", cause_id="chg-1"
    )


def put_in(deployment: Deployment, *events: Event) -> None:
    with deployment.open() as history:
        history.append(events)


@asynccontextmanager
async def running(deployment: Deployment, mailbox: Mailbox | None = None) -> AsyncIterator[Line]:
    """Run the program, which sends what falls due to a mailbox."""
    kafka = kafka_of(deployment.settings) if is_kafka(deployment.settings.broker) else None
    async with line(deployment.config.parent, mailbox, Ticking(), kafka) as run:
        yield run


async def told(deployment: Deployment, *words: str, status: int = 0) -> str:
    return await asyncio.to_thread(deployment.command, *RETELL, *words, status=status)


def ids(sent: list[DeliveryDue]) -> list[str]:
    """Return which alert, or what of it, each message was about."""
    return [
        ("in-force " if due.update else "withdrawn " if due.withdrawal else "") + due.alert.alert_id
        for due in sent
        if due.alert
    ]


async def test_history_is_told_in_order(deployment: Deployment) -> None:
    """Alerts and their updates come oldest first, marked as history; what was withdrawn since is left out, and said."""
    put_in(deployment, alert(3), alert(1), alert(2), update(4, of=1), withdrawal(5, of=2), alert(6))
    async with running(deployment) as run:
        output = await told(deployment, "--rate", "6000")
    assert ids(run.mailbox.sent) == ["alt-1", "alt-3", "in-force alt-1", "alt-6"]
    assert all(due.alert and due.alert.replayed for due in run.mailbox.sent)
    assert "4 messages are due to me; left out: 1 withdrawn since" in output


async def test_killed_telling_goes_on(deployment: Deployment) -> None:
    """Killed in the middle and run again, it tells the rest: nothing twice, nothing left out, in order."""
    put_in(deployment, *(alert(day) for day in range(8)))
    async with running(deployment) as run:
        victim = await asyncio.to_thread(deployment.process, *RETELL, "--rate", "240")
        await run.until(lambda: len(run.mailbox.sent) >= 2, within_s=60)
        victim.send_signal(signal.SIGKILL)
        await asyncio.to_thread(victim.wait)
        before = len(run.mailbox.sent)
        await told(deployment, "--rate", "6000")
    assert before < 8
    assert ids(run.mailbox.sent) == [f"alt-{day}" for day in range(8)]


async def test_rate_is_kept(embedded: Deployment) -> None:
    """Between one message and the next lies at least what the rate asks for."""
    put_in(embedded, *(alert(day) for day in range(4)))
    async with running(embedded) as run:
        await told(embedded, "--rate", "150")
    gaps = [after.due_at - before.due_at for before, after in pairwise(run.mailbox.sent)]
    assert min(gaps) >= timedelta(seconds=0.4)


async def test_told_once(embedded: Deployment) -> None:
    """What was told is not told again, and nothing is due."""
    put_in(embedded, alert(1), alert(2))
    async with running(embedded) as run:
        await told(embedded, "--rate", "6000")
        again = await told(embedded)
    assert again == "0 messages are due to me; left out: 2 sent before\n"
    assert len(run.mailbox.sent) == 2


async def test_withdrawal_follows_what_was_told(embedded: Deployment) -> None:
    """Who was told of an alert that was withdrawn then is told that by the next telling."""
    put_in(embedded, alert(1))
    async with running(embedded) as run:
        await told(embedded)
        put_in(embedded, withdrawal(2, of=1))
        await told(embedded)
    assert ids(run.mailbox.sent) == ["alt-1", "withdrawn alt-1"]


async def test_failure_holds_back_what_follows(embedded: Deployment) -> None:
    """A message that fails is waited for: none overtakes it."""
    put_in(embedded, alert(1), alert(2))
    mailbox = Mailbox(failures=[DeliveryError("busy", retry_after_s=0.2)])
    async with running(embedded, mailbox) as run:
        output = await told(embedded, "--rate", "6000")
    assert "failed (busy)" in output
    assert ids(run.mailbox.sent) == ["alt-1", "alt-2"]


async def test_refused_message_is_tried_by_the_next_telling(embedded: Deployment) -> None:
    """A message that was refused is left behind, and due again when the same is asked for once more."""
    put_in(embedded, alert(1), alert(2))
    mailbox = Mailbox(failures=[RefusedError("no such thing")])
    async with running(embedded, mailbox) as run:
        output = await told(embedded, "--rate", "6000")
        assert ids(run.mailbox.sent) == ["alt-2"]
        await told(embedded, "--rate", "6000")
    assert "1 sent, 1 not taken" in output
    assert ids(run.mailbox.sent) == ["alt-2", "alt-1"]


async def test_deaf_destination_stops_it(embedded: Deployment) -> None:
    """After three messages in a row that were not taken nothing more is sent, and it is said what to do."""
    put_in(embedded, *(alert(day) for day in range(6)))
    mailbox = Mailbox(failures=[RefusedError("gone") for _ in range(6)])
    async with running(embedded, mailbox):
        with pytest.raises(StoreError, match="takes nothing: gone"):
            await told(embedded, "--rate", "6000")
    assert len(mailbox.failures) == 3


async def test_only_what_is_asked_for(embedded: Deployment) -> None:
    """A subscription is told what its filters let through, in the range that is named."""
    put_in(embedded, alert(0), alert(1), alert(2, kind="health"), alert(3))
    async with running(embedded) as run:
        until = f"{NOON + timedelta(days=3):%Y-%m-%d}"
        output = await told(embedded, "--since", f"{NOON + timedelta(days=1):%Y-%m-%d}", "--until", until)
    assert ids(run.mailbox.sent) == ["alt-1"]
    assert "1 not what it asks for" in output


def test_dry_run_sends_nothing(embedded: Deployment) -> None:
    """What would be told is counted, and nothing falls due."""
    put_in(embedded, alert(1))
    assert "1 messages are due to me" in embedded.command(*RETELL, "--dry-run", status=0)
    with embedded.open() as history:
        assert list(history.records("outbox")) == []


def test_subscription_of_the_log_is_known(embedded: Deployment) -> None:
    """A subscription that was made by command or API can be told history."""
    put_in(
        embedded,
        alert(1),
        SubscriptionDeclared(
            subscription_id="sub-1", name="Mine", channel=Channel.CONSOLE, declared_at=NOON, by="api"
        ),
    )
    given = (*RETELL[:-1], "Mine", "--dry-run")
    assert "1 messages are due to sub-1" in embedded.command(*given, status=0)


@pytest.mark.parametrize(
    ("active", "name", "fact"), [(False, "Mine", "is off"), (True, "Nobody", "no subscription 'Nobody'")]
)
def test_nobody_to_tell(embedded: Deployment, active: bool, name: str, fact: str) -> None:
    """A subscription that is off, or is not there, ends in a sentence."""
    put_in(
        embedded,
        SubscriptionDeclared(
            subscription_id="sub-1",
            name="Mine",
            channel=Channel.CONSOLE,
            declared_at=NOON,
            active=active,
            by="api",
        ),
    )
    with pytest.raises(InputError, match=fact):
        embedded.command(*RETELL[:-1], name)
