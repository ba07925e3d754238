"""What was delivered against what had to be: no alert missing, none too many, each saying what it must."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from msgspec import Struct

from agents.demo.inbox import Arrival, Inbox
from agents.demo.story import Item, Story, Watch
from pipeline.alerts.route import delivery_id
from pipeline.config import Route, Settings
from pipeline.events import Channel

SHOWN_FIRST = 3  # how far down an alert a clause may stand and still count as shown first


class Check(Struct, frozen=True, kw_only=True):
    """One thing that the demo had to show, and whether it did."""

    holds: bool
    says: str


class Alert(Struct, frozen=True, kw_only=True):
    """An alert as it reached its readers: what the webhook told, and the message of each channel."""

    alert_id: str
    kind: str
    document: str
    on: date
    data: dict[str, Any]
    messages: dict[Channel, Arrival]
    fetched_at: datetime | None = None

    def waited_s(self, channel: Channel) -> float | None:
        """Return the seconds from the fetch of the page to the arrival of the message."""
        arrival = self.messages.get(channel)
        return (arrival.at - self.fetched_at).total_seconds() if arrival and self.fetched_at else None


def alerts(inbox: Inbox, settings: Settings) -> list[Alert]:
    """Return the alerts that arrived, in order; what the webhook tells identifies them on the other channels."""
    told = [arrival for arrival in inbox.arrivals if _is(arrival, Channel.WEBHOOK, "alert")]
    return [_alert(arrival, inbox.arrivals, settings) for arrival in told]


def _is(arrival: Arrival, channel: Channel, what: str) -> bool:
    return arrival.channel is channel and arrival.what == what


def _alert(told: Arrival, arrivals: Sequence[Arrival], settings: Settings) -> Alert:
    data = told.body["data"]
    fetched = ((data.get("evidence") or {}).get("new") or {}).get("fetched_at")
    messages = {
        route.channel: found for route in settings.routes if (found := _sent(told.alert_id, route, arrivals))
    }
    return Alert(
        alert_id=told.alert_id,
        kind=data["kind"],
        document=(data.get("document") or {}).get("id", ""),
        on=told.at.date(),
        data=data,
        messages=messages,
        fetched_at=datetime.fromisoformat(fetched) if fetched else None,
    )


def _sent(alert_id: str, route: Route, arrivals: Sequence[Arrival]) -> Arrival | None:
    """Return the message by which a route told an alert itself, known by its delivery's id."""
    wanted = delivery_id(alert_id, route.id)
    mine = (arrival for arrival in arrivals if arrival.channel is route.channel)
    return next((arrival for arrival in mine if wanted in arrival.message_id), None)


def judged(story: Story, inbox: Inbox, settings: Settings) -> list[Check]:
    """Return every check of the demo, in the order in which a reader would ask."""
    found = alerts(inbox, settings)
    return [
        *_changes(story, found, settings),
        *_watches(story, inbox, found),
        *_links(story, inbox, found),
        *_messages(inbox, found, settings),
    ]


# --- alerts of changes ----------------------------------------------------------------------------------------


def _changes(story: Story, found: Sequence[Alert], settings: Settings) -> Iterator[Check]:
    expected = {(told.document, day.date): told for day in story.days for told in day.alerts}
    came = Counter((alert.document, alert.on) for alert in found if alert.kind == "change")
    for (document, on), told in expected.items():
        yield Check(holds=came[document, on] == 1, says=f"{document} alerts on {on:%-d %B %Y}, once")
        for alert in (one for one in found if (one.document, one.on) == (document, on)):
            yield from (_shows(alert, words) for words in told.shows)
    surplus = sorted(f"{document} on {on}" for document, on in came if (document, on) not in expected)
    yield Check(holds=not surplus, says=f"no other change alerts{_list(surplus)}")
    other = sorted({alert.kind for alert in found} - {"change", "story"})
    yield Check(holds=not other, says=f"no alert of another kind{_list(other)}")


def _shows(alert: Alert, words: str) -> Check:
    """Say whether one of the first changes is of the type, and holds the words, of `type: words`; on all channels."""
    kind, _, wanted = words.partition(": ")
    first = alert.data.get("changes", [])[:SHOWN_FIRST]
    shown = any(change["type"] == kind and wanted in _text(change) for change in first)
    read = [message.text for message in alert.messages.values()]
    everywhere = all(" ".join(wanted.split()) in _reading(text) for text in read)
    return Check(
        holds=shown and everywhere, says=f'{alert.document} shows "{wanted}" ({kind}) among the first'
    )


def _text(change: dict[str, Any]) -> str:
    new, old = change.get("new") or {}, change.get("old") or {}
    return "\n".join([*change.get("heading_path", []), new.get("text", ""), old.get("text", "")])


def _reading(text: str) -> str:
    """Return a message's words without the marks of a redline."""
    for mark in ("[-", "-]", "{+", "+}"):
        text = text.replace(mark, "")
    return " ".join(text.split())


# --- news -----------------------------------------------------------------------------------------------------


def _watches(story: Story, inbox: Inbox, found: Sequence[Alert]) -> Iterator[Check]:
    told = [alert for alert in found if alert.kind == "story"]
    for watch in story.watches:
        mine = [alert for alert in told if watch.name in alert.data.get("watches", [])]
        items = [item for alert in mine for item in _items(story, _about(inbox, alert.alert_id))]
        right = [item for item in items if item.story in watch.stories]
        yield Check(holds=bool(right), says=f'the watch "{watch.name}" is told of its story')
    wrong = {
        item.title
        for alert in told
        for item in _items(story, _about(inbox, alert.alert_id))
        if not item.reports
    }
    yield Check(
        holds=not wrong, says=f"no watch is told of a story that reports no change{_list(sorted(wrong))}"
    )


def _about(inbox: Inbox, alert_id: str) -> list[Arrival]:
    return [one for one in inbox.arrivals if one.channel is Channel.WEBHOOK and one.alert_id == alert_id]


def _items(story: Story, arrivals: Iterable[Arrival]) -> list[Item]:
    """Return the news items whose headlines stand in messages."""
    text = "\n".join(_unescaped(arrival) for arrival in arrivals)
    return [item for item in story.items if item.title in text]


def _unescaped(arrival: Arrival) -> str:
    """Return all texts of a webhook's body, as they read."""
    return "\n".join(_strings(arrival.body))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)


def linked(story: Story, inbox: Inbox, alert: Alert) -> list[Item]:
    """Return the news items that were told as coverage of an alert, with it or in its thread."""
    return _items(story, _about(inbox, alert.alert_id))


def _links(story: Story, inbox: Inbox, found: Sequence[Alert]) -> Iterator[Check]:
    changes = [alert for alert in found if alert.kind == "change"]
    for watch in story.watches:
        yield _linked_to(watch, story, inbox, changes)
    wrong = {
        f"{item.outlet} → {alert.document}"
        for alert in changes
        for item in linked(story, inbox, alert)
        if alert.document not in {reported.document for reported in item.reports} and not item.reports
    }
    yield Check(holds=not wrong, says=f"no look-alike is linked to an alert{_list(sorted(wrong))}")


def _linked_to(watch: Watch, story: Story, inbox: Inbox, changes: Sequence[Alert]) -> Check:
    items = {
        item.outlet
        for alert in changes
        if alert.document == watch.document
        for item in linked(story, inbox, alert)
        if item.story in watch.stories
    }
    all_of_them = [item for item in story.items if item.story in watch.stories]
    return Check(
        holds=bool(items),
        says=f"the story {watch.stories[0]} is linked to {watch.document} ({len(items)} of {len(all_of_them)} outlets)",
    )


# --- messages -------------------------------------------------------------------------------------------------


def _messages(inbox: Inbox, found: Sequence[Alert], settings: Settings) -> Iterator[Check]:
    for route in settings.routes:
        wanted = [alert for alert in found if not route.filters.kinds or alert.kind in route.filters.kinds]
        got = [alert for alert in wanted if route.channel in alert.messages]
        yield Check(
            holds=len(got) == len(wanted) and _count(inbox, route.channel, "alert") == len(wanted),
            says=f"{route.channel.value}: {len(got)} of {len(wanted)} alerts, and no other",
        )
    yield Check(
        holds=not inbox.refused, says=f"every message was one that its receiver takes{_list(inbox.refused)}"
    )
    faults = [f"{arrival.file.name}: {fault}" for arrival in inbox.arrivals for fault in arrival.faults]
    yield Check(holds=not faults, says=f"signatures, Block Kit limits and mails are in order{_list(faults)}")
    yield Check(holds=not inbox.repeats, says="nothing was delivered twice")


def _count(inbox: Inbox, channel: Channel, what: str) -> int:
    return sum(_is(arrival, channel, what) for arrival in inbox.arrivals)


def _list(names: Sequence[str]) -> str:
    return f": {'; '.join(names)}" if names else ""
