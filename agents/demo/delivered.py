"""What arrived, put together again: alerts, and what was told of them later, with the message of each channel.

The webhook's bodies say what was told; from that follow the delivery ids that the other channels must have had.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from agents.demo.inbox import Arrival
from agents.demo.story import Item, Story
from pipeline.alerts.route import delivery_id
from pipeline.config import Route, Settings
from pipeline.events import Channel

RAISED = "clausewire.alert.raised"


class Alert(Struct, frozen=True, kw_only=True):
    """An alert as it reached its readers: what the webhook told, each channel's message, and what came after."""

    alert_id: str
    kind: str
    document: str
    at: datetime
    data: dict[str, Any]
    messages: dict[Channel, Arrival]
    later: tuple[Arrival, ...] = ()
    fetched_at: datetime | None = None

    def waited_s(self, channel: Channel) -> float | None:
        """Return the seconds from the fetch of the page to the arrival of the message."""
        arrival = self.messages.get(channel)
        return (arrival.at - self.fetched_at).total_seconds() if arrival and self.fetched_at else None


def alerts(arrivals: Sequence[Arrival], settings: Settings) -> list[Alert]:
    """Return the alerts that arrived by webhook, in order."""
    hooks = [arrival for arrival in arrivals if arrival.channel is Channel.WEBHOOK]
    return [_alert(arrival, arrivals, hooks, settings) for arrival in hooks if arrival.body["type"] == RAISED]


def _alert(told: Arrival, arrivals: Sequence[Arrival], hooks: Sequence[Arrival], settings: Settings) -> Alert:
    data = told.body["data"]
    fetched = ((data.get("evidence") or {}).get("new") or {}).get("fetched_at")
    return Alert(
        alert_id=data["alert_id"],
        kind=data["kind"],
        document=(data.get("document") or {}).get("id", ""),
        at=told.at,
        data=data,
        messages=_messages(told, arrivals, settings.routes),
        later=tuple(one for one in hooks if one is not told and alert_of(one) == data["alert_id"]),
        fetched_at=datetime.fromisoformat(fetched) if fetched else None,
    )


def _messages(told: Arrival, arrivals: Sequence[Arrival], routes: Sequence[Route]) -> dict[Channel, Arrival]:
    wanted = {(route.channel, delivery_id(told.body["id"], route.id)) for route in routes}
    return {one.channel: one for one in arrivals if (one.channel, one.message_id) in wanted}


def alert_of(hook: Arrival) -> str:
    """Return the id of the alert that a webhook's body is about."""
    return str(hook.body.get("data", {}).get("alert_id", ""))


def expected_ids(arrivals: Sequence[Arrival], route: Route, *, only_alerts: bool) -> set[str]:
    """Return the delivery ids that a route must have had, going by what the webhook was told."""
    hooks = [arrival for arrival in arrivals if arrival.channel is Channel.WEBHOOK]
    kinds = {alert_of(hook): hook.body["data"]["kind"] for hook in hooks if hook.body["type"] == RAISED}
    mine = (
        hook for hook in hooks if not route.filters.kinds or kinds.get(alert_of(hook)) in route.filters.kinds
    )
    return {
        delivery_id(hook.body["id"], route.id)
        for hook in mine
        if hook.body["type"] == RAISED or not only_alerts
    }


def told_items(story: Story, alert: Alert) -> list[Item]:
    """Return the news items whose headlines stand in an alert or in what was told of it later."""
    bodies = [alert.data, *(one.body for one in alert.later)]
    text = "\n".join(words for body in bodies for words in _strings(body))
    return [item for item in story.items if item.title in text]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        return
    parts: Iterable[Any] = (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    )
    for part in parts:
        yield from _strings(part)
