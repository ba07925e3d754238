"""What the API can do, as a table: each line is served, guarded and described from here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from agents.api import reading, silences, subscriptions
from agents.api.office import Office
from agents.silence import NewSilence
from agents.subscribe import ChangedSubscription, NewSubscription

Handler = Callable[[Office, web.Request], Awaitable[web.Response]]
READS = (400, 401, 403)
LISTS = (*READS, 422)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A part of an address or of its query."""

    name: str
    place: str
    says: str
    schema: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that can be asked: how, with which scope, what it takes and gives, and how it may fail."""

    method: str
    path: str
    name: str
    handler: Handler
    scope: str
    summary: str
    takes: type | None = None
    gives: type | None = None
    status: int = 200
    parameters: tuple[Parameter, ...] = ()
    fails: tuple[int, ...] = READS


ID = Parameter("id", "path", "The subscription.", {"type": "string"})
SILENCE_ID = Parameter("id", "path", "The silence.", {"type": "string"})
ALERT_ID = Parameter("id", "path", "The alert.", {"type": "string"})
LIMIT = Parameter("limit", "query", "How many at most.", {"type": "integer", "minimum": 1, "maximum": 200})
CURSOR = Parameter("cursor", "query", "The next_cursor of the page before.", {"type": "string"})
IDEMPOTENCY = Parameter(
    "Idempotency-Key",
    "header",
    "The same key and request are acted on once.",
    {"type": "string", "maxLength": 255, "pattern": "^[!-~]*$"},
)
TEXT: dict[str, Any] = {"type": "string", "maxLength": reading.LONGEST}
TIME: dict[str, Any] = {"type": "string", "pattern": reading.MOMENT}


STATE = Parameter(
    "state", "query", "Those that are not over, or all.", {"type": "string", "enum": list(silences.STATES)}
)


def _filter(name: str, says: str) -> Parameter:
    words = reading.WORDS.get(name)
    return Parameter(name, "query", says, {"type": "string", "enum": list(words)} if words else TEXT)


WHEN = (
    Parameter("since", "query", "Only from this time on, a day or a time in UTC.", TIME),
    Parameter("until", "query", "Only before this time.", TIME),
)
ABOUT = (
    _filter("kind", "Only of this kind."),
    _filter("service", "Only about this service."),
    _filter("document", "Only about the document of this id."),
    _filter("min_severity", "Only of this severity or graver."),
)
ALERTS = (
    LIMIT,
    CURSOR,
    _filter("order", "Which come first; the newest unless it is said."),
    *WHEN,
    *ABOUT,
    _filter("subscription", "Only those that this subscription was told of."),
)
ATTEMPTS = (
    LIMIT,
    CURSOR,
    _filter("order", "Which come first; the oldest unless it is said."),
    *WHEN,
    *ABOUT,
    _filter("subscription", "Only to this subscription."),
    _filter("alert", "Only of this alert."),
    _filter("delivery", "Only of this delivery."),
    _filter("outcome", "Only those that ended so."),
)


def _read(path: str, name: str, handler: Handler, scope: str, summary: str, **more: Any) -> Operation:
    return Operation(
        method="GET", path=path, name=name, handler=handler, scope=scope, summary=summary, **more
    )


def _act(method: str, path: str, name: str, handler: Handler, summary: str, **more: Any) -> Operation:
    given: dict[str, Any] = {"gives": subscriptions.SubscriptionView, "parameters": (ID,), **more}
    if method == "POST":
        given["parameters"] = (*given["parameters"], IDEMPOTENCY)
        given.setdefault("fails", (*READS, 404, 409, 422, 503))
    given.setdefault("fails", (*READS, 404, 422, 503))
    return Operation(
        method=method,
        path=path,
        name=name,
        handler=handler,
        scope=f"{path.split('/')[2]}:write",
        summary=summary,
        **given,
    )


ONE = "/v1/subscriptions/{id}"
OPERATIONS = (
    _read(
        "/v1/subscriptions", "listSubscriptions", subscriptions.list_all, "subscriptions:read", "List subscriptions.",
        gives=subscriptions.SubscriptionPage, parameters=(LIMIT, CURSOR), fails=LISTS,
    ),
    _act(
        "POST", "/v1/subscriptions", "createSubscription", subscriptions.create,
        "Make a subscription; a webhook must first say that it wants our posts.",
        takes=NewSubscription, status=201, parameters=(), fails=(*READS, 409, 413, 415, 422, 503),
    ),
    _read(
        ONE, "getSubscription", subscriptions.show, "subscriptions:read", "Show a subscription.",
        gives=subscriptions.SubscriptionView, parameters=(ID,), fails=(*READS, 404),
    ),
    _act(
        "PATCH", ONE, "changeSubscription", subscriptions.change,
        "Change a subscription; an endpoint at another address must first say that it wants our posts.",
        takes=ChangedSubscription, fails=(*READS, 404, 413, 415, 422, 503),
    ),
    _act("DELETE", ONE, "removeSubscription", subscriptions.remove, "Remove a subscription.", gives=None, status=204),
    _act("POST", ONE + "/pause", "pauseSubscription", subscriptions.pause, "Switch a subscription off."),
    _act("POST", ONE + "/resume", "resumeSubscription", subscriptions.resume, "Switch a subscription on again."),
    _act(
        "POST", ONE + "/rotate", "rotateSecret", subscriptions.rotate,
        "Give a webhook a new secret; for 24 hours both sign.",
    ),
    _act(
        "POST", ONE + "/test", "testSubscription", subscriptions.test,
        "Send a test message now, and say how it fared.", gives=subscriptions.Tested,
    ),
    _read(
        "/v1/deliveries", "listDeliveries", reading.deliveries, "deliveries:read",
        "List attempts to deliver.",
        gives=reading.DeliveryPage, parameters=ATTEMPTS, fails=(*LISTS, 503),
    ),
    _read(
        "/v1/alerts", "listAlerts", reading.alerts, "alerts:read", "List alerts.",
        gives=reading.AlertPage, parameters=ALERTS, fails=(*LISTS, 503),
    ),
    _read(
        "/v1/alerts/{id}", "getAlert", reading.alert, "alerts:read",
        "Show an alert and its updates; with deliveries:read also who was told.",
        gives=reading.AlertView, parameters=(ALERT_ID,), fails=(*READS, 404, 503),
    ),
    _read(
        "/v1/silences", "listSilences", silences.list_all, "silences:read", "List silences, the next to end first.",
        gives=silences.SilencePage, parameters=(LIMIT, CURSOR, STATE), fails=LISTS,
    ),
    _act(
        "POST", "/v1/silences", "createSilence", silences.create,
        "Have alerts that meet all matchers not told until a time.",
        takes=NewSilence, gives=silences.SilenceView, status=201, parameters=(),
        fails=(*READS, 409, 413, 415, 422, 503),
    ),
    _read(
        "/v1/silences/{id}", "getSilence", silences.show, "silences:read", "Show a silence.",
        gives=silences.SilenceView, parameters=(SILENCE_ID,), fails=(*READS, 404),
    ),
    _act(
        "DELETE", "/v1/silences/{id}", "endSilence", silences.end, "End a silence now.",
        gives=None, status=204, parameters=(SILENCE_ID,),
    ),
)  # fmt: skip
