"""Every topic: what it holds, how it is cut, how long it is kept, and which event goes where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pipeline import events as e

DAY_S = 86_400
KIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSpec:
    """A topic as it is to be created: `retention_s` None keeps for ever; `partitions` 0 takes the default."""

    name: str
    holds: str
    compacted: bool = False
    retention_s: int | None = None
    max_record_bytes: int = 1024 * KIB
    partitions: int = 0


TOPICS = (
    TopicSpec(name="sources", holds="documents and feeds to poll", compacted=True),
    TopicSpec(name="pages.fetched", holds="pages whose bytes differ, confirming reads, failed reads"),
    TopicSpec(name="versions.recorded", holds="accepted versions and refused pages"),
    TopicSpec(name="clauses.changed", holds="typed changes between two versions, and how they settled"),
    TopicSpec(name="feeds.fetched", holds="new feed entries", retention_s=90 * DAY_S, partitions=1),
    TopicSpec(name="stories.updated", holds="stories and their entries", retention_s=90 * DAY_S),
    TopicSpec(
        name="services.touched", holds="changes and stories by service, to be joined", retention_s=90 * DAY_S
    ),
    TopicSpec(name="alerts.raised", holds="alerts, their updates and withdrawals"),
    TopicSpec(name="subscriptions", holds="webhook, Slack and e-mail subscriptions", compacted=True),
    TopicSpec(name="silences", holds="what is not told, and until when", compacted=True, partitions=1),
    TopicSpec(name="access", holds="keys to the HTTP API, hashed", compacted=True, partitions=1),
    TopicSpec(name="reminders", holds="what falls due on a day", compacted=True),
    TopicSpec(
        name="gatherings",
        holds="deliveries that wait to be told together, and when they are",
        retention_s=90 * DAY_S,
    ),
    TopicSpec(
        name="outbox", holds="deliveries due and attempted, by destination and thread", retention_s=90 * DAY_S
    ),
    TopicSpec(name="deliveries", holds="what became of each attempt", retention_s=90 * DAY_S),
    TopicSpec(
        name="destinations",
        holds="what became of each attempt, by destination, to see how it fares",
        retention_s=14 * DAY_S,
    ),
    TopicSpec(name="events.rejected", holds="events that a stage gave up on", retention_s=90 * DAY_S),
)

# What a replay has beside its shadows of the topics above: what it is about, and what it remembers on the way.
PLAN, STATES = "replay.plan", "replay.states"
SHADOW = "shadow."  # begins the names of all shadow topics
REPLAY_TOPICS = (
    TopicSpec(name=PLAN, holds="what a replay runs again", partitions=1),
    TopicSpec(name=STATES, holds="each document as a replay left it", compacted=True),
)
SHADOWED = ("versions.recorded", "clauses.changed", "alerts.raised", "reminders", "events.rejected")

BY_NAME = {topic.name: topic for topic in TOPICS}

WORKERS, POLLERS = "clausewire", "clausewire-poll"  # the two consumer groups


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSpec:
    """What a group remembers beside a topic: a table with the same partitions, kept in a compacted changelog."""

    name: str
    topic: str
    group: str = WORKERS

    @property
    def changelog(self) -> str:
        return f"{self.group}-{self.name}-changelog"


TABLES = (
    TableSpec(name="sources_declared", topic="sources", group=POLLERS),
    TableSpec(name="polls", topic="sources", group=POLLERS),
    TableSpec(name="reading", topic="pages.fetched"),
    TableSpec(name="documents", topic="versions.recorded"),
    TableSpec(name="alerting", topic="clauses.changed"),
    TableSpec(name="stories", topic="feeds.fetched"),
    TableSpec(name="told_stories", topic="stories.updated"),
    TableSpec(name="services", topic="services.touched"),
    TableSpec(name="routed", topic="alerts.raised"),
    TableSpec(name="gathered", topic="gatherings"),
    TableSpec(name="outboxes", topic="outbox"),
    TableSpec(name="calendar", topic="reminders"),
    TableSpec(name="health", topic="destinations"),
)
TABLES_BY_NAME = {table.name: table for table in TABLES}


def shadow_specs(partitions: int) -> tuple[TopicSpec, ...]:
    """Return a replay's topics, each with its partitions; what it finds has old times and is kept all the same."""
    kept = [replace(BY_NAME[name], retention_s=None) for name in SHADOWED]
    return tuple(replace(spec, partitions=spec.partitions or partitions) for spec in (*kept, *REPLAY_TOPICS))


def _key(event: e.Event) -> str:
    return event.key


def _thread_key(event: e.Event) -> str:
    assert isinstance(event, e.DeliveryAttempted)
    return f"{event.subscription_id}|{event.thread}"


def _destination_key(event: e.Event) -> str:
    assert isinstance(event, e.DeliveryAttempted)
    return event.subscription_id


# Where each event is published, and under which key.
PLACES: dict[type[e.Event], tuple[tuple[str, Callable[[e.Event], str]], ...]] = {
    e.SourceDeclared: (("sources", _key),),
    e.PageFetched: (("pages.fetched", _key),),
    e.VersionRecorded: (("versions.recorded", _key),),
    e.ClausesChanged: (("clauses.changed", _key),),
    e.ChangeSettled: (("clauses.changed", _key),),
    e.FeedFetched: (("feeds.fetched", _key),),
    e.StoryUpdated: (("stories.updated", _key),),
    e.ServiceTouched: (("services.touched", _key),),
    e.AlertRaised: (("alerts.raised", _key),),
    e.AlertUpdated: (("alerts.raised", _key),),
    e.AlertWithdrawn: (("alerts.raised", _key),),
    e.SubscriptionDeclared: (("subscriptions", _key),),
    e.SilenceDeclared: (("silences", _key),),
    e.ApiKeyDeclared: (("access", _key),),
    e.AlertAcknowledged: (("deliveries", _key),),
    e.ReminderSet: (("reminders", _key),),
    e.DeliveryGathered: (("gatherings", _key),),
    e.GatheringDue: (("gatherings", _key),),
    e.GatheringClosed: (("gatherings", _key),),
    e.DeliveryDue: (("outbox", _key),),
    # The ledger first: the outbox is what suppresses another attempt.
    e.DeliveryAttempted: (("deliveries", _key), ("destinations", _destination_key), ("outbox", _thread_key)),
    e.EventRejected: (("events.rejected", _key),),
}
