"""Many alerts in one text: what they are at a glance, then each with its worst clause, then what became known."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

from pipeline.alerts.render import gathered as told
from pipeline.alerts.render import words
from pipeline.alerts.render.gathered import Entry, Gathered, Told
from pipeline.alerts.render.text_parts import WIDTH, change
from pipeline.alerts.render.words import Links
from pipeline.events import AlertRaised, DeliveryDue

RULE = "-" * 40
NO_LINKS = Links()


def message(
    due: DeliveryDue,
    *,
    links: Links = NO_LINKS,
    room: told.Room = told.WIDE,
    width: int = WIDTH,
) -> str:
    """Return the text of a gathered delivery, as much of each alert and as many as there is room for."""
    found = told.gathered(due)
    shown = found.told[: room.full]
    blocks = [
        "\n".join(filter(None, (told.headline(found), told.overview(found)))),
        "\n".join(_contents(found, room, links)) if told.has_contents(found, room) else "",
        *(f"{RULE}\n{_entry(entry, found, room, width, links)}" for entry in shown),
        f"{RULE}\n{_left(found, len(shown), links)}" if len(shown) < len(found.told) else "",
        *_news(found, room, width),
        f"Delivery: {found.delivery_id}",
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _contents(found: Gathered, room: told.Room, links: Links) -> list[str]:
    """Return what there is by severity and then by service, a line each."""
    lines: list[str] = []
    for heading, entries in told.sections(found.told[: room.listed]):
        lines += [heading, *(f"  {line}" for entry in entries for line in [_titled(entry, found)])]
    left = _left(found, room.listed, links)
    return [*lines, left] if left else lines


def _titled(entry: Told, found: Gathered) -> str:
    force = words.in_force(entry.alert).partition(",")[0]
    name = told.name(entry, found)
    return f"{name} ({force[:1].lower()}{force[1:]})" if force else name


def _entry(entry: Told, found: Gathered, room: told.Room, width: int, links: Links) -> str:
    """Return one alert: what about and how grave, what happened, its worst clause, since when, where."""
    alert = entry.alert
    ranked = words.by_importance(alert.changes)
    grave = "" if alert.kind == "story" else f"  [{alert.severity.upper()}]"
    said = (told.sentence(entry, found, 250 if ranked else 700), told.beyond(entry, found))
    head = [f"{told.name(entry, found)}{grave}", *(fill(one, width) for one in said if one)]
    facts = [f"▸ {fact}" for fact in words.facts(ranked, room.facts)]
    also = [fill(f"{told.also(entry)}.", width)] if told.also(entry) else []
    foot = [
        *facts,
        *also,
        *told.state(entry),
        fill(" · ".join(_stamp(alert)), width, break_on_hyphens=False),
        *_stories(entry),
        *_pages(alert, links),
    ]
    worst = [change(item, room.clause, width=width) for item in ranked[:1]]
    return "\n\n".join(("\n".join(head), *worst, "\n".join(foot)))


def _stamp(alert: AlertRaised) -> list[str]:
    first, *others = words.brief(alert)
    return [*filter(None, [first]), f"Seen {words.instant(alert.raised_at)}", *others, alert.alert_id]


def _stories(entry: Entry) -> list[str]:
    """Return the first story that reports an alert, with its address, and how many others do."""
    items = told.coverage(entry)
    left = f"; {words.count(len(items) - 1, 'more report')}" if len(items) > 1 else ""
    if told.is_report(entry):
        return [f"Reported by {words.coverage(item)}{left}\n  {words.clean(item.url)}" for item in items[:1]]
    return [
        f"In the news: {words.one_line(item.title, 150)} ({words.coverage(item)}{left})\n  {words.clean(item.url)}"
        for item in items[:1]
    ]


def _pages(alert: AlertRaised, links: Links) -> list[str]:
    """Return where an alert is read on: its page, its full redline, its evidence."""
    page, of = words.clean(alert.document.url) if alert.document else "", links.of(alert.alert_id)
    targets = (("Page", page), ("Full redline", of.redline), ("Evidence", of.evidence))
    return [f"{label}: {url}" for label, url in targets if url]


def _left(found: Gathered, shown: int, links: Links) -> str:
    """Return how many alerts are not shown, and the way to them."""
    left = told.more(found.told[shown:])
    way = (
        f"See them all: {links.deliveries}"
        if links.deliveries
        else f"`{told.command(found)}` lists them all."
    )
    return f"{left}. {way}" if left else ""


def _news(found: Gathered, room: told.Room, width: int) -> list[str]:
    """Return what became of earlier alerts, and those that were withdrawn, each under its heading."""
    return [
        "\n".join([f"{RULE}\n{heading}", *_became(entries, room, width)])
        for heading, entries in ((told.KNOWN, found.known), (told.WITHDRAWN, found.withdrawn))
        if entries
    ]


def _became(entries: Sequence[Entry], room: told.Room, width: int) -> list[str]:
    lines = [
        line
        for entry in entries[: room.listed]
        for line in (
            fill(f"· {told.became(entry)}", width, subsequent_indent="  "),
            *(f"  {story}" for story in _stories(entry)),
        )
    ]
    left = told.more_news(entries[room.listed :])
    return [*lines, f"{left}."] if left else lines
