"""What is declared of subscriptions, silences and keys, for commands: read from the log, and added to it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from agents.commands.reading import InputError
from agents.subscriptions import TOPICS, Registry, to_declare
from pipeline.adapters.clock import SystemClock
from pipeline.adapters.history import open_history
from pipeline.adapters.vault import KEY, Vault, vault
from pipeline.adapters.wire import decode
from pipeline.alerts import recipients
from pipeline.config import Settings
from pipeline.errors import DecodeError
from pipeline.events import Event, SubscriptionDeclared


def standing(settings: Settings) -> Registry:
    """Return what is declared now, the routes of the file among it as they stand there."""
    with open_history(settings, create=True) as history:
        values = [record.value for topic in TOPICS for record in history.records(topic)]
    return asyncio.run(_taken(values, settings))


async def _taken(values: Iterable[bytes | None], settings: Settings) -> Registry:
    registry, now = Registry(), SystemClock().now()
    for value in values:
        try:
            await registry.take(decode(value))
        except DecodeError:
            continue
    for route in to_declare(registry.all(), settings.subscriptions(now), at=now):
        await registry.take(route)
    return registry


def declare(settings: Settings, *events: Event) -> None:
    """Publish decisions; a running program follows them within a second."""
    with open_history(settings, create=True) as history:
        history.append(events)


def named(registry: Registry, name: str) -> SubscriptionDeclared:
    """Return the subscription of an id or a name, or one recipient of it; InputError with those that there are.

    A recipient is named by their own id, or by the subscription's and their mailbox: `legal/anna@example.org`.
    """
    whole, _, box = name.partition(recipients.SEPARATOR)
    for wanted in (name, recipients.part_id(whole, box)):
        if found := registry.find(wanted):
            return found
    for one in registry.all():
        if name == one.name:
            return one
    there = ", ".join(one.subscription_id for one in registry.all()) or "none"
    raise InputError(f"there is no subscription {name!r}", remedy=f"known: {there}")


def locker(settings: Settings) -> Vault:
    """Return what seals this deployment's secrets; ConfigError with the remedy where there is no key."""
    return vault(settings.secrets.get(KEY))
