"""A subscription that gathers, made and changed over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.api.desk import desk

MAIL: dict[str, Any] = {"name": "Counsel", "to": {"email": {"to": ["counsel@example.org"]}}}


async def test_digest_is_made_and_ended(tmp_path: Path) -> None:
    """A digest is asked for, shown, and ended again."""
    asked = {"digest": "weekly", "day": "mon", "at": "07:30", "zone": "Europe/Berlin", "urgent": "high"}
    async with desk(tmp_path) as api:
        status, made = await api.call("POST", "/v1/subscriptions", {**MAIL, "gather": asked})
        _, ended = await api.call("PATCH", f"/v1/subscriptions/{made['id']}", {"gather": None})
    assert (status, ended["gather"]) == (201, None)
    shown = {name: made["gather"][name] for name in ("how", "day", "at", "zone", "urgent")}
    assert shown == {"how": "weekly", "day": 0, "at": 450, "zone": "Europe/Berlin", "urgent": "high"}


@pytest.mark.parametrize(
    ("gather", "where"),
    [
        ({"digest": "daily", "wait": "30s"}, "gather.wait"),
        ({"by": "service", "interval": "soon"}, "gather.interval"),
        ({"digest": "daily", "zone": "Mars/Olympus"}, "gather"),
    ],
)
async def test_wrong_digest_is_told(tmp_path: Path, gather: dict[str, str], where: str) -> None:
    """What cannot be is refused with the part that is wrong, and makes no subscription."""
    async with desk(tmp_path) as api:
        status, problem = await api.call("POST", "/v1/subscriptions", {**MAIL, "gather": gather})
        assert (status, problem["at"]) == (422, where)
        assert [one.name for one in api.office.registry.all()] == ["Terminal"]
