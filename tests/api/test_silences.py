"""Silences over HTTP: the rules of the command line, behind scopes, each with an end."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.alerts.silence import silenced
from tests.alerts import samples
from tests.api.desk import desk
from tests.fakes import NOON, FixedClock

ASKED: dict[str, Any] = {
    "matchers": [{"what": "service", "words": ["X"]}],
    "ends_at": "2024-10-17T14:00:00Z",
    "comment": "known change",
}


async def test_silence_is_declared_and_holds(tmp_path: Path) -> None:
    """What is declared over HTTP silences alerts at once, with who asked for it and until when."""
    async with desk(tmp_path) as api:
        status, made = await api.call("POST", "/v1/silences", ASKED)
        silences = list(api.office.registry.silences.values())
        told = silenced(samples.alert(), "desk", silences, at=NOON + timedelta(hours=1))
        later = silenced(samples.alert(), "desk", silences, at=NOON + timedelta(hours=2))
    assert (status, made["state"], made["author"]) == (201, "active", "test (API)")
    assert (made["id"] in told, "known change" in told, later) == (True, True, "")


async def test_silence_is_listed_shown_and_ended(tmp_path: Path) -> None:
    """A silence is seen until it is ended; then it is over, and cannot be ended again."""
    async with desk(tmp_path) as api:
        _, made = await api.call("POST", "/v1/silences", ASKED)
        path = f"/v1/silences/{made['id']}"
        before = await api.call("GET", "/v1/silences")
        ended = [(await api.call("DELETE", path))[0] for _ in range(2)]
        after, every = await api.call("GET", "/v1/silences"), await api.call("GET", "/v1/silences?state=all")
        shown = await api.call("GET", path)
    assert [len(one[1]["items"]) for one in (before, after, every)] == [1, 0, 1]
    assert (ended, shown[1]["state"]) == ([204, 404], "over")


async def test_coming_silence_waits(tmp_path: Path) -> None:
    """A silence that begins later is pending until then."""
    clock = FixedClock()
    async with desk(tmp_path, clock=clock) as api:
        _, made = await api.call("POST", "/v1/silences", {**ASKED, "starts_at": "2024-10-17T13:00:00Z"})
        clock.moment = NOON + timedelta(minutes=90)
        _, then = await api.call("GET", f"/v1/silences/{made['id']}")
    assert (made["state"], then["state"]) == ("pending", "active")


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"matchers": []}, ""),
    ({"ends_at": None}, ""),
    ({"ends_at": "2024-10-17T12:00:00Z"}, "ends_at"),
    ({"ends_at": "2024-10-17T11:00:00Z"}, "ends_at"),
    ({"ends_at": "2025-10-19T00:00:00Z"}, "ends_at"),
    ({"ends_at": "2024-10-17T14:00:00"}, "ends_at"),
    ({"starts_at": "2024-10-18T14:00:00Z"}, "ends_at"),
    ({"matchers": [{"what": "colour", "words": ["red"]}]}, "matchers"),
    ({"matchers": [{"what": "service", "words": [" "]}]}, "matchers"),
    ({"matchers": [{"what": "service", "words": []}]}, ""),
    ({"subscriptions": ["nobody"]}, "subscriptions"),
    ({"colour": "red"}, ""),
]


@pytest.mark.parametrize(("part", "at"), REFUSED)
async def test_unusable_silence_is_refused(tmp_path: Path, part: dict[str, Any], at: str) -> None:
    """A silence without an end, without a matcher, too long, or of nothing that there is, is a problem with words."""
    body = {name: value for name, value in {**ASKED, **part}.items() if value is not None}
    async with desk(tmp_path) as api:
        status, told = await api.call("POST", "/v1/silences", body)
        assert (status, told.get("at", ""), api.office.registry.silences) == (422, at, {})


@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("DELETE", "/sil-x")])
async def test_scope_is_asked_for(tmp_path: Path, method: str, path: str) -> None:
    """A key that may only read silences declares and ends none."""
    async with desk(tmp_path, scopes=("silences:read", "subscriptions:write")) as api:
        assert (await api.call(method, f"/v1/silences{path}", ASKED))[0] == 403
        assert (await api.call("GET", "/v1/silences"))[0] == 200


async def test_repeated_request_declares_once(tmp_path: Path) -> None:
    """The same Idempotency-Key declares one silence, also where the process that took it is gone."""
    async with desk(tmp_path) as api:
        _, first = await api.call("POST", "/v1/silences", ASKED, Idempotency_Key="k1")
        _, again = await api.call("POST", "/v1/silences", ASKED, Idempotency_Key="k1")
        _, other = await api.call("POST", "/v1/silences", ASKED, Idempotency_Key="k2")
        assert (first["id"] == again["id"], first["id"] == other["id"]) == (True, False)
        assert len(api.office.registry.silences) == 2
