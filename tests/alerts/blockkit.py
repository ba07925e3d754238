"""Slack's documented limits of a message, as a checker of what we send."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

PLAIN = {"header": 150}
STYLES = {"bold", "italic", "strike", "code", "underline"}
PIECES = {"text", "link", "date", "emoji"}
TOTAL = 12_000


def problems(message: dict[str, Any]) -> list[str]:
    """Return what Slack would refuse in a message; empty when it would take it."""
    blocks = message["blocks"]
    found = [problem for block in blocks for problem in _block(block)]
    if not message["text"] or len(message["text"]) > 4_000:
        found.append(f"text of {len(message['text'])} characters")
    if not 1 <= len(blocks) <= 50:
        found.append(f"{len(blocks)} blocks")
    size = len(msgspec.json.encode(blocks).decode().encode("utf-16-le")) // 2
    return [*found, f"{size} characters of blocks"] if size > TOTAL else found


def texts(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every piece of rich text in a message."""
    for block in message["blocks"]:
        if block["type"] == "rich_text":
            yield from _pieces(block["elements"])


def _pieces(elements: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for element in elements:
        if "elements" in element:
            yield from _pieces(element["elements"])
        else:
            yield element


def _block(block: dict[str, Any]) -> Iterator[str]:
    match block["type"]:
        case "header":
            yield from _plain(block["text"], 150)
        case "context":
            if not 1 <= len(block["elements"]) <= 10:
                yield "context elements"
            for element in block["elements"]:
                yield from _plain(element, 2_000)
        case "actions":
            yield from _actions(block["elements"])
        case "rich_text":
            yield from _rich(block["elements"])
        case "divider":
            pass
        case other:
            yield f"unknown block {other}"


def _plain(text: dict[str, Any], limit: int) -> Iterator[str]:
    if text["type"] != "plain_text" or not 1 <= len(text["text"]) <= limit:
        yield f"plain text: {text}"


def _actions(elements: list[dict[str, Any]]) -> Iterator[str]:
    if not 1 <= len(elements) <= 25:
        yield "actions"
    if len({element["action_id"] for element in elements}) != len(elements):
        yield "action_id twice"
    for element in elements:
        yield from _plain(element["text"], 75)
        if len(element.get("url", "")) > 3_000 or len(element["action_id"]) > 255:
            yield f"button: {element}"


def _rich(elements: list[dict[str, Any]]) -> Iterator[str]:
    if not elements:
        yield "empty rich text"
    for element in elements:
        kind, inside = element["type"], element["elements"]
        if not inside:
            yield f"empty {kind}"
        if kind == "rich_text_list":
            yield from _rich(inside)
        elif kind in {"rich_text_section", "rich_text_quote"}:
            for piece in inside:
                yield from _piece(piece)
        else:
            yield f"unknown element {kind}"


def _piece(piece: dict[str, Any]) -> Iterator[str]:
    if piece["type"] not in PIECES:
        yield f"piece {piece['type']}"
    if piece["type"] == "text" and not piece["text"]:
        yield "empty text"
    if piece["type"] == "link" and not piece["url"].startswith(("http://", "https://")):
        yield f"link to {piece['url']}"
    if set(piece.get("style", {})) - STYLES:
        yield f"style {piece['style']}"
