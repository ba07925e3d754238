"""The parts of a webhook's body: what an alert is about, its changes, evidence and links, and the CloudEvent around."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from pipeline.alerts.render import words
from pipeline.alerts.render.redline import clip, head, spans_of
from pipeline.alerts.render.words import Links
from pipeline.events import AlertRaised, Change, Coverage, DocumentSpec, Fact, PageRef, Span


def about(alert: AlertRaised) -> dict[str, Any]:
    """Return what an alert is about, as every message of it tells."""
    document = alert.document
    return {
        "alert_id": alert.alert_id,
        "kind": alert.kind,
        "severity": alert.severity,
        "service": short(alert.service),
        "document": _document_of(document) if document else None,
        "story_id": alert.story.story_id if alert.story else None,
    }


def _document_of(document: DocumentSpec) -> dict[str, str]:
    return {
        "id": document.id,
        "service": short(document.service),
        "name": short(document.name),
        "url": document.url if len(document.url) <= 1_000 else "",
    }


def change(item: Change, chars: int) -> dict[str, Any]:
    """Return a change; texts over `chars` characters are cut at a word's end, and say so.

    A redline that was cut has a fourth op, "…", for what stands in place of words.
    """
    redline = clip(spans_of(item), 2 * chars)
    return {
        "type": item.type,
        "clause_id": item.clause_id,
        "heading_path": [short(heading) for heading in item.heading_path[:8]],
        "number": short(item.number, 40),
        "category": short(item.category, 60),
        "severity": item.severity,
        "old": _span(item.old, chars),
        "new": _span(item.new, chars),
        "redline": redline.spans,
        "redline_words_left_out": redline.words_left,
        "facts": [_fact(fact) for fact in item.facts[:8]],
    }


def _fact(fact: Fact) -> dict[str, Any]:
    """Return a fact; normal forms are short by nature, and one that is not is left out."""
    forms = {
        side: value if len(msgspec.json.encode(value)) <= 500 else None
        for side, value in (("old", fact.old), ("new", fact.new))
    }
    told = {"kind": short(fact.kind, 60), "quote": short(fact.quote), "note": short(fact.note)}
    return {**told, **forms, "start": fact.start, "end": fact.end, "direction": fact.direction}


def _span(span: Span | None, chars: int) -> dict[str, Any] | None:
    if span is None:
        return None
    value: dict[str, Any] = {
        "text": short(span.text, chars, verbatim=True),
        "start": span.start,
        "end": span.end,
    }
    return value if len(span.text) <= chars else value | {"cut": True, "characters": len(span.text)}


def short(text: str, limit: int = 300, *, verbatim: bool = False) -> str:
    """Return a text on one line within a limit; a verbatim one keeps every character up to there."""
    return head(text, limit) if verbatim else words.one_line(text, limit)


def news(coverage: Sequence[Coverage], most: int = 5) -> dict[str, Any]:
    """Return the first stories that report an alert, and how many there are."""
    stories = [
        {
            "story_id": item.story_id,
            "title": short(item.title),
            "outlet": short(item.outlet, 80),
            "url": item.url if len(item.url) <= 500 else "",
            "published_at": item.published_at,
            "clause": short(item.clause, 120),
            "more_outlets": item.more_outlets,
        }
        for item in coverage[:most]
    ]
    return {"coverage": stories, "coverage_total": len(coverage)}


def evidence(alert: AlertRaised) -> dict[str, Any] | None:
    """Return the two pages that an alert rests on."""
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


def links(alert: AlertRaised, known: Links) -> dict[str, str]:
    """Return where to read on."""
    page = alert.document.url if alert.document else ""
    targets = {
        "page": page,
        "evidence": known.evidence,
        "redline": known.redline,
        "deliveries": known.deliveries,
    }
    return {name: url for name, url in targets.items() if url and len(url) <= 1_000}


def fitting(items: Iterable[dict[str, Any]], room: int) -> list[dict[str, Any]]:
    """Return the first items of a list that fit in a room of bytes."""
    kept: list[dict[str, Any]] = []
    for item in items:
        room -= len(msgspec.json.encode(item)) + 1
        if room < 0:
            break
        kept.append(item)
    return kept


def document(
    event_id: str, kind: str, at: datetime, subject: str, source: str, data: Mapping[str, Any]
) -> bytes:
    """Return a CloudEvent that is a Standard Webhooks message as well."""
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
