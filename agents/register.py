"""What history holds for a subscription: what it wants of it, what it was told already, and in which order.

Only places and ids are held, a few hundred bytes a message: the messages themselves are read when their turn comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from agents.plan import Wanted
from agents.replay import Decode, decoded
from pipeline.alerts import recipients
from pipeline.alerts.route import delivery_id, routes
from pipeline.errors import DecodeError
from pipeline.events import (
    AlertRaised,
    AlertUpdated,
    AlertWithdrawn,
    DeliveryAttempted,
    DeliveryGathered,
    Event,
    SubscriptionDeclared,
)
from pipeline.ports import ReplayLog

LEDGER = "deliveries"


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


class Item(NamedTuple):
    """One message of history to one recipient."""

    told: Told
    part: str


@dataclass(kw_only=True)
class Tally:
    """What became of history: what is due in order, and how much was left out, and why."""

    due: list[Item] = field(default_factory=list)
    sent_before: int = 0
    waiting: int = 0
    withdrawn: set[str] = field(default_factory=set)


def chosen(found: Register, parts: Iterable[SubscriptionDeclared], ledger: Ledger) -> Tally:
    """Return what is to be told, oldest first; each recipient of a list is told alone.

    An alert that was withdrawn since is not told, nor what belongs to it; one that was told before it was withdrawn
    is followed by its withdrawal.
    """
    tally = Tally()
    for part in parts:
        names = recipients.names(part)
        for told in found.told.values():
            if told.alert_id in found.reasons and not _is_early(found, told):
                _choose(tally, found, told, part.subscription_id, ledger.over(names))
    tally.due.sort()
    return tally


def _choose(tally: Tally, found: Register, told: Told, part: str, over: Callable[[str], str]) -> None:
    known = over(told.id)
    if known == "sent":
        tally.sent_before += 1
    elif known:
        tally.waiting += 1
    elif told.alert_id in found.withdrawn and (told.rank == UPDATE or over(told.alert_id) != "sent"):
        tally.withdrawn.add(told.alert_id)
    else:
        tally.due.append(Item(told, part))


def _is_early(found: Register, told: Told) -> bool:
    """Say whether an update was known before its alert was told: it is told with it."""
    return told.rank == UPDATE and told.at < found.told[told.alert_id].at


@dataclass(kw_only=True)
class Ledger:
    """What became of the deliveries to a subscription and its recipients, followed as it grows."""

    log: ReplayLog
    decode: Decode
    subscription_id: str
    sent: set[str] = field(default_factory=set)
    last: dict[str, DeliveryAttempted] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)  # with others, to be told together
    _seen: dict[int, int] = field(default_factory=dict)

    def open(self) -> None:
        """Read what there is; afterwards `look` reads what came."""
        self._seen = {number: end for number, (_, end) in enumerate(self.log.spans(LEDGER))}
        self._take(decoded(self.log.records(LEDGER), self.decode))
        for event in decoded(self.log.records("gatherings"), self.decode):
            if isinstance(event, DeliveryGathered) and self._is_ours(event.due.subscription_id):
                ended = self.last.get(event.due.delivery_id)
                if not ended or ended.outcome == "failed" or ended.attempted_at < event.due.due_at:
                    self.waiting.add(event.due.delivery_id)
        self.last.clear()

    def look(self) -> None:
        """Read what came since the last look."""
        self._take(decoded(self.log.news(LEDGER, self._seen), self.decode))

    def over(self, names: Iterable[str]) -> Callable[[str], str]:
        """Return what tells of a message's id whether it was sent, or waits, under any of a recipient's names."""
        kept = tuple(names)

        def told(message: str) -> str:
            ids = {delivery_id(message, name) for name in kept}
            return "sent" if ids & self.sent else "waiting" if ids & self.waiting else ""

        return told

    def _is_ours(self, subscription_id: str) -> bool:
        return recipients.whole_id(subscription_id) == recipients.whole_id(self.subscription_id)

    def _take(self, events: Iterable[Event]) -> None:
        for event in events:
            if isinstance(event, DeliveryAttempted) and self._is_ours(event.subscription_id):
                ids = (event.delivery_id, *event.members)
                if event.outcome == "sent":
                    self.sent.update(ids)
                for one in ids:
                    before = self.last.get(one)
                    if before is None or event.attempted_at >= before.attempted_at:
                        self.last[one] = event
