"""An alert for a service that Apprise knows: a title and a text, within what the service takes.

The words are those of the plain text; where a service shows Markdown, what it says is escaped and the redline's
marks become ~~struck~~ and **bold**. What does not fit is left out a change at a time and counted, never cut inside
a mark. The last line is the delivery's id: a service has no way to recognise a repeat, a reader has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from pipeline.alerts.render import gathered, text, text_gathered, words
from pipeline.alerts.render.redline import spans_of
from pipeline.alerts.render.words import Links
from pipeline.events import AlertRaised, DeliveryDue, Value

SHARES = (
    (8, 1.0),
    (5, 0.6),
    (4, 0.4),
    (3, 0.25),
    (2, 0.15),
    (1, 0.1),
    (1, 0.04),
)  # changes, and how much of each
GATHERED = tuple(
    gathered.Room(clause=clause, facts=facts, full=full, listed=listed)
    for clause, facts, full, listed in (
        (1_000, 2, 20, 50), (400, 1, 12, 30), (300, 1, 6, 20), (200, 0, 3, 12), (160, 0, 2, 8), (120, 0, 1, 5),
        (80, 0, 1, 1),
    )
)  # fmt: skip
UNWRAPPED = 100_000  # columns: services break lines themselves
LEAST = 120  # characters of a body that says anything at all
TOKENS = ("[-", "-]", "{+", "+}")

_LINK = re.compile(r"https?://[^\s<>]+")
_PINGS = re.compile(r"(?<![\w.+/-])@(?=\w)|@(?=(?:everyone|here|channel|all)\b)|<(?=[@!#&])")
_LITERAL = re.compile(r"([\\`*_\[<|~]|^[#>])", re.MULTILINE)
_WORDS = re.compile(r"\S(?:[^\n]*\S)?")  # of one line
_MARKED = re.compile(r"\[-(?P<old>.+?)-\]|\{\+(?P<new>.+?)\+\}", re.DOTALL)


class Room(Value, frozen=True, kw_only=True):
    """What a service takes: characters (UTF-16 units) of a title and of a body, 0 for no title of its own.

    `octets` is true where bytes of UTF-8 are counted, `shared` where the title comes out of the body's room;
    `markdown` where the body is shown as Markdown.
    """

    title: int = 250
    body: int = 32_768
    octets: bool = False
    shared: bool = False
    markdown: bool = False

    def size(self, told: str) -> int:
        """Return the length of a text as the service counts it; half a character counts as one."""
        encoding, unit = ("utf-8", 1) if self.octets else ("utf-16-le", 2)
        return len(told.encode(encoding, "surrogatepass")) // unit


class Message(Value, frozen=True, kw_only=True):
    """What is sent: one line, and the text below it."""

    title: str
    body: str


def compose(due: DeliveryDue, *, room: Room, links: Links = text.NO_LINKS) -> Message:
    """Return the message of a delivery, as much of it as a service takes."""
    room = replace(room, markdown=room.markdown and _convertible(due))
    footer = f"\n\nDelivery: {due.delivery_id}"
    first, *_ = drafts = [words.clean(draft).rstrip() for draft in _drafts(due, links)]
    title = _quiet(words.one_line(first.partition("\n")[0], max(min(room.title or 250, room.body // 4), 1)))
    taken = room.size(title) + 4 if room.shared or not room.title else 0
    left = max(room.body - taken - room.size(footer), LEAST)
    shown = (_shown(draft.partition("\n")[2].strip(), room) for draft in drafts)
    body = next((body for body in shown if room.size(body) <= left), "")
    return Message(title=title, body=(body or _least(due, left, room)) + footer)


def _drafts(due: DeliveryDue, links: Links) -> Iterator[str]:
    """Yield the texts of a delivery, the fullest first; each begins with the line that is its title."""
    if due.members:
        for room in GATHERED:
            yield text_gathered.message(due, links=links, room=room, width=UNWRAPPED).rpartition(
                "\nDelivery:"
            )[0]
    elif due.alert and not (due.update or due.withdrawal):
        for most, scale in SHARES:
            yield text.alert(due.alert, links=links, width=UNWRAPPED, most=most, scale=scale)
    else:
        told = due.withdrawal or due.update
        assert told is not None, "a delivery tells an alert, an update or a withdrawal"
        yield text.update(told, about=due.alert, links=links)
        yield text.update(told, about=due.alert)


def _least(due: DeliveryDue, room_left: int, room: Room) -> str:
    """Return what is told where nothing else fits: what happened in a sentence, how much, and which alert."""
    alert = due.alert or next((one.alert for one in due.members if one.alert), None)
    told = due.withdrawal or due.update
    about = words.lead(alert) if alert else ""
    lead = (
        gathered.overview(gathered.gathered(due))
        if due.members
        else words.update_title(told)
        if told
        else about
    )
    counted = _counted(due, alert)
    which = f"Alert: {alert.alert_id}" if alert else ""
    page = f"Page: {words.clean(alert.document.url)}" if alert and alert.document else ""
    for limit, more in ((250, page), (120, page), (250, ""), (120, ""), (60, ""), (30, "")):
        lines = (words.one_line(lead, limit), counted, more, which)
        body = _shown("\n".join(line for line in lines if line), room)
        if room.size(body) <= room_left:
            return body
    return _shown(which, room)


def _counted(due: DeliveryDue, alert: AlertRaised | None) -> str:
    if due.members:
        return f"{len(due.members):,} alerts in all."
    total = words.total(alert) if alert else 0
    return f"{words.count(total, 'change')} in all." if total else ""


# --- as the service shows it --------------------------------------------------------------------------------


def _convertible(due: DeliveryDue) -> bool:
    """Say whether every mark in the text will be one of ours, so that none of the policy's words is struck."""
    alerts = [one.alert for one in (due, *due.members) if one.alert]
    told = (piece for alert in alerts for change in alert.changes for _, piece in spans_of(change))
    said = (part for alert in alerts for part in (alert.title, alert.summary))
    return not any(token in piece for piece in (*told, *said) for token in TOKENS)


def _shown(told: str, room: Room) -> str:
    quiet = _quiet(told)
    return _markdown(quiet) if room.markdown else quiet


def _quiet(told: str) -> str:
    """Return a text that calls nobody: @everyone, @here, <!channel> and their like are parted by nothing seen."""
    return _PINGS.sub(lambda found: found[0] + "\u200b", told)


def _markdown(told: str) -> str:
    """Return a text as Markdown: marks struck and bold, indented lines quoted, its own signs literal."""
    pieces: list[str] = []
    at = 0
    for found in _MARKED.finditer(told):
        pieces.append(_literal(told[at : found.start()]))
        mark, inner = ("~~", found["old"]) if found["old"] else ("**", found["new"])
        pieces.append(_touching(_literal(inner), mark))
        at = found.end()
    pieces.append(_literal(told[at:]))
    return re.sub(r"^ {2,}(?=\S)", "> ", "".join(pieces), flags=re.MULTILINE)


def _touching(inner: str, mark: str) -> str:
    """Return words between marks, line by line: a mark that spans lines ends with the first."""
    return _WORDS.sub(lambda line: f"{mark}{line[0]}{mark}", inner)


def _literal(told: str) -> str:
    """Return text that Markdown shows as it is; addresses stay whole."""
    at, pieces = 0, []
    for link in _LINK.finditer(told):
        pieces += [_LITERAL.sub(r"\\\1", told[at : link.start()]), link[0]]
        at = link.end()
    return "".join([*pieces, _LITERAL.sub(r"\\\1", told[at:])])
