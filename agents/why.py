"""Why somebody was told of an alert, or was not: from what was decided, what is silenced, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from pipeline.alerts.attempt import alert_id, gravity
from pipeline.alerts.hours import opens_at, why_held
from pipeline.alerts.route import routes
from pipeline.alerts.silence import silenced
from pipeline.alerts.window import asked
from pipeline.events import (
    AlertRaised,
    AlertUpdated,
    AlertWithdrawn,
    DeliveryAttempted,
    DeliveryDue,
    DeliveryGathered,
    Event,
    Gather,
    Origin,
    ReminderSet,
    SilenceDeclared,
    SubscriptionDeclared,
)

TOPICS = ("outbox", "gatherings", "reminders")  # what `why` is to be shown, in whatever order


def why(
    subscription: SubscriptionDeclared,
    known: Sequence[Event],
    outbox: Iterable[Event],
    *,
    silences: Iterable[SilenceDeclared] = (),
) -> Iterator[str]:
    """Yield the reasons, one line each.

    `known` is the alert with its updates, `outbox` what was due, attempted, gathered, and when that falls due.
    """
    raised = next(event for event in known if isinstance(event, AlertRaised))
    told = Record.of(raised.alert_id, subscription.subscription_id, outbox)
    yield f"{raised.alert_id}  {raised.severity.value}  {raised.title}"
    if not told.dues:
        yield f"not told: {_refusal(subscription, raised, list(silences))}"
    for due in told.dues.values():
        message = told.message_of(due)
        sent = message or due
        until = opens_at(subscription.hours, gravity(sent), sent.due_at)
        waits = message is None and due.delivery_id in told.waiting
        if subscription.hours and until and not waits:
            yield why_held(subscription.hours, until)
        yield from told.lines(due)
    for event in known:
        if isinstance(event, AlertWithdrawn):
            yield f"withdrawn {event.at:%Y-%m-%d %H:%M} UTC: {event.reason}"


class Record:
    """What the log holds of telling one alert to one subscription."""

    def __init__(self) -> None:
        self.dues: dict[str, DeliveryDue] = {}
        self.waiting: dict[str, DeliveryGathered] = {}
        self.messages: list[DeliveryDue] = []
        self.attempts: list[DeliveryAttempted] = []
        self.reminders: dict[str, ReminderSet] = {}
        self.asked: dict[str, Gather] = {}

    @classmethod
    def of(cls, alert: str, subscription_id: str, events: Iterable[Event]) -> Record:
        """Return what is on record, of whatever order the events come in."""
        record = cls()
        for event in events:
            if _whose(event) == subscription_id:
                record._take(event, alert)
        return record

    def _take(self, event: Event, alert: str) -> None:
        match event:
            case DeliveryDue(members=()) if alert_id(event) == alert:
                self.dues[event.delivery_id] = event
            case DeliveryDue() if any(alert_id(member) == alert for member in event.members):
                self.messages.append(event)
            case DeliveryGathered():
                self.asked |= {event.group: event.gather} if event.gather else {}
                if alert_id(event.due) == alert and not event.passing:
                    self.dues.setdefault(event.due.delivery_id, event.due)
                    self.waiting[event.due.delivery_id] = event
            case DeliveryAttempted():
                self.attempts.append(event)
            case ReminderSet():
                self.reminders[event.reminder_id] = event

    def message_of(self, due: DeliveryDue) -> DeliveryDue | None:
        """Return the gathered message that tells a delivery, the last one where it was asked for again."""
        found = [
            one for one in self.messages if due.delivery_id in (member.delivery_id for member in one.members)
        ]
        return found[-1] if found else None

    def lines(self, due: DeliveryDue) -> Iterator[str]:
        """Yield what became of a delivery: when and why it was due, in which message, and each attempt."""
        kind = due.withdrawal or due.update
        what = kind.how if isinstance(kind, AlertUpdated) else "withdrawal" if kind else "alert"
        yield f"{what} due {due.due_at:%Y-%m-%d %H:%M} UTC: {due.reason}"
        gathered, message = self.waiting.get(due.delivery_id), self.message_of(due)
        if gathered and (how := gathered.gather or self.asked.get(gathered.group)):
            yield f"  gathered: {asked(how)}"
        if message:
            yield f"  told in {message.delivery_id}, {_with_others(message)}"
        made = self._made(message or due) or self._made(due)
        for event in made:
            yield "  " + line(event)
        if not made:
            yield f"  {self._pending(gathered if not message else None)}"

    def _made(self, due: DeliveryDue) -> list[DeliveryAttempted]:
        made = {event.id: event for event in self.attempts if event.delivery_id == due.delivery_id}
        return sorted(made.values(), key=lambda event: (event.attempted_at, event.attempt))

    def _pending(self, gathered: DeliveryGathered | None) -> str:
        open_ones = [
            one.due_at
            for one in self.reminders.values()
            if gathered and one.group == gathered.group and not one.done
        ]
        if gathered is None or not open_ones:
            return "not attempted yet"
        return f"waits, and will be told {_moment(max(open_ones), self.asked.get(gathered.group))}"


def _whose(event: Event) -> str:
    match event:
        case DeliveryGathered():
            return event.due.subscription_id
        case DeliveryDue() | DeliveryAttempted() | ReminderSet():
            return event.subscription_id
    return ""


def _with_others(message: DeliveryDue) -> str:
    others = len({alert_id(member) for member in message.members}) - 1
    name = f"a {message.period} {message.gathered}".replace("  ", " ")
    return (
        f"{name} with {others:,} other {'alert' if others == 1 else 'alerts'}"
        if others
        else f"{name} of its own"
    )


def _moment(at: datetime, gather: Gather | None) -> str:
    zone = gather.zone if gather and gather.how != "group" else "UTC"
    return f"{at.astimezone(ZoneInfo(zone)):%A, %d %B %Y, %H:%M} ({zone})"


def _refusal(
    subscription: SubscriptionDeclared, raised: AlertRaised, silences: Sequence[SilenceDeclared]
) -> str:
    """Return why nothing was due, as the subscription stands now and as the silences stood then."""
    if raised.origin is Origin.IMPORT:
        return "it was put in from an archive, and history is not announced"
    created = subscription.created_at
    if created and created > raised.at:
        return f"the subscription was made later, {created:%Y-%m-%d %H:%M} UTC"
    quiet = silenced(raised, subscription.subscription_id, silences, at=raised.at)
    if quiet:
        return quiet
    decision = routes(raised, [subscription])[0]
    if not decision.deliver:
        return decision.reason
    open_now = routes(raised, [replace(subscription, active=True)])[0]
    return f"nothing was decided then; today it would be told: {open_now.reason}"


def line(event: DeliveryAttempted) -> str:
    """Return an attempt in one line."""
    said = f"{event.attempted_at:%Y-%m-%d %H:%M:%S}  {event.outcome}"
    facts = [
        f"attempt {event.attempt}" if event.attempt else "",
        f"status {event.status}" if event.status else "",
        f"in {event.duration_s:.2f} s" if event.duration_s else "",
        event.reason,
        f"again at {event.retry_at:%Y-%m-%d %H:%M}" if event.retry_at else "",
    ]
    return "  ".join([said, *filter(None, facts)])
