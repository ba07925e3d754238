"""One attempt to deliver: when the next one is due, and the event that tells how this one ended.

The webhook schedule is the example of the Standard Webhooks specification (75 hours over ten attempts); Slack
and mail servers come back sooner or not at all, and a late message there helps nobody, so theirs end in a day
and in three. Jitter derives from the delivery, so that a replay and a restarted worker see the same times.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta

from pipeline.errors import DeliveryError, PipelineError, RefusedError
from pipeline.events import Channel, DeliveryAttempted, DeliveryDue, Severity

SECOND, MINUTE, HOUR = 1.0, 60.0, 3600.0

WAITS_S: Mapping[Channel, tuple[float, ...]] = {
    Channel.WEBHOOK: (
        5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR,
    ),
    Channel.SLACK: (
        5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 12 * HOUR,
    ),
    Channel.EMAIL: (MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR, 24 * HOUR),
    Channel.CONSOLE: (SECOND,),
    Channel.APPRISE: (
        5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 12 * HOUR,
    ),
}  # fmt: skip
JITTER = 0.1  # a wait is lengthened by up to this share, never shortened
LONGEST_HINT_S = 24 * HOUR
RESPONSE_CHARS = 2_000


def retry_at(
    channel: Channel, delivery_id: str, attempt: int, *, failed_at: datetime, hint_s: float | None = None
) -> datetime | None:
    """Return when to try again after the given attempt (1 is the first) failed; None to give up.

    `hint_s` is the destination's Retry-After: it lengthens a wait, up to 24 hours, and never shortens one.
    """
    waits = WAITS_S[channel]
    if attempt > len(waits):
        return None
    wait = waits[attempt - 1] * (1 + JITTER * _share(delivery_id, attempt))
    return failed_at + timedelta(seconds=max(wait, min(hint_s or 0.0, LONGEST_HINT_S)))


def sent(
    due: DeliveryDue,
    *,
    attempt: int,
    at: datetime,
    duration_s: float = 0.0,
    status: int | None = None,
    response: str = "",
    receipt: Mapping[str, str] | None = None,
) -> DeliveryAttempted:
    """Return the event of an attempt that the destination took."""
    return DeliveryAttempted(
        delivery_id=due.delivery_id,
        subscription_id=due.subscription_id,
        thread=due.thread,
        alert_id=alert_id(due),
        attempt=attempt,
        outcome="sent",
        attempted_at=at,
        duration_s=duration_s,
        status=status,
        response=response[:RESPONSE_CHARS],
        receipt=dict(receipt or {}),
        what=what(due),
        members=members(due),
    )


def failed(
    due: DeliveryDue,
    error: PipelineError,
    *,
    channel: Channel,
    attempt: int,
    at: datetime,
    duration_s: float = 0.0,
) -> DeliveryAttempted:
    """Return the event of an attempt that met an error: failed, refused, or given up after the last wait."""
    refused = isinstance(error, RefusedError)
    hint = error.retry_after_s if isinstance(error, DeliveryError) else None
    again = None if refused else retry_at(channel, due.delivery_id, attempt, failed_at=at, hint_s=hint)
    return DeliveryAttempted(
        delivery_id=due.delivery_id,
        subscription_id=due.subscription_id,
        thread=due.thread,
        alert_id=alert_id(due),
        attempt=attempt,
        outcome="refused" if refused else "failed" if again else "gave-up",
        attempted_at=at,
        duration_s=duration_s,
        status=error.status if isinstance(error, DeliveryError | RefusedError) else None,
        reason=f"{error}. {error.remedy}" if error.remedy else str(error),
        retry_at=again,
        ambiguous=isinstance(error, DeliveryError) and error.ambiguous,
        what=what(due),
        members=members(due),
        disable=isinstance(error, RefusedError) and error.disable,
        ours=isinstance(error, DeliveryError) and error.ours,
    )


def skipped(due: DeliveryDue, reason: str, *, at: datetime) -> DeliveryAttempted:
    """Return the event of a delivery that is not sent, because there is no longer anything to tell."""
    return DeliveryAttempted(
        delivery_id=due.delivery_id,
        subscription_id=due.subscription_id,
        thread=due.thread,
        alert_id=alert_id(due),
        attempt=0,
        outcome="skipped",
        attempted_at=at,
        reason=reason,
        what=what(due),
        members=members(due),
    )


def what(due: DeliveryDue) -> str:
    """Return what is told: `alert`, `update` or `withdrawal`, or of a gathered message `group` or `digest`."""
    if due.members:
        return due.gathered
    return "withdrawal" if due.withdrawal else "update" if due.update else "alert"


def members(due: DeliveryDue) -> tuple[str, ...]:
    """Return the deliveries that a gathered message stands for."""
    return tuple(member.delivery_id for member in due.members)


def gravity(due: DeliveryDue) -> Severity:
    """Return how grave the gravest of what is told is."""
    alerts = [one.alert for one in (due, *due.members) if one.alert]
    return max((alert.severity for alert in alerts), key=lambda one: one.rank, default=Severity.INFO)


def alert_id(due: DeliveryDue) -> str:
    """Return the alert that is told, updated or withdrawn; of a gathered message none."""
    told = due.withdrawal or due.update or due.alert
    return told.alert_id if told else ""


def _share(delivery_id: str, attempt: int) -> float:
    """Return a number in [0, 1) that depends on nothing but the attempt."""
    digest = hashlib.sha256(f"{delivery_id}.{attempt}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
