"""What a subscription hears together: each alert once, in order, whatever comes in between."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pipeline.alerts import gather as fold
from pipeline.alerts.attempt import alert_id, members, what
from pipeline.alerts.gather import MEMBERS, Gathering
from pipeline.alerts.route import delivery_id
from pipeline.alerts.window import asked, next_close
from pipeline.events import (
    Channel,
    DeliveryAttempted,
    DeliveryDue,
    DeliveryGathered,
    Event,
    Gather,
    GatheringClosed,
    ReminderSet,
    Severity,
)
from tests.alerts.samples import DOCUMENT, SEEN, alert, due, subscription, updated, withdrawn

GROUP, DAILY = Gather(how="group"), Gather(how="daily", zone="Europe/Berlin", at=480)
KEY = "sub-1|group:x"


def told(number: int, kind: str = "alert", how: str = "coverage") -> DeliveryDue:
    """Return the delivery of an alert, of news of it or of its withdrawal, as the route makes it."""
    name = f"alt-{number}"
    raised = alert(alert_id=name, document=replace(DOCUMENT, id=f"x/{number}"))
    event = {
        "alert": raised,
        "update": updated(how, name, cause_id=f"{kind} {how} {number}"),
        "withdrawal": withdrawn(alert_id=name),
    }[kind]
    more = {} if kind == "alert" else {"alert": raised}
    return due(event, delivery_id(event.id, "sub-1"), thread=f"x/{number}", **more)


def waiting(one: DeliveryDue, gather: Gather = GROUP, *, replies: bool = True) -> DeliveryGathered:
    group = "group:x" if gather.how == "group" else "digest"
    return DeliveryGathered(due=one, group=group, gather=gather, replies=replies)


class Desk:
    """A gathering and what came of it."""

    def __init__(self, gather: Gather = GROUP, *, replies: bool = True) -> None:
        self.gather, self.replies = gather, replies
        self.state = Gathering()
        self.now = SEEN
        self.results: list[Event] = []

    def take(self, *dues: DeliveryDue) -> Desk:
        for one in dues:
            event = waiting(one, self.gather, replies=self.replies)
            self.state, results = fold.taken(self.state, event, now=self.now)
            self.results += results
        return self

    def close(self, window: str | None = None, **silenced: str) -> Desk:
        group = "group:x" if self.gather.how == "group" else "digest"
        event = GatheringClosed(
            subscription_id="sub-1", group=group, window=window or self.state.window,
            closed_at=self.state.closes_at or self.now, silenced=silenced,
        )  # fmt: skip
        self.now = max(self.now, event.closed_at)
        self.state, results = fold.closed(self.state, event, now=self.now)
        self.results += results
        return self

    @property
    def sent(self) -> list[DeliveryDue]:
        return [event for event in self.results if isinstance(event, DeliveryDue)]

    @property
    def skipped(self) -> list[str]:
        return [event.delivery_id for event in self.results if isinstance(event, DeliveryAttempted)]

    @property
    def reminders(self) -> list[ReminderSet]:
        return [event for event in self.results if isinstance(event, ReminderSet)]


def alerts(one: DeliveryDue) -> list[str]:
    return [alert_id(member) for member in one.members] or [alert_id(one)]


def test_alerts_are_one_message() -> None:
    """What came while the window was open is one message, in the order in which it came."""
    desk = Desk().take(told(1), told(2), told(3)).close()
    assert [(one.gathered, alerts(one)) for one in desk.sent] == [("group", ["alt-1", "alt-2", "alt-3"])]


def test_first_alert_sets_the_bell() -> None:
    """The first of a window sets one reminder, some seconds after it; the others set none."""
    desk = Desk().take(told(1), told(2))
    assert [(one.what, one.due_at - SEEN) for one in desk.reminders] == [("gather", timedelta(seconds=30))]


def test_next_message_waits_for_the_interval() -> None:
    """After a message of a group the next one comes no sooner than its interval."""
    desk = Desk().take(told(1), told(2)).close().take(told(3))
    assert desk.reminders[-1].due_at - desk.reminders[0].due_at == timedelta(minutes=5)


def test_group_of_one_is_ordinary() -> None:
    """A single alert is told as if nothing gathered: the same delivery, in the thread of its document."""
    assert Desk().take(told(1)).close().sent == [told(1)]


def test_digest_of_one_is_a_digest() -> None:
    """A digest says what it is, however little it holds."""
    sent = Desk(DAILY).take(told(1)).close().sent
    assert [(one.gathered, one.period, alerts(one)) for one in sent] == [("digest", "daily", ["alt-1"])]


def test_empty_digest_is_not_sent() -> None:
    """A window whose only alert was withdrawn ends without a message."""
    assert Desk(DAILY).take(told(1), told(1, "withdrawal")).close().sent == []


@pytest.mark.parametrize("again", [told(1), told(2), told(1, "update")])
def test_repeat_changes_nothing(again: DeliveryDue) -> None:
    """A delivery that was taken in before, and told or not, leaves everything as it was."""
    desk = Desk().take(told(1), told(2), told(1, "update")).close()
    assert fold.taken(desk.state, waiting(again), now=desk.now) == (desk.state, ())


def test_closing_twice_tells_once() -> None:
    """A window that is closed again, or was never open, makes no message."""
    desk = Desk().take(told(1), told(2))
    window = desk.state.window
    assert len(desk.close().close(window).take(told(3)).close(window).sent) == 1


def test_same_log_makes_the_same_message() -> None:
    """Who reads the log again makes the same message under the same id."""
    ids = {Desk().take(told(1), told(2)).close().sent[0].delivery_id for _ in range(2)}
    assert len(ids) == 1


@pytest.mark.parametrize("how", ["coverage", "confirmed"])
def test_news_shows_in_its_waiting_alert(how: str) -> None:
    """What the alert says itself is told with it, and recorded so."""
    news = told(1, "update", how)
    desk = Desk().take(told(1), told(2), replace(news, alert=alert(alert_id="alt-1", title="now"))).close()
    assert (alerts(desk.sent[0]), desk.skipped) == (["alt-1", "alt-2"], [news.delivery_id])
    assert next(member.alert.title for member in desk.sent[0].members if member.alert) == "now"


def test_other_news_waits_beside_its_alert() -> None:
    """That an alert is in force is told with it, without telling the alert twice."""
    news = told(1, "update", "in-force")
    sent = Desk().take(told(1), told(2), news).close().sent
    assert [(what(one), one.alert is None) for one in sent[0].members] == [
        ("alert", False), ("alert", False), ("update", True),
    ]  # fmt: skip


def test_lone_alert_has_its_news_after_it() -> None:
    """A single alert is followed by what it does not say itself."""
    assert [what(one) for one in Desk().take(told(1), told(1, "update", "healed")).close().sent] == [
        "alert", "update",
    ]  # fmt: skip


def test_withdrawn_alert_vanishes() -> None:
    """An alert that is withdrawn while it waits is told to nobody, nor is anything that follows it."""
    gone = (told(1), told(1, "update", "in-force"), told(1, "withdrawal"))
    desk = Desk().take(*gone, told(2), told(3)).close().take(told(1, "update", "confirmed")).close()
    assert [alerts(one) for one in desk.sent] == [["alt-2", "alt-3"]]
    assert desk.skipped == [one.delivery_id for one in (*gone, told(1, "update", "confirmed"))]


def test_news_of_a_told_alert_replies() -> None:
    """Where threads are, news of an alert told in a group goes at once, under the group's message."""
    sent = Desk().take(told(1), told(2)).close().take(told(1, "update")).sent
    assert [(one.thread, one.gathered, what(one)) for one in sent][1:] == [("group:x", "group", "update")]


def test_news_of_an_alert_told_alone_stays_in_its_thread() -> None:
    """An alert that was told by itself is updated where it stands."""
    assert Desk().take(told(1)).close().take(told(1, "update")).sent[1:] == [told(1, "update")]


def test_news_without_threads_waits() -> None:
    """Where there are no threads news waits for the next message of the group."""
    desk = Desk(replies=False).take(told(1), told(2)).close().take(told(1, "update"), told(3)).close()
    assert [alerts(one) for one in desk.sent] == [["alt-1", "alt-2"], ["alt-1", "alt-3"]]


def test_news_waits_for_the_next_digest() -> None:
    """News and the withdrawal of what a digest told are in the next one; of the news withdrawn only the withdrawal."""
    desk = Desk(DAILY).take(told(1), told(2)).close()
    desk.take(told(1, "update"), told(2, "update"), told(1, "withdrawal")).close()
    assert [what(one) for one in desk.sent[1].members] == ["update", "withdrawal"]


def test_silenced_alert_leaves_the_window() -> None:
    """What is silenced when the window closes is not told, with its reason, and what follows it neither."""
    desk = Desk().take(told(1), told(2), told(3)).close(**{"alt-1": "silence sil-1"})
    desk.take(told(1, "update"))
    assert [alerts(one) for one in desk.sent] == [["alt-2", "alt-3"]]
    assert desk.skipped == [told(1).delivery_id, told(1, "update").delivery_id]


def test_asked_again_later_is_told_again() -> None:
    """What is asked for after it was told, as when that message never arrived, waits for the next message."""
    later = SEEN + timedelta(days=1)
    desk = (
        Desk()
        .take(told(1), told(2))
        .close()
        .take(replace(told(1), due_at=later), replace(told(2), due_at=later))
    )
    assert [alerts(one) for one in desk.close().sent] == [["alt-1", "alt-2"]] * 2


@pytest.mark.parametrize("first", [told(1), told(1, "update", "in-force")])
def test_asked_again_while_it_waits_is_told_once(first: DeliveryDue) -> None:
    """What is asked for again while it waits, or news of it does, is in the message once, before its news."""
    later = replace(told(1), due_at=SEEN + timedelta(days=1))
    desk = Desk(DAILY).take(first, told(2), later).close()
    ids = [one.delivery_id for one in desk.sent[0].members if one.delivery_id != told(2).delivery_id]
    assert ids == list(dict.fromkeys((told(1).delivery_id, first.delivery_id)))


def test_passing_news_is_told_at_once() -> None:
    """News of an alert that does not wait here goes on as it came; a repeat of it is nothing new."""
    desk = Desk(DAILY).take(told(1))
    news = DeliveryGathered(due=told(2, "update"), group="digest", passing=True)
    state, results = fold.taken(desk.state, news, now=SEEN)
    assert (results, state.members) == ((told(2, "update"),), desk.state.members)
    assert fold.taken(state, news, now=SEEN) == (state, ())


def test_passing_withdrawal_finds_its_alert() -> None:
    """An alert that was asked for again waits here: its withdrawal takes it away, and neither is told."""
    desk = Desk(DAILY).take(told(1), told(2))
    news = DeliveryGathered(due=told(1, "withdrawal"), group="digest", passing=True)
    state, results = fold.taken(desk.state, news, now=SEEN)
    assert list(map(alert_id, state.members)) == ["alt-2"]
    assert [event.outcome for event in results if isinstance(event, DeliveryAttempted)] == ["skipped"] * 2


def test_news_follows_the_last_message_of_its_alert() -> None:
    """An alert told alone and, asked for again, in a group, has its news under the group's message."""
    later = SEEN + timedelta(days=1)
    desk = Desk().take(told(1)).close()
    desk.take(replace(told(1), due_at=later), replace(told(2), due_at=later)).close().take(told(1, "update"))
    assert [(one.thread, one.gathered) for one in desk.sent] == [
        ("x/1", ""), ("group:x", "group"), ("group:x", "group"),
    ]  # fmt: skip


def test_full_window_is_told_before_its_time() -> None:
    """With more than a message has room for the next window opens; none is left out."""
    desk = Desk().take(*(told(number) for number in range(MEMBERS + 3))).close()
    assert [len(one.members) for one in desk.sent] == [MEMBERS, 3]


@pytest.mark.parametrize(
    ("severity", "urgent", "gathers"),
    [
        ("high", "high", False),
        ("critical", "high", False),
        ("medium", "high", True),
        ("critical", None, True),
    ],
)
def test_urgent_goes_at_once(severity: str, urgent: str | None, gathers: bool) -> None:
    """What is grave enough waits for nobody."""
    gather = Gather(how="daily", urgent=Severity(urgent) if urgent else None)
    one = replace(subscription(), gather=gather)
    found = fold.gathered(due(alert(severity=Severity(severity))), one)
    assert isinstance(found, DeliveryGathered) is gathers


@pytest.mark.parametrize(
    ("gather", "group"),
    [
        (GROUP, "group:x"), (Gather(how="group", by="all"), "group"), (DAILY, "digest"),
    ],
)  # fmt: skip
def test_gathered_by_its_group(gather: Gather, group: str) -> None:
    """Alerts of one service are a group, all of a route where it says so, and a digest holds everything."""
    found = fold.gathered(due(alert()), replace(subscription(), gather=gather))
    assert isinstance(found, DeliveryGathered)
    assert found.group == group


def test_alert_of_no_service_has_a_group() -> None:
    """What concerns no one service is gathered too, apart from every service."""
    found = fold.gathered(due(alert(document=None, service="")), replace(subscription(), gather=GROUP))
    assert isinstance(found, DeliveryGathered)
    assert found.group == "group:-"


@pytest.mark.parametrize(
    ("target", "replies"), [({"channel": "#a"}, True), ({"webhook_url_env": "HOOK"}, False)]
)
def test_only_a_bot_replies(target: dict[str, str], replies: bool) -> None:
    """An incoming webhook has no threads."""
    one = replace(subscription(), channel=Channel.SLACK, gather=GROUP, target=target)
    found = fold.gathered(due(alert()), one)
    assert isinstance(found, DeliveryGathered)
    assert found.replies is replies


WEEKLY = Gather(how="weekly", zone="Europe/Berlin", day=0, at=480)
NIGHTLY = Gather(how="daily", zone="Europe/Berlin", at=150)


@pytest.mark.parametrize(
    ("gather", "now", "closes"),
    [
        (DAILY, "2024-10-17T05:59:00", "2024-10-17T06:00:00"),
        (DAILY, "2024-10-17T06:00:00", "2024-10-18T06:00:00"),
        (DAILY, "2024-10-26T12:00:00", "2024-10-27T07:00:00"),  # the clock is set back in the night: 25 h
        (DAILY, "2024-03-30T12:00:00", "2024-03-31T06:00:00"),  # and forward: 23 h
        (NIGHTLY, "2024-03-30T12:00:00", "2024-03-31T01:30:00"),  # 02:30 is left out: 03:30 summer time
        (NIGHTLY, "2024-10-26T12:00:00", "2024-10-27T00:30:00"),  # 02:30 comes twice: the first counts
        (NIGHTLY, "2024-10-27T00:30:00", "2024-10-28T01:30:00"),  # and only that
        (WEEKLY, "2024-10-17T12:00:00", "2024-10-21T06:00:00"),
        (WEEKLY, "2024-10-21T06:00:00", "2024-10-28T07:00:00"),
        (replace(DAILY, zone="Pacific/Kiritimati"), "2024-10-17T12:00:00", "2024-10-17T18:00:00"),
        (replace(DAILY, zone="America/Los_Angeles"), "2024-10-17T02:00:00", "2024-10-17T15:00:00"),
    ],
)
def test_digest_comes_at_its_hour(gather: Gather, now: str, closes: str) -> None:
    """A digest is told at the hour that the reader's clock shows, summer and winter."""
    found = next_close(gather, now=datetime.fromisoformat(now).replace(tzinfo=UTC), told_at=None)
    assert found == datetime.fromisoformat(closes).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("gather", "said"),
    [
        (GROUP, "the alerts of one service are told together, 30 s after the first and 5 min apart"),
        (Gather(how="group", by="all", interval_s=86_400), "the alerts of the route are told together, 30 s after the first and 1 d apart"),
        (DAILY, "a daily digest, told at 08:00 (Europe/Berlin)"),
        (WEEKLY, "a weekly digest, told on mon at 08:00 (Europe/Berlin)"),
    ],
)  # fmt: skip
def test_reader_is_told_how(gather: Gather, said: str) -> None:
    """How alerts are gathered can be said in words."""
    assert asked(gather) == said


def test_nobody_says_how() -> None:
    """News of a group that is not known, of a subscription that gathers no longer, is told at once."""
    event = DeliveryGathered(due=told(1, "update"), group="group:x")
    assert fold.taken(Gathering(), event, now=SEEN)[1] == (told(1, "update"),)


def test_survives_the_changelog() -> None:
    """A gathering reads back from JSON as it was."""
    state = Desk().take(told(1), told(2), told(1, "update", "in-force")).state
    assert msgspec.json.decode(msgspec.json.encode(state), type=Gathering) == state


# --- any interleaving ---------------------------------------------------------------------------------------

KINDS = ("alert", "update coverage", "update confirmed", "update in-force", "withdrawal")
steps = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.integers(0, 3)),
        st.tuples(st.just("close"), st.integers(0, 2)),
        st.tuples(st.just("repeat"), st.integers(0, 40)),
        st.tuples(st.just("close late"), st.integers(0, 3)),
    ),
    max_size=60,
)


def script(number: int, after: int) -> DeliveryDue | None:
    """Return the next thing that the route makes of an alert: it, news of it, at last its withdrawal."""
    if after >= len(KINDS) or (number % 2 == 0 and KINDS[after] == "withdrawal"):
        return None  # half of the alerts stand
    kind, _, how = KINDS[after].partition(" ")
    return told(number, kind, how or "coverage")


def play(desk: Desk, walk: Iterable[tuple[str, int]]) -> set[int]:
    """Let a desk go through steps; returns the alerts that were raised."""
    came: dict[int, int] = {}
    past: list[DeliveryDue] = []
    windows: list[str] = []
    for step, number in walk:
        desk.now += timedelta(seconds=20)
        windows += [desk.state.window] if desk.state.window else []
        if step == "take" and (one := script(number, came.get(number, 0))):
            came[number] = came.get(number, 0) + 1
            past.append(one)
            desk.take(one)
        elif step == "close":
            desk.close()
        elif step == "repeat" and past:
            desk.take(past[number % len(past)])
        elif step == "close late" and windows:
            desk.close(windows[number % len(windows)])
    desk.close()
    return set(came)


@given(steps, st.sampled_from((GROUP, DAILY)), st.booleans())
def test_each_alert_is_told_once(walk: list[tuple[str, int]], gather: Gather, replies: bool) -> None:
    """Whatever comes between, an alert is in exactly one message, or withdrawn before anybody heard of it."""
    desk = Desk(gather, replies=replies)
    raised = play(desk, walk)
    ids = [one for sent in desk.sent for one in (members(sent) or (sent.delivery_id,))]
    assert len(ids) == len(set(ids))
    for number in raised:
        mine = told(number).delivery_id
        assert ids.count(mine) + desk.skipped.count(mine) == 1


@given(steps, st.sampled_from((GROUP, DAILY)), st.booleans())
def test_news_never_comes_before_its_alert(
    walk: list[tuple[str, int]], gather: Gather, replies: bool
) -> None:
    """News and withdrawals are told after their alert or in the same message, and never of what nobody heard of."""
    desk = Desk(gather, replies=replies)
    play(desk, walk)
    known: set[str] = set()
    for sent in desk.sent:
        parts = sent.members or (sent,)
        known |= {alert_id(one) for one in parts if what(one) == "alert"}
        assert {alert_id(one) for one in parts} <= known


@given(steps, st.sampled_from((GROUP, DAILY)), st.booleans())
def test_everything_is_accounted_for(walk: list[tuple[str, int]], gather: Gather, replies: bool) -> None:
    """Every delivery taken in is told or recorded as skipped, never both."""
    desk = Desk(gather, replies=replies)
    play(desk, walk)
    told_ids = {one for sent in desk.sent for one in (members(sent) or (sent.delivery_id,))}
    assert told_ids | set(desk.skipped) == {old.delivery_id for old in desk.state.seen}
    assert not told_ids & set(desk.skipped)
