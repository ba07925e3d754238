"""The pieces of a Slack message: rich text elements, and the blocks that a message is laid out from."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

from pipeline.alerts.render import words
from pipeline.alerts.render.redline import CUT, Clip, shown
from pipeline.alerts.render.words import Links
from pipeline.events import AlertRaised, AlertUpdated, AlertWithdrawn, Change, Coverage

Element = dict[str, Any]
Block = dict[str, Any]

HEADER = 150  # characters of a header block
PER_SPAN = 60  # characters of JSON around a styled text element
LINK = 400  # characters of a URL that is still worth its share of the budget
ALL = frozenset(
    {"page", "story", "redline", "evidence", "ack", "mute-document", "mute-clause", "why"}
)  # the buttons that there are
STYLES: dict[str, dict[str, bool]] = {
    "-": {"strike": True},
    "+": {"bold": True},
    CUT: {"italic": True},
    "=": {},
}


class Sizes(NamedTuple):
    """How much of each part is shown: characters of the worst clause and of the account, facts, stories."""

    clause: int
    account: int
    facts: int
    stories: int


def text(value: str, **style: bool) -> Element:
    """Return a piece of text, shown as it is."""
    return {"type": "text", "text": value, "style": style} if style else {"type": "text", "text": value}


def link(url: str, label: str, **style: bool) -> Element:
    """Return a link, or its words alone where the URL is not one to link to."""
    label = words.one_line(label, 200)
    if not words.is_web(url):
        return text(label or "-", **style)
    styled = {"style": style} if style else {}
    return {"type": "link", "url": url, "text": label or url[:80], **styled}


def moment(at: datetime) -> Element:
    """Return a time that Slack shows in each reader's own zone; the fallback is UTC."""
    return {
        "type": "date",
        "timestamp": int(at.timestamp()),
        "format": "{date_long} at {time}",
        "fallback": words.instant(at),
    }


def section(*lines: Iterable[Element]) -> Element:
    """Return lines of text as one section; empty pieces, which Slack refuses, are left out."""
    elements: list[Element] = []
    for line in lines:
        pieces = [piece for piece in line if piece.get("text") != ""]
        elements += [text("\n"), *pieces] if elements and pieces else pieces
    return {"type": "rich_text_section", "elements": elements or [text("-")]}


def rich(*elements: Element) -> Block:
    """Return a rich text block."""
    return {"type": "rich_text", "elements": list(elements)}


def header(value: str) -> Block:
    """Return the line that a message is headed by."""
    return {"type": "header", "text": _label(words.one_line(value, HEADER) or "-")}


def redline(clip: Clip) -> list[Element]:
    """Return a redline as text: removed words struck, added words bold, each span one whole element.

    Where one follows the other without a blank they are set apart by one, so that no reader takes them for a word.
    """
    elements: list[Element] = []
    for (before, left), (op, piece) in pairwise((("=", " "), *clip.spans)):
        if op in "-+" and before in "-+" and not (left[-1:].isspace() or piece[:1].isspace()):
            elements.append(text(" "))
        elements.append(text(piece, **STYLES[op]))
    return elements


def opening(
    alert: AlertRaised,
    ranked: Sequence[Change],
    sizes: Sizes,
    updates: Sequence[AlertUpdated],
    withdrawal: AlertWithdrawn | None,
) -> list[Block]:
    """Return what a busy person reads: about what, how grave, what happened, the worst clause, since when."""
    account = [text(words.one_line(words.account(alert), sizes.account))]
    return [
        header(words.subject(alert)),
        rich(section(*_state(updates, withdrawal), _lead(alert, struck=withdrawal is not None), account)),
        *(rich(*clause(change, sizes.clause)) for change in ranked[:1]),
        rich(section(*([text(f"▸ {fact}")] for fact in words.facts(ranked, sizes.facts)), *_when(alert))),
    ]


def clause(change: Change, room: int) -> list[Element]:
    """Return what shows one clause: where it is, how it differs, its redline quoted."""
    clip = shown(change, room, per_span=PER_SPAN)
    told = f"{words.count(clip.untold, 'more changed word is', 'more changed words are')} not shown here."
    return [
        section([text(words.place(change), bold=True), text(f"  {words.verb(change)}")]),
        {"type": "rich_text_quote", "elements": redline(clip) or [text("-")]},
        *([section([text(told, italic=True)])] if clip.untold else []),
    ]


def item(change: Change, room: int) -> Element:
    """Return one of the other changes as an item of a list."""
    return section(
        [
            text(words.place(change), bold=True),
            text(f"  {words.verb(change)}, {change.severity}\n"),
            *redline(shown(change, room, per_span=PER_SPAN // 4)),
        ]
    )


def others(items: Sequence[Element], more: str, links: Links) -> list[Block]:
    """Return the other changes as a list, and exactly how many are not in it."""
    blocks: list[Element] = []
    if items:
        blocks.append(section([text("Also changed", bold=True)]))
        blocks.append({"type": "rich_text_list", "style": "bullet", "elements": list(items)})
    if more:
        full = [text(" "), link(links.redline, "Read them all")] if words.is_web(links.redline) else []
        blocks.append(section([text(f"{more}."), *full]))
    return [rich(*blocks)] if blocks else []


def ending(alert: AlertRaised, links: Links, updates: Sequence[AlertUpdated], sizes: Sizes) -> list[Block]:
    """Return what follows the changes: the news, the buttons, and what the alert rests on."""
    return [*news(words.coverage_of(alert, updates), sizes.stories), *buttons(alert, links), *_footer(alert)]


def news(items: Sequence[Coverage], most: int) -> list[Block]:
    """Return the stories that report a change, under their heading."""
    listed = stories(items, most)
    return [rich(section([text("In the news", bold=True)]), *listed)] if listed else []


def stories(items: Sequence[Coverage], most: int) -> list[Element]:
    """Return stories as a list, and how many more there are."""
    if not items:
        return []
    lines = [
        section([link(story.url, words.one_line(story.title, 150)), text(f"  {words.coverage(story)}")])
        for story in items[:most]
    ]
    left = len(items) - most
    more = [section([text(f"{words.count(left, 'more report')}.")])] if left > 0 else []
    return [{"type": "rich_text_list", "style": "bullet", "elements": lines}, *more]


def _state(updates: Sequence[AlertUpdated], withdrawal: AlertWithdrawn | None) -> list[list[Element]]:
    """Return the lines that say what became of the alert since it was first told."""
    lines = [[text(words.update_title(update), bold=True)] for update in updates if update.how != "coverage"][
        -3:
    ]
    if withdrawal:
        reason = words.one_line(withdrawal.reason, 300)
        lines.append([text(words.update_title(withdrawal), bold=True), text(f": {reason}" if reason else "")])
    return lines


def _lead(alert: AlertRaised, *, struck: bool) -> list[Element]:
    """Return how grave and what: the severity as a badge, then one sentence."""
    told = words.lead(alert)
    style = {"bold": True, "strike": True} if struck else {"bold": True}
    return [*badge(alert), text("" if told == words.subject(alert) else told, **style)]


def badge(alert: AlertRaised) -> list[Element]:
    """Return how grave an alert is, as a badge; a story has none."""
    return [] if alert.kind == "story" else [text(alert.severity.upper(), code=True), text("  ")]


def _when(alert: AlertRaised) -> list[list[Element]]:
    """Return the lines on time, "First seen" in each reader's own zone."""
    return [
        [
            text(f"{line.label}: ", bold=True),
            moment(alert.raised_at) if line.label == "First seen" else text(line.text),
        ]
        for line in words.when(alert)
    ]


def buttons(alert: AlertRaised, links: Links, only: Container[str] = ALL) -> list[Block]:
    """Return the row of buttons that lead on from an alert, and by which a reader answers it."""
    story = alert.coverage[0].url if alert.kind == "story" and alert.coverage else ""
    targets = (
        ("page", "Open the page", alert.document.url if alert.document else ""),
        ("story", "Read the story", story),
        ("redline", "Full redline", links.redline),
        ("evidence", "Evidence", links.evidence),
    )
    there = ((name, label, url) for name, label, url in targets if words.is_web(url) and len(url) <= LINK)
    row = [_button(*target) for target in there if target[0] in only]
    row += [answer for answer in _answers(alert, links.actions) if answer["action_id"] in only]
    return [{"type": "actions", "elements": row}] if row else []


def _answers(alert: AlertRaised, subscription_id: str) -> list[Element]:
    """Return the buttons by which a reader answers; their values say for which subscription, alert and clause."""
    if not subscription_id:
        return []
    clause = next((change.clause_id for change in words.by_importance(alert.changes)), "")
    targets = (
        ("ack", "Acknowledge", True),
        ("mute-document", "Mute this document", alert.document is not None),
        ("mute-clause", "Mute this clause", bool(clause)),
        ("why", "Why did I get this?", True),
    )
    value = f"{subscription_id}|{alert.alert_id}|{clause}"
    return [
        {"type": "button", "action_id": name, "text": _label(label), "value": value}
        for name, label, there in targets
        if there and len(value) <= 2_000
    ]


def _button(name: str, label: str, url: str) -> Element:
    return {"type": "button", "action_id": f"open-{name}", "text": _label(label), "url": url}


def _label(words_of: str) -> Element:
    return {"type": "plain_text", "text": words_of, "emoji": False}


def _footer(alert: AlertRaised) -> list[Block]:
    """Return what proves the alert: its id, and the digest of the page it rests on."""
    page = f"  ·  page SHA-256 {alert.evidence.new.body.sha256[:16]}…" if alert.evidence else ""
    return [footer(f"Clausewire {alert.alert_id}{page}")]


def footer(note: str) -> Block:
    """Return the small print at a message's end."""
    return {"type": "context", "elements": [_label(words.one_line(note, 300))]}
