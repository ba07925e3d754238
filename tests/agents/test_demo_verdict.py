"""The demo's verdict: whatever is missing, too much, buried or wrongly linked is found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from agents.demo.delivered import RAISED
from agents.demo.inbox import Arrival, Inbox
from agents.demo.story import Day, Document, Item, Reported, Story, Told, Watch
from agents.demo.verdict import judged
from pipeline import config
from pipeline.adapters.clock import SettableClock
from pipeline.alerts.route import delivery_id
from pipeline.events import Channel

NOON = datetime(2024, 10, 17, 12, tzinfo=UTC)
SETTINGS = config.parse(
    b"""
smtp: {host: h, from: a@b.c}
routes:
  - {name: Hook, to: {webhook: {url: "https://a.b", secret_env: S}}}
  - {name: Mail, to: {email: {to: a@b.c}}, only: {kinds: [change]}}
""",
    Path("/c.yaml"),
    {},
)
REPORT = Item(
    story="s", outlet="O", url="u", title="It reports", published=date(2024, 10, 17), excerpt="e",
    reports=(Reported(document="x/terms", clause="C"),),
)  # fmt: skip
BESIDE = Item(story="b", outlet="P", url="v", title="Look-alike", published=date(2024, 10, 17), excerpt="e")
STORY = Story(
    documents=(Document(id="x/terms", service="X", name="Terms", path="/"),),
    watches=(Watch(name="W", query="w", stories=("s",), document="x/terms"),),
    days=(
        Day(
            date=NOON.date(), title="T", why="w", pages=(),
            alerts=(Told(document="x/terms", shows=("added: the clause",)),), tells=("W",),
        ),
    ),
    items=(REPORT, BESIDE),
)  # fmt: skip


def change(text: str, kind: str = "added") -> dict[str, Any]:
    return {"type": kind, "heading_path": [], "new": {"text": text}, "old": None}


def about(alert_id: str, kind: str, **more: Any) -> dict[str, Any]:
    document = {"id": "x/terms"} if kind == "change" else None
    return {"alert_id": alert_id, "kind": kind, "document": document, "title": alert_id, **more}


def message(channel: Channel, told_id: str, route: str, body: dict[str, Any], text: str = "") -> Arrival:
    return Arrival(
        channel=channel,
        at=NOON,
        message_id=delivery_id(told_id, route),
        text=text or "we add [-a-]{+the+} clause",
        file=Path("f"),
        body=body,
    )


def hook(told_id: str, data: dict[str, Any], kind: str = RAISED) -> Arrival:
    return message(
        Channel.WEBHOOK, told_id, "hook", {"type": kind, "id": told_id, "data": data}, "the clause"
    )


def mail(told_id: str) -> Arrival:
    return message(Channel.EMAIL, told_id, "mail", {}, "the clause")


CHANGE = hook("alt-1", about("alt-1", "change", changes=[change("the clause")]))
COVERED = hook(
    "upd-1", {"alert_id": "alt-1", "reason": "O reports it: It reports"}, "clausewire.alert.updated"
)
STORIED = hook("alt-2", about("alt-2", "story", watches=["W"], summary="It reports"))
WELL = (CHANGE, mail("alt-1"), COVERED, mail("upd-1"), STORIED)


def failures(arrivals: Iterable[Arrival], refused: Iterable[str] = ()) -> list[str]:
    inbox = Inbox(Path(), SettableClock(NOON))
    inbox.arrivals.extend(arrivals)
    inbox.refused.extend(refused)
    return [check.says for check in judged(STORY, inbox, SETTINGS) if not check.holds]


def test_expected_alerts_pass() -> None:
    """All that had to come came, and nothing else."""
    assert failures(WELL) == []


def without(gone: Arrival) -> tuple[Arrival, ...]:
    return tuple(arrival for arrival in WELL if arrival is not gone)


BURIED = hook("alt-1", about("alt-1", "change", changes=[*[change("x")] * 3, change("the clause")]))
SECOND = hook("alt-3", about("alt-3", "change", changes=[]))
HEALTH = hook("alt-4", about("alt-4", "health") | {"document": {"id": "x/terms"}})
STRAY = message(Channel.EMAIL, "alt-9", "mail", {})
WRONG = hook("upd-2", {"alert_id": "alt-1", "reason": "P reports it: Look-alike"}, "clausewire.alert.updated")
EMPTY = hook("alt-5", about("alt-5", "story", watches=["V"], summary="Look-alike"))

CASES: list[tuple[str, Callable[[], tuple[Arrival, ...]], str]] = [
    ("an alert is missing", lambda: without(CHANGE), "alerts, once"),
    ("an alert came twice", lambda: (*WELL, SECOND, mail("alt-3")), "alerts, once"),
    ("a source in trouble", lambda: (*WELL, HEALTH), "cannot be read: x/terms"),
    ("a mail is missing", lambda: (CHANGE, COVERED, STORIED), "email: 0 of 1"),
    ("a mail too many", lambda: (*WELL, STRAY), "email: 1 of 1"),
    ("the clause is buried", lambda: (BURIED, *WELL[1:]), "among the first"),
    ("nobody is linked", lambda: without(COVERED), "by nobody"),
    ("a look-alike is linked", lambda: (*WELL, WRONG), "no look-alike is linked to an alert: P"),
    ("a watch is not told", lambda: without(STORIED), 'the watch "W"'),
    ("a watch is told of nothing", lambda: (*WELL, EMPTY), "reports no change"),
]


@pytest.mark.parametrize(("name", "arrivals", "told"), CASES, ids=[case[0] for case in CASES])
def test_each_failure_is_told(name: str, arrivals: Callable[[], tuple[Arrival, ...]], told: str) -> None:
    """A demo that did not do what it should says so, and says what."""
    assert any(told in failure for failure in failures(arrivals()))


def test_refused_message_fails() -> None:
    """A message that a receiver would not take is a failure even if all arrived."""
    assert failures(WELL, ["webhook: no webhook-signature matches"]) == [
        "no message was refused: webhook: no webhook-signature matches"
    ]
