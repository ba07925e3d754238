"""Who hears of an alert and of what became known of it since."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import pytest

from agents.route_alerts import RoutedState, route_alerts
from pipeline.adapters.tables import DictMemory
from pipeline.events import (
    AlertRaised,
    AlertUpdated,
    AlertWithdrawn,
    Channel,
    Coverage,
    DeliveryDue,
    DeliveryGathered,
    Event,
    Gather,
    Matcher,
    Origin,
    Severity,
    SilenceDeclared,
    SubscriptionDeclared,
)
from tests.fakes import NOON

ALERT = AlertRaised(
    alert_id="alt-1",
    kind="change",
    raised_at=NOON,
    title="X changes",
    summary="A clause.",
    severity=Severity.HIGH,
)
SLACK, MAIL = (
    SubscriptionDeclared(subscription_id=name, name=name, channel=channel, declared_at=NOON)
    for name, channel in (("slack", Channel.SLACK), ("mail", Channel.EMAIL))
)
WITHDRAWN = AlertWithdrawn(alert_id="alt-1", withdrawn_at=NOON, reason="it went back", cause_id="set-1")


def covered(story: str) -> AlertUpdated:
    found = Coverage(
        story_id=story, title=f"Story {story}", outlet="News", url=f"https://news.example.org/{story}"
    )
    return AlertUpdated(alert_id="alt-1", updated_at=NOON, how="coverage", cause_id=story, coverage=(found,))


async def routed(*events: Event) -> list[DeliveryDue]:
    """Return what is due after the events, in order."""
    memory = DictMemory(RoutedState)
    step = [route_alerts(event, subscriptions=lambda: (SLACK, MAIL), memory=memory) for event in events]  # type: ignore[arg-type]
    return [due for one in step async for due in one if isinstance(due, DeliveryDue)]


async def test_every_subscription_is_told() -> None:
    """An alert is due to each subscription that wants it."""
    assert [due.subscription_id for due in await routed(ALERT)] == ["slack", "mail"]


async def test_repeated_event_is_due_once() -> None:
    """The same alert again, as after a crash, makes nothing due."""
    assert len(await routed(ALERT, ALERT)) == 2


async def test_update_before_its_alert_is_told_with_it() -> None:
    """News that came before the change was confirmed shows in the alert itself."""
    told = await routed(covered("a"), ALERT)
    assert [(due.update, due.alert and len(due.alert.coverage)) for due in told] == [(None, 1), (None, 1)]


async def test_news_is_mailed_once() -> None:
    """Slack hears of every outlet, a mailbox of the first."""
    told = await routed(ALERT, covered("a"), covered("b"))
    assert [due.subscription_id for due in told if due.update] == ["slack", "mail", "slack"]


async def test_withdrawn_alert_is_silent() -> None:
    """After a withdrawal, which is told once, nothing more is."""
    told = await routed(ALERT, WITHDRAWN, covered("a"))
    assert [bool(due.withdrawal) for due in told] == [False, False, True, True]


@pytest.mark.parametrize("event", [covered("a"), WITHDRAWN])
async def test_nothing_is_told_of_what_was_not(event: Event) -> None:
    """An update or withdrawal of an alert that was never raised reaches nobody."""
    assert await routed(event) == []


async def test_archived_history_is_not_announced() -> None:
    """An alert from imported pages is due to nobody."""
    assert await routed(msgspec.structs.replace(ALERT, origin=Origin.IMPORT)) == []


async def silenced_then(*events: Event, ends: int = 1) -> list[DeliveryDue]:
    """Return what is due after the events while Slack's are silenced for some days."""
    silence = SilenceDeclared(
        silence_id="sil-1", matchers=(Matcher(what="kind", words=("change",)),), starts_at=NOON,
        ends_at=NOON + timedelta(days=ends), declared_at=NOON, subscriptions=("slack",),
    )  # fmt: skip

    def silences(at: datetime) -> list[SilenceDeclared]:
        return [silence] if silence.starts_at <= at < silence.ends_at else []

    memory = DictMemory(RoutedState)
    step = [
        route_alerts(event, subscriptions=lambda: (SLACK, MAIL), memory=memory, silences=silences)  # type: ignore[arg-type]
        for event in events
    ]
    return [due for one in step async for due in one if isinstance(due, DeliveryDue)]


async def test_silenced_alert_is_told_to_others() -> None:
    """A silence keeps an alert from whom it names, and from nobody else."""
    assert [due.subscription_id for due in await silenced_then(ALERT)] == ["mail"]


async def test_followers_of_a_silenced_alert_stay_silent() -> None:
    """Once the silence is over, news and the withdrawal of an alert never told are not told either."""
    later = msgspec.structs.replace(WITHDRAWN, withdrawn_at=NOON + timedelta(days=2))
    assert [due.subscription_id for due in await silenced_then(ALERT, later)] == ["mail", "mail"]


async def gathered(*events: Event, before: Gather | None, after: Gather | None = None) -> list[Event]:
    """Return what follows from events for a subscription that gathers, and from the second on gathers otherwise."""
    memory = DictMemory(RoutedState)
    results: list[Event] = []
    for number, event in enumerate(events):
        one = msgspec.structs.replace(SLACK, gather=after if number else before)
        step = route_alerts(event, subscriptions=lambda one=one: (one,), memory=memory)  # type: ignore[arg-type, misc]
        results += [result async for result in step]
    return results


GROUP, DAILY = Gather(how="group"), Gather(how="daily")


@pytest.mark.parametrize(
    ("before", "after", "ways"),
    [
        (None, None, ["", ""]),
        (GROUP, GROUP, ["group:-", "group:-"]),
        (GROUP, DAILY, ["group:-", "group:-"]),
        (GROUP, None, ["group:-", "group:-"]),
        (None, DAILY, ["", ""]),
        (Gather(how="daily", urgent=Severity.HIGH), DAILY, ["", ""]),
    ],
)
async def test_news_goes_the_way_of_its_alert(
    before: Gather | None, after: Gather | None, ways: list[str]
) -> None:
    """What follows an alert is gathered where the alert was, or told at once where that was, whatever changed since."""
    results = await gathered(ALERT, WITHDRAWN, before=before, after=after)
    assert [group_of(event) for event in results] == ways


def group_of(event: Event) -> str:
    """Return where an event waits; what merely passes does not."""
    return event.group if isinstance(event, DeliveryGathered) and not event.passing else ""


async def test_news_looks_for_its_alert() -> None:
    """News of an alert that was told at once passes by where it would wait now: there it may have been asked for again."""
    results = await gathered(ALERT, WITHDRAWN, before=None, after=DAILY)
    assert [event.passing for event in results if isinstance(event, DeliveryGathered)] == [True]


async def test_repeat_is_gathered_once() -> None:
    """The same alert again, as after a crash, waits once."""
    assert len(await gathered(ALERT, ALERT, before=DAILY, after=DAILY)) == 1
