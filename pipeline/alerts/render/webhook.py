"""An alert as a signed JSON document: a structured CloudEvent that is a Standard Webhooks message as well.

One body serves both: CloudEvents' `specversion`, `id`, `source`, `type`, `time`, `subject` and `data` beside
Standard Webhooks' `type`, `timestamp` and `data`. It stays under 20 kB: the gravest changes first, then exact
counts and links for the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from pipeline.alerts.render import webhook_gathered, words
from pipeline.alerts.render import webhook_parts as parts
from pipeline.alerts.render.sign import Sign, sign, signer
from pipeline.alerts.render.words import Links
from pipeline.events import AlertRaised, AlertUpdated, AlertWithdrawn, Change, DeliveryDue, Event

__all__ = ["CONTENT_TYPE", "Sign", "body", "compose", "ping", "sign", "signer"]

LIMIT = 20_000  # bytes; the size that Standard Webhooks recommend to stay under
TEXT_CHARS = (4_000, 1_500, 500, 120)  # characters kept of each long text, tried in turn
SOURCE = "urn:clausewire"
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
NO_LINKS = Links()

Told = AlertRaised | AlertUpdated | AlertWithdrawn
E = TypeVar("E", bound=Event)


def body(
    told: Told,
    *,
    about: AlertRaised | None = None,
    links: Links = NO_LINKS,
    source: str = SOURCE,
    limit: int = LIMIT,
) -> bytes:
    """Return the body that tells an alert, an update or a withdrawal; `about` is the alert of those."""
    try:
        return _body(told, about, links, source, limit)
    except UnicodeEncodeError:  # half characters, which UTF-8 cannot carry
        return _body(_mended(told), _mended(about) if about else None, links, source, limit)


def compose(due: DeliveryDue, *, links: Links = NO_LINKS, source: str = SOURCE) -> bytes:
    """Return the body to post for a delivery."""
    if due.members:
        return _gathered(due, links, source)
    told = due.withdrawal or due.update or due.alert
    assert told is not None, "a delivery tells an alert, an update or a withdrawal"
    return body(told, about=due.alert, links=links, source=source)


def _gathered(due: DeliveryDue, links: Links, source: str) -> bytes:
    try:
        return webhook_gathered.body(due, links=links, source=source, limit=LIMIT)
    except UnicodeEncodeError:
        return webhook_gathered.body(_mended(due), links=links, source=source, limit=LIMIT)


def ping(subscription_id: str, *, at: datetime, source: str = SOURCE) -> bytes:
    """Return the body by which a new endpoint shows that it takes what we send."""
    return parts.document(
        f"ping-{subscription_id}", "clausewire.ping", at, subscription_id, source, {"ping": True}
    )


def _body(told: Told, about: AlertRaised | None, links: Links, source: str, limit: int) -> bytes:
    if isinstance(told, AlertRaised):
        return _fitted(told, links, source, limit)
    return _encoded(told, _update_data(told, about, links), about.thread if about else told.alert_id, source)


def _fitted(alert: AlertRaised, links: Links, source: str, limit: int) -> bytes:
    """Return the alert with as many changes as fit, each with as long a text as lets the gravest one in."""
    ranked = words.by_importance(alert.changes)
    for chars in TEXT_CHARS:
        payload = _filled(alert, ranked, chars, links, source, limit)
        if len(payload) <= limit:
            return payload
    return payload


def _filled(
    alert: AlertRaised, ranked: Sequence[Change], chars: int, links: Links, source: str, limit: int
) -> bytes:
    """Return the alert with the gravest change, and then the others while they fit."""
    kept = [parts.change(change, chars) for change in ranked[:1]]
    room = limit - len(_alert(alert, kept, ranked[:1], links, source)) - 100
    kept += parts.fitting((parts.change(change, chars) for change in ranked[1:]), room)
    return _alert(alert, kept, ranked[: len(kept)], links, source)


def _alert(
    alert: AlertRaised, kept: Sequence[dict[str, Any]], shown: Sequence[Change], links: Links, source: str
) -> bytes:
    total = words.total(alert)
    data = {
        **parts.about(alert),
        "title": parts.short(alert.title),
        "summary": parts.short(alert.summary, 1_000),
        "categories": [parts.short(category, 60) for category in alert.categories[:32]],
        "seen_at": alert.raised_at,
        "effective_date": parts.short(alert.effective_date, 60) if alert.effective_date else None,
        "confirmed": alert.confirmed,
        "stacked": alert.stacked,
        "replayed": alert.replayed,
        "origin": alert.origin,
        "language": alert.language,
        "counts": alert.counts,
        "changes": list(kept),
        "changes_total": total,
        "changes_left_out": total - len(kept),
        "left_out": words.more(alert, shown),
        **parts.news(alert.coverage),
        "watches": [parts.short(match.watch, 120) for match in alert.matches[:16]],
        "evidence": parts.evidence(alert),
        "links": parts.links(alert, links),
    }
    return _encoded(alert, data, alert.thread, source)


def _update_data(
    told: AlertUpdated | AlertWithdrawn, about: AlertRaised | None, links: Links
) -> dict[str, Any]:
    data: dict[str, Any] = parts.about(about) if about else {"alert_id": told.alert_id}
    data["reason"] = parts.short(told.reason, 1_000)
    if isinstance(told, AlertUpdated):
        data |= {"how": told.how, "replayed": told.replayed, **parts.news(told.coverage)}
    return data | ({"links": parts.links(about, links)} if about else {})


def _encoded(told: Told, data: Mapping[str, Any], subject: str, source: str) -> bytes:
    types = {AlertRaised: "raised", AlertUpdated: "updated", AlertWithdrawn: "withdrawn"}
    return parts.document(told.id, f"clausewire.alert.{types[type(told)]}", told.at, subject, source, data)


def _mended(told: E) -> E:
    """Return an event with half characters replaced."""
    return msgspec.convert(_whole(msgspec.to_builtins(told)), type=type(told))


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_whole(name): _whole(item) for name, item in value.items()}
    return [_whole(item) for item in value] if isinstance(value, list | tuple) else value
