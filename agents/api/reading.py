"""Alerts and deliveries over HTTP: lists by the index, what an alert says, and who was told of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from aiohttp import web
from msgspec import Struct

from agents.api.access import SHOWN
from agents.api.office import Office
from agents.api.problems import ProblemError
from agents.api.requests import cursor, limit_of, place_of, query
from agents.api.subscriptions import answer
from pipeline.adapters.indexed import AlertLine
from pipeline.adapters.lookup import After, Wanted
from pipeline.events import (
    AlertAcknowledged,
    AlertRaised,
    AlertUpdated,
    AlertWithdrawn,
    DeliveryAttempted,
    Severity,
)

OUTCOMES = ("sent", "failed", "refused", "gave-up", "skipped")
KINDS = ("change", "story", "health")
ORDERS = ("newest", "oldest")
SEVERITIES = tuple(severity.value for severity in Severity)
WORDS: Mapping[str, Sequence[str]] = {
    "outcome": OUTCOMES,
    "kind": KINDS,
    "order": ORDERS,
    "min_severity": SEVERITIES,
}
PAGING = ("limit", "cursor", "order")
WHEN = ("since", "until")
OF_ALERTS = (*PAGING, *WHEN, "kind", "service", "document", "min_severity", "subscription")
OF_ATTEMPTS = (*OF_ALERTS, "alert", "delivery", "outcome")
LONGEST = 300
MOST_TOLD = 1_000  # attempts shown with an alert
MOMENT = r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z)?$"

T = TypeVar("T")


class AlertPage(Struct, frozen=True, kw_only=True):
    """A part of the list of alerts; `next_cursor` asks for the next, null at the end."""

    items: list[AlertLine]
    next_cursor: str | None


class DeliveryPage(Struct, frozen=True, kw_only=True):
    """A part of the list of attempts; `next_cursor` asks for the next, null at the end."""

    items: list[DeliveryAttempted]
    next_cursor: str | None


class AlertView(Struct, frozen=True, kw_only=True):
    """An alert, what became known of it since, and what became of telling it."""

    alert: AlertRaised
    updates: list[AlertUpdated]
    withdrawal: AlertWithdrawn | None
    deliveries: list[DeliveryAttempted]
    acknowledgements: list[AlertAcknowledged] = []


async def alerts(office: Office, request: web.Request) -> web.Response:
    """List alerts, newest first unless the oldest are asked for first."""
    asked = _asked(request, OF_ALERTS)
    found = await office.told.alerts(_wanted(asked, order="newest"))
    items, next_cursor = _paged(found, limit_of(asked))
    return answer(AlertPage(items=items, next_cursor=next_cursor))


async def deliveries(office: Office, request: web.Request) -> web.Response:
    """List attempts to deliver, oldest first unless the newest are asked for first."""
    asked = _asked(request, OF_ATTEMPTS)
    found = await office.told.attempts(_wanted(asked, order="oldest"))
    items, next_cursor = _paged(found, limit_of(asked))
    return answer(DeliveryPage(items=items, next_cursor=next_cursor))


async def alert(office: Office, request: web.Request) -> web.Response:
    """Show an alert and its updates; who was told, and who answered, to a key that may see deliveries."""
    query(request, ())
    alert_id = request.match_info["id"]
    raised = await office.told.alert(alert_id)
    if raised is None:
        raise ProblemError(404, "there is no such alert")
    sequels = await office.told.sequels(alert_id)
    wanted = Wanted(limit=MOST_TOLD, newest=False, only={"alert": alert_id})
    sees_deliveries = "deliveries:read" in request[SHOWN].scopes
    told = await office.told.attempts(wanted) if sees_deliveries else []
    view = AlertView(
        alert=raised,
        updates=[event for event in sequels if isinstance(event, AlertUpdated)],
        withdrawal=next((event for event in sequels if isinstance(event, AlertWithdrawn)), None),
        deliveries=[event for _, event in told],
        acknowledgements=[
            event for event in sequels if isinstance(event, AlertAcknowledged) and sees_deliveries
        ],
    )
    return answer(view)


def _asked(request: web.Request, known: Sequence[str]) -> dict[str, str]:
    """Return what a list is asked for; ProblemError 400 for a word or a time that it does not know."""
    asked = query(request, known)
    for name, value in asked.items():
        if name in WORDS and value not in WORDS[name]:
            raise ProblemError(400, f"{name} is one of {', '.join(WORDS[name])}")
        if len(value) > LONGEST and name != "cursor":
            raise ProblemError(400, f"{name} has up to {LONGEST} characters")
    return asked


def _wanted(asked: Mapping[str, str], *, order: str) -> Wanted:
    names = ("kind", "service", "document", "subscription", "alert", "delivery", "outcome")
    grave = asked.get("min_severity")
    return Wanted(
        limit=limit_of(asked) + 1,  # one more, to know whether it ends here
        newest=asked.get("order", order) == "newest",
        after=After(*place_of(asked["cursor"])) if "cursor" in asked else None,
        only={name: asked[name] for name in names if name in asked},
        severity=Severity(grave) if grave else None,
        since=_moment("since", asked),
        until=_moment("until", asked),
    )


def _moment(name: str, asked: Mapping[str, str]) -> datetime | None:
    """Return a time of a query; ProblemError 400 for what is none, 422 for a day that there is not."""
    if name not in asked:
        return None
    if not re.fullmatch(MOMENT[1:-1], asked[name], re.ASCII):
        raise ProblemError(400, f"{name} is a time in UTC", remedy="Write 2024-10-17 or 2024-10-17T12:00:00Z")
    try:
        return datetime.fromisoformat(asked[name]).replace(tzinfo=UTC)
    except ValueError:
        raise ProblemError(422, f"{name}: there is no such day or time") from None


def _paged(found: Sequence[tuple[After, T]], most: int) -> tuple[list[T], str | None]:
    """Return the entries of a page, and the cursor of the next where there is one."""
    shown: Any = [item for _, item in found[:most]]
    return shown, cursor(*found[most - 1][0]) if len(found) > most else None
