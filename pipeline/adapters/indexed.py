"""What the index of alerts holds of each record: its tables, and the rows that a record becomes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from pipeline.adapters.wire import decode, pack
from pipeline.errors import DecodeError
from pipeline.events import (
    AlertAcknowledged,
    BodyRef,
    DeliveryAttempted,
    DocumentSpec,
    Match,
    Origin,
    PageState,
    Severity,
    derived_id,
)
from pipeline.news.names import service_id
from pipeline.ports import Kept

TOPICS = ("versions.recorded", "clauses.changed", "alerts.raised", "deliveries")  # read in this order
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SCHEMA = (
    "CREATE TABLE about (version INTEGER, log TEXT)",
    "CREATE TABLE marks (topic TEXT, partition INTEGER, next INTEGER, last TEXT, PRIMARY KEY (topic, partition)) "
    "WITHOUT ROWID",
    "CREATE TABLE alerts (alert_id TEXT PRIMARY KEY, at INTEGER, kind TEXT, severity INTEGER, document TEXT, "
    "line BLOB, topic TEXT, partition INTEGER, offset INTEGER) WITHOUT ROWID",
    "CREATE UNIQUE INDEX alerts_by_time ON alerts (at, alert_id)",
    "CREATE INDEX alerts_by_document ON alerts (document, at, alert_id)",
    "CREATE TABLE services (service TEXT, at INTEGER, alert_id TEXT, PRIMARY KEY (service, at, alert_id)) "
    "WITHOUT ROWID",
    "CREATE TABLE sequels (id TEXT PRIMARY KEY, alert_id TEXT, at INTEGER, how TEXT, topic TEXT, partition INTEGER, "
    "offset INTEGER) WITHOUT ROWID",
    "CREATE INDEX sequels_by_alert ON sequels (alert_id, at)",
    "CREATE TABLE attempts (id TEXT PRIMARY KEY, at INTEGER, delivery TEXT, alert_id TEXT, subscription TEXT, "
    "outcome TEXT, value BLOB) WITHOUT ROWID",
    "CREATE UNIQUE INDEX attempts_by_time ON attempts (at, id)",
    "CREATE INDEX attempts_by_subscription ON attempts (subscription, at, id)",
    "CREATE INDEX attempts_by_alert ON attempts (alert_id, subscription)",
    "CREATE INDEX attempts_by_delivery ON attempts (delivery)",
    "CREATE INDEX attempts_by_outcome ON attempts (outcome, at, id)",
    "CREATE TABLE members (delivery TEXT, attempt TEXT, PRIMARY KEY (delivery, attempt)) WITHOUT ROWID",
    "CREATE INDEX members_by_attempt ON members (attempt)",
    "CREATE TABLE gatherers (subscription TEXT PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE changes (change_id TEXT PRIMARY KEY, topic TEXT, partition INTEGER, offset INTEGER) WITHOUT ROWID",
    "CREATE TABLE versions (document TEXT, fingerprint TEXT, page TEXT, sha256 TEXT, size INTEGER, "
    "PRIMARY KEY (document, fingerprint, page)) WITHOUT ROWID",
)
TABLES = {  # how a row is added; the first of an identity stays
    "alerts": "INSERT OR IGNORE INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "services": "INSERT OR IGNORE INTO services VALUES (?, ?, ?)",
    "sequels": "INSERT OR IGNORE INTO sequels VALUES (?, ?, ?, ?, ?, ?, ?)",
    "attempts": "INSERT OR IGNORE INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?)",
    "members": "INSERT OR IGNORE INTO members VALUES (?, ?)",
    "gatherers": "INSERT OR IGNORE INTO gatherers VALUES (?)",
    "changes": "INSERT OR IGNORE INTO changes VALUES (?, ?, ?, ?)",
    "versions": "INSERT OR IGNORE INTO versions VALUES (?, ?, ?, ?, ?)",
}

Row = tuple[str, tuple[Any, ...]]


class DocumentName(Struct, frozen=True, kw_only=True):
    """A document as lists name it."""

    id: str
    service: str
    name: str
    url: str


class AlertLine(Struct, frozen=True, kw_only=True):
    """An alert as lists show it. `state` is told, unconfirmed, confirmed, in-force, healed or withdrawn."""

    alert_id: str
    kind: str
    raised_at: datetime
    title: str
    severity: Severity
    state: str = "told"
    service: str = ""
    document: DocumentName | None = None
    categories: tuple[str, ...] = ()
    watches: tuple[str, ...] = ()
    changes: int = 0
    effective_date: str | None = None
    language: str = ""
    origin: Origin = Origin.POLL


class _Story(Struct, frozen=True):
    services: tuple[str, ...] = ()


class _Raised(Struct, frozen=True, tag="AlertRaised", tag_field="type"):
    """What lists need of an alert; the rest of the record is passed over unread."""

    alert_id: str
    kind: str
    raised_at: datetime
    title: str
    severity: Severity
    service: str = ""
    document: DocumentSpec | None = None
    categories: tuple[str, ...] = ()
    counts: dict[str, int] = {}
    effective_date: str | None = None
    story: _Story | None = None
    matches: tuple[Match, ...] = ()
    confirmed: bool = True
    language: str = ""
    origin: Origin = Origin.POLL


class _Updated(Struct, frozen=True, tag="AlertUpdated", tag_field="type"):
    alert_id: str
    updated_at: datetime
    how: str


class _Withdrawn(Struct, frozen=True, tag="AlertWithdrawn", tag_field="type"):
    alert_id: str
    withdrawn_at: datetime


class _Page(Struct, frozen=True):
    page_id: str


class _Version(Struct, frozen=True, tag="VersionRecorded", tag_field="type"):
    document: DocumentSpec
    page: _Page
    state: PageState
    fingerprint: str = ""
    version: BodyRef | None = None


_alerts = msgspec.json.Decoder(_Raised | _Updated | _Withdrawn)
_versions = msgspec.json.Decoder(_Version)


def micros(moment: datetime) -> int:
    """Return a time as microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def rows(record: Kept) -> Iterator[Row]:
    """Yield the rows that a record becomes; none for what is no event of ours."""
    try:
        yield from READ[record.topic](record)
    except (msgspec.MsgspecError, DecodeError):
        return


def marks(record: Kept) -> str:
    """Return what tells a record from another at the same place of another log."""
    return derived_id("rec", record.at, record.key or b"", len(record.value or b""), _identity(record))


def _identity(record: Kept) -> str:
    return record.headers.get("ce_id", b"").decode("utf-8", "replace")


def _id_of(record: Kept) -> str:
    """Return the id of a record's event: as its headers have it, else as its content does."""
    return _identity(record) or decode(record.value).id


def _place(record: Kept) -> tuple[str, int, int]:
    return record.topic, record.partition, record.offset


def _alert_rows(record: Kept) -> Iterator[Row]:
    event = _alerts.decode(record.value or b"")
    if isinstance(event, _Raised):
        yield from _raised(event, record)
        return
    at, how = (
        (event.updated_at, event.how) if isinstance(event, _Updated) else (event.withdrawn_at, "withdrawn")
    )
    yield "sequels", (_id_of(record), event.alert_id, micros(at), how, *_place(record))


def _raised(event: _Raised, record: Kept) -> Iterator[Row]:
    at, document = micros(event.raised_at), event.document
    line = AlertLine(
        alert_id=event.alert_id,
        kind=event.kind,
        raised_at=event.raised_at,
        title=event.title,
        severity=event.severity,
        state="told" if event.confirmed or event.kind != "change" else "unconfirmed",
        service=event.service,
        document=DocumentName(id=document.id, service=document.service, name=document.name, url=document.url)
        if document
        else None,
        categories=event.categories,
        watches=tuple(dict.fromkeys(match.watch or match.watch_id for match in event.matches)),
        changes=sum(event.counts.values()),
        effective_date=event.effective_date,
        language=event.language,
        origin=event.origin,
    )
    known = (event.alert_id, at, event.kind, event.severity.rank, document.id if document else "")
    yield "alerts", (*known, pack(line), *_place(record))
    names = (
        event.service,
        document.service if document else "",
        *(event.story.services if event.story else ()),
    )
    for service in {service_id(name) for name in names if name}:
        yield "services", (service, at, event.alert_id)


def _attempt_rows(record: Kept) -> Iterator[Row]:
    event = decode(record.value)
    if isinstance(event, AlertAcknowledged):
        at = micros(event.acknowledged_at)
        yield "sequels", (event.id, event.alert_id, at, "acknowledged", *_place(record))
    if not isinstance(event, DeliveryAttempted):
        return
    known = (event.id, micros(event.attempted_at), event.delivery_id, event.alert_id)
    yield "attempts", (*known, event.subscription_id, event.outcome, record.value)
    if event.members:
        yield "gatherers", (event.subscription_id,)
    for member in event.members:
        yield "members", (member, event.id)


def _change_rows(record: Kept) -> Iterator[Row]:
    kind = record.headers.get("ce_type", b"")
    if kind in {b"clausewire.clauses.changed", b""}:
        yield "changes", (_id_of(record), *_place(record))


def _version_rows(record: Kept) -> Iterator[Row]:
    event = _versions.decode(record.value or b"")
    if event.state is PageState.OK and event.version:
        body = event.version
        yield (
            "versions",
            (event.document.id, event.fingerprint, event.page.page_id, body.sha256, body.size),
        )


READ = {
    "versions.recorded": _version_rows,
    "clauses.changed": _change_rows,
    "alerts.raised": _alert_rows,
    "deliveries": _attempt_rows,
}
