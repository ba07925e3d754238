"""A destination that takes nothing is warned of, then switched off; operators hear of it, and the owner by mail."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from agents.switch_off import among, switch_off
from pipeline.adapters.tables import DictMemory
from pipeline.alerts.health import Health
from pipeline.alerts.recipients import parts
from pipeline.events import (
    AlertRaised,
    AlertUpdated,
    Channel,
    DeliveryAttempted,
    DeliveryDue,
    Event,
    Filters,
    SubscriptionDeclared,
)
from tests.fakes import NOON

HOOK = SubscriptionDeclared(
    subscription_id="hook", name="Hook", channel=Channel.WEBHOOK, declared_at=NOON - timedelta(days=9),
    contact="owner@example.org",
)  # fmt: skip
DESK = replace(HOOK, subscription_id="desk", name="Desk", filters=Filters(kinds=("health",)), contact="")
LIST = replace(
    HOOK, subscription_id="list", channel=Channel.EMAIL, target={"to": ["a@example.org", "b@example.org"]}
)


def attempt(outcome: str, *, days: float = 0, to: str = "hook", **also: object) -> DeliveryAttempted:
    given = {"reason": "the endpoint answered 500", **also}
    return DeliveryAttempted(
        delivery_id=f"dlv-{days}", subscription_id=to, thread="t", alert_id="alt-1", attempt=1,
        outcome=outcome, attempted_at=NOON + timedelta(days=days), **given,  # type: ignore[arg-type]
    )  # fmt: skip


GONE = attempt("refused", reason="the endpoint is gone (410)", disable=True)


class Watched:
    """The stage with what it remembers and who is declared, which its own decisions change."""

    def __init__(self, *declared: SubscriptionDeclared) -> None:
        self.declared = {one.subscription_id: one for one in declared}
        self.memory = DictMemory(Health)

    def told(self) -> Sequence[SubscriptionDeclared]:
        return list(self.declared.values())

    async def take(self, event: DeliveryAttempted, *, follows: bool = True) -> list[Event]:
        step = switch_off(event, memory=self.memory, find=among(self.told), subscriptions=self.told)
        results = [result async for result in step]
        for one in results if follows else ():
            if isinstance(one, SubscriptionDeclared):
                self.declared[one.subscription_id] = one
        return results

    async def all(self, events: Iterable[DeliveryAttempted]) -> list[Event]:
        return [result for event in events for result in await self.take(event)]


def off(results: Iterable[Event]) -> list[SubscriptionDeclared]:
    return [one for one in results if isinstance(one, SubscriptionDeclared) and not one.active]


def titles(results: Iterable[Event]) -> list[str]:
    return [one.title for one in results if isinstance(one, AlertRaised)]


async def test_gone_endpoint_is_switched_off() -> None:
    """An endpoint that answered 410 is paused at once with that reason; operators and the owner are told."""
    results = await Watched(HOOK).take(GONE)
    paused, told, mail = results
    assert [(one.active, one.reason) for one in off([paused])] == [(False, GONE.reason)]
    assert (titles([told]), isinstance(mail, DeliveryDue)) == (["Hook is told no longer"], True)


FIVE_DAYS = [
    attempt("failed"),
    attempt("failed", days=1.5),
    attempt("gave-up", days=3),
    attempt("failed", days=5),
]


async def test_five_days_of_failures_switch_off() -> None:
    """Nothing but failures is warned of once after a day, and after five days the subscription is off."""
    results = await Watched(HOOK).all(FIVE_DAYS)
    assert titles(results) == ["Hook has taken nothing for a day", "Hook is told no longer"]
    assert [one.declared_at for one in off(results)] == [NOON + timedelta(days=5)]


async def test_success_forgives_and_closes_the_warning() -> None:
    """What is taken again is not switched off, and whoever was warned hears that it healed."""
    results = await Watched(HOOK).all([*FIVE_DAYS[:3], attempt("sent", days=4), attempt("failed", days=5)])
    updates = [one.how for one in results if isinstance(one, AlertUpdated)]
    mailed = [one.update is None for one in results if isinstance(one, DeliveryDue)]
    assert (off(results), updates, mailed) == ([], ["healed"], [True, False])


async def test_fault_of_ours_blames_nobody() -> None:
    """While our own mail server is away no list of recipients is switched off for it."""
    watched = Watched(HOOK)
    assert await watched.all([replace(event, ours=True) for event in FIVE_DAYS]) == []


async def test_resumed_starts_anew() -> None:
    """What failed before a subscription was resumed counts no more."""
    watched = Watched(HOOK)
    await watched.all(FIVE_DAYS)
    watched.declared["hook"] = replace(HOOK, declared_at=NOON + timedelta(days=6))
    later = [attempt("gave-up", days=days) for days in (6.5, 7, 11, 11.4)]
    assert off(await watched.all(later)) == []
    assert len(off(await watched.take(attempt("failed", days=11.5)))) == 1


async def test_paused_meanwhile_says_nothing() -> None:
    """What was still under way when an operator paused a subscription tells nobody anything."""
    watched = Watched(replace(HOOK, active=False, declared_at=NOON + timedelta(days=1)))
    assert await watched.all(FIVE_DAYS) == []


async def test_repeat_says_the_same() -> None:
    """A crash between publishing and remembering says the same again, under the same ids."""
    watched = Watched(HOOK)
    await watched.all(FIVE_DAYS[:-1])
    before = dict(watched.memory.kept)
    first = await watched.take(FIVE_DAYS[-1])
    watched.memory.kept = before
    assert await watched.take(FIVE_DAYS[-1]) == first


async def test_second_failure_before_it_is_known_says_nothing() -> None:
    """Another failure that comes before the switching off is known here switches nothing off again."""
    watched = Watched(HOOK)
    for event in FIVE_DAYS:
        await watched.take(event, follows=False)
    assert await watched.take(attempt("failed", days=5.01), follows=False) == []


@pytest.mark.parametrize("name", ["nobody", "hook/owner"])
async def test_contact_is_never_judged(name: str) -> None:
    """A contact that cannot be reached, and a destination that is no longer there, switch nothing off."""
    watched = Watched(HOOK, replace(HOOK, subscription_id="hook/owner"))
    assert await watched.take(replace(GONE, subscription_id=name)) == []


async def test_one_recipient_is_switched_off_alone() -> None:
    """A recipient whose mailbox is gone is told no longer, by name; the others are."""
    watched = Watched(*parts(LIST))
    first, second = watched.declared
    results = await watched.take(replace(GONE, subscription_id=first))
    assert [one.subscription_id for one in off(results)] == [first]
    assert titles(results) == ["Hook (a@example.org) is told no longer"]
    assert watched.declared[second].active
    assert [one.subscription_id for one in results if isinstance(one, DeliveryDue)] == ["list/owner"]


@pytest.mark.parametrize(("others", "unheard"), [((), True), ((DESK,), False)], ids=["alone", "desk"])
async def test_trouble_that_nobody_hears_of_is_logged(
    others: tuple[SubscriptionDeclared, ...], unheard: bool
) -> None:
    """Where the one that fails is the only route for trouble and names no contact, the log says so."""
    alone = replace(DESK, subscription_id="alone")
    with capture_logs() as lines:
        await Watched(alone, *others).take(replace(GONE, subscription_id="alone"))
    assert any(line["event"] == "destination.unheard" for line in lines) is unheard
