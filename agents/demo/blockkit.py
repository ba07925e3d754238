"""What Slack's API would refuse in a message: the published limits of Block Kit, and those met in practice.

Numbers are from Slack's reference of blocks and elements; the total is where `msg_blocks_too_long` was met
(slackapi/bolt-js issue 2509). A message that passes here is one that Slack takes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

Block = Mapping[str, Any]

MOST_BLOCKS = 50
MOST_TEXT = 40_000  # characters of `text`; more is cut by Slack
MOST_TOTAL = 12_000  # characters of the JSON of all blocks
RICH_PARTS = frozenset({"rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"})
RICH_ELEMENTS = frozenset(
    {"text", "link", "emoji", "user", "usergroup", "channel", "broadcast", "date", "color", "team"}
)
STYLES = frozenset(
    {"bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink"}
)


def violations(message: Mapping[str, Any]) -> list[str]:
    """Return everything that Slack would refuse in a message, in its own words where it has some."""
    return list(_violations(message))


def _violations(message: Mapping[str, Any]) -> Iterator[str]:
    blocks = message.get("blocks", [])
    if not isinstance(blocks, list):
        yield "invalid_blocks_format"
        return
    if not message.get("text"):
        yield "no_text: nothing to show in a notification"
    if len(message.get("text", "")) > MOST_TEXT:
        yield f"msg_too_long: text over {MOST_TEXT}"
    if len(blocks) > MOST_BLOCKS:
        yield f"invalid_blocks: {len(blocks)} blocks, {MOST_BLOCKS} at most"
    if (size := len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":")))) > MOST_TOTAL:
        yield f"msg_blocks_too_long: {size} characters, {MOST_TOTAL} at most"
    yield from _repeated([block.get("block_id") for block in blocks])
    for number, block in enumerate(blocks):
        yield from (f"/blocks/{number}: {fault}" for fault in _block(block))


def _repeated(ids: Sequence[str | None]) -> Iterator[str]:
    named = [one for one in ids if one]
    if len(set(named)) < len(named):
        yield "invalid_blocks: a block_id stands twice"


def _block(block: Block) -> Iterator[str]:
    kind = str(block.get("type"))
    if len(block.get("block_id", "")) > 255:
        yield "block_id over 255"
    match kind:
        case "section":
            yield from _section(block)
        case "header":
            yield from _text(block.get("text"), 150, ("plain_text",))
        case "context":
            yield from _context(block.get("elements", []))
        case "actions":
            yield from _actions(block.get("elements", []))
        case "rich_text":
            yield from _rich(block.get("elements", []))
        case "image":
            yield from _long(block, {"image_url": 3000, "alt_text": 2000})
        case "markdown":
            yield from _long(block, {"text": 12_000})
        case "divider" | "video" | "file" | "input":
            pass
        case _:
            yield f"unsupported type: {kind}"


def _section(block: Block) -> Iterator[str]:
    fields = block.get("fields", [])
    if not block.get("text") and not fields:
        yield "a section needs text or fields"
    if block.get("text"):
        yield from _text(block["text"], 3000, ("mrkdwn", "plain_text"))
    if len(fields) > 10:
        yield f"{len(fields)} fields, 10 at most"
    for field in fields:
        yield from _text(field, 2000, ("mrkdwn", "plain_text"))


def _context(elements: Sequence[Block]) -> Iterator[str]:
    if not 0 < len(elements) <= 10:
        yield f"{len(elements)} elements of context, 1 to 10"
    for element in elements:
        if element.get("type") != "image":
            yield from _text(element, 2000, ("mrkdwn", "plain_text"))


def _actions(elements: Sequence[Block]) -> Iterator[str]:
    if not 0 < len(elements) <= 25:
        yield f"{len(elements)} elements of actions, 1 to 25"
    for element in elements:
        yield from _long(element, {"action_id": 255, "value": 2000, "url": 3000})
        if element.get("type") == "button":
            yield from _text(element.get("text"), 75, ("plain_text",))


def _text(value: Any, limit: int, kinds: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(value, Mapping) or value.get("type") not in kinds:
        yield f"text must be {' or '.join(kinds)}"
    elif not 0 < len(value.get("text", "")) <= limit:
        yield f"text of {len(value.get('text', ''))} characters, 1 to {limit}"


def _long(value: Block, limits: Mapping[str, int]) -> Iterator[str]:
    for key, limit in limits.items():
        if len(str(value.get(key, ""))) > limit:
            yield f"{key} over {limit}"


def _rich(parts: Sequence[Block]) -> Iterator[str]:
    for part in parts:
        if part.get("type") not in RICH_PARTS:
            yield f"unsupported rich text part: {part.get('type')}"
        elif part["type"] == "rich_text_list":
            yield from _list(part)
        else:
            yield from _elements(part.get("elements", []))


def _list(part: Block) -> Iterator[str]:
    if part.get("style") not in {"bullet", "ordered"}:
        yield "a list is bullet or ordered"
    if not 0 <= int(part.get("indent", 0)) <= 8:
        yield "indent over 8"
    for section in part.get("elements", []):
        if section.get("type") != "rich_text_section":
            yield "a list holds sections"
        yield from _elements(section.get("elements", []))


def _elements(elements: Sequence[Block]) -> Iterator[str]:
    for element in elements:
        kind = element.get("type")
        if kind not in RICH_ELEMENTS:
            yield f"unsupported rich text element: {kind}"
        if kind == "text" and not element.get("text"):
            yield "an empty text element"
        if kind == "link" and not 0 < len(element.get("url", "")) <= 3000:
            yield "a link without a url, or one over 3000"
        if unknown := set(element.get("style", {})) - STYLES:
            yield f"unknown style: {', '.join(sorted(unknown))}"


def plain(message: Mapping[str, Any]) -> str:
    """Return a message as a person reads it in a terminal: struck words as [-…-], bold ones in quotes as {+…+}."""
    lines = (line for block in message.get("blocks", []) for line in _lines(block))
    return "\n".join(lines) or str(message.get("text", ""))


def _lines(block: Block) -> Iterator[str]:
    match block.get("type"):
        case "header":
            yield block["text"]["text"]
        case "section":
            texts = [block.get("text"), *block.get("fields", [])]
            yield from (text["text"] for text in texts if text)
        case "context":
            yield "  ".join(element.get("text", "") for element in block["elements"])
        case "actions":
            yield "  ".join(f"[{element['text']['text']}]" for element in block["elements"])
        case "rich_text":
            for part in block["elements"]:
                yield from _rich_lines(part)


def _rich_lines(part: Block) -> Iterator[str]:
    if part["type"] == "rich_text_list":
        yield from (f"  • {_run(section['elements'])}" for section in part["elements"])
    elif part["type"] == "rich_text_quote":
        yield from (f"> {line}" for line in _run(part["elements"], redline=True).splitlines())
    else:
        yield _run(part["elements"])


def _run(elements: Sequence[Block], *, redline: bool = False) -> str:
    return "".join(_word(element, redline) for element in elements)


def _word(element: Block, redline: bool) -> str:
    text = str(element.get("text") or element.get("fallback") or element.get("url") or "")
    if element.get("type") == "date":
        text = f"{datetime.fromtimestamp(element['timestamp'], UTC):%-d %B %Y, %H:%M} UTC"
    style = element.get("style", {})
    if style.get("strike"):
        return f"[-{text}-]"
    if style.get("underline") or (redline and style.get("bold")):
        return f"{{+{text}+}}"
    return text
