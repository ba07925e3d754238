"""The outside world as we wish it were: tiny protocols, each named for our need."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol, TypeVar

from pipeline.events import BodyRef, DeliveryDue, Event

V = TypeVar("V")


class Clock(Protocol):
    """Tells the time, aware UTC, and waits."""

    def now(self) -> datetime: ...

    async def sleep(self, seconds: float) -> None: ...


class Blobs(Protocol):
    """A content-addressed store of bytes. Both raise StoreError when it cannot serve now."""

    async def put(self, data: bytes, *, media_type: str = "application/octet-stream") -> BodyRef: ...

    async def get(self, ref: BodyRef) -> bytes: ...


class Memory(Protocol[V]):
    """What a step remembers under the key of the event at hand.

    What is kept becomes lasting only after everything that the step yielded was published: publish, then remember.
    """

    def recall(self, key: str) -> V | None: ...

    def keep(self, key: str, value: V) -> None: ...

    def forget(self, key: str) -> None: ...


class Publisher(Protocol):
    """Puts an event on its topic; returns once the log has it."""

    async def publish(self, event: Event) -> None: ...


class Receipt(Protocol):
    """What a channel gives back for a message it took."""

    @property
    def status(self) -> int | None: ...

    @property
    def response(self) -> str: ...

    @property
    def receipt(self) -> dict[str, str]: ...


class Notifier(Protocol):
    """Sends one message to one destination: DeliveryError to try again, RefusedError to give up.

    `parent` is the receipt of the message that this one belongs under, None when it opens the thread.
    """

    async def send(self, due: DeliveryDue, *, parent: dict[str, str] | None) -> Receipt: ...
