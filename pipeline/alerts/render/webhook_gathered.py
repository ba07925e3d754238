"""Many alerts as one CloudEvent: each member's gist and its links, and exactly how many are left out.

The gravest come first. Texts are shortened before members are left out; what is left out is counted by what it is,
and can be had by its id: every member's delivery stands in the record of deliveries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.alerts.render import gathered as told
from pipeline.alerts.render import webhook_parts as parts
from pipeline.alerts.render import words
from pipeline.alerts.render.gathered import Entry, Gathered
from pipeline.alerts.render.webhook_parts import short
from pipeline.alerts.render.words import Links
from pipeline.events import AlertRaised, DeliveryDue

MOST = 200  # members, more than fit
TYPE = "clausewire.alerts.gathered"
LEVELS = (
    (1_000, 800),
    (700, 400),
    (500, 200),
    (300, 80),
    (300, 0),
    (120, 0),
)  # of each summary, gravest change


def body(due: DeliveryDue, *, links: Links, source: str, limit: int) -> bytes:
    """Return the body of a gathered delivery, at most `limit` bytes: all members at the fullest level that fits."""
    found = told.gathered(due)
    entries = (*found.told, *found.withdrawn, *found.known)
    for summary, change in LEVELS if len(entries) <= MOST else ():
        members = [_member(entry, summary, change, links) for entry in entries]
        payload = _encoded(due, found, members, links, source)
        if len(payload) <= limit:
            return payload
    return _filled(due, found, [_named(entry) for entry in entries[:MOST]], links, source, limit)


def _filled(
    due: DeliveryDue,
    found: Gathered,
    members: Sequence[dict[str, Any]],
    links: Links,
    source: str,
    limit: int,
) -> bytes:
    """Return as many of the members as fit."""
    room = limit - len(_encoded(due, found, (), links, source)) - 200
    return _encoded(due, found, parts.fitting(members, room), links, source)


def _encoded(
    due: DeliveryDue, found: Gathered, members: Sequence[dict[str, Any]], links: Links, source: str
) -> bytes:
    total = len(found.told) + len(found.known) + len(found.withdrawn)
    data = {
        "delivery_id": due.delivery_id,
        "gathered": due.gathered,
        "period": due.period or None,
        "title": told.headline(found),
        "services": [short(service, 60) for service in found.services[:32]],
        "severity": found.told[0].alert.severity if found.told else None,
        "counts": _counts(found),
        "members": list(members),
        "members_total": total,
        "members_left_out": total - len(members),
        "truncated": len(members) < total or any(member["truncated"] for member in members),
        "left_out": _left_out(found, len(members)),
        "links": {"deliveries": links.deliveries} if 0 < len(links.deliveries) <= 1_000 else {},
    }
    return parts.document(due.delivery_id, TYPE, due.due_at, due.thread, source, data)


def _counts(found: Gathered) -> dict[str, int]:
    """Return how many members tell what: changes by severity, stories, sources in trouble, updates, withdrawals."""
    counts = {"alerts": len(found.told), "updates": len(found.known), "withdrawals": len(found.withdrawn)}
    for entry in found.told:
        kind = str(entry.alert.severity) if entry in told.changes((entry,)) else entry.alert.kind
        counts[kind] = counts.get(kind, 0) + 1
    return counts


def _left_out(found: Gathered, shown: int) -> str:
    """Return what is left out in words, exactly; members stand in the order of the entries."""
    alerts = told.more(found.told[shown:])
    others = max(len(found.known) + len(found.withdrawn) - max(shown - len(found.told), 0), 0)
    news = words.count(others, "more update or withdrawal", "more updates and withdrawals") if others else ""
    return "; ".join(part for part in (alerts, news) if part)


def _member(entry: Entry, summary: int, change: int, links: Links) -> dict[str, Any]:
    """Return what is told of one alert: what it is, in short what it says, where to read it, what became of it."""
    alert = entry.alert
    data: dict[str, Any] = {"what": _what(entry), "alert_id": short(entry.alert_id, 60)}
    gist = _gist(alert, summary, change, links) if alert else {}
    data |= {**parts.about(alert), **gist} if alert else {}
    news = [{"how": one.how, "at": one.updated_at, "reason": short(one.reason)} for one in entry.updates[-3:]]
    gone = entry.withdrawal
    return {
        **data,
        "updates": news,
        "withdrawn_at": gone.withdrawn_at if gone else None,
        "reason": short(gone.reason) if gone else None,
        **_coverage(entry),
        "truncated": alert is not None and _is_cut(alert, gist, summary),
    }


def _named(entry: Entry) -> dict[str, Any]:
    """Return of one alert what it is and where it stands, where there is room for no more."""
    alert = entry.alert
    data = {"what": _what(entry), "alert_id": short(entry.alert_id, 60), "truncated": True}
    return {**data, **parts.about(alert), "title": short(alert.title, 120)} if alert else data


def _what(entry: Entry) -> str:
    return "withdrawal" if entry.withdrawal else "alert" if entry.told else "update"


def _gist(alert: AlertRaised, summary: int, change: int, links: Links) -> dict[str, Any]:
    gravest = words.by_importance(alert.changes)[:1] if change else []
    return {
        "title": short(alert.title, 250),
        "summary": short(alert.summary, summary) if summary else "",
        "seen_at": alert.raised_at,
        "effective_date": short(alert.effective_date, 60) if alert.effective_date else None,
        "confirmed": alert.confirmed,
        "replayed": alert.replayed,
        "counts": alert.counts,
        "changes_total": words.total(alert),
        "gravest": parts.change(gravest[0], change) if gravest else None,
        "links": parts.links(alert, links.of(alert.alert_id)),
    }


def _is_cut(alert: AlertRaised, gist: Mapping[str, Any], summary: int) -> bool:
    """Say whether an alert alone would tell more: other changes, more of this one, or a longer summary."""
    gravest = gist["gravest"]
    if words.total(alert) > (1 if gravest else 0) or len(alert.summary) > summary:
        return True
    sides = [gravest["old"], gravest["new"]] if gravest else []
    return any(side and "cut" in side for side in sides) or bool(
        gravest and gravest["redline_words_left_out"]
    )


def _coverage(entry: Entry) -> dict[str, Any]:
    items = told.coverage(entry)
    return {**parts.news(items, most=1), "coverage_total": len(items)}
