"""A destination that fails for five days, and recipients who fare differently, through the real program."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path

import pytest
from msgspec.structs import replace

from agents.recover import missed
from agents.serve import running
from agents.subscribe import resumed
from pipeline.adapters.history import open_history
from pipeline.adapters.wire import decode
from pipeline.config import Settings
from pipeline.config.loading import parse
from pipeline.events import AlertRaised, DeliveryAttempted, Event, Severity, SubscriptionDeclared
from tests.adapters.hooks import Receiver, receiving
from tests.adapters.post import Mailbox, mailing
from tests.fakes import NOON, FixedClock

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
FILE = """
smtp: {host: 127.0.0.1, port: %d, security: none, from: clausewire@example.org}
routes:
  - name: Compliance
    to: {webhook: {url: "%s", secret_env: HOOK, allow_private: true}}
    contact: owner@example.org
  - name: Legal
    to: {email: {to: [anna@example.org, gone@example.org, bo@example.org]}}
  - name: Operators
    to: {console: health.txt}
    only: {kinds: [health]}
"""


def alert(number: int, *, days: float = 0) -> AlertRaised:
    return AlertRaised(
        alert_id=f"alt-{number}", kind="change", raised_at=NOON + timedelta(days=days),
        title=f"Change number {number}", summary="It changed.", severity=Severity.HIGH,
    )  # fmt: skip


class World:
    """The running program, a receiver, a mail server, the clock, and what the log holds."""

    def __init__(
        self, folder: Path, receiver: Receiver, box: Mailbox, clock: FixedClock, broker: str
    ) -> None:
        self.folder, self.receiver, self.box, self.clock = folder, receiver, box, clock
        file = FILE % (box.port, receiver.url()) + broker
        self.settings: Settings = parse(file.encode(), folder / "clausewire.yaml", {"HOOK": SECRET})

    def events(self, topic: str) -> list[Event]:
        with open_history(self.settings) as history:
            return [decode(record.value) for record in history.records(topic)]

    def put(self, *events: Event) -> None:
        with open_history(self.settings) as history:
            history.append(events)

    def attempts(self, to: str) -> list[DeliveryAttempted]:
        found = self.events("deliveries")
        return [one for one in found if isinstance(one, DeliveryAttempted) and one.subscription_id == to]

    def declared(self) -> SubscriptionDeclared:
        """Return the webhook as it was declared last."""
        found = [one for one in self.events("subscriptions") if isinstance(one, SubscriptionDeclared)]
        return [one for one in found if one.subscription_id == "compliance"][-1]

    def delivered(self) -> Counter[str]:
        """Return how often each message was taken by the endpoint."""
        sent = [one.delivery_id for one in self.attempts("compliance") if one.outcome == "sent"]
        return Counter(sent)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds; meanwhile the clock goes on, faster than ours."""
        async with asyncio.timeout(60):
            while not holds():
                await asyncio.sleep(0.05)
                self.clock.moment += timedelta(seconds=1)

    async def retried(self, until_day: float) -> None:
        """Let the time pass from retry to retry, up to a day."""
        while self.clock.now() < NOON + timedelta(days=until_day):
            made = self.attempts("compliance")
            again = made[-1].retry_at
            if again is None or not self.declared().active:
                return
            self.clock.moment = max(again, self.clock.now())
            await self.until(lambda number=len(made): len(self.attempts("compliance")) > number)  # type: ignore[misc]


@asynccontextmanager
async def world(folder: Path, broker: str = "") -> AsyncIterator[World]:
    clock = FixedClock()
    async with receiving() as receiver, mailing() as box:
        made = World(folder, receiver, box, clock, broker)
        async with running(made.settings, clock):
            yield made


def subjects(box: Mailbox, to: str) -> list[str]:
    mails = [message_from_bytes(one.content) for one in box.mails if one.rcpt_tos == [to]]  # type: ignore[arg-type]
    return [str(mail["Subject"]) for mail in mails]


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def broker(request: pytest.FixtureRequest) -> str:
    """Lines of the configuration that name the broker."""
    if request.param == "embedded":
        return ""
    prefix = f"failing-{uuid.uuid4().hex[:8]}."
    address = request.getfixturevalue("kafka")
    return f"broker: kafka://{address}\nkafka: {{prefix: {prefix}, partitions: 2, session_timeout: 6s}}\n"


async def test_five_days_of_500_then_all_is_recovered(tmp_path: Path, broker: str) -> None:
    """An endpoint that answers 500 for five days is warned of, switched off and told of; resumed, it misses nothing."""
    async with world(tmp_path, broker) as run:
        run.receiver.script = [500] * 100
        run.put(alert(1))
        await run.until(lambda: len(run.attempts("compliance")) == 1)
        await run.retried(until_day=9)
        assert run.attempts("compliance")[-1].outcome == "gave-up"

        run.clock.moment = NOON + timedelta(days=5, hours=1)
        run.put(alert(2, days=5.04))
        await run.until(lambda: not run.declared().active)
        run.put(alert(3, days=5.05))
        await run.until(lambda: len(subjects(run.box, "owner@example.org")) == 2)
        assert "has taken nothing for a day" in subjects(run.box, "owner@example.org")[0]
        for title in ("has taken nothing for a day", "is told no longer"):
            await run.until(lambda title=title: title in (tmp_path / "health.txt").read_text())  # type: ignore[misc]

        run.receiver.script, run.clock.moment = [], NOON + timedelta(days=6)
        one = run.declared()
        run.put(resumed(one, at=run.clock.now()))
        raised = run.events("alerts.raised")
        run.put(*missed(replace(one, active=True), raised, run.events("deliveries"), at=run.clock.now()))
        await run.until(lambda: len(run.delivered()) == 3)
        run.clock.moment += timedelta(days=2)
        await asyncio.sleep(0.5)
    assert list(run.delivered().values()) == [1, 1, 1]
    assert run.declared().active


async def test_each_recipient_gets_their_own_mail(tmp_path: Path) -> None:
    """Of three recipients one mailbox is gone: the others get a mail each, with its own id, and it stands in the ledger."""
    async with world(tmp_path) as run:
        run.box.verdicts["gone@example.org"] = "550 5.1.1 no such user"
        run.put(alert(1))
        await run.until(lambda: len([one for one in run.events("deliveries") if _is_mail(one)]) == 3)
    taken = [(one.rcpt_tos, message_from_bytes(one.content)) for one in run.box.mails]  # type: ignore[arg-type]
    assert sorted(to for to, _ in taken) == [["anna@example.org"], ["bo@example.org"]]
    assert [mail["To"] for _, mail in taken] == [to[0] for to, _ in taken]
    assert len({mail["Message-ID"] for _, mail in taken}) == 2
    outcomes = sorted(one.outcome for one in run.events("deliveries") if _is_mail(one))  # type: ignore[attr-defined]
    assert outcomes == ["refused", "sent", "sent"]


def _is_mail(event: Event) -> bool:
    return isinstance(event, DeliveryAttempted) and event.subscription_id.startswith("legal/")
