"""From a page to a message: what is told, what is not, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import DeliveryError
from pipeline.events import ChangeType, PageFetched
from tests.fakes import FixedClock, Mailbox
from tests.flow import line as states
from tests.flow.line import line, page


async def test_added_clause_is_told(tmp_path: Path) -> None:
    """A clause that was added reaches its reader with its words and both pages as evidence."""
    async with line(tmp_path) as run:
        await run.confirmed(page(), day=0)
        await run.confirmed(states.a_clause_is_added(), day=1)
        await run.sent(1)
    alert = run.mailbox.sent[0].alert
    assert alert is not None
    assert alert.evidence is not None
    assert alert.evidence.old is not None
    words = [change.new.text for change in alert.changes if change.new and change.type is ChangeType.ADDED]
    assert any("train artificial intelligence" in text for text in words)


async def test_reworded_clause_is_told_by_value(tmp_path: Path) -> None:
    """A number that changed shows as old and new words of one clause."""
    async with line(tmp_path) as run:
        await run.confirmed(page(), day=0)
        await run.confirmed(states.a_clause_is_reworded(), day=1)
        await run.sent(1)
    alert = run.mailbox.sent[0].alert
    assert alert is not None
    assert [("-", "30") in change.redline and ("+", "90") in change.redline for change in alert.changes] == [
        True
    ]


@pytest.mark.parametrize(
    "state",
    [states.the_page_is_reflowed, states.the_markup_changes, states.the_page_is_gone, lambda: b"", page],
    ids=["reflowed", "markup", "gone", "empty", "same"],
)
async def test_no_change_is_silent(tmp_path: Path, state: Callable[[], bytes]) -> None:
    """A page that changed without its policy changing alerts nobody."""
    async with line(tmp_path) as run:
        await run.confirmed(page(), day=0)
        await run.confirmed(state(), day=1)
        await run.settled()
    assert [due for due in run.mailbox.sent if due.alert and due.alert.kind == "change"] == []


async def test_first_version_is_no_change(tmp_path: Path) -> None:
    """The first version of a document alerts nobody."""
    async with line(tmp_path) as run:
        await run.confirmed(page(), day=0)
        await run.settled()
    assert run.mailbox.sent == []


async def test_change_survives_a_broken_page(tmp_path: Path) -> None:
    """A change is found against the last good version, whatever was served in between."""
    async with line(tmp_path) as run:
        await run.confirmed(page(), day=0)
        await run.confirmed(states.the_page_is_gone(), day=1)
        await run.confirmed(states.a_clause_is_added(), day=2)
        await run.until(lambda: any(due.alert and due.alert.changes for due in run.mailbox.sent))
    types = {change.type for due in run.mailbox.sent if due.alert for change in due.alert.changes}
    assert types == {ChangeType.ADDED}


async def test_page_that_goes_back_first_is_silent(tmp_path: Path) -> None:
    """A small change that is gone before anybody confirmed it is never told."""
    async with line(tmp_path) as run:
        await run.confirmed(page(), day=0)
        await run.read(page().replace(b"at the time", b"at that time"), day=1)
        await run.read(page(), day=2)
        await run.settled()
    assert [due.alert for due in run.mailbox.sent if due.alert and not due.withdrawal] == []


async def test_repeated_record_is_told_once(tmp_path: Path) -> None:
    """The same record twice, as after a crash of its producer, makes one message."""
    async with line(tmp_path) as run:
        await run.confirmed(page(), day=0)
        await run.confirmed(states.a_clause_is_added(), day=1)
        await run.sent(1)
        await run.confirmed(states.a_clause_is_added(), day=1)
        await run.settled()
    assert len({due.delivery_id for due in run.mailbox.sent if not due.update}) == len(
        [due for due in run.mailbox.sent if not due.update]
    )


async def test_program_takes_up_where_it_stopped(tmp_path: Path) -> None:
    """What was remembered is there after a restart: the old version is known, and nothing is told twice."""
    mailbox = Mailbox()
    async with line(tmp_path, mailbox) as run:
        await run.confirmed(page(), day=0)
        await run.settled()
    async with line(tmp_path, mailbox) as run:
        await run.confirmed(states.a_clause_is_added(), day=1)
        await run.sent(1)
        await run.settled()
    told = len(mailbox.sent)
    async with line(tmp_path, mailbox) as run:
        await run.settled()
    assert len(mailbox.sent) == told


async def test_failed_delivery_is_made_later(tmp_path: Path) -> None:
    """A destination that could not take a message gets the same one when its time has come."""
    mailbox, clock = Mailbox(failures=[DeliveryError("busy", status=503)]), FixedClock()
    async with line(tmp_path, mailbox, clock) as run:
        await run.confirmed(page(), day=0)
        await run.confirmed(states.a_clause_is_added(), day=1)
        await run.until(lambda: not mailbox.failures)
        await run.settled()
        assert mailbox.sent == []
        clock.moment = clock.moment.replace(year=2025)
        await run.sent(1)


async def test_story_is_linked_to_its_change(tmp_path: Path) -> None:
    """A story about the change is told for its watch and shows as coverage of the alert."""
    async with line(tmp_path) as run:
        await run.confirmed(page(), day=0)
        await run.confirmed(states.a_clause_is_added(), day=1)
        await run.sent(1)
        await run.put(
            states.article(
                "Example changes its terms to let third-party collaborators train AI",
                "Example Ltd may now share content with third-party collaborators to train artificial intelligence.",
            )
        )
        await run.until(lambda: any(due.update and due.update.coverage for due in run.mailbox.sent))
    coverage = [due.update.coverage for due in run.mailbox.sent if due.update and due.update.coverage]
    assert [found.outlet for found in coverage[0]] == ["News"]


async def test_foreign_record_stops_nothing(tmp_path: Path) -> None:
    """Bytes that are no event are set aside, and the pages after them are read."""
    async with line(tmp_path) as run:
        await run.confirmed(page(), day=0)
        topic = run.program.topic("pages.fetched")
        await (await topic.send(key=b"example/terms", value=b"<html>not an event</html>"))
        await run.confirmed(states.a_clause_is_added(), day=1)
        await run.sent(1)


async def test_missing_body_is_rejected(tmp_path: Path) -> None:
    """A page whose body is gone is set aside with the reason; the next one is read."""
    async with line(tmp_path) as run:
        await run.confirmed(page(), day=0)
        lost = await run.blobs.put(b"<p>never seen</p>")
        run.blobs.path(lost).unlink()
        event = await run.read(page(), day=1)
        await run.put(
            PageFetched(
                document=event.document, fetched_at=event.fetched_at, outcome=event.outcome, body=lost
            )
        )
        await run.confirmed(states.a_clause_is_added(), day=2)
        await run.sent(1)


async def test_broken_page_is_told_once_and_when_it_heals(tmp_path: Path) -> None:
    """A page that stays broken is told as trouble of the source, once, and closed when it reads well again."""
    async with line(tmp_path) as run:
        await run.confirmed(page(), day=0)
        await run.confirmed(states.the_page_is_gone(), day=1)
        await run.sent(1)
        await run.confirmed(b"", day=2)
        await run.confirmed(page(), day=3)
        await run.sent(2)
        await run.settled()
    told = [
        (due.alert.kind if due.alert else "", due.update.how if due.update else "")
        for due in run.mailbox.sent
    ]
    assert told == [("health", ""), ("health", "healed")]


async def test_document_written_anew_is_told(tmp_path: Path) -> None:
    """A policy that keeps its title and nothing else is told once a second read agrees; the next change is one of it."""
    anew = tuple(
        (
            f"Part {n}",
            f"Paragraph {n} of the new policy says what data of kind {n} we use for purpose {n} of ours.",
        )
        for n in range(9)
    )
    async with line(tmp_path) as run:
        await run.confirmed(page(), day=0)
        await run.confirmed(page(anew), day=1)
        await run.until(lambda: any(due.alert and due.alert.changes for due in run.mailbox.sent))
        told = len(run.mailbox.sent)
        await run.confirmed(page((*anew, states.TRAINING)), day=2)
        await run.until(lambda: any(due.alert and due.alert.changes for due in run.mailbox.sent[told:]))
    last = [due.alert for due in run.mailbox.sent[told:] if due.alert and not due.update]
    assert [change.type for change in last[0].changes] == [ChangeType.ADDED]
