"""Messages, and what waits to be sent, fit into a record, however many alerts there are and however large."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from pipeline.adapters.tables import MOST, frozen
from pipeline.adapters.wire import pack
from pipeline.alerts import attempt, outbox
from pipeline.alerts import gather as fold
from pipeline.alerts.alert import INLINE_BYTES
from pipeline.alerts.gather import MEMBERS, Gathering
from pipeline.alerts.outbox import TOLD, Outbox
from pipeline.alerts.render.words import total
from pipeline.alerts.route import delivery_id
from pipeline.alerts.slim import fitted, size, slimmed
from pipeline.events import BodyRef, DeliveryDue, DeliveryGathered, Gather, GatheringClosed
from pipeline.sizes import fitting
from pipeline.topics import BY_NAME
from tests.alerts.samples import DOCUMENT, SEEN, alert, change, due, reworded, story, updated, withdrawn

RECORD = BY_NAME["outbox"].max_record_bytes
REST = BodyRef(sha256="cd" * 32, size=999_999)
LONG = "A sentence of a policy that is as long as such sentences are wont to be, and then some. "


def large(number: int) -> DeliveryDue:
    """Return the delivery of an alert that is as large as one may be, about a document of its own."""
    changes = (
        change(LONG * 650, clause_id="c-0"),
        *(reworded(LONG * 4, LONG * 3, clause_id=f"c-{n}") for n in range(80)),
    )
    raised = alert(
        *fitting(changes, budget=INLINE_BYTES, least=1),
        alert_id=f"alt-{number}",
        title=LONG * 3,
        summary=LONG * 20,
        document=replace(DOCUMENT, id=f"x/{number}", select=("main " * 50,) * 9, aliases=("X" * 50,) * 9),
        coverage=tuple(story(LONG, story_id=f"s-{n}", url=f"https://news.example/{n}") for n in range(30)),
        counts={"modified": 80, "added": 1},
        all_changes=REST,
    )
    return due(raised, delivery_id(raised.id, "sub-1"), reason=LONG * 30)


def filled(number: int) -> tuple[Gathering, list[DeliveryDue]]:
    """Return a gathering in which so many of the largest alerts wait, and what was told before its time."""
    state, told = Gathering(), []
    for at in range(number):
        event = DeliveryGathered(due=large(at), group="digest", gather=Gather(how="daily"))
        state, results = fold.taken(state, event, now=SEEN)
        told += [one for one in results if isinstance(one, DeliveryDue)]
    return state, told


def test_window_of_the_largest_fits() -> None:
    """A message of as many of the largest alerts as may wait is a record within its topic's limit."""
    state, told = filled(MEMBERS)
    closing = GatheringClosed(subscription_id="sub-1", group="digest", window=state.window, closed_at=SEEN)
    results = [*told, *fold.closed(state, closing, now=SEEN)[1]]
    assert [len(one.members) for one in results if isinstance(one, DeliveryDue)] == [MEMBERS]
    assert max(len(pack(one)) for one in results) < RECORD * 0.9


def test_state_of_the_largest_fits() -> None:
    """What is remembered of such a window fits as well, even if nothing could be compressed."""
    assert len(pack(filled(MEMBERS)[0])) < RECORD * 0.95


def test_withdrawals_find_room() -> None:
    """Where a day's withdrawals concern what was told before, they too are told in messages that fit."""
    state, told = filled(MEMBERS)
    for at in range(MEMBERS, MEMBERS + 200):
        gone = due(withdrawn(LONG * 30, f"alt-{at}"), f"dlv-w{at}", alert=large(at).alert)
        event = DeliveryGathered(due=gone, group="digest", gather=Gather(how="daily"))
        state, results = fold.taken(state, event, now=SEEN)
        told += [one for one in results if isinstance(one, DeliveryDue)]
    assert sum(len(one.members) for one in told) + len(state.members) == MEMBERS + 200
    assert max(len(pack(one)) for one in (*told, state)) < RECORD * 0.95


@pytest.mark.parametrize("budget", [60_000, 20_000, 4_000, 2_400])
def test_trailing_changes_go_first(budget: int) -> None:
    """An alert in less room has fewer changes, the leading ones, and says how many there are and where."""
    whole, kept = large(1).alert, slimmed(large(1), budget)
    assert size(kept) <= budget
    assert kept.alert is not None
    assert whole is not None
    assert kept.alert.changes == whole.changes[: len(kept.alert.changes)]
    assert (total(kept.alert), kept.alert.all_changes) == (81, REST)


def test_small_ones_stay_whole() -> None:
    """Only what takes more than its share gives way."""
    small = due(alert(alert_id="alt-s"), "dlv-s")
    kept = fitted((small, large(1), large(2)), budget=60_000)
    assert kept[0] == small
    assert sum(map(size, kept)) <= 60_000


def test_outlets_are_still_counted() -> None:
    """Of many reports the first are kept, and the last says how many more outlets there were."""
    kept = slimmed(large(1), 4_000).alert
    assert kept is not None
    assert len(kept.coverage) + kept.coverage[-1].more_outlets == 30


def test_long_news_gives_way() -> None:
    """An update with endless words and reports is cut to the gist."""
    news = due(updated(reason=LONG * 500, coverage=(story(LONG),) * 60), "dlv-u")
    assert size(slimmed(news, 2_000)) < 4_000


def test_what_fits_is_untouched() -> None:
    """Within the budget nothing is changed."""
    members = (due(alert(), "dlv-1"), due(updated(), "dlv-2"))
    assert fitted(members) == members
    assert msgspec.json.encode(fitted(members)[0]) == msgspec.json.encode(members[0])


def outbox_of(*dues: DeliveryDue) -> Outbox:
    """Return the outbox of a thread whose destination is away."""
    box = Outbox()
    for one in dues:
        box = outbox.due(box, one)
    return box


def told_together(number: int, size_of_one: int) -> DeliveryDue:
    """Return a gathered message of so many of the largest alerts."""
    members = [large(number * 1000 + at) for at in range(size_of_one)]
    return DeliveryDue(
        delivery_id=f"dlv-g{number}", subscription_id="sub-1", thread="group", due_at=SEEN, gathered="group",
        members=fitted(members),
    )  # fmt: skip


@pytest.mark.parametrize(("messages", "members"), [(60, 0), (8, 30), (2, MEMBERS)])
def test_outbox_of_the_largest_fits(messages: int, members: int) -> None:
    """What waits for a destination that is away fits into a record, even if nothing could be compressed."""
    dues = [told_together(n, members) if members else large(n) for n in range(messages)]
    box = outbox_of(*dues)
    assert [(one.due.delivery_id, len(one.due.members)) for one in box.pending] == [
        (one.delivery_id, len(one.members)) for one in dues
    ]
    assert len(pack(box)) < RECORD * 0.95


def test_long_outage_fits() -> None:
    """Days of full windows fit as they are kept, and every alert of them is still there to be told."""
    box = outbox_of(*(told_together(n, MEMBERS) for n in range(4)))
    assert sum(len(one.due.members) for one in box.pending) == 4 * MEMBERS
    assert len(frozen(box)) < MOST / 4


def test_news_told_fits() -> None:
    """Of alerts with endless news the newest is remembered whole, and of the others where they were told."""
    box, numbers = Outbox(), range(TOLD)
    for number in numbers:
        for at in range(8):
            told = updated(f"coverage-{at}", f"alt-{number}", coverage=(story(LONG * 10),) * 5)
            one = due(told, f"dlv-{number}-{at}")
            box = outbox.attempted(outbox.due(box, one), attempt.sent(one, attempt=1, at=SEEN))
    assert [one.alert_id for one in box.told] == [f"alt-{number}" for number in numbers]
    assert len(box.told[-1].updates) == 8
    assert len(pack(box)) < RECORD / 4
