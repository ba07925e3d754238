"""How a destination takes what it is sent, over all its threads: a pure fold that says when to warn, when to stop.

A failure that lies with us, such as a mail server of our own that is away, says nothing of a destination.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from pipeline.alerts.render.words import count, instant
from pipeline.events import AlertRaised, DeliveryAttempted, Value

PATIENCE = timedelta(days=5)  # of nothing but failures, as Svix has it; a day's outage switches nobody off
CONCERN = timedelta(days=1)  # of nothing but failures, after which it is said


class Health(Value, frozen=True, kw_only=True):
    """Since when a destination has only failed, how often, and whether a delivery was given up meanwhile."""

    failing_since: datetime | None = None
    failures: int = 0
    given_up: int = 0
    last_reason: str = ""
    unwanted: str = ""  # why the destination wants no more at all
    taken_at: datetime | None = (
        None  # when it took something after a failure: a repeat of that changes nothing
    )
    warning: AlertRaised | None = None  # what was said of it while it fails
    off_at: datetime | None = None  # when it was switched off


def attempted(health: Health, event: DeliveryAttempted) -> Health:
    """Take in how an attempt ended; one success forgives everything before it."""
    if event.outcome == "sent":
        return Health(taken_at=event.attempted_at) if health.failures else health
    if event.outcome == "skipped" or event.ours or _is_old(health, event):
        return health
    return replace(
        health,
        failing_since=health.failing_since or event.attempted_at,
        failures=health.failures + 1,
        given_up=health.given_up + (event.outcome != "failed"),
        last_reason=event.reason,
        unwanted=event.reason if event.disable else health.unwanted,
    )


def resumed(health: Health, at: datetime) -> Health:
    """Return the health of a destination that was declared anew at a time: what failed before counts no more."""
    began = health.failing_since
    return Health(taken_at=at) if began and began < at else health


def why_off(health: Health, now: datetime) -> str:
    """Return why a subscription is to be switched off, for its owner and the operator; empty while it is not."""
    if health.unwanted:
        return health.unwanted
    if not health.given_up or not _lasts(health, now, PATIENCE):
        return ""
    return ailing(health)


def is_worrying(health: Health, now: datetime) -> bool:
    """Say whether it is time to warn that a destination takes nothing; once, while it fails."""
    return health.warning is None and _lasts(health, now, CONCERN)


def ailing(health: Health) -> str:
    """Return since when nothing was taken, in how many attempts, and how the last one ended."""
    tries = count(health.failures, "attempt")
    return f"nothing was taken since {instant(since(health))} in {tries}; the last: {health.last_reason}"


def since(health: Health) -> datetime:
    """Return since when a destination that fails has only failed."""
    assert health.failing_since is not None, "it is well"
    return health.failing_since


def _lasts(health: Health, now: datetime, least: timedelta) -> bool:
    return health.failing_since is not None and now - health.failing_since >= least


def _is_old(health: Health, event: DeliveryAttempted) -> bool:
    return health.taken_at is not None and event.attempted_at <= health.taken_at
