"""Subscriptions as data: every process knows all of them, as their topic says."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from agents.channels import Channels
from agents.subscriptions import LEFT, TOPICS, Registry, known, to_declare
from pipeline.adapters.embedded import Log
from pipeline.adapters.follow import EmbeddedFollower
from pipeline.adapters.history import open_history
from pipeline.adapters.vault import Vault, new_key, vault
from pipeline.alerts.hours import hours
from pipeline.alerts.recipients import mailboxes
from pipeline.config.loading import parse
from pipeline.errors import ConfigError, DeliveryError
from pipeline.events import Channel, DeliveryDue, Sealed, SubscriptionDeclared
from tests.fakes import NOON, FixedClock

LEGAL, DESK = (
    SubscriptionDeclared(
        subscription_id=name, name=name, channel=Channel.CONSOLE, declared_at=NOON, target={"file": ""}
    )
    for name in ("legal", "desk")
)
LATER = NOON + timedelta(days=1)


def at_later(one: SubscriptionDeclared) -> SubscriptionDeclared:
    return replace(one, declared_at=LATER)


def test_new_route_is_declared() -> None:
    """A route that was never declared is."""
    assert [one.subscription_id for one in to_declare([LEGAL], [at_later(LEGAL), DESK], at=LATER)] == ["desk"]


def test_paused_route_stays_paused() -> None:
    """A route that an operator paused is not switched on by reading the same file again."""
    assert to_declare([replace(LEGAL, active=False, reason="holidays")], [at_later(LEGAL)], at=LATER) == []


def test_changed_route_is_declared_anew() -> None:
    """A route whose lines changed holds as they stand now."""
    moved = replace(at_later(LEGAL), target={"file": "else"})
    assert [one.target for one in to_declare([LEGAL], [moved], at=LATER)] == [{"file": "else"}]


def test_route_gone_from_the_file_is_removed() -> None:
    """A route that no longer stands in the file ends; what was made by command stays."""
    made = replace(DESK, by="command")
    assert [(one.subscription_id, one.removed) for one in to_declare([LEGAL, made], [], at=LATER)] == [
        ("legal", True)
    ]


async def test_follower_reads_all_then_what_comes(tmp_path: Path) -> None:
    """What lay in the log is known at the start, what another process appends a moment later."""
    broker = f"embedded://{tmp_path}/log.db"
    with open_history(broker, create=True) as history, Log(tmp_path / "log.db") as log:
        history.append([LEGAL])
        follower, registry = EmbeddedFollower(log, TOPICS), Registry()
        await registry.load(follower)
        assert list(registry.by_id) == ["legal"]
        history.append([replace(LEGAL, removed=True), DESK])
        await registry.load(follower)
    assert list(registry.by_id) == ["desk"]


async def test_follower_passes_foreign_records_by(tmp_path: Path) -> None:
    """Bytes that are no event, and a tombstone, stop nothing."""
    with Log(tmp_path / "log.db") as log:
        log.create("subscriptions", 1, cleanup_policy="compact")
        log.append("subscriptions", b"<html>", key=b"a")
        log.append("subscriptions", None, key=b"b")
        assert await EmbeddedFollower(log, TOPICS).backlog() == []


async def test_file_is_known_before_anything_runs(tmp_path: Path) -> None:
    """The routes of the file are known at once, and are what must be published."""
    with Log(tmp_path / "log.db") as log:
        found = await known(Registry(), EmbeddedFollower(log, TOPICS), lambda at: [LEGAL], FixedClock())
    assert found.registry.all() == tuple(found.routes)


def settings(folder: Path, key: str) -> object:
    return parse(b"routes: []\n", folder / "clausewire.yaml", {"CLAUSEWIRE_SECRET_KEY": key})


def hook(vault: Vault) -> SubscriptionDeclared:
    sealed = Sealed(name="secret", token=vault.seal("whsec_" + "YQ" * 20 + "=="))
    return replace(LEGAL, channel=Channel.WEBHOOK, target={"url": "https://h.example"}, sealed=(sealed,))


async def test_notifier_comes_and_goes(tmp_path: Path) -> None:
    """A subscription's notifier is there from its declaration to its end."""
    key = new_key()
    async with Channels(settings(tmp_path, key), FixedClock()) as channels:  # type: ignore[arg-type]
        registry = Registry(channels)
        await registry.take(hook(vault(key)))
        assert channels.notifiers["legal"][0] is Channel.WEBHOOK
        await registry.take(replace(hook(vault(key)), removed=True))
        assert "legal" not in channels.notifiers


@pytest.mark.parametrize("key", ["", new_key()])
async def test_sealed_secret_without_its_key_waits(tmp_path: Path, key: str) -> None:
    """A subscription whose secret cannot be opened is tried again later, and the reason says what to set."""
    async with Channels(settings(tmp_path, key), FixedClock()) as channels:  # type: ignore[arg-type]
        await Registry(channels).take(hook(vault(new_key())))
        due = DeliveryDue(delivery_id="d", subscription_id="legal", thread="t", due_at=NOON)
        with pytest.raises(DeliveryError) as caught:
            await channels.notifiers["legal"][1].send(due, parent=None)
    assert "CLAUSEWIRE_SECRET_KEY" in caught.value.remedy


def test_any_of_several_keys_opens() -> None:
    """After a change of keys what was sealed before still opens, and new secrets take the new key."""
    old, new = new_key(), new_key()
    both = Vault(f"{new},{old}")
    assert both.open(Vault(old).seal("s")) == "s"
    assert Vault(new).open(both.seal("t")) == "t"


@pytest.mark.parametrize("keys", ["", "short", "!!!", "a,b", "é"])
def test_unusable_key_is_not_repeated(keys: str) -> None:
    """A key that is none is told without its words."""
    with pytest.raises(ConfigError) as caught:
        vault(keys)
    assert not keys or f" {keys} " not in str(caught.value)


DUE = DeliveryDue(delivery_id="d", subscription_id="legal", thread="t", due_at=NOON)


async def test_message_waits_while_its_subscription_is_off() -> None:
    """A message of a paused subscription is kept back, and goes once it is resumed; one of nobody is not kept."""
    registry = Registry()
    await registry.take(replace(LEGAL, active=False))
    assert registry.waits(DUE, NOON) is not None
    await registry.take(LEGAL)
    assert registry.waits(DUE, NOON) is None
    assert Registry().waits(DUE, NOON) is None


async def test_message_waits_for_its_hours() -> None:
    """A message outside the hours of its subscription is kept back until they begin."""
    registry = Registry()
    await registry.take(replace(LEGAL, hours=hours("fri 08:00-09:00")))  # NOON is a Thursday
    assert registry.waits(DUE, NOON) == NOON.replace(day=18, hour=8)


MAIL = replace(LEGAL, channel=Channel.EMAIL, target={"to": ["anna@example.org"]}, by="configuration")
GONE = replace(MAIL, active=False, reason=LEFT)


def test_reader_who_left_stays_away() -> None:
    """A route whose only reader left is declared anew as they left it, whatever else its lines say now."""
    wanted = replace(at_later(MAIL), name="Another name")
    assert [(one.active, one.reason) for one in to_declare([GONE], [wanted], at=LATER)] == [(False, LEFT)]


async def test_reader_who_left_stays_away_from_a_list() -> None:
    """A route whose only reader left gets another: that one is told, and the first is not."""
    registry = Registry()
    for one in to_declare(
        [GONE], [replace(at_later(MAIL), target={"to": ["anna@example.org", "bo@example.org"]})], at=LATER
    ):
        await registry.take(one)
    assert [(one.target["to"], one.active) for one in registry.told()] == [
        (["anna@example.org"], False), (["bo@example.org"], True),
    ]  # fmt: skip


async def test_what_was_due_to_a_list_still_goes_out(tmp_path: Path) -> None:
    """A list has a notifier for each recipient, for itself and its contact; who goes from it has none any more."""
    text = b"smtp: {host: h, from: a@example.org}\nroutes: []\n"
    found = parse(text, tmp_path / "clausewire.yaml", {})
    several = replace(MAIL, target={"to": ["anna@example.org", "bo@example.org"]}, contact="it@example.org")
    async with Channels(found, FixedClock()) as channels:
        await channels.open(several)
        before = set(channels.notifiers)
        await channels.open(MAIL)
        after = set(channels.notifiers)
        channels.close("legal")
    assert before == {"legal", "legal/owner", *mailboxes(several)}
    assert after == {"legal", *mailboxes(MAIL)}
    assert not channels.notifiers
