"""What was delivered against what had to be: no alert missing, none too many, each saying what it must."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from agents.demo.delivered import Alert, alerts, expected_ids, told_items
from agents.demo.inbox import Inbox
from agents.demo.story import Story, Watch
from pipeline.config import Route, Settings

SHOWN_FIRST = 3  # how far down an alert a clause may stand and still count as shown first


class Check(Struct, frozen=True, kw_only=True):
    """One thing that the demo had to show, and whether it did."""

    holds: bool
    says: str


def judged(story: Story, inbox: Inbox, settings: Settings) -> list[Check]:
    """Return every check of the demo, in the order in which a reader would ask."""
    found = alerts(inbox.arrivals, settings)
    return [
        *_changes(story, found),
        *_stories(story, found),
        _trouble(story, found),
        *(_links(watch, story, found) for watch in story.watches),
        _look_alikes(story, found),
        *(_channel(route, inbox) for route in settings.routes),
        *_messages(inbox),
    ]


# --- alerts of changes ----------------------------------------------------------------------------------------


def _changes(story: Story, found: Sequence[Alert]) -> Iterator[Check]:
    expected = {(told.document, day.date): told for day in story.days for told in day.alerts}
    changes = [alert for alert in found if alert.kind == "change"]
    came = Counter((alert.document, alert.at.date()) for alert in changes)
    for (document, on), told in expected.items():
        yield Check(holds=came[document, on] == 1, says=f"{on:%-d %b}: {document} alerts, once")
        mine = [alert for alert in changes if (alert.document, alert.at.date()) == (document, on)]
        yield from (_shows(alert, words) for alert in mine for words in told.shows)
    surplus = sorted(f"{document} on {on}" for document, on in came if (document, on) not in expected)
    yield Check(holds=not surplus, says=f"no other change alerts{_list(surplus)}")


def _shows(alert: Alert, words: str) -> Check:
    """Say whether one of the first changes is of the type, and every message holds the words, of `type: words`."""
    kind, _, wanted = words.partition(": ")
    first = alert.data.get("changes", [])[:SHOWN_FIRST]
    shown = any(change["type"] == kind and wanted in _text(change) for change in first)
    everywhere = all(wanted in _reading(message.text) for message in alert.messages.values())
    return Check(
        holds=shown and everywhere, says=f'… with "{wanted}" ({kind}) among the first, on every channel'
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


def _stories(story: Story, found: Sequence[Alert]) -> Iterator[Check]:
    told = [alert for alert in found if alert.kind == "story"]
    expected = Counter((watch, day.date) for day in story.days for watch in day.tells)
    came = Counter((watch, alert.at.date()) for alert in told for watch in _watches(alert))
    for (watch, on), times in expected.items():
        yield Check(
            holds=came[watch, on] >= times, says=f'{on:%-d %b}: the watch "{watch}" is told of its story'
        )
    permitted = Counter((watch, day.date) for day in story.days for watch in day.may_tell)
    surplus = sorted(f"{watch} on {on}" for watch, on in came - expected - permitted)
    yield Check(holds=not surplus, says=f"no other story alerts{_list(surplus)}")
    wrong = [str(alert.data["title"]) for alert in told if not _reports(story, alert)]
    yield Check(holds=not wrong, says=f"no watch is told of a story that reports no change{_list(wrong)}")


def _reports(story: Story, alert: Alert) -> bool:
    """Say whether one of a story's items reports a change."""
    return any(item.reports for item in told_items(story, alert))


def _watches(alert: Alert) -> list[str]:
    return alert.data.get("watches") or ["(none)"]


def _trouble(story: Story, found: Sequence[Alert]) -> Check:
    """Say whether operators were told of each document that could not be read, once, and of no other trouble."""
    expected = Counter((document, day.date) for day in story.days for document in day.trouble)
    came = Counter(
        (alert.document, alert.at.date()) for alert in found if alert.kind not in {"change", "story"}
    )
    odd = sorted(f"{document} on {on}" for document, on in (came - expected) + (expected - came))
    documents = ", ".join(document for document, _ in expected) or "nothing"
    return Check(
        holds=not odd, says=f"operators, and only they, hear that {documents} cannot be read{_list(odd)}"
    )


def _links(watch: Watch, story: Story, found: Sequence[Alert]) -> Check:
    """Say whether a watch's story was linked to the alert of its document."""
    linked = [
        item.outlet
        for alert in found
        if alert.kind == "change" and alert.document == watch.document
        for item in told_items(story, alert)
        if item.story in watch.stories
    ]
    outlets = ", ".join(dict.fromkeys(linked)) or "nobody"
    return Check(holds=bool(linked), says=f'"{watch.name}" is linked to {watch.document}, by {outlets}')


def _look_alikes(story: Story, found: Sequence[Alert]) -> Check:
    """Say whether an item that reports no change was linked to one, or one to another document's change."""
    wrong = sorted(
        f"{item.outlet} to {alert.document}"
        for alert in found
        if alert.kind == "change"
        for item in told_items(story, alert)
        if alert.document not in {reported.document for reported in item.reports}
    )
    return Check(holds=not wrong, says=f"no look-alike is linked to an alert{_list(wrong)}")


# --- messages -------------------------------------------------------------------------------------------------


def _channel(route: Route, inbox: Inbox) -> Check:
    """Say whether a route had every alert that it asks for, and nothing that it does not."""
    had = {arrival.message_id for arrival in inbox.arrivals if arrival.channel is route.channel}
    wanted = expected_ids(inbox.arrivals, route, only_alerts=True)
    known = expected_ids(inbox.arrivals, route, only_alerts=False)
    says = f"{route.channel.value}: {len(had & wanted)} of {len(wanted)} alerts, {len(had - wanted)} updates, no other"
    return Check(holds=wanted <= had <= known, says=says)


def _messages(inbox: Inbox) -> Iterator[Check]:
    yield Check(holds=not inbox.refused, says=f"no message was refused{_list(inbox.refused)}")
    faults = [f"{arrival.file.name}: {fault}" for arrival in inbox.arrivals for fault in arrival.faults]
    yield Check(holds=not faults, says=f"signatures, Block Kit limits and mails are in order{_list(faults)}")
    yield Check(holds=not inbox.repeats, says="nothing was delivered twice")


def _list(names: Sequence[str]) -> str:
    return f": {'; '.join(names)}" if names else ""
