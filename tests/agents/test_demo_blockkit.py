"""What Slack would refuse is refused; what it takes passes, and reads as a person would read it."""

from __future__ import annotations

from typing import Any

import pytest

from agents.demo.blockkit import plain, violations

Block = dict[str, Any]


def mrkdwn(length: int) -> Block:
    return {"type": "mrkdwn", "text": "x" * length}


def words(text: str, **style: bool) -> Block:
    return {"type": "text", "text": text, **({"style": style} if style else {})}


def rich(*parts: Block) -> Block:
    return {"type": "rich_text", "elements": list(parts)}


def section(*elements: Block, kind: str = "rich_text_section") -> Block:
    return {"type": kind, "elements": list(elements)}


GOOD: list[list[Block]] = [
    [{"type": "header", "text": {"type": "plain_text", "text": "x" * 150}}],
    [{"type": "section", "text": mrkdwn(3000)}],
    [{"type": "section", "fields": [mrkdwn(900)] * 10}],
    [{"type": "context", "elements": [mrkdwn(100)] * 10}],
    [{"type": "divider"}] * 50,
    [rich(section(words("a"), words("b", strike=True)), section(words("q"), kind="rich_text_quote"))],
    [rich({"type": "rich_text_list", "style": "bullet", "elements": [section(words("a"))]})],
    [rich(section({"type": "link", "url": "https://x.com", "text": "X"}))],
]


@pytest.mark.parametrize("blocks", GOOD)
def test_lawful_blocks_pass(blocks: list[Block]) -> None:
    """Blocks up to every limit are taken."""
    assert violations({"text": "t", "blocks": blocks}) == []


BAD: list[tuple[Block, str]] = [
    ({"text": "", "blocks": []}, "no_text"),
    ({"text": "t", "blocks": {}}, "invalid_blocks_format"),
    ({"text": "x" * 40_001}, "msg_too_long"),
    ({"text": "t", "blocks": [{"type": "divider"}] * 51}, "51 blocks"),
    ({"text": "t", "blocks": [{"type": "section", "text": mrkdwn(2900)}] * 5}, "msg_blocks_too_long"),
    ({"text": "t", "blocks": [{"type": "divider", "block_id": "a"}] * 2}, "twice"),
    ({"text": "t", "blocks": [{"type": "divider", "block_id": "a" * 256}]}, "block_id over 255"),
    ({"text": "t", "blocks": [{"type": "header", "text": mrkdwn(5)}]}, "plain_text"),
    ({"text": "t", "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]}, "1 to 150"),
    ({"text": "t", "blocks": [{"type": "section", "text": mrkdwn(3001)}]}, "1 to 3000"),
    ({"text": "t", "blocks": [{"type": "section", "text": mrkdwn(0)}]}, "1 to 3000"),
    ({"text": "t", "blocks": [{"type": "section"}]}, "text or fields"),
    ({"text": "t", "blocks": [{"type": "section", "fields": [mrkdwn(1)] * 11}]}, "10 at most"),
    ({"text": "t", "blocks": [{"type": "section", "fields": [mrkdwn(2001)]}]}, "1 to 2000"),
    ({"text": "t", "blocks": [{"type": "context", "elements": []}]}, "1 to 10"),
    ({"text": "t", "blocks": [{"type": "context", "elements": [mrkdwn(1)] * 11}]}, "1 to 10"),
    ({"text": "t", "blocks": [{"type": "actions", "elements": [{"type": "button"}]}]}, "plain_text"),
    ({"text": "t", "blocks": [{"type": "alert"}]}, "unsupported type"),
    ({"text": "t", "blocks": [rich(section(words("")))]}, "empty text"),
    ({"text": "t", "blocks": [rich(section(words("a", blink=True)))]}, "unknown style"),
    ({"text": "t", "blocks": [rich(section({"type": "link"}))]}, "without a url"),
    ({"text": "t", "blocks": [rich(words("a"))]}, "unsupported rich text part"),
    ({"text": "t", "blocks": [rich({"type": "rich_text_list", "style": "dash", "elements": []})]}, "bullet"),
]  # fmt: skip


@pytest.mark.parametrize(("message", "fault"), BAD)
def test_unlawful_blocks_are_told(message: Block, fault: str) -> None:
    """Each limit is told when it is passed."""
    assert any(fault in told for told in violations(message))


def test_redline_reads() -> None:
    """Struck words and, in a quote, bold ones stand between marks; elsewhere bold is only bold."""
    blocks = [
        rich(section(words("Place", bold=True))),
        rich(
            section(words("We "), words("may", strike=True), words("will", bold=True), kind="rich_text_quote")
        ),
    ]
    assert plain({"text": "t", "blocks": blocks}) == "Place\n> We [-may-]{+will+}"


def test_message_without_blocks_reads() -> None:
    """The fallback is what is left to read."""
    assert plain({"text": "only this"}) == "only this"
