"""What the API works with, and how a decision made here is published and holds at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from agents.subscriptions import Registry
from agents.told import Told
from pipeline.adapters.vault import Vault, vault
from pipeline.events import Event, SubscriptionDeclared
from pipeline.ports import Blobs, Clock, History, Notifier, Publisher

Opening = Callable[[], AbstractContextManager[History]]


class Posts(Protocol):
    """Speaks with endpoints, within the guard against private addresses."""

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, bytes, Mapping[str, str]]: ...

    async def ask(self, url: str, headers: Mapping[str, str]) -> tuple[int, bytes, Mapping[str, str]]: ...


class Opened(Protocol):
    """Opens channels: what sends to a subscription, and what speaks with endpoints."""

    async def notifier(self, subscription: SubscriptionDeclared) -> Notifier: ...

    async def webhooks(self, *, private: bool) -> Posts: ...


@dataclass(frozen=True, kw_only=True)
class Office:
    """What handlers are given. `private` lets webhooks lie on private networks; `origin` is how we name ourselves.

    `told` is what was told, by its index; `blobs` the bodies of pages; `public_url` is where the world reaches us.
    `key` seals secrets and signs links, `slack_secret` verifies what Slack sends; empty where there is none.
    """

    registry: Registry
    log: Publisher
    channels: Opened
    history: Opening
    clock: Clock
    told: Told
    blobs: Blobs
    key: str = field(default="", repr=False)
    slack_secret: str = field(default="", repr=False)
    origin: str = "clausewire"
    private: bool = False
    public_url: str = ""

    def now(self) -> datetime:
        """Return the present moment, aware UTC."""
        return self.clock.now()

    def vault(self) -> Vault:
        """Return what seals secrets; ConfigError with the remedy where there is no key."""
        return vault(self.key)

    async def declare(self, event: Event) -> None:
        """Publish a decision, and have it hold here at once."""
        await self.log.publish(event)
        await self.registry.take(event)


class HistoryLog:
    """A publisher for processes without a program: appends to the history that commands use."""

    def __init__(self, opened: Opening) -> None:
        self._opened = opened

    async def publish(self, event: Event) -> None:
        await self.publish_all([event])

    async def publish_all(self, events: Iterable[Event]) -> None:
        """Append events and wait until the log has them."""
        await asyncio.to_thread(self._append, list(events))

    def _append(self, events: Sequence[Event]) -> None:
        with self._opened() as history:
            history.append(events)
