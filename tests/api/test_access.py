"""Who may do what, and what the API says of itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from agents.api.access import SCOPES, new_key
from agents.api.openapi import document
from agents.api.operations import OPERATIONS
from pipeline.errors import ConfigError
from tests.api.desk import desk
from tests.fakes import NOON


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
async def test_every_operation_asks_for_a_key(tmp_path: Path, operation: object) -> None:
    """Without a key nothing is told and nothing done."""
    async with desk(tmp_path) as api:
        path = operation.path.replace("{id}", "terminal")  # type: ignore[attr-defined]
        async with api.session.request(operation.method, path) as response:  # type: ignore[attr-defined]
            assert (response.status, response.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("shown", ["Bearer cwk_wrong", "Basic cwk", "Bearer", "", "Bearer \u00e9"])
async def test_unknown_key_opens_nothing(tmp_path: Path, shown: str) -> None:
    """A key that nobody made, or none, is answered with 401."""
    async with desk(tmp_path) as api:
        assert (await api.call("GET", "/v1/subscriptions", Authorization=shown))[0] == 401


async def test_scope_is_needed(tmp_path: Path) -> None:
    """A key that may only read makes nothing."""
    async with desk(tmp_path, scopes=["subscriptions:read"]) as api:
        assert (await api.call("GET", "/v1/subscriptions"))[0] == 200
        assert (await api.call("POST", "/v1/subscriptions", {}))[0] == 403
        assert (await api.call("GET", "/v1/deliveries"))[0] == 403


async def test_revoked_key_opens_nothing(tmp_path: Path) -> None:
    """A key that was revoked is answered with 401."""
    async with desk(tmp_path) as api:
        for declared in list(api.office.registry.keys.values()):
            await api.office.declare(msgspec.structs.replace(declared, revoked=True))
        assert (await api.call("GET", "/v1/subscriptions"))[0] == 401


@pytest.mark.parametrize("scopes", [[], ["everything"]])
def test_unknown_scope_is_refused(scopes: list[str]) -> None:
    """A key without a scope, or with one that there is not, is not made."""
    with pytest.raises(ConfigError) as caught:
        new_key("x", scopes, at=NOON)
    assert all(scope in caught.value.remedy for scope in SCOPES) or not scopes


@pytest.mark.parametrize(
    "path", ["/v1/subscriptions?limit=0", "/v1/subscriptions?limit=x", "/v1/subscriptions?limit=201",
             "/v1/subscriptions?limit=1&limit=2", "/v1/subscriptions?colour=red",
             "/v1/deliveries?outcome=lost", "/v1/subscriptions?limit=%00", "/v1/subscriptions?limit=\u0663"],
)  # fmt: skip
async def test_unfit_query_is_told(tmp_path: Path, path: str) -> None:
    """A parameter that is not known, repeated or out of bounds is answered with a problem."""
    async with desk(tmp_path) as api:
        assert (await api.call("GET", path))[0] == 400


@pytest.mark.parametrize("cursor", ["%C3%A9", "%00", "_w", "!", "gA"])
async def test_foreign_cursor_is_told(tmp_path: Path, cursor: str) -> None:
    """A cursor that we never gave out is refused, or begins somewhere; it breaks nothing."""
    async with desk(tmp_path) as api:
        assert (await api.call("GET", f"/v1/subscriptions?cursor={cursor}"))[0] in {200, 422}


@pytest.mark.parametrize("key", ["k" * 256, "\u00e9", "a\tb", "a b"])
async def test_unfit_idempotency_key_is_told(tmp_path: Path, key: str) -> None:
    """An Idempotency-Key out of bounds is refused before anything is done."""
    async with desk(tmp_path) as api:
        assert (await api.call("POST", "/v1/subscriptions/terminal/pause", Idempotency_Key=key))[0] == 400
        assert api.office.registry.by_id["terminal"].active


async def test_description_is_served(tmp_path: Path) -> None:
    """The description is there without a key, and names every operation."""
    async with desk(tmp_path) as api:
        async with api.session.get("/openapi.json") as response:
            described = await response.json()
        async with api.session.get("/docs") as response:
            page = await response.text()
    assert described["openapi"].startswith("3.1")
    assert all(operation.path in page for operation in OPERATIONS)
    assert "src=" not in page
    assert "http-equiv" not in page


def test_every_reference_resolves() -> None:
    """Every schema that the description refers to is in it."""
    described = document(OPERATIONS)
    text = msgspec.json.encode(described).decode()
    named = {word.split('"')[0] for word in text.split("#/components/schemas/")[1:]}
    assert named <= described["components"]["schemas"].keys()


async def test_unknown_address_is_a_problem(tmp_path: Path) -> None:
    """Addresses and methods that there are not are problems too."""
    async with desk(tmp_path) as api:
        assert (await api.call("GET", "/v2"))[1]["status"] == 404
        assert (await api.call("PUT", "/v1/subscriptions"))[1]["status"] == 405


async def test_deliveries_and_alerts_are_empty_at_first(tmp_path: Path) -> None:
    """A log without alerts has no deliveries, and no alert of any id."""
    async with desk(tmp_path) as api:
        assert (await api.call("GET", "/v1/deliveries"))[1] == {"items": [], "next_cursor": None}
        assert (await api.call("GET", "/v1/alerts/alt-none"))[0] == 404


@pytest.mark.parametrize(
    ("line", "header"),
    [
        ("GET /v1/alerts", b"Authorization: Bearer \xff"),
        ("POST /slack/interactions", b"X-Slack-Request-Timestamp: \xff"),
        (
            "POST /slack/interactions",
            f"X-Slack-Request-Timestamp: {NOON.timestamp():.0f}\r\nX-Slack-Signature: v0=".encode() + b"\xff",
        ),
    ],
)
async def test_bytes_that_are_no_text_open_nothing(tmp_path: Path, line: str, header: bytes) -> None:
    """A header that is no UTF-8 is a wrong key or signature like any other, not a fault of ours."""
    async with desk(tmp_path, slack_secret="s") as api:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1",
            api.session.server.port,  # type: ignore[attr-defined]
        )
        writer.write(f"{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".encode() + header + b"\r\n\r\n")
        answer = await reader.read()
        writer.close()
    assert answer.startswith(b"HTTP/1.1 401 ")
