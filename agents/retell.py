"""History told to one subscription: in order, at a rate, and nothing twice.

One message at a time is put into the outbox, and the next one once the ledger says what became of it: order and rate
hold whatever the number of workers, a destination that is away is not heaped upon, and stopping the command stops
the telling. Ids are those of the first time; what the ledger has as sent is left out, so that it can be gone on with.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from msgspec.structs import replace

from agents.replay import Decode, Wanted, decoded
from agents.route_alerts import updated
from pipeline.alerts.route import Decision, delivery, delivery_id, routes
from pipeline.errors import DecodeError, StoreError
from pipeline.events import (
    AlertRaised,
    AlertUpdated,
    AlertWithdrawn,
    Channel,
    DeliveryAttempted,
    DeliveryDue,
    Event,
    SubscriptionDeclared,
)
from pipeline.ports import Clock, ReplayLog

E = TypeVar("E")
LEDGER = "deliveries"
PER_MINUTE = {Channel.SLACK: 60.0, Channel.EMAIL: 60.0, Channel.CONSOLE: 600.0}
KIND_RATE = 240.0  # messages a minute to any other channel
LOOK_S = 0.05
PATIENCE_S = 20.0
IN_A_ROW = 3  # messages that were not taken, after which nothing more is sent


class Told(NamedTuple):
    """A message of history: when, the id of what is told, about which alert, and where its record lies."""

    at: datetime
    rank: int
    id: str
    alert_id: str
    partition: int
    offset: int


ALERT, UPDATE, WITHDRAWAL = range(3)


@dataclass(kw_only=True)
class Register:
    """What history holds for a subscription, without the messages themselves."""

    told: dict[str, Told] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)  # of each alert that the subscription wants
    withdrawn: set[str] = field(default_factory=set)
    refused: int = 0
    updates: dict[str, list[Told]] = field(default_factory=dict)  # of each alert, oldest first


def register(
    log: ReplayLog, topic: str, wanted: Wanted, subscription: SubscriptionDeclared, decode: Decode
) -> Register:
    """Read what there is to be told of a topic of alerts, and what the subscription wants of it."""
    found, everyone = Register(), replace(subscription, active=True)
    for record in log.records(topic, since=wanted.since):
        try:
            event = decode(record.value)
        except DecodeError:
            continue
        place = (record.partition, record.offset)
        if isinstance(event, AlertRaised) and _is_asked_for(event, wanted):
            _take_alert(found, event, everyone, place)
        elif isinstance(event, AlertUpdated) and wanted.covers(event.at):
            found.told.setdefault(event.id, Told(event.at, UPDATE, event.id, event.alert_id, *place))
        elif isinstance(event, AlertWithdrawn):
            found.withdrawn.add(event.alert_id)
            found.told.setdefault(event.id, Told(event.at, WITHDRAWAL, event.id, event.alert_id, *place))
    for told in sorted(found.told.values()):
        if told.rank == UPDATE:
            found.updates.setdefault(told.alert_id, []).append(told)
    return found


def _is_asked_for(alert: AlertRaised, wanted: Wanted) -> bool:
    documents = wanted.documents
    return wanted.covers(alert.at) and (
        not documents or (alert.document is not None and alert.document.id in documents)
    )


def _take_alert(
    found: Register, alert: AlertRaised, subscription: SubscriptionDeclared, place: tuple[int, int]
) -> None:
    if alert.id in found.told:
        return
    decision = routes(alert, [subscription])[0]
    found.told[alert.id] = Told(alert.at, ALERT, alert.id, alert.id, *place)
    if decision.deliver:
        found.reasons[alert.id] = decision.reason
    else:
        found.refused += 1


@dataclass(kw_only=True)
class Tally:
    """What became of history: what is due in order, and how much was left out, and why."""

    due: list[Told]
    sent_before: int = 0
    withdrawn: int = 0
    refused: int = 0


def chosen(found: Register, subscription_id: str, taken: set[str]) -> Tally:
    """Return what is to be told, oldest first.

    An alert that was withdrawn since is not told, nor what belongs to it; one that was told before it was withdrawn
    is followed by its withdrawal.
    """
    tally = Tally(due=[], refused=found.refused)
    for told in sorted(found.told.values()):
        if told.alert_id not in found.reasons:
            continue
        alert_told = delivery_id(told.alert_id, subscription_id) in taken
        if told.alert_id in found.withdrawn and (not alert_told or told.rank == UPDATE):
            tally.withdrawn += told.rank == ALERT
        elif delivery_id(told.id, subscription_id) in taken:
            tally.sent_before += 1
        elif not _is_early(found, told):
            tally.due.append(told)
    return tally


def _is_early(found: Register, told: Told) -> bool:
    """Say whether an update was known before its alert was told: it is told with it."""
    alert = found.told[told.alert_id]
    return told.rank == UPDATE and told.at < alert.at


@dataclass(kw_only=True)
class Ledger:
    """What became of the deliveries to a subscription, followed as it grows."""

    log: ReplayLog
    decode: Decode
    subscription_id: str
    taken: set[str] = field(default_factory=set)
    last: dict[str, DeliveryAttempted] = field(default_factory=dict)
    _seen: dict[int, int] = field(default_factory=dict)

    def open(self) -> None:
        """Read what there is; afterwards `look` reads what came."""
        self._seen = {number: end for number, (_, end) in enumerate(self.log.spans(LEDGER))}
        self._take(decoded(self.log.records(LEDGER), self.decode))
        self.last.clear()

    def look(self) -> None:
        """Read what came since the last look."""
        self._take(decoded(self.log.news(LEDGER, self._seen), self.decode))

    def _take(self, events: Iterable[Event]) -> None:
        for event in events:
            if isinstance(event, DeliveryAttempted) and event.subscription_id == self.subscription_id:
                ids = (event.delivery_id, *event.members)
                if event.outcome == "sent":
                    self.taken.update(ids)
                for one in ids:
                    self.last[one] = event


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
    refused: int = 0
    _in_a_row: int = 0

    async def run(self, due: Iterable[Told]) -> AsyncIterator[Told]:
        """Tell one after the other; yields each once it was taken or refused. StoreError when none is taken."""
        next_at = self.clock.now()
        for told in due:
            self.ledger.look()
            message = self.message(told)
            if message is None or message.delivery_id in self.ledger.taken:
                yield told
                continue
            await self.clock.sleep(max(0.0, (next_at - self.clock.now()).total_seconds()))
            begun = self.clock.now()
            self.ledger.last.clear()
            self.log.append([replace(message, due_at=begun)])
            self._settle(await self._settled(message.delivery_id))
            next_at = begun + self._gap
            yield told

    @property
    def _gap(self) -> timedelta:
        return timedelta(minutes=1 / self.per_minute)

    async def _settled(self, delivery: str) -> DeliveryAttempted:
        begun, said = self.clock.now(), ""
        while True:
            self.ledger.look()
            last = self.ledger.last.get(delivery)
            if last and last.outcome != "failed":
                return last
            waiting = _waiting(last) if last else ""
            if not last and (self.clock.now() - begun).total_seconds() > PATIENCE_S:
                waiting = (
                    "nothing has taken it yet: is `clausewire run` at work, and is it the reader's hour?"
                )
            if waiting != said:
                said = waiting
                self.say(waiting)
            await self.clock.sleep(LOOK_S)

    def _settle(self, event: DeliveryAttempted) -> None:
        if event.outcome == "sent":
            self.sent += 1
            self._in_a_row = 0
            return
        self.refused += 1
        self._in_a_row += 1
        self.say(f"{event.delivery_id} was {event.outcome}: {event.reason}")
        if event.disable or self._in_a_row >= IN_A_ROW:
            raise StoreError(
                f"{self.subscription.subscription_id} takes nothing: {event.reason}",
                remedy="mend the destination, then run the same command again: it goes on where it was",
            )

    def message(self, told: Told) -> DeliveryDue | None:
        """Return what is to be sent: the alert as it stood then, marked as history; None where it is not told.

        News of an alert is mailed once, not outlet by outlet.
        """
        decision = Decision(
            subscription_id=self.subscription.subscription_id,
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


def _waiting(last: DeliveryAttempted) -> str:
    again = f"; tried again at {last.retry_at:%H:%M:%S} UTC" if last.retry_at else ""
    return f"{last.delivery_id} failed ({last.reason}){again}; what follows waits for it"
