"""An alert as a signed JSON document: a structured CloudEvent that is a Standard Webhooks message as well.

One body serves both: CloudEvents' `specversion`, `id`, `source`, `type`, `time`, `subject` and `data` beside
Standard Webhooks' `type`, `timestamp` and `data`. It stays under 20 kB: the gravest changes first, then exact
counts and links for the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from pipeline.alerts.render import words
from pipeline.alerts.render.redline import clip, head, spans_of
from pipeline.alerts.render.sign import Sign, sign, signer
from pipeline.alerts.render.words import Links
from pipeline.events import (
    AlertRaised,
    AlertUpdated,
    AlertWithdrawn,
    Change,
    Coverage,
    DeliveryDue,
    DocumentSpec,
    Fact,
    PageRef,
    Span,
)

__all__ = ["CONTENT_TYPE", "Sign", "body", "compose", "ping", "sign", "signer"]

LIMIT = 20_000  # bytes; the size that Standard Webhooks recommend to stay under
TEXT_CHARS = (4_000, 1_500, 500, 120)  # characters kept of each long text, tried in turn
SOURCE = "urn:clausewire"
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
NO_LINKS = Links()

Told = AlertRaised | AlertUpdated | AlertWithdrawn
E = TypeVar("E", bound=Told)


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
    told = due.withdrawal or due.update or due.alert
    assert told is not None, "a delivery tells an alert, an update or a withdrawal"
    return body(told, about=due.alert, links=links, source=source)


def ping(subscription_id: str, *, at: datetime, source: str = SOURCE) -> bytes:
    """Return the body by which a new endpoint shows that it takes what we send."""
    return _document(
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
    kept = [_change(change, chars) for change in ranked[:1]]
    room = limit - len(_alert(alert, kept, ranked[:1], links, source)) - 100
    for change in ranked[1:]:
        value = _change(change, chars)
        room -= len(msgspec.json.encode(value)) + 1
        if room < 0:
            break
        kept.append(value)
    return _alert(alert, kept, ranked[: len(kept)], links, source)


def _alert(
    alert: AlertRaised, kept: Sequence[dict[str, Any]], shown: Sequence[Change], links: Links, source: str
) -> bytes:
    total = words.total(alert)
    data = {
        **_about(alert),
        "title": _short(alert.title),
        "summary": _short(alert.summary, 1_000),
        "categories": [_short(category, 60) for category in alert.categories[:32]],
        "seen_at": alert.raised_at,
        "effective_date": _short(alert.effective_date, 60) if alert.effective_date else None,
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
        **_news(alert.coverage),
        "watches": [_short(match.watch, 120) for match in alert.matches[:16]],
        "evidence": _evidence(alert),
        "links": _links(alert, links),
    }
    return _encoded(alert, data, alert.thread, source)


def _about(alert: AlertRaised) -> dict[str, Any]:
    """Return what an alert is about, as every message of it tells."""
    document = alert.document
    return {
        "alert_id": alert.alert_id,
        "kind": alert.kind,
        "severity": alert.severity,
        "service": _short(alert.service),
        "document": _document_of(document) if document else None,
        "story_id": alert.story.story_id if alert.story else None,
    }


def _document_of(document: DocumentSpec) -> dict[str, str]:
    return {
        "id": document.id,
        "service": _short(document.service),
        "name": _short(document.name),
        "url": document.url if len(document.url) <= 1_000 else "",
    }


def _update_data(
    told: AlertUpdated | AlertWithdrawn, about: AlertRaised | None, links: Links
) -> dict[str, Any]:
    data: dict[str, Any] = _about(about) if about else {"alert_id": told.alert_id}
    data["reason"] = _short(told.reason, 1_000)
    if isinstance(told, AlertUpdated):
        data |= {"how": told.how, "replayed": told.replayed, **_news(told.coverage)}
    return data | ({"links": _links(about, links)} if about else {})


def _change(change: Change, chars: int) -> dict[str, Any]:
    """Return a change; texts over `chars` characters are cut at a word's end, and say so.

    A redline that was cut has a fourth op, "…", for what stands in place of words.
    """
    redline = clip(spans_of(change), 2 * chars)
    return {
        "type": change.type,
        "clause_id": change.clause_id,
        "heading_path": [_short(heading) for heading in change.heading_path[:8]],
        "number": _short(change.number, 40),
        "category": _short(change.category, 60),
        "severity": change.severity,
        "old": _span(change.old, chars),
        "new": _span(change.new, chars),
        "redline": redline.spans,
        "redline_words_left_out": redline.words_left,
        "facts": [_fact(fact) for fact in change.facts[:8]],
    }


def _fact(fact: Fact) -> dict[str, Any]:
    """Return a fact; normal forms are short by nature, and one that is not is left out."""
    forms = {
        side: value if len(msgspec.json.encode(value)) <= 500 else None
        for side, value in (("old", fact.old), ("new", fact.new))
    }
    told = {"kind": _short(fact.kind, 60), "quote": _short(fact.quote), "note": _short(fact.note)}
    return {**told, **forms, "start": fact.start, "end": fact.end, "direction": fact.direction}


def _span(span: Span | None, chars: int) -> dict[str, Any] | None:
    if span is None:
        return None
    value: dict[str, Any] = {
        "text": _short(span.text, chars, verbatim=True),
        "start": span.start,
        "end": span.end,
    }
    return value if len(span.text) <= chars else value | {"cut": True, "characters": len(span.text)}


def _short(text: str, limit: int = 300, *, verbatim: bool = False) -> str:
    """Return a text on one line within a limit; a verbatim one keeps every character up to there."""
    return head(text, limit) if verbatim else words.one_line(text, limit)


def _news(coverage: Sequence[Coverage]) -> dict[str, Any]:
    stories = [
        {
            "story_id": item.story_id,
            "title": _short(item.title),
            "outlet": _short(item.outlet, 80),
            "url": item.url if len(item.url) <= 500 else "",
            "published_at": item.published_at,
            "clause": _short(item.clause, 120),
            "more_outlets": item.more_outlets,
        }
        for item in coverage[:5]
    ]
    return {"coverage": stories, "coverage_total": len(coverage)}


def _evidence(alert: AlertRaised) -> dict[str, Any] | None:
    if alert.evidence is None:
        return None
    old = alert.evidence.old
    return {"new": _page(alert.evidence.new), "old": _page(old) if old else None}


def _page(page: PageRef) -> dict[str, Any]:
    return {
        "page_id": page.page_id,
        "url": page.url[:500],
        "fetched_at": page.fetched_at,
        "status": page.status,
        "sha256": page.body.sha256,
        "size": page.body.size,
    }


def _links(alert: AlertRaised, links: Links) -> dict[str, str]:
    page = alert.document.url if alert.document else ""
    targets = {
        "page": page,
        "evidence": links.evidence,
        "redline": links.redline,
        "deliveries": links.deliveries,
    }
    return {name: url for name, url in targets.items() if url and len(url) <= 1_000}


def _encoded(told: Told, data: Mapping[str, Any], subject: str, source: str) -> bytes:
    types = {AlertRaised: "raised", AlertUpdated: "updated", AlertWithdrawn: "withdrawn"}
    return _document(told.id, f"clausewire.alert.{types[type(told)]}", told.at, subject, source, data)


def _document(
    event_id: str, kind: str, at: datetime, subject: str, source: str, data: Mapping[str, Any]
) -> bytes:
    time = at.astimezone(UTC)
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": event_id,
            "source": source,
            "type": kind,
            "time": time,
            "timestamp": time,
            "subject": subject,
            "datacontenttype": "application/json",
            "data": data,
        }
    )


def _mended(told: E) -> E:
    """Return an event with half characters replaced."""
    return msgspec.convert(_whole(msgspec.to_builtins(told)), type=type(told))


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_whole(name): _whole(item) for name, item in value.items()}
    return [_whole(item) for item in value] if isinstance(value, list | tuple) else value
