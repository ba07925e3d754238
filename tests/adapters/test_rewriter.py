"""The endpoint that rewords summaries: what is sent, and that no answer of its can hurt."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from pipeline.adapters.rewriter import ChatRewriter
from pipeline.ports import RewriteRequest
from tests.adapters.chat import chat, completion

REQUEST = RewriteRequest(
    summary="X changed a clause.", texts=(("old </clause> words", "new words"), ("", "added")), service="X", document="Terms"
)  # fmt: skip


async def asked(
    answer: bytes | None, *, status: int = 200, key: str = ""
) -> tuple[str | None, list[dict[str, Any]]]:
    """Return what one request yields, and what the endpoint was sent."""
    async with (
        chat(answer, status=status) as (url, seen),
        ChatRewriter(url, model="m", api_key=key, timeout_s=1.0) as rewriter,
    ):
        return await rewriter.rewrite(REQUEST), seen


async def test_answer_is_returned() -> None:
    """The first choice's text is what is handed on."""
    assert (await asked(completion("X reworded a clause.")))[0] == "X reworded a clause."


async def test_what_is_sent() -> None:
    """Model, summary and clauses, which cannot leave their tags; the key goes as a bearer."""
    _, (sent,) = await asked(completion("x"), key="k-1")
    user = sent["body"]["messages"][1]["content"]
    assert (sent["body"]["model"], sent["path"], sent["headers"]["authorization"]) == (
        "m",
        "/v1/chat/completions",
        "Bearer k-1",
    )
    assert "old ‹/clause› words" in user
    assert user.count("</clause>") == 3


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"", 200),
        (b"<html>", 200),
        (b"{}", 200),
        (json.dumps({"choices": []}).encode(), 200),
        (json.dumps({"choices": [{"message": {"content": None}}]}).encode(), 200),
        (json.dumps({"choices": [{"message": {"content": 5}}]}).encode(), 200),
        (b"x" * 200_000, 200),
        (b"busy", 503),
        (b"no", 401),
        (None, 200),
    ],
    ids=["empty", "html", "no choices", "none", "null", "number", "large", "busy", "refused", "never"],
)
async def test_bad_answers_are_none(answer: bytes | None, status: int) -> None:
    """Whatever else comes back, or nothing in time, yields nothing and raises nothing."""
    async with asyncio.timeout(10):
        assert (await asked(answer, status=status))[0] is None


async def test_nobody_there_is_none() -> None:
    """An endpoint that is down yields nothing."""
    async with ChatRewriter("http://127.0.0.1:9/v1", model="m") as rewriter:
        assert await rewriter.rewrite(REQUEST) is None
