"""What a subscription hears together, through the real agents: once each, over restarts, at the reader's hour."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from pipeline.alerts.attempt import alert_id, what
from pipeline.errors import DeliveryError
from pipeline.events import (
    AlertUpdated,
    AlertWithdrawn,
    DeliveryDue,
    Matcher,
    Severity,
    SilenceDeclared,
)
from tests.fakes import NOON, FixedClock, Mailbox
from tests.flow.gathering import MAIL, SLACK, Parents, changed, gathering

LATER = NOON + timedelta(minutes=1)


def alerts(due: DeliveryDue) -> list[str]:
    """Return which alerts a message tells; their order among partitions is nobody's promise."""
    return sorted(alert_id(member) for member in due.members)


def news(number: int, how: str = "in-force") -> AlertUpdated:
    return AlertUpdated(alert_id=f"alt-Example-{number}", updated_at=NOON, how=how, cause_id="day")


def gone(number: int) -> AlertWithdrawn:
    return AlertWithdrawn(
        alert_id=f"alt-Example-{number}",
        withdrawn_at=NOON,
        reason="it went back",
        cause_id="w",
    )


async def test_three_documents_are_one_message(tmp_path: Path) -> None:
    """Three documents of one service that change within half a minute are one message, and that of another its own."""
    clock = FixedClock()
    async with gathering(tmp_path, clock, SLACK) as desk:
        await desk.put(*(changed(number) for number in (1, 2, 3)), changed(1, service="Other"))
        await desk.waiting(3)
        await desk.waiting(1, "desk|group:other")
        desk.at(LATER)
        sent = await desk.sent("desk", 2)
    assert {(one.gathered, len(one.members)) for one in sent} == {("group", 3), ("", 0)}


async def test_what_waits_outlasts_a_restart(tmp_path: Path) -> None:
    """What was gathered before the program stopped is told after it started again, with what came since."""
    clock = FixedClock()
    async with gathering(tmp_path, clock, SLACK) as desk:
        await desk.put(changed(1))
        await desk.waiting(1)
    async with gathering(tmp_path, clock, SLACK) as desk:
        await desk.put(changed(2), changed(1))
        await desk.waiting(2)
        desk.at(LATER)
        (sent,) = await desk.sent("desk", 1)
    assert alerts(sent) == ["alt-Example-1", "alt-Example-2"]


async def test_stopped_between_made_and_sent(tmp_path: Path) -> None:
    """A message that was made and not sent is the same one after a restart; what came since is in the next."""
    clock, down = FixedClock(), Mailbox(failures=[DeliveryError("down")] * 99)
    async with gathering(tmp_path, clock, SLACK, boxes={"desk": down}) as desk:
        await desk.put(changed(1), changed(2))
        await desk.waiting(2)
        desk.at(LATER)
        await desk.until(lambda: len(down.failures) < 99)
    async with gathering(tmp_path, clock, SLACK) as desk:
        await desk.put(changed(3), changed(4))
        await desk.waiting(2)
        desk.at(LATER + timedelta(hours=1))
        sent = await desk.sent("desk", 2)
    assert [alerts(one) for one in sent] == [
        ["alt-Example-1", "alt-Example-2"],
        ["alt-Example-3", "alt-Example-4"],
    ]


async def test_second_window_keeps_its_distance(tmp_path: Path) -> None:
    """After a message the next one of its group waits for the interval."""
    clock = FixedClock()
    async with gathering(tmp_path, clock, SLACK) as desk:
        await desk.put(changed(1), changed(2))
        await desk.waiting(2)
        desk.at(LATER)
        await desk.sent("desk", 1)
        await desk.put(changed(3), changed(4))
        await desk.waiting(2)
        assert desk.state().closes_at == LATER + timedelta(minutes=5)
        desk.at(LATER + timedelta(minutes=5))
        assert len(await desk.sent("desk", 2)) == 2


async def test_news_replies_under_the_message(tmp_path: Path) -> None:
    """What becomes known of an alert told in a group is a reply in that message's thread, which stays as it is."""
    clock, box = FixedClock(), Parents()
    async with gathering(tmp_path, clock, SLACK, boxes={"desk": box}) as desk:
        await desk.put(changed(1), changed(2))
        await desk.waiting(2)
        desk.at(LATER)
        await desk.sent("desk", 1)
        await desk.put(news(2), gone(1))
        sent = await desk.sent("desk", 3)
    assert sorted(what(one) for one in sent) == ["group", "update", "withdrawal"]
    assert box.parents == [None, {"thread_ts": "1"}, {"thread_ts": "1"}]


async def test_withdrawn_in_time_is_told_to_nobody(tmp_path: Path) -> None:
    """An alert that is withdrawn while it waits vanishes; the other is then told as an ordinary alert."""
    clock = FixedClock()
    async with gathering(tmp_path, clock, SLACK) as desk:
        await desk.put(changed(1), changed(2), gone(1))
        await desk.until(lambda: len(desk.state().untold) == 1 and len(desk.state().members) == 1)
        desk.at(LATER)
        (sent,) = await desk.sent("desk", 1)
    assert (sent.gathered, alert_id(sent), sent.thread) == ("", "alt-Example-2", "example/2")


async def test_withdrawn_while_the_message_is_held(tmp_path: Path) -> None:
    """An alert withdrawn after its message was made, and before it was sent, leaves the message."""
    clock, box = FixedClock(), Mailbox(failures=[DeliveryError("down")])
    async with gathering(tmp_path, clock, SLACK, boxes={"desk": box}) as desk:
        await desk.put(changed(1), changed(2), changed(3))
        await desk.waiting(3)
        desk.at(LATER)
        await desk.until(lambda: not box.failures)
        await desk.put(gone(2))
        await desk.until(lambda: len(desk.outbox().settled) == 2)
        desk.at(LATER + timedelta(minutes=1))
        (sent,) = await desk.sent("desk", 1)
    assert alerts(sent) == ["alt-Example-1", "alt-Example-3"]


async def test_digest_comes_at_its_hour(tmp_path: Path) -> None:
    """A daily digest is told at eight by the reader's clock, the day after it was set back as well."""
    clock = FixedClock(datetime(2024, 10, 26, 12, tzinfo=UTC))
    async with gathering(tmp_path, clock, MAIL) as desk:
        await desk.put(changed(1), changed(1, service="Other"), news(1))
        await desk.waiting(3, "post|digest")
        desk.at(datetime(2024, 10, 27, 6, 59, tzinfo=UTC))
        await asyncio.sleep(1.5)  # the calendar is looked at every second
        assert desk.boxes["post"].sent == []
        desk.at(datetime(2024, 10, 27, 7, tzinfo=UTC))
        (sent,) = await desk.sent("post", 1)
    assert (sent.gathered, sent.period, len(sent.members)) == ("digest", "daily", 3)


async def test_urgent_goes_at_once(tmp_path: Path) -> None:
    """What is grave does not wait for the digest, nor what follows it."""
    clock = FixedClock()
    urgent = replace(MAIL, gather=replace(MAIL.gather, urgent=Severity.HIGH))
    async with gathering(tmp_path, clock, urgent) as desk:
        await desk.put(changed(1), changed(2, severity=Severity.HIGH), news(2))
        sent = await desk.sent("post", 2)
        await desk.waiting(1, "post|digest")
    assert [(one.gathered, what(one), one.thread) for one in sent] == [
        ("", "alert", "example/2"), ("", "update", "example/2"),
    ]  # fmt: skip


async def test_silence_declared_meanwhile_holds(tmp_path: Path) -> None:
    """What is silenced by the time of the digest is not in it."""
    clock = FixedClock()
    silences: list[SilenceDeclared] = []
    async with gathering(tmp_path, clock, MAIL, silences=silences) as desk:
        await desk.put(changed(1), changed(1, service="Other"))
        await desk.waiting(2, "post|digest")
        silences.append(
            SilenceDeclared(
                silence_id="sil-1",
                matchers=(Matcher(what="service", words=("Other",)),),
                starts_at=NOON,
                ends_at=NOON + timedelta(days=2),
                declared_at=NOON,
            )
        )
        desk.at(NOON + timedelta(days=1))
        (sent,) = await desk.sent("post", 1)
    assert alerts(sent) == ["alt-Example-1"]


async def test_who_changes_its_mind_loses_nothing(tmp_path: Path) -> None:
    """What waited when a subscription stopped gathering is told all the same, and news of it goes with it."""
    clock = FixedClock()
    async with gathering(tmp_path, clock, SLACK) as desk:
        await desk.put(changed(1), changed(2))
        await desk.waiting(2)
    async with gathering(tmp_path, clock, replace(SLACK, gather=None)) as desk:
        await desk.put(news(1), changed(3))
        await desk.waiting(3)
        desk.at(LATER)
        sent = await desk.sent("desk", 2)
    assert sorted((one.gathered, len(one.members)) for one in sent) == [("", 0), ("group", 3)]
