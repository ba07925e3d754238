"""How a destination takes what it is sent, over all its threads: a pure fold that says when to stop trying."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from pipeline.alerts.render.words import instant
from pipeline.events import DeliveryAttempted, Value

PATIENCE = timedelta(days=5)  # of nothing but failures, as Svix has it; a day's outage switches nobody off


class Health(Value, frozen=True, kw_only=True):
    """Since when a destination has only failed, how often, and whether a delivery was given up meanwhile."""

    failing_since: datetime | None = None
    failures: int = 0
    given_up: int = 0
    last_reason: str = ""
    unwanted: str = ""  # why the destination wants no more at all


def attempted(health: Health, event: DeliveryAttempted) -> Health:
    """Take in how an attempt ended; one success forgives everything before it."""
    if event.outcome == "sent":
        return Health()
    if event.outcome == "skipped":
        return health
    return replace(
        health,
        failing_since=health.failing_since or event.attempted_at,
        failures=health.failures + 1,
        given_up=health.given_up + (event.outcome != "failed"),
        last_reason=event.reason,
        unwanted=event.reason if event.disable else health.unwanted,
    )


def why_off(health: Health, now: datetime) -> str:
    """Return why a subscription is to be switched off, for its owner and the operator; empty while it is not."""
    if health.unwanted:
        return health.unwanted
    since = health.failing_since
    if since is None or not health.given_up or now - since < PATIENCE:
        return ""
    return f"nothing was taken since {instant(since)} in {health.failures:,} attempts; the last: {health.last_reason}"
