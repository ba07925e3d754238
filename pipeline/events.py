"""Every message that crosses a topic, and the values inside them.

An event is a fact in the past tense: frozen, keyed, numbered. Values are JSON with a `type` and a `schema`
field; fields are only ever added, with defaults, and unknown ones are skipped. Times are aware UTC; offsets
count characters of the version's text, end exclusive. Identities derive from content, so that the same record
of the same history gives the same ids on any machine and in any replay.
"""

from __future__ import annotations

import hashlib
from base64 import b32encode
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct


def derived_id(prefix: str, *parts: object) -> str:
    """Return the identity of what the parts spell: `prefix-` and 26 characters of base32 SHA-256.

    Datetimes count by their ISO 8601 form; parts are length-prefixed, so that ("ab", "c") is not ("a", "bc").
    """
    digest = hashlib.sha256()
    for part in parts:
        data = (part.isoformat() if isinstance(part, datetime) else str(part)).encode()
        digest.update(f"{len(data)}:".encode() + data)
    return f"{prefix}-{b32encode(digest.digest()[:16]).decode().rstrip('=').lower()}"


# --- words inside events -------------------------------------------------------------------------------------


class PageState(StrEnum):
    """What a served page turned out to be; anything but ok keeps the last good version."""

    OK = "ok"
    ERROR = "error"
    EMPTY = "empty"
    SOFT_404 = "soft-404"
    BLOCKED = "blocked"
    CONSENT_WALL = "consent-wall"
    LOGIN_WALL = "login-wall"
    TRUNCATED = "truncated"
    LANGUAGE = "language"
    REPLACED = "replaced"
    SHELL = "shell"


class Verdict(StrEnum):
    """What a reader should make of two versions."""

    CHANGED = "changed"
    MINOR = "minor"
    UNCHANGED = "unchanged"
    BROKEN = "broken"


class ChangeType(StrEnum):
    """How one clause differs between two versions."""

    ADDED = "added"
    REMOVED = "removed"
    MODIFIED = "modified"
    MOVED = "moved"
    MOVED_AND_MODIFIED = "moved-and-modified"
    RENUMBERED = "renumbered"
    SPLIT = "split"
    MERGED = "merged"
    REFORMATTED = "reformatted"
    LINK_TARGET = "link-target"
    DATE_ONLY = "date-only"


class Severity(StrEnum):
    """How much a change matters to a reader, least first."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


class FetchOutcome(StrEnum):
    """How a poll of a source ended."""

    OK = "ok"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    BLOCKED = "blocked"


class Origin(StrEnum):
    """How a page came to us: polled now, or put in from an archive with its own time."""

    POLL = "poll"
    IMPORT = "import"


class Channel(StrEnum):
    """The kinds of place an alert can be sent to."""

    SLACK = "slack"
    WEBHOOK = "webhook"
    EMAIL = "email"
    CONSOLE = "console"


# --- values ---------------------------------------------------------------------------------------------------


class Value(Struct, frozen=True, kw_only=True):
    """A part of an event: frozen, without identity of its own."""


class BodyRef(Value, frozen=True, kw_only=True):
    """Where bytes lie in the content-addressed store: SHA-256 (hex) and size of the plain bytes."""

    sha256: str
    size: int
    media_type: str = "application/octet-stream"


class DocumentSpec(Value, frozen=True, kw_only=True):
    """A document to watch: what it is, where it is, how its text is selected (CSS), how often it is read."""

    id: str
    service: str
    name: str
    url: str
    select: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    interval_s: float = 3600.0
    language: str = ""
    respect_robots: bool = True
    robots_reason: str = ""
    aliases: tuple[str, ...] = ()


class FeedSpec(Value, frozen=True, kw_only=True):
    """A news feed to read."""

    id: str
    name: str
    url: str
    interval_s: float = 900.0
    respect_robots: bool = True
    robots_reason: str = ""


class PageRef(Value, frozen=True, kw_only=True):
    """The evidence behind a version: what was served, where, when."""

    page_id: str
    url: str
    final_url: str
    fetched_at: datetime
    body: BodyRef
    status: int = 200
    headers: dict[str, str] = {}


class Link(Value, frozen=True, kw_only=True):
    """A link inside a clause: its words and its target."""

    text: str
    url: str


class Clause(Value, frozen=True, kw_only=True):
    """One paragraph, list item (with its lead-in), table row or definition of a version.

    `text` is the clause's own words without Markdown markup and without its printed number; `start` and `end`
    are its offsets in the version's Markdown text; `path` is the chain of headings above it, outermost first.
    """

    id: str
    text: str
    start: int
    end: int
    number: str = ""
    heading: str = ""
    path: tuple[str, ...] = ()
    kind: str = "paragraph"  # heading | paragraph | item | row | definition
    lead: str = ""
    links: tuple[Link, ...] = ()
    raw: str = ""  # the Markdown it stands as, where that differs from text


class Version(Value, frozen=True, kw_only=True):
    """The policy text extracted from a page; `text` is Markdown, `extractor` names the code that made it."""

    text: str
    clauses: tuple[Clause, ...]
    title: str = ""
    language: str = ""
    extractor: str = ""


class Span(Value, frozen=True, kw_only=True):
    """A verbatim quote: the text and where it stands in its version."""

    text: str
    start: int
    end: int


class Fact(Value, frozen=True, kw_only=True):
    """Something stated by value: a date, amount, duration, limit, age, venue, opt-out or modality.

    `old` and `new` are normal forms (ISO 8601, decimal and ISO 4217, …), null where one side has none;
    `direction` is -1, 0 or +1 from the reader's side, worse first.
    """

    kind: str
    old: dict[str, Any] | None = None
    new: dict[str, Any] | None = None
    quote: str = ""
    start: int = -1
    end: int = -1
    direction: int = 0
    note: str = ""


class Change(Value, frozen=True, kw_only=True):
    """One typed difference between two versions. `redline` is a list of (op, text), op one of = - +."""

    type: ChangeType
    clause_id: str
    heading_path: tuple[str, ...] = ()
    number: str = ""
    old: Span | None = None
    new: Span | None = None
    redline: tuple[tuple[str, str], ...] = ()
    category: str = "unclassified"
    severity: Severity = Severity.LOW
    facts: tuple[Fact, ...] = ()
    level: str = "words"  # the first level of normalisation at which the two sides differ
    score: float = 0.0  # orders changes within a set, most important first
    reasons: tuple[str, ...] = ()  # the arithmetic behind type, category and severity, in words
    categories: dict[str, float] = {}
    lead: str = ""


class Comparison(Value, frozen=True, kw_only=True):
    """What two versions of a document differ in; the public contract of `clausewire diff --json`."""

    verdict: Verdict
    reason: str = ""
    changes: tuple[Change, ...] = ()
    effective_date: str | None = None
    summary: str = ""
    stacked: bool = False  # the new page holds the coming and the current text together
    notes: tuple[str, ...] = ()


class Entry(Value, frozen=True, kw_only=True):
    """One item of a feed, as its outlet published it; text is plain, never HTML."""

    id: str
    feed_id: str
    outlet: str
    title: str
    url: str
    summary: str = ""
    published_at: datetime | None = None
    seen_at: datetime | None = None
    language: str = ""


class Match(Value, frozen=True, kw_only=True):
    """A watch that a text satisfied, with the spans (start, end) of the title-newline-summary that did it."""

    watch_id: str
    watch: str
    spans: tuple[tuple[int, int], ...] = ()


class Coverage(Value, frozen=True, kw_only=True):
    """A story that reports a change, with what ties the two together."""

    story_id: str
    title: str
    outlet: str
    url: str
    published_at: datetime | None = None
    clause: str = ""
    shared: tuple[str, ...] = ()
    score: float = 0.0
    more_outlets: int = 0


class Evidence(Value, frozen=True, kw_only=True):
    """The two pages that an alert rests on."""

    new: PageRef
    old: PageRef | None = None


class Filters(Value, frozen=True, kw_only=True):
    """Which alerts a subscription wants; an empty list wants all. Names compare without case."""

    services: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    watches: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()  # change | story | health
    languages: tuple[str, ...] = ()
    min_severity: Severity = Severity.INFO


class Matcher(Value, frozen=True, kw_only=True):
    """What a silence asks of an alert: a trait, and words it must be one of; a word may hold `*`.

    `what` is service, document, category, severity, kind, watch, language, alert, thread or clause.
    """

    what: str
    words: tuple[str, ...]
    negated: bool = False


class Hours(Value, frozen=True, kw_only=True):
    """When a subscription wants to be told: on which days (0 is Monday), from when to when, in which time zone.

    `start` and `end` are minutes of the local day; an `end` not after `start` lies on the next day. What reaches
    `urgent` is told at any hour.
    """

    zone: str = "UTC"
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    start: int = 0
    end: int = 1440
    urgent: Severity | None = None


class Gathering(Value, frozen=True, kw_only=True):
    """How alerts are told together: those of a window after the first, or all of a day or week at a local time.

    `every` is window, daily or weekly; `window_s` seconds; `at` minutes of the local day; `day` 0 is Monday. What
    reaches `urgent` is told alone and at once.
    """

    every: str
    window_s: float = 0.0
    zone: str = "UTC"
    at: int = 480
    day: int = 0
    urgent: Severity | None = None


class Sealed(Value, frozen=True, kw_only=True):
    """An encrypted secret of a subscription: what it is for, and until when it is used."""

    name: str  # secret | token | webhook_url
    token: str
    until: datetime | None = None


# --- events ---------------------------------------------------------------------------------------------------


class Event(Struct, frozen=True, kw_only=True, tag_field="type"):
    """A fact that crossed a topic. Every event has an identity, a key and a time of its own."""

    @property
    def id(self) -> str:
        raise NotImplementedError

    @property
    def key(self) -> str:
        raise NotImplementedError

    @property
    def at(self) -> datetime:
        raise NotImplementedError


class SourceDeclared(Event, frozen=True, kw_only=True, tag=True):
    """A document or a feed is to be polled from now on, or no longer; exactly one of the two is set."""

    declared_at: datetime
    document: DocumentSpec | None = None
    feed: FeedSpec | None = None
    retired: bool = False
    schema: int = 1

    @property
    def spec(self) -> DocumentSpec | FeedSpec:
        spec = self.document or self.feed
        assert spec is not None, "a declared source is a document or a feed"
        return spec

    @property
    def id(self) -> str:
        return derived_id("src", self.key, msgspec.json.encode(self.spec).decode(), self.retired)

    @property
    def key(self) -> str:
        return self.spec.id

    @property
    def at(self) -> datetime:
        return self.declared_at


class PageFetched(Event, frozen=True, kw_only=True, tag=True):
    """A page was read whose bytes differ from the last one, or a later read confirmed it, or a read failed.

    `confirms` is true for the first later read with the same bytes. A failed read has no body and says why.
    `accepted` is an operator's word that the page is the document, whatever it looks like beside earlier versions.
    """

    document: DocumentSpec
    fetched_at: datetime
    outcome: FetchOutcome
    final_url: str = ""
    status: int = 0
    headers: dict[str, str] = {}
    redirects: tuple[str, ...] = ()
    body: BodyRef | None = None
    confirms: bool = False
    reason: str = ""
    failures: int = 0
    origin: Origin = Origin.POLL
    accepted: bool = False
    schema: int = 1

    @property
    def id(self) -> str:
        what = self.body.sha256 if self.body else f"{self.outcome} {self.reason}"
        return derived_id("page", self.document.id, self.fetched_at, what)

    @property
    def key(self) -> str:
        return self.document.id

    @property
    def at(self) -> datetime:
        return self.fetched_at


class VersionRecorded(Event, frozen=True, kw_only=True, tag=True):
    """A page was accepted as a version of its document, or refused with the state that says why.

    The version itself (text and clauses) lies in the blob store as JSON. `technical` marks the same page read
    anew by a newer extractor; `confirms` a second, equal read.
    """

    document: DocumentSpec
    page: PageRef
    state: PageState
    fingerprint: str = ""
    version: BodyRef | None = None
    title: str = ""
    language: str = ""
    extractor: str = ""
    clauses: int = 0
    technical: bool = False
    confirms: bool = False
    reason: str = ""
    origin: Origin = Origin.POLL
    accepted: bool = False
    schema: int = 1

    @property
    def id(self) -> str:
        mark = "confirms" if self.confirms else "technical" if self.technical else self.state
        mark = f"{mark} accepted" if self.accepted else mark
        return derived_id(
            "ver", self.document.id, self.fingerprint, self.page.fetched_at, mark, self.extractor
        )

    @property
    def key(self) -> str:
        return self.document.id

    @property
    def at(self) -> datetime:
        return self.page.fetched_at


class ClausesChanged(Event, frozen=True, kw_only=True, tag=True):
    """Two versions of a document differ: every typed change between them, most important first.

    `changes` holds as many as fit in a record; `all_changes` refers to the full list when they do not.
    """

    document: DocumentSpec
    old_fingerprint: str
    new_fingerprint: str
    verdict: Verdict
    evidence: Evidence
    changes: tuple[Change, ...] = ()
    counts: dict[str, int] = {}
    all_changes: BodyRef | None = None
    effective_date: str | None = None
    headline: str = ""
    summary: str = ""
    reason: str = ""
    stacked: bool = False
    confirmed: bool = False
    language: str = ""
    origin: Origin = Origin.POLL
    schema: int = 1

    @property
    def id(self) -> str:
        return derived_id("chg", self.document.id, self.old_fingerprint, self.new_fingerprint, self.at)

    @property
    def key(self) -> str:
        return self.document.id

    @property
    def at(self) -> datetime:
        return self.evidence.new.fetched_at


class ChangeSettled(Event, frozen=True, kw_only=True, tag=True):
    """A change told before was confirmed by a later read, withdrawn, or came into force."""

    document_id: str
    change_id: str
    settled_at: datetime
    how: str  # confirmed | withdrawn | in-force
    reason: str = ""
    schema: int = 1

    @property
    def id(self) -> str:
        return derived_id("set", self.change_id, self.how)

    @property
    def key(self) -> str:
        return self.document_id

    @property
    def at(self) -> datetime:
        return self.settled_at


class FeedFetched(Event, frozen=True, kw_only=True, tag=True):
    """A feed brought entries that were not there before (or a read of it failed: no entries, a reason)."""

    feed: FeedSpec
    fetched_at: datetime
    outcome: FetchOutcome
    entries: tuple[Entry, ...] = ()
    title: str = ""
    reason: str = ""
    failures: int = 0
    schema: int = 1

    @property
    def id(self) -> str:
        return derived_id(
            "feed", self.feed.id, self.fetched_at, *(entry.id for entry in self.entries), self.reason
        )

    @property
    def key(self) -> str:
        return self.feed.id

    @property
    def at(self) -> datetime:
        return self.fetched_at


class StoryUpdated(Event, frozen=True, kw_only=True, tag=True):
    """A reported event gained an entry. `services` are the ids of services it names; `matches` its watches."""

    story_id: str
    entries: tuple[Entry, ...]
    updated_at: datetime
    services: tuple[str, ...] = ()
    matches: tuple[Match, ...] = ()
    schema: int = 1

    @property
    def id(self) -> str:
        return derived_id("story", self.story_id, *sorted(entry.id for entry in self.entries))

    @property
    def key(self) -> str:
        return self.story_id

    @property
    def at(self) -> datetime:
        return self.updated_at


class ServiceTouched(Event, frozen=True, kw_only=True, tag=True):
    """A change or a story concerns a service: both meet under the service's key. Exactly one is set."""

    service_id: str
    change: ClausesChanged | None = None
    story: StoryUpdated | None = None
    schema: int = 1

    @property
    def cause(self) -> ClausesChanged | StoryUpdated:
        cause = self.change or self.story
        assert cause is not None, "a service is touched by a change or by a story"
        return cause

    @property
    def id(self) -> str:
        return derived_id("touch", self.service_id, self.cause.id)

    @property
    def key(self) -> str:
        return self.service_id

    @property
    def at(self) -> datetime:
        return self.cause.at


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
    gather: Gathering | None = None
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


class ReminderSet(Event, frozen=True, kw_only=True, tag=True):
    """Something falls due on a day: a change comes into force, a silence ends. Replay sees the same calendar."""

    reminder_id: str
    what: str  # in-force | confirm | silence-end
    due_at: datetime
    set_at: datetime
    document_id: str = ""
    change_id: str = ""
    alert_id: str = ""
    done: bool = False
    schema: int = 1

    @property
    def id(self) -> str:
        return derived_id("rem", self.reminder_id, self.due_at, self.done)

    @property
    def key(self) -> str:
        return self.reminder_id

    @property
    def at(self) -> datetime:
        return self.set_at


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
    ReminderSet,
    DeliveryDue,
    DeliveryAttempted,
    EventRejected,
)
