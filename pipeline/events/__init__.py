"""Every message that crosses a topic, and the values inside them.

An event is a fact in the past tense: frozen, keyed, numbered. Values are JSON with a `type` and a `schema`
field; fields are only ever added, with defaults, and unknown ones are skipped. Times are aware UTC; offsets
count characters of the version's text, end exclusive. Identities derive from content, so that the same record
of the same history gives the same ids on any machine and in any replay.
"""

from __future__ import annotations

from pipeline.events.alerts import (
    AlertAcknowledged,
    AlertRaised,
    AlertUpdated,
    AlertWithdrawn,
    ApiKeyDeclared,
    DeliveryAttempted,
    DeliveryDue,
    EventRejected,
    SilenceDeclared,
    SubscriptionDeclared,
)
from pipeline.events.base import Event, Value, derived_id, slug
from pipeline.events.news import FeedFetched, ServiceTouched, StoryUpdated
from pipeline.events.policy import (
    ChangeSettled,
    ClausesChanged,
    PageFetched,
    ReminderSet,
    SourceDeclared,
    VersionRecorded,
)
from pipeline.events.values import (
    BodyRef,
    Change,
    Clause,
    Comparison,
    Coverage,
    DocumentSpec,
    Entry,
    Evidence,
    Fact,
    FeedSpec,
    Filters,
    Hours,
    Link,
    Match,
    Matcher,
    PageRef,
    Sealed,
    Span,
    Version,
)
from pipeline.events.words import ChangeType, Channel, FetchOutcome, Origin, PageState, Severity, Verdict

__all__ = [
    "EVENTS",
    "AlertAcknowledged",
    "AlertRaised",
    "AlertUpdated",
    "AlertWithdrawn",
    "ApiKeyDeclared",
    "BodyRef",
    "Change",
    "ChangeSettled",
    "ChangeType",
    "Channel",
    "Clause",
    "ClausesChanged",
    "Comparison",
    "Coverage",
    "DeliveryAttempted",
    "DeliveryDue",
    "DocumentSpec",
    "Entry",
    "Event",
    "EventRejected",
    "Evidence",
    "Fact",
    "FeedFetched",
    "FeedSpec",
    "FetchOutcome",
    "Filters",
    "Hours",
    "Link",
    "Match",
    "Matcher",
    "Origin",
    "PageFetched",
    "PageRef",
    "PageState",
    "ReminderSet",
    "Sealed",
    "ServiceTouched",
    "Severity",
    "SilenceDeclared",
    "SourceDeclared",
    "Span",
    "StoryUpdated",
    "SubscriptionDeclared",
    "Value",
    "Verdict",
    "Version",
    "VersionRecorded",
    "derived_id",
    "slug",
]

EVENTS: tuple[type[Event], ...] = (
    SourceDeclared,
    PageFetched,
    VersionRecorded,
    ClausesChanged,
    ChangeSettled,
    FeedFetched,
    StoryUpdated,
    ServiceTouched,
    AlertRaised,
    AlertUpdated,
    AlertWithdrawn,
    SubscriptionDeclared,
    SilenceDeclared,
    ApiKeyDeclared,
    AlertAcknowledged,
    ReminderSet,
    DeliveryDue,
    DeliveryAttempted,
    EventRejected,
)
