"""What one subscription is still to be told about one thread: a pure fold over due and attempted deliveries.

Order is the log's: within a thread nothing overtakes what came before it, so an update waits for its alert,
and a later alert for an earlier one, until that is sent or given up. Memory is bounded; a repeat of what was
settled changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from msgspec import field
from msgspec.structs import replace

from pipeline.alerts.attempt import JITTER, LONGEST_HINT_S, alert_id, members, what
from pipeline.alerts.route import delivery_id
from pipeline.alerts.slim import sharing
from pipeline.events import AlertUpdated, DeliveryAttempted, DeliveryDue, Value

SETTLED = 256  # settled deliveries remembered per thread, to recognise repeats
TOLD = 32  # alerts of a thread whose messages can still be updated
AHEAD = timedelta(minutes=1)  # how far the clocks of machines may differ
UPDATES = 32  # updates remembered per alert
WAITING = 750_000  # bytes of all that waits in a thread; a record has room for a mebibyte
SHOWN = 100_000  # bytes of all updates remembered in a thread
GATHERED = 512  # alerts of gathered messages that news can still be told under, counted by whole messages


class Pending(Value, frozen=True, kw_only=True):
    """A delivery still to be made: attempts made so far, and when the next one is due."""

    due: DeliveryDue
    next_at: datetime
    attempts: int = 0
    ambiguous: bool = False  # an attempt may have arrived after all
    traceparent: str = ""  # the trace that it belongs to


class Settled(Value, frozen=True, kw_only=True):
    """A delivery that is over, and how."""

    delivery_id: str
    outcome: str
    at: datetime


class Told(Value, frozen=True, kw_only=True):
    """The message of an alert: what the channel gave back for it, and the updates told since."""

    alert_id: str
    receipt: dict[str, str] = field(default_factory=dict)
    updates: tuple[AlertUpdated, ...] = ()


class Together(Value, frozen=True, kw_only=True):
    """A gathered message: what the channel gave back for it, and the alerts that it told."""

    receipt: dict[str, str]
    alerts: tuple[str, ...]


class Outbox(Value, frozen=True, kw_only=True):
    """The state of one thread at one subscription; `root` is the receipt of the message that opened it."""

    pending: tuple[Pending, ...] = ()
    settled: tuple[Settled, ...] = ()
    told: tuple[Told, ...] = ()
    root: dict[str, str] = field(default_factory=dict)
    together: tuple[Together, ...] = ()


def due(outbox: Outbox, event: DeliveryDue, *, traceparent: str = "") -> Outbox:
    """Take a delivery in; a repeat leaves the outbox as it was.

    One that was refused or given up is taken in again when it was asked for after that (`deliveries retry`).
    """
    if _pending(outbox, event.delivery_id) or _is_settled(outbox, event):
        return outbox
    settled = tuple(old for old in outbox.settled if old.delivery_id != event.delivery_id)
    pending = Pending(due=event, next_at=event.due_at, traceparent=traceparent)
    return replace(outbox, pending=_fitted((*outbox.pending, pending)), settled=settled)


def attempted(outbox: Outbox, event: DeliveryAttempted) -> Outbox:
    """Take in how an attempt ended; a repeat leaves the outbox as it was."""
    pending = _pending(outbox, event.delivery_id)
    if pending is None:
        return _left_out(outbox, event)
    if event.outcome == "failed":
        return _postponed(outbox, pending, event)
    outbox = _closed(outbox, event)
    return _remembered(outbox, pending.due, event) if event.outcome == "sent" else outbox


def next_up(outbox: Outbox, now: datetime) -> DeliveryDue | None:
    """Return what to send now, with the updates told before it; None when nothing is due yet."""
    head = _head(outbox)
    if head is None or not _is_due(head, now):
        return None
    told = _told(outbox, alert_id(head.due))
    return replace(head.due, earlier=told.updates) if told and told.updates else head.due


def _is_due(pending: Pending, now: datetime) -> bool:
    """Say whether to send; what lies further ahead than any wait was reckoned by a clock that has been set back."""
    longest = timedelta(seconds=LONGEST_HINT_S * (1 + JITTER)) if pending.attempts else AHEAD
    return not timedelta() < pending.next_at - now <= longest


def wake_at(outbox: Outbox) -> datetime | None:
    """Return when the next attempt is due; None when nothing is left to send."""
    head = _head(outbox)
    return head.next_at if head else None


def attempt_of(outbox: Outbox, delivery: DeliveryDue) -> int:
    """Return the number of the attempt that sending this delivery now would be; the first is 1."""
    pending = _pending(outbox, delivery.delivery_id)
    return pending.attempts + 1 if pending else 1


def traceparent_of(outbox: Outbox, delivery: DeliveryDue) -> str:
    """Return the trace that a delivery came with."""
    pending = _pending(outbox, delivery.delivery_id)
    return pending.traceparent if pending else ""


def parent(outbox: Outbox, delivery: DeliveryDue) -> dict[str, str] | None:
    """Return the receipt that a message belongs under, None when it stands alone.

    For an update or a withdrawal that is the message of its alert, and never another alert's, which it would
    overwrite; for an alert the root of its thread. A gathered message stands alone; news of its alerts belongs into
    its thread and leaves it as it is: what is given back then names no message to change (`ts`).
    """
    if delivery.members:
        return None
    if what(delivery) == "alert":
        return outbox.root or None
    told = _told(outbox, alert_id(delivery))
    return (told.receipt if told else None) or _thread_of(outbox, alert_id(delivery))


def overtaken(outbox: Outbox) -> tuple[tuple[DeliveryDue, str], ...]:
    """Return what need no longer be sent, with the reason; record each as skipped.

    That is an alert withdrawn before anybody was told of it, with its updates and the withdrawal itself; one that
    waits in a gathered message leaves it.
    """
    gone = _withdrawn_unsent(outbox)
    reason = "the alert was withdrawn before it was told here"
    dues = [
        one
        for pending in outbox.pending
        for one in (
            *(replace(member, thread=pending.due.thread) for member in pending.due.members),
            pending.due,
        )
    ]
    return tuple((due, reason) for due in dues if alert_id(due) in gone) if gone else ()


def is_pending(outbox: Outbox, event: DeliveryAttempted) -> bool:
    """Say whether the outbox has yet to take in how an attempt ended."""
    pending = _pending(outbox, event.delivery_id)
    waits = pending is not None and not (pending.attempts >= event.attempt > 0)
    return waits or (event.outcome == "skipped" and _holding(outbox, event.delivery_id) is not None)


def _withdrawn_unsent(outbox: Outbox) -> frozenset[str]:
    withdrawn = {alert_id(old.due) for old in outbox.pending if what(old.due) == "withdrawal"}
    if not withdrawn:
        return frozenset()
    waiting = [one for old in outbox.pending if not old.ambiguous for one in (old.due, *old.due.members)]
    unsent = {alert_id(due) for due in waiting if what(due) == "alert"}
    skipped = {old.delivery_id for old in outbox.settled if old.outcome == "skipped"}
    half_done = {
        alert for alert in withdrawn if any(_told_as(old.due, alert) in skipped for old in outbox.pending)
    }
    return frozenset((unsent & withdrawn) | half_done)


def _told_as(due: DeliveryDue, alert: str) -> str:
    """Return the id of telling an alert to a delivery's subscription."""
    return delivery_id(alert, due.subscription_id)


def _head(outbox: Outbox) -> Pending | None:
    gone = _withdrawn_unsent(outbox)
    standing = (_standing(pending, gone) for pending in outbox.pending)
    return next((pending for pending in standing if pending), None)


def _standing(pending: Pending, gone: frozenset[str]) -> Pending | None:
    """Return what is still to be told of something pending, None where nothing is."""
    if not pending.due.members:
        return None if alert_id(pending.due) in gone else pending
    kept = tuple(member for member in pending.due.members if alert_id(member) not in gone)
    if len(kept) == len(pending.due.members):
        return pending
    return replace(pending, due=replace(pending.due, members=kept)) if kept else None


def _left_out(outbox: Outbox, event: DeliveryAttempted) -> Outbox:
    """Return the outbox whose gathered message no longer tells what was skipped."""
    holding = _holding(outbox, event.delivery_id)
    if event.outcome != "skipped" or holding is None:
        return outbox
    kept = tuple(one for one in holding.due.members if one.delivery_id != event.delivery_id)
    left = (replace(holding, due=replace(holding.due, members=kept)),) if kept else ()
    settled = Settled(delivery_id=event.delivery_id, outcome=event.outcome, at=event.attempted_at)
    return replace(
        outbox,
        pending=tuple(one for old in outbox.pending for one in (left if old is holding else (old,))),
        settled=(*outbox.settled, settled)[-SETTLED:],
    )


def _holding(outbox: Outbox, member: str) -> Pending | None:
    """Return the gathered message that a delivery waits in."""
    return next((old for old in outbox.pending if member in members(old.due)), None)


def _lately(together: tuple[Together, ...]) -> tuple[Together, ...]:
    """Return the last gathered messages, as many as tell no more alerts than are remembered; at least the last."""
    alerts = 0
    for number, one in enumerate(reversed(together)):
        alerts += max(len(one.alerts), 1)
        if number and alerts > GATHERED:
            return together[-number:]
    return together


def _thread_of(outbox: Outbox, alert: str) -> dict[str, str] | None:
    """Return where news of an alert belongs that was told in a gathered message."""
    found = next((one.receipt for one in reversed(outbox.together) if alert in one.alerts), None)
    return _without_ts(found) if found else None


def _without_ts(receipt: dict[str, str]) -> dict[str, str]:
    thread = receipt.get("thread_ts") or receipt.get("ts")
    rest = {name: value for name, value in receipt.items() if name not in {"ts", "thread_ts"}}
    return {**rest, "thread_ts": thread} if thread else rest


def _pending(outbox: Outbox, delivery_id: str) -> Pending | None:
    return next((pending for pending in outbox.pending if pending.due.delivery_id == delivery_id), None)


def _told(outbox: Outbox, alert: str) -> Told | None:
    return next((told for told in reversed(outbox.told) if told.alert_id == alert), None)


def _is_settled(outbox: Outbox, event: DeliveryDue) -> bool:
    return any(
        old.delivery_id == event.delivery_id and (old.outcome == "sent" or event.due_at <= old.at)
        for old in outbox.settled
    )


def _fitted(pending: tuple[Pending, ...]) -> tuple[Pending, ...]:
    """Return what is pending; deliveries that wait for each other share the room of one record."""
    dues = sharing([one.due for one in pending], budget=WAITING)
    return tuple(replace(one, due=due) for one, due in zip(pending, dues, strict=True))


def _lasting(told: Iterable[Told]) -> tuple[Told, ...]:
    """Return the last alerts told; where they take much, the updates of those told longest ago are forgotten."""
    kept: list[Told] = []
    left = SHOWN
    for one in reversed(tuple(told)[-TOLD:]):
        left -= sum(len(msgspec.json.encode(update)) for update in one.updates)
        kept.insert(0, one if left >= 0 or not kept else replace(one, updates=()))
    return tuple(kept)


def _postponed(outbox: Outbox, pending: Pending, event: DeliveryAttempted) -> Outbox:
    if event.attempt <= pending.attempts:
        return outbox
    later = replace(
        pending,
        attempts=event.attempt,
        next_at=event.retry_at or event.attempted_at,
        ambiguous=pending.ambiguous or event.ambiguous,
    )
    return replace(outbox, pending=tuple(later if old is pending else old for old in outbox.pending))


def _closed(outbox: Outbox, event: DeliveryAttempted) -> Outbox:
    settled = Settled(delivery_id=event.delivery_id, outcome=event.outcome, at=event.attempted_at)
    return replace(
        outbox,
        pending=tuple(old for old in outbox.pending if old.due.delivery_id != event.delivery_id),
        settled=(*outbox.settled, settled)[-SETTLED:],
    )


def _remembered(outbox: Outbox, delivery: DeliveryDue, event: DeliveryAttempted) -> Outbox:
    """Keep what the channel gave back, and which updates the alert's message now shows."""
    if delivery.members:
        told_ones = tuple(alert_id(member) for member in delivery.members if what(member) == "alert")
        together = Together(receipt=event.receipt, alerts=told_ones)
        return replace(outbox, together=_lately((*outbox.together, together)))
    told = _told(outbox, event.alert_id) or Told(alert_id=event.alert_id)
    if what(delivery) == "alert":
        told = replace(told, receipt=event.receipt)
    if delivery.update:
        told = replace(told, updates=(*told.updates, delivery.update)[-UPDATES:])
    rest = tuple(old for old in outbox.told if old.alert_id != event.alert_id)
    root = outbox.root or ({} if delivery.gathered else event.receipt)
    return replace(outbox, told=_lasting((*rest, told)), root=root)
