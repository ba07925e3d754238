"""When a source is in trouble: operators hear once, after it lasted, and once when it heals."""

from __future__ import annotations

from datetime import datetime

import msgspec

from pipeline.events import (
    AlertRaised,
    AlertUpdated,
    DocumentSpec,
    Event,
    Severity,
    Value,
    derived_id,
)

FAILED_READS = 3  # in a row, before anybody is told
BROKEN_READS = 2  # in a row: the second confirms the first


class Trouble(Value, frozen=True, kw_only=True):
    """A document that cannot be read: since when, why, how often, and whether it was told."""

    since: datetime
    reason: str
    reads: int = 0
    told: bool = False


def worse(
    trouble: Trouble | None, document: DocumentSpec, *, reason: str, at: datetime, reads: int, enough: int
) -> tuple[Trouble, list[Event]]:
    """Return the trouble after one more bad read, and the alert once there were enough of them.

    `reads` is the number of bad reads that this one stands for, itself included, where it is known; else 0.
    """
    known = trouble or Trouble(since=at, reason=reason)
    now = msgspec.structs.replace(known, reason=reason, reads=max(known.reads + 1, reads))
    if now.told or now.reads < enough:
        return now, []
    return msgspec.structs.replace(now, told=True), [alert(document, now, at)]


def healed(trouble: Trouble | None, document: DocumentSpec, at: datetime) -> list[Event]:
    """Return the update that closes a trouble, if anybody was told of it."""
    if trouble is None or not trouble.told:
        return []
    return [
        AlertUpdated(
            alert_id=alert_id(document, trouble),
            updated_at=at,
            how="healed",
            cause_id=trouble.since.isoformat(),
            reason=f"the page reads well again; it did not since {trouble.since:%d %B %Y, %H:%M} UTC",
        )
    ]


def alert_id(document: DocumentSpec, trouble: Trouble) -> str:
    """Return the id of the alert about a trouble: one per document and beginning."""
    return derived_id("alt", document.id, "health", trouble.since)


def alert(document: DocumentSpec, trouble: Trouble, at: datetime) -> AlertRaised:
    """Return the alert that tells operators of a source in trouble."""
    return AlertRaised(
        alert_id=alert_id(document, trouble),
        kind="health",
        raised_at=at,
        title=f"{document.service} {document.name} cannot be read",
        summary=(
            f"{trouble.reason} Since {trouble.since:%d %B %Y, %H:%M} UTC, {trouble.reads} reads in a row. "
            "The last good version is kept; no change is told meanwhile."
        ),
        severity=Severity.LOW,
        service=document.service,
        document=document,
        cause_id=derived_id("trb", document.id, trouble.since),
    )
