"""Deliveries and alerts over HTTP: what became of each attempt, what an alert says and who was told of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

from aiohttp import web
from msgspec import Struct

from agents.api.office import Office, Opening
from agents.api.problems import ProblemError
from agents.api.requests import page, query
from agents.api.subscriptions import answer
from pipeline.adapters.wire import decode
from pipeline.errors import DecodeError
from pipeline.events import (
    AlertRaised,
    AlertUpdated,
    AlertWithdrawn,
    DeliveryAttempted,
    Event,
)

OUTCOMES = ("sent", "failed", "refused", "gave-up", "skipped")


class DeliveryPage(Struct, frozen=True, kw_only=True):
    """A part of the list of attempts, oldest first; `next_cursor` asks for the next, null at the end."""

    items: list[DeliveryAttempted]
    next_cursor: str | None


class AlertView(Struct, frozen=True, kw_only=True):
    """An alert, what became known of it since, and what became of telling it."""

    alert: AlertRaised
    updates: list[AlertUpdated]
    withdrawal: AlertWithdrawn | None
    deliveries: list[DeliveryAttempted]


async def deliveries(office: Office, request: web.Request) -> web.Response:
    """List attempts to deliver, oldest first."""
    asked = query(request, ("limit", "cursor", "subscription", "alert", "delivery", "outcome"))
    if asked.get("outcome", OUTCOMES[0]) not in OUTCOMES:
        raise ProblemError(400, f"outcome is one of {', '.join(OUTCOMES)}")
    found = await asyncio.to_thread(attempts, office.history, asked)
    return answer(page(found, asked, key=_place))


async def alert(office: Office, request: web.Request) -> web.Response:
    """Show an alert, its updates and who was told."""
    query(request, ())
    found = await asyncio.to_thread(told, office.history, request.match_info["id"])
    if found is None:
        raise ProblemError(404, "there is no such alert")
    return answer(found)


def attempts(opened: Opening, asked: dict[str, str]) -> Sequence[DeliveryAttempted]:
    """Return the attempts that are asked for, in the order of their time."""
    with opened() as history:
        events = [event for event in _events(history, "deliveries") if isinstance(event, DeliveryAttempted)]
    wanted = {
        name: asked[field]
        for name, field in (
            ("subscription_id", "subscription"),
            ("alert_id", "alert"),
            ("delivery_id", "delivery"),
            ("outcome", "outcome"),
        )
        if field in asked
    }
    kept = [event for event in events if all(getattr(event, name) == value for name, value in wanted.items())]
    return sorted({event.id: event for event in kept}.values(), key=_place)


def told(opened: Opening, alert_id: str) -> AlertView | None:
    """Return all that is known of an alert, None where there is none."""
    with opened() as history:
        events = list(_events(history, "alerts.raised", key=alert_id.encode("utf-8", "replace")))
    raised = [event for event in events if isinstance(event, AlertRaised)]
    if not raised:
        return None
    updates = {event.id: event for event in events if isinstance(event, AlertUpdated)}
    return AlertView(
        alert=raised[0],
        updates=list(updates.values()),
        withdrawal=next((event for event in events if isinstance(event, AlertWithdrawn)), None),
        deliveries=list(attempts(opened, {"alert": alert_id})),
    )


def _events(history: Any, topic: str, *, key: bytes | None = None) -> Iterator[Event]:
    for record in history.records(topic):
        if key is None or record.key == key:
            try:
                yield decode(record.value)
            except DecodeError:
                continue


def _place(event: DeliveryAttempted) -> str:
    return f"{event.attempted_at.isoformat()} {event.id}"
