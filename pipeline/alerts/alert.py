"""What becomes an alert, when it is sure enough to be told, and how an alert told before is settled."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pipeline.events import (
    AlertRaised,
    AlertUpdated,
    AlertWithdrawn,
    BodyRef,
    Change,
    ChangeSettled,
    ClausesChanged,
    Coverage,
    Severity,
    StoryUpdated,
    Value,
    derived_id,
)
from pipeline.sizes import fitting

TOLD_UNCONFIRMED = Severity.HIGH  # from here on a reader wants to hear at once, marked as unconfirmed
INLINE_BYTES = 40_000  # of changes within one alert; the rest is referred to
REMEMBERED = 64


class AlertingState(Value, frozen=True, kw_only=True):
    """What is remembered per document: the changes told, those held until confirmed, the events handled."""

    alerts: tuple[str, ...] = ()
    pending: dict[str, BodyRef] = {}
    seen: tuple[str, ...] = ()

    def noted(self, event_id: str) -> AlertingState:
        """Return the state with one more event handled."""
        return msgspec.structs.replace(self, seen=(*self.seen, event_id)[-REMEMBERED:])

    def told(self, change_id: str) -> AlertingState:
        """Return the state with a change told and no longer held."""
        state = self.dropped(change_id)
        return msgspec.structs.replace(state, alerts=(*state.alerts, change_id)[-REMEMBERED:])

    def held(self, change_id: str, ref: BodyRef) -> AlertingState:
        """Return the state with a change held back until it is confirmed."""
        return msgspec.structs.replace(self, pending={**self.pending, change_id: ref})

    def dropped(self, change_id: str) -> AlertingState:
        """Return the state without a held change."""
        return msgspec.structs.replace(
            self, pending={held: ref for held, ref in self.pending.items() if held != change_id}
        )

    def holding(self, change_id: str) -> BodyRef | None:
        """Return where a held change lies."""
        return self.pending.get(change_id)


class StoryState(Value, frozen=True, kw_only=True):
    """What is remembered per story: whether it was told, and the events handled."""

    told: bool = False
    seen: tuple[str, ...] = ()


def alert_id_of(change_id: str) -> str:
    """Return the id of the alert that a change gives rise to."""
    return derived_id("alt", change_id)


def severity_of(changes: Sequence[Change]) -> Severity:
    """Return the gravest severity among changes."""
    return max(
        (change.severity for change in changes), key=lambda severity: severity.rank, default=Severity.INFO
    )


def is_told_at_once(event: ClausesChanged) -> bool:
    """Say whether a change is told without waiting for a second read: it is confirmed, or it is grave."""
    return event.confirmed or severity_of(event.changes).rank >= TOLD_UNCONFIRMED.rank


def change_alert(event: ClausesChanged) -> AlertRaised:
    """Return the alert that tells a change of a document."""
    document = event.document
    changes = fitting(event.changes, budget=INLINE_BYTES, least=1)
    categories = dict.fromkeys(
        change.category for change in event.changes if change.category != "unclassified"
    )
    return AlertRaised(
        alert_id=alert_id_of(event.id),
        kind="change",
        raised_at=event.at,
        title=event.headline or f"{document.service} changes its {document.name}",
        summary=event.summary,
        severity=severity_of(event.changes),
        service=document.service,
        document=document,
        categories=tuple(categories),
        changes=changes,
        counts=event.counts,
        all_changes=event.all_changes,
        effective_date=event.effective_date,
        evidence=event.evidence,
        confirmed=event.confirmed,
        language=event.language,
        origin=event.origin,
        cause_id=event.id,
        stacked=event.stacked,
    )


def story_alert(event: StoryUpdated) -> AlertRaised:
    """Return the alert that tells a story for the watches that its newest entry satisfies, headed by that entry."""
    first = event.entries[-1]  # the one that satisfied the watches
    return AlertRaised(
        alert_id=derived_id("alt", event.story_id),
        kind="story",
        raised_at=event.at,
        title=first.title,
        summary=first.summary,
        severity=Severity.MEDIUM,
        service=event.services[0] if len(event.services) == 1 else "",
        story=event,
        coverage=tuple(_coverage(event)),
        matches=event.matches,
        language=first.language,
        cause_id=event.id,
    )


def _coverage(event: StoryUpdated) -> list[Coverage]:
    return [
        Coverage(
            story_id=event.story_id,
            title=entry.title,
            outlet=entry.outlet,
            url=entry.url,
            published_at=entry.published_at,
        )
        for entry in event.entries
    ]


def settled(event: ChangeSettled) -> AlertUpdated | AlertWithdrawn:
    """Return what readers of the alert are told when its change is confirmed, withdrawn or in force."""
    alert_id = alert_id_of(event.change_id)
    if event.how == "withdrawn":
        return AlertWithdrawn(
            alert_id=alert_id, withdrawn_at=event.settled_at, reason=event.reason, cause_id=event.id
        )
    return AlertUpdated(
        alert_id=alert_id,
        updated_at=event.settled_at,
        how=event.how,
        cause_id=event.id,
        reason=event.reason,
    )
