"""Subscriptions to Apprise's services over HTTP: public services only, the URL stored encrypted and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.api.desk import desk

pytest.importorskip("apprise", reason="apprise is not installed: pip install 'clausewire[apprise]'")

TOKEN = "s3cr3t-token-of-ours"


def wanted(url: str) -> dict[str, object]:
    return {"name": "Chat", "to": {"apprise": {"url": url}}}


async def test_url_is_kept_encrypted(tmp_path: Path) -> None:
    """The answer names the service alone, and the URL lies nowhere in clear."""
    async with desk(tmp_path) as api:
        status, made = await api.call("POST", "/v1/subscriptions", wanted(f"discord://1234567890/{TOKEN}"))
        listed = await api.call("GET", "/v1/subscriptions")
        stored = api.stored()
    assert (status, made["to"]) == (
        201,
        {"apprise": {"service": "discord", "url": "(stored, encrypted)"}},
    )
    assert TOKEN not in str((made, listed))
    assert TOKEN.encode() not in stored


@pytest.mark.parametrize(
    "url",
    [
        f"json://169.254.169.254/{TOKEN}",
        f"ntfy://10.0.0.1/{TOKEN}",
        f"discord://1234567890/{TOKEN}?template=/etc/passwd",
        f"nosuch://{TOKEN}",
        f"not a url {TOKEN}",
        f"syslog://{TOKEN}",
    ],
)
async def test_private_places_are_refused(tmp_path: Path, url: str) -> None:
    """Even where webhooks may be private, a caller's Apprise URL leads to a public service or nowhere."""
    async with desk(tmp_path, private=True) as api:
        status, problem = await api.call("POST", "/v1/subscriptions", wanted(url))
        assert (status, problem["at"]) == (422, "to.apprise.url")
        assert TOKEN not in str(problem)
        assert [one.name for one in api.office.registry.all()] == ["Terminal"]


async def test_change_through_the_api_is_a_strangers(tmp_path: Path) -> None:
    """A subscription that the operator made by command may lead a private way; who changes it by the API may not."""
    async with desk(tmp_path, private=True) as api:
        _, made = await api.call("POST", "/v1/subscriptions", wanted(f"discord://1234567890/{TOKEN}"))
        known = api.office.registry.by_id[made["id"]]
        await api.office.declare(replace(known, by="command"))
        moved = {"to": {"apprise": {"url": f"json://127.0.0.1:9/{TOKEN}"}}}
        status, problem = await api.call("PATCH", f"/v1/subscriptions/{made['id']}", moved)
        assert (status, problem.get("at")) == (422, "to.apprise.url")
        assert api.office.registry.by_id[made["id"]].target == {"service": "discord"}
