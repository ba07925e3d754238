"""What one subscription hears together: a pure fold over deliveries that wait, and the messages that come of it.

A window opens with the first delivery and is closed by an event of its own, so that the log's order alone says
which deliveries are in which message: a crash anywhere repeats the same message under the same id, no alert is in
two of them and none in none. A group of one alert is told as if nothing gathered; a digest of one stays a digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec.structs import replace

from pipeline.alerts.attempt import alert_id, skipped, what
from pipeline.alerts.render.words import count
from pipeline.alerts.slim import BUDGET, fitted, size
from pipeline.alerts.window import asked, next_close
from pipeline.events import (
    AlertRaised,
    Channel,
    DeliveryDue,
    DeliveryGathered,
    Event,
    Gather,
    GatheringClosed,
    ReminderSet,
    SubscriptionDeclared,
    Value,
    derived_id,
    slug,
)

MEMBERS = 300  # deliveries of one message; with one more it is told before its time, and a new window opens
SEEN, KNOWN = 2 * MEMBERS, 256  # deliveries, and alerts told alone or not at all, that are remembered
DIGEST = "digest"
SHOWN_IN_ALERT = frozenset({"coverage", "confirmed"})  # what the alert itself says once it is known
WITH_ITS_ALERT = "it is told with its alert, which was still waiting"
WITHDRAWN = "the alert was withdrawn before it was told here"


class Seen(Value, frozen=True, kw_only=True):
    """A delivery that was taken in, and for when: the same asked for later is another request."""

    delivery_id: str
    due_at: datetime


class Gathering(Value, frozen=True, kw_only=True):
    """What waits under one group of a subscription, and what is remembered of what was told.

    `window` names the gathering at hand (empty: none), `alone` are alerts told by themselves, in the thread of their
    document, `untold` those that were withdrawn or silenced before anybody heard of them.
    """

    gather: Gather | None = None
    window: str = ""
    closes_at: datetime | None = None
    members: tuple[DeliveryDue, ...] = ()
    told_at: datetime | None = None
    seen: tuple[Seen, ...] = ()
    alone: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()


Outcome = tuple[Gathering, tuple[Event, ...]]


def group_of(gather: Gather, alert: AlertRaised) -> str:
    """Return what an alert is gathered under, which is the thread of the message as well."""
    if gather.how != "group":
        return DIGEST
    service = slug(alert.document.service if alert.document else alert.service) or "-"
    return f"group:{service}" if gather.by == "service" else "group"


def gathers(subscription: SubscriptionDeclared, alert: AlertRaised) -> Gather | None:
    """Return how a subscription gathers an alert, None where it is told at once."""
    gather = subscription.gather
    urgent = gather and gather.urgent and alert.severity.rank >= gather.urgent.rank
    return None if urgent else gather


def gathered(due: DeliveryDue, subscription: SubscriptionDeclared, *, group: str = "") -> Event:
    """Return a delivery as its subscription takes it: gathered, or due at once. `group` is where its alert waits."""
    gather = gathers(subscription, due.alert) if due.alert else None
    if not group and due.alert and gather:
        group = group_of(gather, due.alert)
    if not group:
        return due
    return DeliveryGathered(
        due=due,
        group=group,
        gather=gather if gather and (gather.how != "group") == (group == DIGEST) else None,
        replies=subscription.channel is Channel.SLACK and "channel" in subscription.target,
    )


def passing(due: DeliveryDue, subscription: SubscriptionDeclared) -> Event:
    """Return news of an alert that went no group's way: it looks whether the alert, asked for again, waits."""
    gather = gathers(subscription, due.alert) if due.alert else None
    if not due.alert or not gather:
        return due
    return DeliveryGathered(due=due, group=group_of(gather, due.alert), passing=True)


def taken(state: Gathering, event: DeliveryGathered, *, now: datetime) -> Outcome:
    """Take a delivery in; a repeat leaves everything as it was."""
    due = event.due
    if any(old.delivery_id == due.delivery_id and due.due_at <= old.due_at for old in state.seen):
        return state, ()
    if event.passing and not _waits(state, due):
        return _noted(state, due), (due,)
    if _is_full(state, due):
        state, told = told_now(state, event.key, at=due.due_at, now=now)
        return _and(told, taken(state, event, now=now))
    state = _noted(replace(state, gather=event.gather or state.gather), due)
    if state.gather is None:  # nobody says how, and nothing waits
        return state, (due,)
    if _waits(state, due):
        return _merged(state, due)
    if what(due) != "alert":
        return _followed(state, event, now=now)
    state = replace(state, untold=tuple(one for one in state.untold if one != alert_id(due)))
    return _joined(state, event, now=now)


def closed(state: Gathering, event: GatheringClosed, *, now: datetime) -> Outcome:
    """Tell what waits, but for what is silenced; a window that is no longer open leaves everything as it was."""
    if event.window != state.window or not state.window:
        return state, ()
    state, quiet = _silenced(state, event.silenced, at=event.closed_at)
    return _and(quiet, told_now(state, event.key, at=event.closed_at, now=now))


def told_now(state: Gathering, key: str, *, at: datetime, now: datetime) -> Outcome:
    """Return the state with nothing waiting, and the deliveries by which what waited is told."""
    over = replace(state, window="", closes_at=None, members=())
    if not state.members or state.gather is None:
        return over, ()
    over = replace(over, told_at=now)
    subscription_id, _, group = key.partition("|")
    if state.gather.how == "group" and len(set(map(alert_id, state.members))) == 1:
        return _alone(over, state.members, group)
    told = {alert_id(member) for member in state.members if what(member) == "alert"}
    over = replace(over, alone=tuple(one for one in over.alone if one not in told))
    return over, (_message(state.gather, state.members, subscription_id, group, at),)


# --- taking in ----------------------------------------------------------------------------------------------


def _noted(state: Gathering, due: DeliveryDue) -> Gathering:
    others = tuple(old for old in state.seen if old.delivery_id != due.delivery_id)
    return replace(state, seen=(*others, Seen(delivery_id=due.delivery_id, due_at=due.due_at))[-SEEN:])


def _waits(state: Gathering, due: DeliveryDue) -> bool:
    return any(alert_id(member) == alert_id(due) for member in state.members)


def _is_full(state: Gathering, due: DeliveryDue) -> bool:
    """Say whether a window has no room for one more; a withdrawal takes the room of what waits and is withdrawn."""
    if len(state.members) < MEMBERS // 2 or (what(due) == "withdrawal" and _waits(state, due)):
        return False
    if len(state.members) >= MEMBERS:
        return True
    return sum(map(size, fitted((*state.members, due)))) > BUDGET * 1.1


def _joined(state: Gathering, event: DeliveryGathered, *, now: datetime) -> Outcome:
    """Return the state with a delivery waiting; the first of a window sets the reminder that will close it."""
    state = replace(state, members=fitted((*state.members, event.due)))
    if state.window or state.gather is None:
        return state, ()
    closes_at = next_close(state.gather, now=now, told_at=state.told_at)
    window = derived_id("win", event.key, event.due.delivery_id, event.due.due_at)
    reminder = ReminderSet(
        reminder_id=derived_id("rem", window),
        what="gather",
        due_at=closes_at,
        set_at=now,
        subscription_id=event.due.subscription_id,
        group=event.group,
        window=window,
    )
    return replace(state, window=window, closes_at=closes_at), (reminder,)


def _merged(state: Gathering, due: DeliveryDue) -> Outcome:
    """Return the state with what became known of an alert that something waits of."""
    mine = [member for member in state.members if alert_id(member) == alert_id(due)]
    if what(due) == "withdrawal":
        return _withdrawn(state, mine, due)
    if what(due) == "alert":
        return _asked_again(state, mine, due)
    present = tuple(_present(member, due) for member in mine)
    if what(mine[0]) != "alert":
        return replace(state, members=fitted((*_without(state, mine), *present, due))), ()
    if due.update and due.update.how in SHOWN_IN_ALERT:
        told = skipped(due, WITH_ITS_ALERT, at=due.due_at)
        return replace(state, members=fitted(_replaced(state, mine, present))), (told,)
    news = replace(due, alert=None)
    return replace(state, members=fitted((*_replaced(state, mine, present), news))), ()


def _asked_again(state: Gathering, mine: list[DeliveryDue], due: DeliveryDue) -> Outcome:
    """Return the state with an alert before the news of it that waits; what waits itself, or was withdrawn, stays."""
    if what(mine[0]) != "update":
        return state, ()
    news = tuple(replace(member, alert=None) for member in mine)
    return replace(state, members=fitted((*_without(state, mine), due, *news))), ()


def _withdrawn(state: Gathering, mine: list[DeliveryDue], due: DeliveryDue) -> Outcome:
    """Return the state without an alert that nobody heard of; of one told before, only the withdrawal waits."""
    rest = _without(state, mine)
    if what(mine[0]) != "alert":
        gone = [skipped(member, "the alert was withdrawn", at=due.due_at) for member in mine]
        return replace(state, members=fitted((*rest, due))), tuple(gone)
    untold = (*state.untold, alert_id(due))[-KNOWN:]
    gone = [skipped(member, WITHDRAWN, at=due.due_at) for member in (*mine, due)]
    return replace(state, members=rest, untold=untold), tuple(gone)


def _followed(state: Gathering, event: DeliveryGathered, *, now: datetime) -> Outcome:
    """Return what becomes of news of an alert that does not wait: told under its message, or with what waits next."""
    if alert_id(event.due) in state.untold:
        return state, (skipped(event.due, "its alert was not told here", at=event.due.due_at),)
    if event.replies and event.group != DIGEST:
        return state, (_following(state, event.due, event.group),)
    return _joined(state, event, now=now)


def _present(member: DeliveryDue, due: DeliveryDue) -> DeliveryDue:
    """Return a waiting alert as it stands now; of waiting news only the newest says how the alert stands."""
    return replace(member, alert=due.alert if what(member) == "alert" else None)


def _without(state: Gathering, some: Iterable[DeliveryDue]) -> tuple[DeliveryDue, ...]:
    gone = {member.delivery_id for member in some}
    return tuple(member for member in state.members if member.delivery_id not in gone)


def _replaced(
    state: Gathering, mine: Iterable[DeliveryDue], present: Iterable[DeliveryDue]
) -> tuple[DeliveryDue, ...]:
    now = {old.delivery_id: new for old, new in zip(mine, present, strict=True)}
    return tuple(now.get(member.delivery_id, member) for member in state.members)


# --- telling ------------------------------------------------------------------------------------------------


def _silenced(state: Gathering, silenced: Mapping[str, str], *, at: datetime) -> Outcome:
    """Return the state without what is silenced; of an alert that nobody heard of nothing is told later either."""
    quiet = [member for member in state.members if alert_id(member) in silenced]
    untold = [alert_id(member) for member in quiet if what(member) == "alert"]
    events = tuple(skipped(member, silenced[alert_id(member)], at=at) for member in quiet)
    return replace(state, members=_without(state, quiet), untold=(*state.untold, *untold)[-KNOWN:]), events


def _message(
    gather: Gather, members: tuple[DeliveryDue, ...], subscription_id: str, group: str, at: datetime
) -> DeliveryDue:
    alerts = len(set(map(alert_id, members)))
    return DeliveryDue(
        delivery_id=derived_id("dlv", subscription_id, group, *(member.delivery_id for member in members)),
        subscription_id=subscription_id,
        thread=group,
        due_at=at,
        reason=f"{count(alerts, 'alert')} gathered: {asked(gather)}",
        gathered="group" if gather.how == "group" else DIGEST,
        members=members,
        period="" if gather.how == "group" else gather.how,
    )


def _alone(state: Gathering, members: tuple[DeliveryDue, ...], group: str) -> Outcome:
    """Return the one alert that was gathered as an ordinary delivery, with the news of it that it does not show."""
    alert = next((member.alert for member in reversed(members) if member.alert), None)
    dues = tuple(replace(member, alert=member.alert or alert) for member in members)
    if what(dues[0]) == "alert":
        others = tuple(one for one in state.alone if one != alert_id(dues[0]))
        return replace(state, alone=(*others, alert_id(dues[0]))[-KNOWN:]), dues
    return state, tuple(_following(state, due, group) for due in dues)


def _following(state: Gathering, due: DeliveryDue, group: str) -> DeliveryDue:
    """Return news of an alert where the alert was told: in its own thread, or under the group's message."""
    return due if alert_id(due) in state.alone else replace(due, thread=group, gathered="group")


def _and(before: tuple[Event, ...], outcome: Outcome) -> Outcome:
    return outcome[0], (*before, *outcome[1])
