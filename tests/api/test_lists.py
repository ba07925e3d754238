"""Alerts and deliveries in lists: by filters, page by page, from an index that keeps up with the log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from agents.told import FILE, telling
from pipeline.adapters.history import open_history
from pipeline.adapters.lookup import Wanted
from pipeline.alerts.route import delivery_id
from pipeline.events import AlertAcknowledged, AlertRaised, DeliveryAttempted, DocumentSpec, Event, Severity
from tests.api.desk import Desk, desk, settings
from tests.fakes import NOON, FixedClock

SERVICES = ("X", "Meta", "Example Ltd")


def alert(number: int, **also: object) -> AlertRaised:
    """Return an alert: one a day, of three services and all severities in turn."""
    service = SERVICES[number % 3]
    name = service.lower().replace(" ", "-")
    document = DocumentSpec(id=f"{name}/terms", service=service, name="Terms", url="https://e.org")
    values = {
        "alert_id": f"alt-{number:04}",
        "kind": "change",
        "raised_at": NOON + timedelta(days=number),
        "title": f"Change {number}",
        "summary": "",
        "severity": list(Severity)[number % 5],
        "service": service,
        "document": document,
    }
    return AlertRaised(**(values | also))  # type: ignore[arg-type]


def attempt(
    number: int, subscription: str = "desk", outcome: str = "sent", **also: object
) -> DeliveryAttempted:
    """Return what became of telling an alert."""
    values = {
        "delivery_id": delivery_id(f"alt-{number:04}", subscription),
        "subscription_id": subscription,
        "thread": "t",
        "alert_id": f"alt-{number:04}",
        "attempt": 1,
        "outcome": outcome,
        "attempted_at": NOON + timedelta(days=number, minutes=1),
    }
    return DeliveryAttempted(**(values | also))  # type: ignore[arg-type]


HISTORY: tuple[Event, ...] = (
    *(alert(number) for number in range(10)),
    *(attempt(number, "desk" if number % 2 else "legal") for number in range(10)),
    attempt(3, "legal", "refused"),
)


async def listed(api: Desk, path: str, field: str = "alert_id") -> list[str]:
    """Return a field of every entry of a list."""
    status, told = await api.call("GET", path)
    assert status == 200, told
    return [item[field] for item in told["items"]]


def named(*numbers: int) -> list[str]:
    return [f"alt-{number:04}" for number in numbers]


ALERTS: Sequence[tuple[str, list[str]]] = [
    ("", named(*range(9, -1, -1))),
    ("?order=oldest&limit=2", named(0, 1)),
    ("?service=x", named(9, 6, 3, 0)),
    ("?service=Example%20Ltd", named(8, 5, 2)),
    ("?document=meta/terms", named(7, 4, 1)),
    ("?min_severity=high", named(9, 8, 4, 3)),
    ("?since=2024-10-24", named(9, 8, 7)),
    ("?since=2024-10-24T12:00:01Z&until=2024-10-26", named(8)),
    ("?kind=story", []),
    ("?subscription=legal", named(8, 6, 4, 3, 2, 0)),
    ("?subscription=legal&service=X&min_severity=medium", named(3)),
    ("?subscription=nobody", []),
]


@pytest.mark.parametrize(("query", "expected"), ALERTS)
async def test_alerts_are_filtered(tmp_path: Path, query: str, expected: list[str]) -> None:
    """A list of alerts has those that meet every filter, newest first."""
    async with desk(tmp_path) as api:
        await api.office.log.publish_all(HISTORY)
        assert await listed(api, f"/v1/alerts{query}") == expected


DELIVERIES: Sequence[tuple[str, list[str]]] = [
    ("", named(0, 1, 2, 3, 3, 4, 5, 6, 7, 8, 9)),
    ("?order=newest&limit=1", named(9)),
    ("?subscription=desk", named(1, 3, 5, 7, 9)),
    ("?outcome=refused", named(3)),
    ("?alert=alt-0003", named(3, 3)),
    (f"?delivery={delivery_id('alt-0003', 'desk')}", named(3)),
    ("?service=meta", named(1, 4, 7)),
    ("?document=x/terms&subscription=legal", named(0, 3, 6)),
    ("?min_severity=critical", named(4, 9)),
    ("?since=2024-10-26", named(9)),
]


@pytest.mark.parametrize(("query", "expected"), DELIVERIES)
async def test_deliveries_are_filtered(tmp_path: Path, query: str, expected: list[str]) -> None:
    """A list of attempts has those that meet every filter, oldest first."""
    async with desk(tmp_path) as api:
        await api.office.log.publish_all(HISTORY)
        assert await listed(api, f"/v1/deliveries{query}") == expected


async def test_cursor_is_stable(tmp_path: Path) -> None:
    """Page by page each alert comes once, also where new ones arrive meanwhile."""
    async with desk(tmp_path) as api:
        await api.office.log.publish_all(HISTORY)
        seen, cursor = list[str](), ""
        for more in range(5):
            _, told = await api.call("GET", f"/v1/alerts?limit=2{cursor}")
            seen += [item["alert_id"] for item in told["items"]]
            cursor = f"&cursor={told['next_cursor']}"
            await api.office.log.publish_all([alert(100 + more)])
        assert (seen, told["next_cursor"]) == (named(*range(9, -1, -1)), None)


BAD = [
    ("limit=0", 400),
    ("limit=201", 400),
    ("order=both", 400),
    ("min_severity=awful", 400),
    ("since=yesterday", 400),
    ("since=2024-02-31", 422),
    ("cursor=x", 422),
    ("cursor=OTk5OTk5OTk5OTk5OTk5OTk5OTk5IGE", 422),
    ("color=red", 400),
    ("service=a&service=b", 400),
    (f"service={'x' * 301}", 400),
]


@pytest.mark.parametrize(("query", "status"), BAD)
async def test_bad_question_is_told(tmp_path: Path, query: str, status: int) -> None:
    """What a list cannot be asked is a problem with words, never a fault of ours."""
    async with desk(tmp_path) as api:
        for path in ("/v1/alerts", "/v1/deliveries"):
            found, told = await api.call("GET", f"{path}?{query}")
            assert (found, bool(told["detail"])) == (status, True)


async def test_gathered_message_tells_each_alert(tmp_path: Path) -> None:
    """An attempt of a message about several alerts is found by each of them."""
    together = tuple(delivery_id(name, "desk") for name in named(1, 2))
    sent = attempt(1, delivery_id="dlv-group", members=together)
    async with desk(tmp_path) as api:
        await api.office.log.publish_all([alert(1), alert(2), alert(3), sent])
        found = [await listed(api, f"/v1/deliveries?alert={name}", "delivery_id") for name in named(1, 2, 3)]
        assert found == [["dlv-group"], ["dlv-group"], []]
        assert await listed(api, "/v1/alerts?subscription=desk") == named(2, 1)


async def test_alert_is_shown_whole(tmp_path: Path) -> None:
    """An alert comes with who was told and who has seen it; what is not there is 404."""
    seen = AlertAcknowledged(alert_id="alt-0003", subscription_id="desk", by="U1", acknowledged_at=NOON)
    async with desk(tmp_path) as api:
        await api.office.log.publish_all([*HISTORY, seen])
        status, told = await api.call("GET", "/v1/alerts/alt-0003")
        assert (status, len(told["deliveries"]), told["acknowledgements"][0]["by"]) == (200, 2, "U1")
        assert (await api.call("GET", "/v1/alerts/alt-nothing"))[0] == 404


async def test_who_was_told_needs_its_scope(tmp_path: Path) -> None:
    """A key that may only see alerts is not shown to whom they were sent."""
    async with desk(tmp_path, scopes=["alerts:read"]) as api:
        await api.office.log.publish_all(HISTORY)
        _, told = await api.call("GET", "/v1/alerts/alt-0003")
        assert (told["alert"]["alert_id"], told["deliveries"], told["acknowledgements"]) == (
            "alt-0003",
            [],
            [],
        )


async def count(folder: Path) -> int:
    """Return how many alerts the index of a deployment finds."""
    async with telling(settings(folder), FixedClock()) as told:
        return len(await told.alerts(Wanted(limit=200, newest=True)))


def wrote(folder: Path, *events: Event) -> None:
    folder.joinpath(".clausewire").mkdir(exist_ok=True)
    with open_history(settings(folder), create=True) as history:
        history.append(events)


async def test_restart_reads_the_rest(tmp_path: Path) -> None:
    """What came while nobody indexed is there when somebody asks."""
    wrote(tmp_path, alert(1))
    first = await count(tmp_path)
    wrote(tmp_path, alert(2), alert(1))
    assert (first, await count(tmp_path)) == (1, 2)


@pytest.mark.parametrize("damage", [b"", b"this is no database at all" * 100])
async def test_lost_index_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    """An index that is gone or damaged is read from the log again."""
    wrote(tmp_path, alert(1), alert(2))
    await count(tmp_path)
    (tmp_path / ".clausewire" / FILE).write_bytes(damage)
    assert await count(tmp_path) == 2


async def test_another_log_is_indexed_anew(tmp_path: Path) -> None:
    """Where the log is another than the one that was indexed, nothing of the old one is told."""
    wrote(tmp_path, alert(1), alert(2), alert(5))
    await count(tmp_path)
    for file in (tmp_path / ".clausewire").glob("log.db*"):
        file.unlink()
    wrote(tmp_path, alert(1, title="of another log"), alert(2))
    assert await count(tmp_path) == 2


async def test_second_process_keeps_its_own(tmp_path: Path) -> None:
    """Where another process has the index, one is made for as long as this one runs, and both see what comes."""
    wrote(tmp_path, alert(1))
    async with (
        telling(settings(tmp_path), FixedClock()) as first,
        telling(settings(tmp_path), FixedClock()) as second,
    ):
        wrote(tmp_path, alert(2))
        found = [len(await told.alerts(Wanted(limit=9, newest=True))) for told in (first, second)]
    assert found == [2, 2]


async def test_foreign_records_are_passed_over(tmp_path: Path) -> None:
    """What is no event of ours stops nothing."""
    wrote(tmp_path, alert(1))
    with open_history(settings(tmp_path)) as history:
        for topic in ("alerts.raised", "deliveries", "clauses.changed", "versions.recorded"):
            history.append([])
            if topic in history.topics():
                history.put_back(topic, b"k", b'{"type": "AlertRaised"', {})
    wrote(tmp_path, alert(2))
    assert await count(tmp_path) == 2
