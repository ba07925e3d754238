"""Many alerts as one HTML page for a mail: what there is by severity and service, then each with its worst clause."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipeline.alerts.render import gathered as told
from pipeline.alerts.render import html, words
from pipeline.alerts.render.gathered import Entry, Gathered, Room, Told
from pipeline.alerts.render.words import Links
from pipeline.events import AlertRaised

TEMPLATE = "gathered.html"


def page(
    found: Gathered,
    *,
    links: Links,
    room: Room,
    unsubscribe: str = "",
    templates: Mapping[str, str],
) -> tuple[str, str]:
    """Return the HTML, and what to remark on the user's template where that failed and ours was used."""
    values = _values(found, room, links) | {
        "deliveries": html.web(links.deliveries),
        "unsubscribe": html.web(unsubscribe),
    }
    return html.rendered(TEMPLATE, values, templates)


def _values(found: Gathered, room: Room, links: Links) -> dict[str, Any]:
    """Return what a template can say of a gathered message; every text is clean."""
    listed = found.told[: room.listed] if told.has_contents(found, room) else ()
    return {
        "subject": told.subject(found),
        "headline": told.headline(found),
        "notice": told.notice(found),
        "overview": told.overview(found),
        "contents": [
            (heading, list(_services(entries, found))) for heading, entries in told.sections(listed)
        ],
        "unlisted": told.more(found.told[len(listed) :]) if listed else "",
        "entries": [_entry(entry, found, room, links) for entry in found.told[: room.full]],
        "untold": told.more(found.told[room.full :]),
        "news": list(_news(found, room)),
        "command": told.command(found),
        "delivery_id": found.delivery_id,
        "remark": "",
    }


def _services(entries: Sequence[Told], found: Gathered) -> Iterable[tuple[str, list[dict[str, str]]]]:
    """Yield the services of a severity, each with its documents."""
    for service in dict.fromkeys(map(told.service, entries)):
        yield service, [_document(entry, found) for entry in entries if told.service(entry) == service]


def _document(entry: Told, found: Gathered) -> dict[str, str]:
    document = entry.alert.document
    name = words.one_line(document.name, 140) if document else told.name(entry, found)
    force = words.in_force(entry.alert).partition(",")[0]
    return {"name": name, "url": _target(entry.alert), "force": f"{force[:1].lower()}{force[1:]}"}


def _entry(entry: Told, found: Gathered, room: Room, links: Links) -> dict[str, Any]:
    alert = entry.alert
    ranked = words.by_importance(alert.changes)
    first, *others = words.brief(alert)
    stamp = [first, f"Seen {words.instant(alert.raised_at)}", *others, alert.alert_id]
    said = (told.sentence(entry, found, 250 if ranked else 700), told.beyond(entry, found))
    return _known(entry) | {
        "severity": "" if alert.kind == "story" else str(alert.severity),
        "name": told.name(entry, found),
        "said": [one for one in said if one],
        "worst": html.clause(ranked[0], room.clause) if ranked else None,
        "facts": words.facts(ranked, room.facts),
        "also": told.also(entry),
        "stamp": " · ".join(part for part in stamp if part),
        "redline": html.web(links.of(alert.alert_id).redline),
        "evidence": html.web(links.of(alert.alert_id).evidence),
    }


def _known(entry: Entry) -> dict[str, Any]:
    """Return what became of an alert, and the first story that reports it."""
    items = told.coverage(entry)
    left = f"; {words.count(len(items) - 1, 'more report')}" if len(items) > 1 else ""
    return {
        "name": words.subject(entry.alert) if entry.alert else f"Alert {entry.alert_id}",
        "url": _target(entry.alert) if entry.alert else "",
        "state": told.state(entry),
        "struck": entry.withdrawal is not None,
        "news": [
            {
                "title": "" if told.is_report(entry) else words.one_line(item.title, 150),
                "url": html.web(item.url),
                "by": f"{words.coverage(item)}{left}",
            }
            for item in items[:1]
        ],
    }


def _news(found: Gathered, room: Room) -> Iterable[tuple[str, list[dict[str, Any]], str]]:
    """Yield the sections on earlier alerts: heading, entries, how many more."""
    for heading, entries in ((told.KNOWN, found.known), (told.WITHDRAWN, found.withdrawn)):
        if entries:
            shown = entries[: room.listed]
            yield heading, [_known(entry) for entry in shown], told.more_news(entries[len(shown) :])


def _target(alert: AlertRaised) -> str:
    """Return where an alert's name leads: to the page, or to the story."""
    story = alert.coverage[0].url if alert.coverage else ""
    return html.web(alert.document.url if alert.document else story)
