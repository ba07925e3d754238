"""Many alerts in one Slack message: of one company on one day, or a digest by severity and service.

Each alert is a group of blocks of its own: how grave, the document with its link, one sentence, the worst clause's
redline, since when. What does not fit in full follows in a line each, and what does not fit at all is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, islice
from typing import NamedTuple

from pipeline.alerts.render import gathered as told
from pipeline.alerts.render import slack_parts as parts
from pipeline.alerts.render import words
from pipeline.alerts.render.gathered import Entry, Gathered, Told
from pipeline.alerts.render.redline import shown
from pipeline.alerts.render.slack_frame import (
    BUDGET,
    MOST_BLOCKS,
    Message,
    escape,
    fitting,
    framed,
    metadata,
    size,
)
from pipeline.alerts.render.slack_parts import Block, Element, link, rich, section, text
from pipeline.alerts.render.words import Links
from pipeline.events import AlertRaised, Change, DeliveryDue

RESERVE = 300  # characters for what is told of the alerts not shown
MOST_FULL, MOST_LINES = 24, 100  # more alerts in full, and more lines, than fit in any message
IN_FULL = 0.6  # of the room, for alerts told in full where not all of them can be
NEWS = 2_000  # characters of each list of what became of earlier alerts, beside alerts that are told
NEWS_ALONE = 8_000


class Level(NamedTuple):
    """How much of each alert is shown: characters of its redline and of its sentence, facts, which buttons."""

    clause: int
    lead: int
    facts: int
    buttons: frozenset[str]


LEADS = parts.ALL - {"mute-clause"}  # which is about one clause, not about the alert
LEVELS = (  # tried in turn until all alerts fit
    Level(clause=1_000, lead=250, facts=2, buttons=LEADS),
    Level(clause=500, lead=250, facts=1, buttons=LEADS),
    Level(clause=500, lead=250, facts=1, buttons=frozenset({"redline"})),
    Level(clause=320, lead=200, facts=0, buttons=frozenset()),
)


def message(due: DeliveryDue, *, links: Links) -> Message:
    """Return the message of a gathered delivery."""
    found = told.gathered(due)
    known_by = metadata(due.delivery_id, told.leading(found), due.thread)
    return framed(escape(told.notice(found)), _blocks(found, links), known_by)


def _blocks(found: Gathered, links: Links) -> list[Block]:
    """Return the largest layout within the budget; the alerts first, then what became of earlier ones."""
    head = _opening(found)
    tail = [*_news(found), parts.footer(f"Clausewire {found.delivery_id}")]
    room, most = BUDGET - size([*head, *tail]), MOST_BLOCKS - len(head) - len(tail)
    for level in LEVELS if len(found.told) <= MOST_FULL else ():
        groups = [block for group in _groups(found, links, level) for block in group]
        if size(groups) <= room and len(groups) <= most:
            return [*head, *groups, *tail]
    return [*head, *_filled(found, links, room, most), *tail]


def _opening(found: Gathered) -> list[Block]:
    """Return what a message is about, how grave it is and when it was seen."""
    changes = told.changes(found.told)
    badge = parts.badge(changes[0].alert) if changes and not found.is_digest else []
    lines = [rich(section([*badge, text(told.overview(found))]))] if found.told else []
    return [parts.header(told.headline(found)), *lines]


def _groups(found: Gathered, links: Links, level: Level) -> Iterable[list[Block]]:
    """Yield the blocks of each alert, in a digest the first of each severity under its heading."""
    for heading, entries in told.sections(found.told):
        for entry in entries:
            headed = found.is_digest and entry is entries[0]
            above = [rich(section([text(f"{heading}: {len(entries):,}", bold=True)]))] if headed else []
            yield [{"type": "divider"}, *above, *_group(entry, found, links, level)]


def _group(entry: Told, found: Gathered, links: Links, level: Level) -> list[Block]:
    """Return the blocks of one alert."""
    alert = entry.alert
    ranked = words.by_importance(alert.changes)
    worst = [part for change in ranked[:1] for part in _quoted(change, level.clause)]
    where = [[text(words.place(change), bold=True), text(f"  {words.verb(change)}")] for change in ranked[:1]]
    facts = [[text(f"▸ {fact}")] for fact in words.facts(ranked, level.facts)]
    also = [[text(f"{told.also(entry)}.")]] if told.also(entry) and level.facts else []
    lines = [*facts, *also, *([text(line)] for line in told.state(entry)), *_stories(entry), _stamp(alert)]
    return [
        rich(section(*_title(entry, found, level.lead), *where), *worst, section(*lines)),
        *parts.buttons(alert, links.of(alert.alert_id), level.buttons),
    ]


def _title(entry: Told, found: Gathered, room: int) -> list[list[Element]]:
    """Return how grave, what about, and what happened in one sentence; in a digest the heading says how grave."""
    alert, name = entry.alert, told.name(entry, found)
    badge = [] if found.is_digest else parts.badge(alert)
    said = (told.sentence(entry, found, room), words.one_line(told.beyond(entry, found), room))
    return [[*badge, link(_target(alert), name, bold=True)], *([text(one)] for one in said if one)]


def _quoted(change: Change, room: int) -> list[Element]:
    """Return the redline of a clause as a quote; a change without words of its own has none."""
    clip = shown(change, room, per_span=parts.PER_SPAN)
    left = words.count(clip.untold, "more changed word")
    told_left = [text(f" [{left}]", italic=True)] if clip.untold else []
    spans = parts.redline(clip)
    return [{"type": "rich_text_quote", "elements": [*spans, *told_left]}] if spans else []


def _stamp(alert: AlertRaised) -> list[Element]:
    """Return since when, in force when, how sure, and by which id the alert is known."""
    first, *others = words.brief(alert)
    before = f"{first}  ·  Seen " if first else "Seen "
    after = "  ·  ".join(["", *others, alert.alert_id])
    return [text(before), parts.moment(alert.raised_at), text(after)]


def _stories(entry: Entry) -> list[list[Element]]:
    """Return the first story that reports an alert, and how many others do."""
    items = told.coverage(entry)
    left = f"; {words.count(len(items) - 1, 'more report')}" if len(items) > 1 else ""
    if told.is_report(entry):
        return [[text(f"Reported by {words.coverage(item)}{left}")] for item in items[:1]]
    return [
        [
            text("In the news: ", bold=True),
            link(item.url, item.title),
            text(f"  {words.coverage(item)}{left}"),
        ]
        for item in items[:1]
    ]


def _filled(found: Gathered, links: Links, room: int, most: int) -> list[Block]:
    """Return the gravest alerts in full, others in a line each while there is room, and the count of the rest."""
    groups = list(islice(_groups(found, links, LEVELS[-1]), MOST_FULL))
    lines = [_line(entry, found) for entry in found.told[:MOST_LINES]]
    full = _in_full([size(group) for group in groups], [size([line]) for line in lines], room - RESERVE)
    full = min(full, (most - 1) // 4)  # a rule, a heading, the words and the buttons of each
    blocks = [block for group in groups[:full] for block in group]
    rest = found.told[full:]
    lines = fitting(lines[full:], room - size(blocks) - RESERVE)
    while True:  # the lines around them take room too, the count of the rest among them
        listed = [
            *blocks,
            *_listed("Also" if lines else "", lines, told.more(rest[len(lines) :]), _way(found, links)),
        ]
        if not lines or size(listed) <= room:
            return listed
        lines.pop()


def _in_full(groups: Sequence[int], lines: Sequence[int], room: int) -> int:
    """Return how many alerts are told in full: as many as leave a line to each other one, or a share of the room."""
    for many in range(len(groups), 0, -1):
        if sum(groups[:many]) + sum(lines[many:]) <= room:
            return many
    sums = accumulate(groups)
    return sum(1 for taken in sums if taken <= room * IN_FULL)


def _listed(heading: str, lines: Sequence[Element], left: str, way: Sequence[Element]) -> list[Block]:
    """Return lines under a heading, and how many more there are with the way to them."""
    if not lines and not left:
        return []
    above = [section([text(heading, bold=True)])] if heading else []
    items = [{"type": "rich_text_list", "style": "bullet", "elements": list(lines)}] if lines else []
    counted = [section([text(f"{left}. "), *way])] if left else []
    return [rich(*above, *items, *counted)]


def _line(entry: Told, found: Gathered) -> Element:
    """Return an alert in a line: how grave, what about, what happened, from when."""
    alert = entry.alert
    said = told.sentence(entry, found, 200)
    force = f". {words.in_force(alert)}" if words.in_force(alert) else ""
    name = link(_target(alert), told.name(entry, found), bold=True)
    return section([*parts.badge(alert), name, text(f"{': ' if said else ''}{said}{force}")])


def _way(found: Gathered, links: Links) -> list[Element]:
    """Return how a reader gets to what is not shown."""
    if words.is_web(links.deliveries):
        return [link(links.deliveries, "See them all")]
    return [text(told.command(found), code=True), text(" lists them all.")]


def _news(found: Gathered) -> list[Block]:
    """Return what became of earlier alerts, and those that were withdrawn, each under its heading."""
    room = NEWS if found.told else NEWS_ALONE
    if found.known and found.withdrawn and not found.told:
        room //= 2
    blocks: list[Block] = []
    for heading, entries in ((told.KNOWN, found.known), (told.WITHDRAWN, found.withdrawn)):
        lines = fitting([_became(entry) for entry in entries], room)
        blocks += _listed(heading, lines, told.more_news(entries[len(lines) :]), ())
    return blocks


def _became(entry: Entry) -> Element:
    """Return what became of one alert: struck where it was withdrawn, then what is known now and why."""
    alert = entry.alert
    name = words.subject(alert) if alert else f"Alert {entry.alert_id}"
    struck = {"bold": True, "strike": True} if entry.withdrawal else {"bold": True}
    said = "; ".join(told.state(entry))
    about = words.lead(alert) if alert and words.lead(alert) != words.subject(alert) else ""
    return section(
        [link(_target(alert) if alert else "", name, **struck), text(f"  {said}" if said else "")],
        [text(about, strike=True) if entry.withdrawal else text(about)],
        *_stories(entry),
    )


def _target(alert: AlertRaised) -> str:
    """Return where an alert's name leads: to the page, or to the story."""
    story = alert.coverage[0].url if alert.coverage else ""
    url = alert.document.url if alert.document else story
    return url if len(url) <= parts.LINK else ""
