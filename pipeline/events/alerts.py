"""What we conclude and tell: alerts, who hears of them, what became of each attempt."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pipeline.events.base import Event, derived_id
from pipeline.events.news import StoryUpdated
from pipeline.events.values import (
    BodyRef,
    Change,
    Coverage,
    DocumentSpec,
    Evidence,
    Filters,
    Gather,
    Hours,
    Match,
    Matcher,
    Sealed,
)
from pipeline.events.words import Channel, Origin, Severity


class AlertRaised(Event, frozen=True, kw_only=True, tag=True):
    """What we conclude, ready to be told: a change of a document, a story for a watch, a source in trouble."""

    alert_id: str
    kind: str  # change | story | health
    raised_at: datetime
    title: str
    summary: str
    severity: Severity
    service: str = ""
    document: DocumentSpec | None = None
    categories: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    counts: dict[str, int] = {}
    all_changes: BodyRef | None = None
    effective_date: str | None = None
    evidence: Evidence | None = None
    story: StoryUpdated | None = None
    coverage: tuple[Coverage, ...] = ()
    matches: tuple[Match, ...] = ()
    confirmed: bool = True
    language: str = ""
    origin: Origin = Origin.POLL
    cause_id: str = ""
    stacked: bool = False
    replayed: bool = False
    schema: int = 1

    @property
    def id(self) -> str:
        return self.alert_id

    @property
    def key(self) -> str:
        return self.alert_id

    @property
    def at(self) -> datetime:
        return self.raised_at

    @property
    def thread(self) -> str:
        """What its messages are gathered under: the document, or the story."""
        return self.document.id if self.document else self.alert_id


class AlertUpdated(Event, frozen=True, kw_only=True, tag=True):
    """More became known about an alert: coverage by news, confirmation, that it is now in force."""

    alert_id: str
    updated_at: datetime
    how: str  # coverage | confirmed | in-force | healed
    cause_id: str
    coverage: tuple[Coverage, ...] = ()
    reason: str = ""
    replayed: bool = False
    schema: int = 1

    @property
    def id(self) -> str:
        return derived_id("upd", self.alert_id, self.how, self.cause_id)

    @property
    def key(self) -> str:
        return self.alert_id

    @property
    def at(self) -> datetime:
        return self.updated_at


class AlertWithdrawn(Event, frozen=True, kw_only=True, tag=True):
    """An alert told before turned out not to stand: the page went back, or was never a version."""

    alert_id: str
    withdrawn_at: datetime
    reason: str
    cause_id: str
    schema: int = 1

    @property
    def id(self) -> str:
        return derived_id("wdr", self.alert_id, self.cause_id)

    @property
    def key(self) -> str:
        return self.alert_id

    @property
    def at(self) -> datetime:
        return self.withdrawn_at


class SubscriptionDeclared(Event, frozen=True, kw_only=True, tag=True):
    """A webhook, a Slack channel or a mailbox wants alerts. `target` holds no secret, only its name."""

    subscription_id: str
    name: str
    channel: Channel
    declared_at: datetime
    target: dict[str, Any] = {}
    filters: Filters = Filters()
    active: bool = True
    reason: str = ""
    by: str = "configuration"  # configuration | command | api
    removed: bool = False
    sealed: tuple[Sealed, ...] = ()
    hours: Hours | None = None
    gather: Gather | None = None
    contact: str = ""  # a mailbox that hears when the subscription is switched off
    created_at: datetime | None = None
    schema: int = 1

    @property
    def id(self) -> str:
        return derived_id("sub", self.subscription_id, self.declared_at)

    @property
    def key(self) -> str:
        return self.subscription_id

    @property
    def at(self) -> datetime:
        return self.declared_at


class SilenceDeclared(Event, frozen=True, kw_only=True, tag=True):
    """Alerts that meet every matcher are not told from a time to a time; to everybody, or to some subscriptions."""

    silence_id: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    declared_at: datetime
    subscriptions: tuple[str, ...] = ()
    author: str = ""
    comment: str = ""
    schema: int = 1

    @property
    def id(self) -> str:
        return derived_id("sil", self.silence_id, self.declared_at)

    @property
    def key(self) -> str:
        return self.silence_id

    @property
    def at(self) -> datetime:
        return self.declared_at


class ApiKeyDeclared(Event, frozen=True, kw_only=True, tag=True):
    """A key to the HTTP API, by the SHA-256 of its 256 random bits, with what it may do; or its end."""

    key_id: str
    name: str
    sha256: str
    scopes: tuple[str, ...]
    declared_at: datetime
    revoked: bool = False
    schema: int = 1

    @property
    def id(self) -> str:
        return derived_id("api", self.key_id, self.declared_at)

    @property
    def key(self) -> str:
        return self.key_id

    @property
    def at(self) -> datetime:
        return self.declared_at


class AlertAcknowledged(Event, frozen=True, kw_only=True, tag=True):
    """A reader answered an alert: they have seen it. Kept in the ledger of deliveries."""

    alert_id: str
    subscription_id: str
    by: str
    acknowledged_at: datetime
    schema: int = 1

    @property
    def id(self) -> str:
        return derived_id("ack", self.alert_id, self.subscription_id, self.by)

    @property
    def key(self) -> str:
        return self.alert_id

    @property
    def at(self) -> datetime:
        return self.acknowledged_at


class DeliveryDue(Event, frozen=True, kw_only=True, tag=True):
    """One alert, update or withdrawal is to be sent to one destination; kept with its thread, so that a reply
    finds its parent. `delivery_id` derives from what is told and the destination and stays over all retries."""

    delivery_id: str
    subscription_id: str
    thread: str
    due_at: datetime
    reason: str = ""
    alert: AlertRaised | None = None  # with an update or a withdrawal: the alert that it is about
    update: AlertUpdated | None = None
    withdrawal: AlertWithdrawn | None = None
    earlier: tuple[
        AlertUpdated, ...
    ] = ()  # updates told before, so that a message can show the present state
    gathered: str = ""  # "" one alert | "group" | "digest": a message about all its members; without members,
    # an update or a withdrawal told alone of an alert that was told in such a message, which it leaves as it is
    members: tuple[DeliveryDue, ...] = ()  # of a gathered message: what each of them would have told alone
    period: str = ""  # of a digest: daily | weekly
    schema: int = 1

    @property
    def id(self) -> str:
        return self.delivery_id

    @property
    def key(self) -> str:
        return f"{self.subscription_id}|{self.thread}"

    @property
    def at(self) -> datetime:
        return self.due_at


class DeliveryGathered(Event, frozen=True, kw_only=True, tag=True):
    """A delivery waits to be told together with others of its subscription's group.

    `gather` is how, as the subscription asked for it then (None: as before). Where `replies`, what becomes known of an
    alert told in a group is told at once, under that message; elsewhere it waits for the group's next message.
    Where `passing`, it is told at once as if nothing gathered, unless its alert waits here.
    """

    due: DeliveryDue
    group: str
    gather: Gather | None = None
    replies: bool = False
    passing: bool = False
    schema: int = 1

    @property
    def id(self) -> str:
        return derived_id("gth", self.due.delivery_id, self.due.due_at)

    @property
    def key(self) -> str:
        return f"{self.due.subscription_id}|{self.group}"

    @property
    def at(self) -> datetime:
        return self.due.due_at


class GatheringDue(Event, frozen=True, kw_only=True, tag=True):
    """The time has come to tell what was gathered; `window` names the gathering among those of its group."""

    subscription_id: str
    group: str
    window: str
    due_at: datetime
    schema: int = 1

    @property
    def id(self) -> str:
        return derived_id("gdu", self.subscription_id, self.group, self.window)

    @property
    def key(self) -> str:
        return f"{self.subscription_id}|{self.group}"

    @property
    def at(self) -> datetime:
        return self.due_at


class GatheringClosed(Event, frozen=True, kw_only=True, tag=True):
    """What was gathered is told now, as it stands at this place of the log; `silenced` are alerts left out, and why."""

    subscription_id: str
    group: str
    window: str
    closed_at: datetime
    silenced: dict[str, str] = {}
    schema: int = 1

    @property
    def id(self) -> str:
        return derived_id("gcl", self.subscription_id, self.group, self.window)

    @property
    def key(self) -> str:
        return f"{self.subscription_id}|{self.group}"

    @property
    def at(self) -> datetime:
        return self.closed_at


class DeliveryAttempted(Event, frozen=True, kw_only=True, tag=True):
    """One attempt to deliver ended: sent, failed (it will be tried again), refused or given up (it will not)."""

    delivery_id: str
    subscription_id: str
    thread: str
    alert_id: str
    attempt: int
    outcome: str  # sent | failed | refused | gave-up | skipped
    attempted_at: datetime
    duration_s: float = 0.0
    status: int | None = None
    reason: str = ""
    response: str = ""
    receipt: dict[str, str] = {}  # what the channel gave back, such as Slack's ts and channel
    retry_at: datetime | None = None
    ambiguous: bool = False
    what: str = "alert"
    disable: bool = False  # the destination wants no more at all: its subscription is to be switched off
    ours: bool = False  # the failure lies with us, and says nothing of the destination
    members: tuple[str, ...] = ()  # of a gathered message: the ids of the deliveries that it stands for
    schema: int = 1

    @property
    def id(self) -> str:
        return derived_id("att", self.delivery_id, self.attempt, self.outcome)

    @property
    def key(self) -> str:
        return self.delivery_id

    @property
    def at(self) -> datetime:
        return self.attempted_at


class EventRejected(Event, frozen=True, kw_only=True, tag=True):
    """A stage gave an event up: which stage, why, and the original bytes (base64) with their place."""

    stage: str
    reason: str
    rejected_at: datetime
    topic: str
    partition: int
    offset: int
    origin_key: str = ""
    value_base64: str = ""
    headers: dict[str, str] = {}
    remedy: str = ""
    schema: int = 1

    @property
    def id(self) -> str:
        return derived_id("rej", self.stage, self.topic, self.partition, self.offset)

    @property
    def key(self) -> str:
        return self.origin_key

    @property
    def at(self) -> datetime:
        return self.rejected_at
