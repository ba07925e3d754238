"""History told to one subscription: in order, at a rate, and nothing twice.

One message at a time is put into the outbox, and the next one once the ledger says what became of it: order and rate
hold whatever the number of workers, a destination that is away is not heaped upon, and stopping the command stops
the telling. Ids are those of the first time; what the ledger has as sent is left out, so that it can be gone on with.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from msgspec.structs import replace

from agents.register import UPDATE, WITHDRAWAL, Item, Ledger, Register, Told
from agents.replay import Decode
from agents.route_alerts import updated
from pipeline.alerts.route import Decision, delivery
from pipeline.errors import StoreError
from pipeline.events import (
    AlertRaised,
    AlertUpdated,
    AlertWithdrawn,
    Channel,
    DeliveryAttempted,
    DeliveryDue,
    SubscriptionDeclared,
)
from pipeline.ports import Clock, ReplayLog
from pipeline.topics import WORKERS

E = TypeVar("E")
PER_MINUTE = {Channel.SLACK: 60.0, Channel.EMAIL: 60.0, Channel.CONSOLE: 600.0}
KIND_RATE = 240.0  # messages a minute to any other channel
LOOK_S, LOOK_LATE_S = 0.05, 1.0
PATIENCE_S = 20.0
NOBODY = "nothing has taken it yet: is `clausewire run` at work, and is it the reader's hour?"
IN_A_ROW = 3  # messages that were not taken, after which nothing more is sent


@dataclass(kw_only=True)
class Retelling:
    """The telling of history to one subscription; `say` hears what keeps it waiting."""

    log: ReplayLog
    topic: str
    subscription: SubscriptionDeclared
    found: Register
    ledger: Ledger
    decode: Decode
    clock: Clock
    per_minute: float
    say: Callable[[str], None] = lambda words: None
    sent: int = 0
    known: int = 0  # sent so long ago that only the program remembers
    refused: int = 0
    _in_a_row: int = 0

    async def run(self, due: Iterable[Item]) -> AsyncIterator[Item]:
        """Tell one after the other; yields each once it was taken or refused. StoreError when none is taken."""
        next_at = self.clock.now()
        for item in due:
            self.ledger.look()
            message = self.message(item)
            if message is None or message.delivery_id in self.ledger.sent:
                yield item
                continue
            await self.clock.sleep(max(0.0, (next_at - self.clock.now()).total_seconds()))
            begun = self.clock.now()
            self.ledger.last.clear()
            self.log.append([replace(message, due_at=begun)])
            self._settle(await self._settled(message.delivery_id))
            next_at = begun + self._gap
            yield item

    @property
    def _gap(self) -> timedelta:
        return timedelta(minutes=1 / self.per_minute)

    async def _settled(self, delivery: str) -> DeliveryAttempted | None:
        """Wait until a message is over; None where the program has it and does not send it, for it did before."""
        begun, said = self.clock.now(), ""
        while True:
            self.ledger.look()
            last = self.ledger.last.get(delivery)
            if last and last.outcome != "failed":
                return last
            is_late = (self.clock.now() - begun).total_seconds() > PATIENCE_S
            if is_late and not last and not self.subscription.hours and self._is_taken_up():
                return None
            waiting = _failing(last) if last else NOBODY if is_late else ""
            if waiting != said:
                said = waiting
                self.say(waiting)
            await self.clock.sleep(LOOK_LATE_S if is_late else LOOK_S)

    def _is_taken_up(self) -> bool:
        """Say whether the program has read all that was put into the outbox."""
        done = self.log.committed(WORKERS, "outbox")
        return all(done.get(n, 0) >= end for n, (_, end) in enumerate(self.log.spans("outbox")))

    def _settle(self, event: DeliveryAttempted | None) -> None:
        if event is None:
            self.known += 1
        elif event.outcome == "sent":
            self.sent += 1
            self._in_a_row = 0
        else:
            self._not_taken(event)

    def _not_taken(self, event: DeliveryAttempted) -> None:
        self.refused += 1
        self._in_a_row += 1
        self.say(f"{event.delivery_id} was {event.outcome}: {event.reason}")
        if event.disable or self._in_a_row >= IN_A_ROW:
            raise StoreError(
                f"{self.subscription.subscription_id} takes nothing: {event.reason}",
                remedy="mend the destination, then run the same command again: it goes on where it was",
            )

    def message(self, item: Item) -> DeliveryDue | None:
        """Return what is to be sent: the alert as it stood then, marked as history; None where it is not told.

        News of an alert is mailed once, not outlet by outlet.
        """
        told = item.told
        decision = Decision(
            subscription_id=item.part,
            deliver=True,
            reason=f"history, asked for: {self.found.reasons[told.alert_id]}",
        )
        alert, before = self._alert(told)
        update = self._event(told, AlertUpdated) if told.rank == UPDATE else None
        if update and update.how == "coverage" and before.coverage and self._is_mailed:
            return None
        return delivery(
            replace(alert, replayed=True),
            decision,
            due_at=told.at,
            update=replace(update, replayed=True) if update else None,
            withdrawal=self._event(told, AlertWithdrawn) if told.rank == WITHDRAWAL else None,
        )

    @property
    def _is_mailed(self) -> bool:
        return self.subscription.channel is Channel.EMAIL

    def _alert(self, told: Told) -> tuple[AlertRaised, AlertRaised]:
        """Return an alert as it stood with what is told, and as it stood before."""
        before = alert = self._event(self.found.told[told.alert_id], AlertRaised)
        for update in self.found.updates.get(told.alert_id, []):
            if update[:3] <= told[:3]:
                before, alert = alert, updated(alert, self._event(update, AlertUpdated))
        return alert, before

    def _event(self, told: Told, kind: type[E]) -> E:
        record = self.log.fetch(self.topic, told.partition, told.offset)
        event = self.decode(record.value) if record else None
        if not isinstance(event, kind):
            raise StoreError(f"{told.id} is no longer in {self.topic}", remedy="run the same command again")
        return event


def _failing(last: DeliveryAttempted) -> str:
    again = f"; tried again at {last.retry_at:%H:%M:%S} UTC" if last.retry_at else ""
    return f"{last.delivery_id} failed ({last.reason}){again}; what follows waits for it"
