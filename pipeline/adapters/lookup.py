"""What the index of alerts is asked: lists in the order of time with filters, one alert's parts, a version's body."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from pipeline.adapters.index import Index, Spot
from pipeline.adapters.indexed import AlertLine, micros
from pipeline.adapters.wire import decode
from pipeline.alerts.recipients import SEPARATOR
from pipeline.alerts.route import delivery_id
from pipeline.events import BodyRef, DeliveryAttempted, Severity
from pipeline.news.names import service_id

STATE = (
    "(SELECT s.how FROM sequels s WHERE s.alert_id = a.alert_id AND s.how NOT IN ('coverage', 'acknowledged') "
    "ORDER BY s.how = 'withdrawn' DESC, s.at DESC LIMIT 1)"
)
TOLD = "EXISTS (SELECT 1 FROM attempts t WHERE t.alert_id = a.alert_id AND t.subscription = :subscription)"
TOLD_ONE = (
    "EXISTS (SELECT 1 FROM attempts t WHERE t.alert_id = a.alert_id "
    "AND t.subscription IN (SELECT value FROM json_each(:recipients)))"
)
TOGETHER_ONE = (
    "EXISTS (SELECT 1 FROM json_each(:recipients) r "
    "JOIN members m ON m.delivery = delivery_of(a.alert_id, r.value))"
)
TOGETHER = "EXISTS (SELECT 1 FROM members m WHERE m.delivery = delivery_of(a.alert_id, :subscription))"
OF_ALERTS = {  # each filter of a list of alerts, on `a`
    "service": "v.service = :service",
    "document": "a.document = :document",
    "kind": "a.kind = :kind",
    "severity": "a.severity >= :severity",
    "since": "a.at >= :since",
    "until": "a.at < :until",
}
OF_ATTEMPTS = {  # each filter of a list of attempts, on `t`
    "subscription": "t.subscription = :subscription",
    "recipients": "t.subscription IN (SELECT value FROM json_each(:recipients))",
    "delivery": "(t.delivery = :delivery OR t.id IN (SELECT attempt FROM members WHERE delivery = :delivery))",
    "outcome": "t.outcome = :outcome",
    "since": "t.at >= :since",
    "until": "t.at < :until",
    "alert": "(t.alert_id = :alert OR t.id IN (SELECT attempt FROM members WHERE delivery IN "
    "(SELECT value FROM json_each(:deliveries))))",
    "service": "t.alert_id IN (SELECT alert_id FROM services WHERE service = :service)",
    "document": "t.alert_id IN (SELECT alert_id FROM alerts WHERE document = :document)",
    "severity": "EXISTS (SELECT 1 FROM alerts a WHERE a.alert_id = t.alert_id AND a.severity >= :severity)",
}


class After(NamedTuple):
    """Where a page of a list begins: after an entry of a time (microseconds) and an identity."""

    at: int
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which part of a list: filters (None wants all), from where, how many, newest or oldest first."""

    limit: int
    newest: bool
    after: After | None = None
    only: Mapping[str, str] = field(default_factory=dict)  # subscription, service, document, alert, kind, …
    severity: Severity | None = None
    since: datetime | None = None
    until: datetime | None = None

    def values(self) -> dict[str, Any]:
        """Return the filters that are set, as the index compares them."""
        given: dict[str, Any] = dict(self.only)
        if "service" in given:
            given["service"] = service_id(given["service"])
        if self.severity is not None:
            given["severity"] = self.severity.rank
        for name, moment in (("since", self.since), ("until", self.until)):
            if moment is not None:
                given[name] = micros(moment)
        return given


def alerts(index: Index, wanted: Wanted) -> list[tuple[After, AlertLine]]:
    """Return the alerts that are wanted, each with its place in the list."""
    values = _spread(index, wanted.values())
    conditions = [OF_ALERTS[name] for name in values if name in OF_ALERTS]
    if "recipients" in values:
        gathers = index.ask(
            "SELECT 1 FROM gatherers WHERE subscription IN (SELECT value FROM json_each(:recipients))",
            {"recipients": values["recipients"]},
        )
        conditions.append(f"({TOLD_ONE} OR {TOGETHER_ONE})" if gathers else TOLD_ONE)
    if "subscription" in values:
        gathers = index.ask(
            "SELECT 1 FROM gatherers WHERE subscription = :subscription",
            {"subscription": values["subscription"]},
        )
        conditions.append(f"({TOLD} OR {TOGETHER})" if gathers else TOLD)
    source = "services v JOIN alerts a ON a.alert_id = v.alert_id" if "service" in values else "alerts a"
    order = "v" if "service" in values else "a"
    sql = _list(
        f"a.at, a.alert_id, a.line, {STATE}", source, (f"{order}.at", f"{order}.alert_id"), conditions, wanted
    )
    return [
        (After(at, name), _lined(line, state))
        for at, name, line, state in index.ask(sql, _bound(values, wanted))
    ]


def attempts(index: Index, wanted: Wanted) -> list[tuple[After, DeliveryAttempted]]:
    """Return the attempts to deliver that are wanted, each with its place in the list."""
    values = _spread(index, wanted.values())
    if "alert" in values:
        values["deliveries"] = msgspec.json.encode(list(_together(index, values["alert"]))).decode()
    conditions = [OF_ATTEMPTS[name] for name in values if name in OF_ATTEMPTS]
    sql = _list("t.at, t.id, t.value", "attempts t", ("t.at", "t.id"), conditions, wanted)
    found = ((After(at, name), decode(value)) for at, name, value in index.ask(sql, _bound(values, wanted)))
    return [(place, event) for place, event in found if isinstance(event, DeliveryAttempted)]


def alert_spot(index: Index, alert_id: str) -> Spot | None:
    """Return where an alert lies in the log, None where there is none."""
    found = index.ask("SELECT topic, partition, offset FROM alerts WHERE alert_id = ?", (alert_id,))
    return Spot(*found[0]) if found else None


def sequel_spots(index: Index, alert_id: str) -> list[Spot]:
    """Return where what became known of an alert lies, in the order of time."""
    sql = "SELECT topic, partition, offset FROM sequels WHERE alert_id = ? ORDER BY at, id"
    return [Spot(*row) for row in index.ask(sql, (alert_id,))]


def change_spot(index: Index, change_id: str) -> Spot | None:
    """Return where a change set lies in the log."""
    found = index.ask("SELECT topic, partition, offset FROM changes WHERE change_id = ?", (change_id,))
    return Spot(*found[0]) if found else None


def version_body(index: Index, document: str, fingerprint: str, page: str) -> BodyRef | None:
    """Return where a version lies in the store of bodies: the one of a page, else one that says the same."""
    sql = (
        "SELECT sha256, size FROM versions WHERE document = ? AND fingerprint = ? "
        "ORDER BY page = ? DESC, page LIMIT 1"
    )
    found = index.ask(sql, (document, fingerprint, page))
    return BodyRef(sha256=found[0][0], size=found[0][1]) if found else None


def _spread(index: Index, values: dict[str, Any]) -> dict[str, Any]:
    """Return filters in which a subscription with several recipients is all of them; they were told one by one."""
    asked = values.get("subscription", "")
    if not asked or SEPARATOR in asked:
        return values
    sql = "SELECT DISTINCT subscription FROM attempts WHERE subscription > ? AND subscription < ?"
    parts = [name for (name,) in index.ask(sql, (asked + SEPARATOR, asked + chr(ord(SEPARATOR) + 1)))]
    if not parts:
        return values
    rest = {name: value for name, value in values.items() if name != "subscription"}
    return {**rest, "recipients": msgspec.json.encode([asked, *parts]).decode()}


def _together(index: Index, alert_id: str) -> Iterator[str]:
    """Yield the deliveries that an alert and its updates would have been alone, for those told of several at once."""
    told = [
        alert_id,
        *(row[0] for row in index.ask("SELECT id FROM sequels WHERE alert_id = ?", (alert_id,))),
    ]
    for (subscription,) in index.ask("SELECT subscription FROM gatherers"):
        yield from (delivery_id(one, subscription) for one in told)


def _list(columns: str, source: str, order: tuple[str, str], conditions: list[str], wanted: Wanted) -> str:
    """Return the question for a page of a list; every part of it is a constant of this module."""
    sign, way = ("<", "DESC") if wanted.newest else (">", "ASC")
    at, name = order
    place = [f"({at}, {name}) {sign} (:after_at, :after_id)"] if wanted.after else []
    where = " AND ".join([*conditions, *place]) or "1"
    return f"SELECT {columns} FROM {source} WHERE {where} ORDER BY {at} {way}, {name} {way} LIMIT :limit"  # noqa: S608


def _bound(values: dict[str, Any], wanted: Wanted) -> dict[str, Any]:
    after = {"after_at": wanted.after.at, "after_id": wanted.after.id} if wanted.after else {}
    return {**values, **after, "limit": wanted.limit}


def _lined(line: bytes, state: str | None) -> AlertLine:
    told = msgspec.json.decode(line, type=AlertLine)
    return replace(told, state=state) if state else told
