"""What happens to watched policies: sources, pages, versions, changes."""

from __future__ import annotations

from datetime import datetime

import msgspec

from pipeline.events.base import Event, derived_id
from pipeline.events.values import BodyRef, Change, DocumentSpec, Evidence, FeedSpec, PageRef
from pipeline.events.words import FetchOutcome, Origin, PageState, Verdict


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


class ReminderSet(Event, frozen=True, kw_only=True, tag=True):
    """Something falls due on a day: a change comes into force, a silence ends. Replay sees the same calendar."""

    reminder_id: str
    what: str  # in-force | confirm | silence-end | gather
    due_at: datetime
    set_at: datetime
    document_id: str = ""
    change_id: str = ""
    alert_id: str = ""
    done: bool = False
    subscription_id: str = ""  # of a gathering that is to be told, with its group and window
    group: str = ""
    window: str = ""
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
