"""The values inside events: frozen, without identity of their own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pipeline.events.base import Value
from pipeline.events.words import ChangeType, Severity, Verdict


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


class Gather(Value, frozen=True, kw_only=True):
    """How a subscription's alerts are gathered into one message; what reaches `urgent` goes at once.

    A `group` gathers the alerts of one service (`by`; or `all`) for `wait_s` seconds from the first, and sends the
    next message of that group no sooner than `interval_s` after. A `daily` or `weekly` digest holds everything until
    minute `at` of the local day, weekly on `day` (0 is Monday).
    """

    how: str  # group | daily | weekly
    by: str = "service"
    wait_s: float = 30.0
    interval_s: float = 300.0
    zone: str = "UTC"
    day: int = 0
    at: int = 480
    urgent: Severity | None = None


class Sealed(Value, frozen=True, kw_only=True):
    """An encrypted secret of a subscription: what it is for, and until when it is used."""

    name: str  # secret | token | webhook_url
    token: str
    until: datetime | None = None
    public: str = ""  # of a pair of keys the part that may be shown
