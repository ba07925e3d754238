"""Who is told, what is silenced, and who may change it: known whole by every process, as their topics say.

The routes of the configuration are declared on the topic as sources are; others come from commands and the API.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import structlog
from msgspec.structs import replace

from pipeline.alerts import recipients
from pipeline.alerts.attempt import gravity
from pipeline.alerts.hours import opens_at
from pipeline.events import (
    ApiKeyDeclared,
    DeliveryDue,
    Event,
    SilenceDeclared,
    SubscriptionDeclared,
)
from pipeline.ports import Clock, Follower, Publisher

TOPICS = ("subscriptions", "silences", "access")
BY_FILE = "configuration"
LEFT = "unsubscribed by its reader"
LOOK_AGAIN = timedelta(seconds=5)  # at a subscription that is off
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

logger = structlog.get_logger(__name__)


class Opens(Protocol):
    """Opens what a subscription's messages need, and closes what they need no longer."""

    async def open(self, subscription: SubscriptionDeclared) -> None: ...

    def close(self, subscription_id: str) -> None: ...


class Registry:
    """What is declared at this moment. `channels` is told of every subscription that comes, changes or goes.

    `by_id` holds subscriptions as they were asked for, `apart` what was declared of single recipients of them.
    """

    def __init__(self, channels: Opens | None = None) -> None:
        self._channels = channels
        self.by_id: dict[str, SubscriptionDeclared] = {}
        self.apart: dict[str, SubscriptionDeclared] = {}
        self.silences: dict[str, SilenceDeclared] = {}
        self.keys: dict[str, ApiKeyDeclared] = {}
        self._told: dict[str, SubscriptionDeclared] = {}
        self._parts: dict[str, tuple[str, ...]] = {}

    def all(self) -> Sequence[SubscriptionDeclared]:
        """Return the subscriptions, the paused ones among them, in the order in which they came."""
        return tuple(self.by_id.values())

    def told(self) -> Sequence[SubscriptionDeclared]:
        """Return who is told: the subscriptions, and of those with several recipients each recipient."""
        return tuple(self._told.values())

    def find(self, subscription_id: str) -> SubscriptionDeclared | None:
        """Return a subscription, or a recipient of one as a subscription of its own; None where there is none."""
        known = self.by_id.get(subscription_id) or self._told.get(subscription_id)
        whole = self.by_id.get(recipients.whole_id(subscription_id))
        if known is None and whole and subscription_id in recipients.mailboxes(whole):
            return whole  # its only recipient
        return known

    def _spread(self, subscription_id: str) -> None:
        """Know who is told of a subscription's alerts, as it and its recipients stand now."""
        one = self.by_id.get(subscription_id)
        parts = {part.subscription_id: part for part in recipients.parts(one, self.apart)} if one else {}
        for gone in set(self._parts.pop(subscription_id, ())) - parts.keys():
            del self._told[gone]
        self._told |= parts
        if parts:
            self._parts[subscription_id] = tuple(parts)

    def silenced(self, now: datetime) -> Sequence[SilenceDeclared]:
        """Return the silences that hold at a time."""
        return [one for one in self.silences.values() if one.starts_at <= now < one.ends_at]

    def waits(self, due: DeliveryDue, now: datetime) -> datetime | None:
        """Return until when a message is kept back: while its subscription is off, or outside its hours."""
        known = self.find(due.subscription_id)
        if known is None:
            return None
        if not known.active:
            return now + LOOK_AGAIN
        return opens_at(known.hours, gravity(due), now)

    async def take(self, event: Event) -> None:
        """Take in what was declared; a repeat changes nothing."""
        if isinstance(event, SubscriptionDeclared):
            await self._subscription(event)
        elif isinstance(event, SilenceDeclared):
            self.silences[event.silence_id] = event
        elif isinstance(event, ApiKeyDeclared) and event.revoked:
            self.keys.pop(event.key_id, None)
        elif isinstance(event, ApiKeyDeclared):
            self.keys[event.key_id] = event

    async def _subscription(self, event: SubscriptionDeclared) -> None:
        is_part = recipients.is_part(event.subscription_id)
        held = self.apart if is_part else self.by_id
        if held.get(event.subscription_id) == event:
            return
        if event.removed:
            held.pop(event.subscription_id, None)
        else:
            held[event.subscription_id] = event
        self._spread(recipients.whole_id(event.subscription_id))
        if not is_part:
            await self._reopen(event)

    async def _reopen(self, event: SubscriptionDeclared) -> None:
        if self._channels is None:
            return
        if event.removed:
            self._channels.close(event.subscription_id)
        else:
            await self._channels.open(event)

    async def load(self, follower: Follower) -> None:
        """Take in everything that was declared so far."""
        for event in await follower.backlog():
            await self.take(event)

    async def follow(self, follower: Follower) -> None:
        """Take in what is declared from now on, for ever."""
        async for event in follower.tail():
            await self.take(event)
            logger.info("registry." + type(event).__name__, key=event.key)


class Beside(Protocol):
    """A program that runs tasks beside its agents."""

    @property
    def log(self) -> Publisher: ...

    def beside(self, task: Callable[..., Coroutine[Any, Any, None]], **given: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class Known:
    """What was declared when this process started, and what of the configuration must still be published."""

    registry: Registry
    follower: Follower
    routes: Sequence[SubscriptionDeclared]

    def beside(self, program: Beside) -> None:
        """Publish what the configuration changed, and keep up with what is declared, while a program runs."""
        program.beside(program.log.publish_all, events=self.routes)
        program.beside(self.registry.follow, follower=self.follower)


async def known(
    registry: Registry,
    follower: Follower,
    wanted: Callable[[datetime], Iterable[SubscriptionDeclared]],
    clock: Clock,
) -> Known:
    """Let a registry know all that is declared, and what the configuration says now.

    This comes before the first alert is routed: one that met an empty registry would be told to nobody.
    """
    await registry.load(follower)
    routes = to_declare(registry.all(), wanted(clock.now()), at=clock.now())
    for route in routes:
        await registry.take(route)
    return Known(registry, follower, routes)


def to_declare(
    known: Iterable[SubscriptionDeclared], wanted: Iterable[SubscriptionDeclared], *, at: datetime
) -> list[SubscriptionDeclared]:
    """Return what must be published so that the routes of the configuration hold, and those gone from it no longer.

    A route that an operator paused stays paused while its lines stay as they are; a reader who left is told no more
    whatever the lines say.
    """
    before = {one.subscription_id: one for one in known}
    now = {one.subscription_id: one for one in wanted}
    changed = [
        declared
        for key, one in now.items()
        if key not in before or not same(before[key], one)
        for declared in _anew(before.get(key), replace(one, created_at=_created(before.get(key), one)))
    ]
    gone = [
        replace(one, removed=True, declared_at=at)
        for key, one in before.items()
        if one.by == BY_FILE and key not in now
    ]
    return [*changed, *gone]


def _anew(known: SubscriptionDeclared | None, one: SubscriptionDeclared) -> Iterator[SubscriptionDeclared]:
    """Yield a route whose lines are new, switched on; but off for the reader who left it."""
    boxes = recipients.mailboxes(one)
    left = recipients.mailboxes(known) if known and not known.active and known.reason == LEFT else {}
    if left and left.keys() == boxes.keys():
        yield replace(one, active=False, reason=LEFT)
        return
    yield replace(one, active=True)
    for name in left.keys() & boxes.keys():
        yield replace(one, subscription_id=name, target={"to": [boxes[name]]}, active=False, reason=LEFT)


def same(one: SubscriptionDeclared, other: SubscriptionDeclared) -> bool:
    """Say whether two declarations ask for the same, whoever made them and whenever."""
    return _asked(one) == _asked(other)


def _asked(one: SubscriptionDeclared) -> SubscriptionDeclared:
    return replace(
        one,
        declared_at=LONG_AGO,
        created_at=None,
        active=True,
        reason="",
    )


def _created(known: SubscriptionDeclared | None, one: SubscriptionDeclared) -> datetime:
    return (known.created_at if known else None) or one.declared_at
