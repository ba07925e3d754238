"""Our Slack messages before other people's models of Block Kit, and before the documented limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import slackblocks
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slackblocks.rich_text.objects import ListType

from agents.demo.blockkit import violations
from pipeline.alerts.render.slack import BUDGET, size
from tests.judges.cases import Case

NOTIFICATION = 4_000  # characters of `text` that Slack recommends at most, and that chat.update takes


def by_limits(cases: Iterable[Case]) -> Iterator[str]:
    """Yield what breaks a documented limit of Slack, or our own budget of characters."""
    for name, message in _messages(cases):
        yield from (f"{name}: {fault}" for fault in violations(message))
        if size(message["blocks"]) > BUDGET:
            yield f"{name}: {size(message['blocks'])} characters of blocks, {BUDGET} at most"
        if len(message["text"]) > NOTIFICATION:
            yield f"{name}: {len(message['text'])} characters of text, {NOTIFICATION} at most"


def by_slack_sdk(cases: Iterable[Case]) -> Iterator[str]:
    """Yield the blocks that Slack's own models refuse, or do not give back as they were."""
    for name, message in _messages(cases):
        for number, block in enumerate(message["blocks"]):
            try:
                parsed = Block.parse(block)
                back = parsed.to_dict() if parsed else None
            except SlackObjectFormationError as error:
                yield f"{name}: /blocks/{number}: {error}"
                continue
            if back != block:
                yield f"{name}: /blocks/{number}: a {block['type']} comes back otherwise"


def by_slackblocks(cases: Iterable[Case]) -> Iterator[str]:
    """Yield the messages that cannot be built from slackblocks' classes, which hold Slack's limits."""
    for name, message in _messages(cases):
        try:
            slackblocks.Message(
                channel="C1",
                text=message["text"],
                blocks=[_block(block) for block in message["blocks"]],
                metadata=message["metadata"],
            ).json()
        except (slackblocks.InvalidUsageError, KeyError) as error:
            yield f"{name}: {type(error).__name__} {str(error)[:200]}"


def _messages(cases: Iterable[Case]) -> Iterator[tuple[str, dict[str, Any]]]:
    for case in cases:
        for message in case.messages():
            yield case.name, message


def _block(block: Mapping[str, Any]) -> slackblocks.Block:
    match block["type"]:
        case "rich_text":
            return slackblocks.RichTextBlock([_part(part) for part in block["elements"]])
        case "actions":
            return slackblocks.ActionsBlock([_button(button) for button in block["elements"]])
        case _:
            return slackblocks.Block.from_dict(dict(block))


def _button(button: Mapping[str, Any]) -> slackblocks.Element:
    known = {name: button[name] for name in ("action_id", "url", "value") if name in button}
    return slackblocks.Button(text=button["text"]["text"], **known)


def _part(part: Mapping[str, Any]) -> Any:
    if part["type"] == "rich_text_list":
        style = ListType(part["style"])
        return slackblocks.RichTextList(style, [_part(item) for item in part["elements"]])
    kinds = {"rich_text_section": slackblocks.RichTextSection, "rich_text_quote": slackblocks.RichTextQuote}
    return kinds[part["type"]](_pieces(part["elements"]))


def _pieces(elements: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return the pieces of a text; slackblocks has no dates, so their fallback stands for them."""
    return [_piece(element) for element in elements]


def _piece(element: Mapping[str, Any]) -> Any:
    style = {name: on for name, on in element.get("style", {}).items() if name != "underline"}
    match element["type"]:
        case "link":
            return slackblocks.RichTextLink(element["url"], text=element.get("text"), **style)
        case "date":
            return slackblocks.RichText(element["fallback"])
        case _:
            return slackblocks.RichText(element["text"], **style)
