"""What every Slack message is framed in: its budget, its fallback's markup, and by what it is recognised."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from pipeline.alerts.render import words

BUDGET = 10_000  # characters of the JSON of all blocks
MOST_BLOCKS = 50
EVENT_TYPE = "clausewire_delivery"

Message = dict[str, Any]


def framed(text: str, blocks: Sequence[Mapping[str, Any]], known_by: Mapping[str, Any]) -> Message:
    """Return a message of a notification's line, its blocks, and the metadata that it is known by."""
    return {
        "text": text,
        "blocks": list(blocks),
        "metadata": known_by,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def metadata(delivery_id: str, alert_id: str, thread: str) -> dict[str, Any]:
    """Return the message metadata by which a post is recognised again."""
    payload = {"delivery_id": delivery_id, "alert_id": alert_id, "thread": thread}
    return {"event_type": EVENT_TYPE, "event_payload": payload}


def escape(text: str) -> str:
    """Return text that Slack's markup language shows as it is: no entity, mention, link or broadcast."""
    text = words.clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"@(?=channel|here|everyone|group)", "@\u2060", text, flags=re.IGNORECASE)


def size(blocks: Sequence[Mapping[str, Any]]) -> int:
    """Return how much of Slack's budget blocks take: UTF-16 units of their JSON."""
    return len(msgspec.json.encode(blocks).decode().encode("utf-16-le")) // 2


def fitting(items: Iterable[dict[str, Any]], room: int) -> list[dict[str, Any]]:
    """Return the first items of a list that fit in a room of characters."""
    kept: list[dict[str, Any]] = []
    for item in items:
        room -= size([item]) + 1
        if room < 0:
            break
        kept.append(item)
    return kept
