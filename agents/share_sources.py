"""Who polls what: each process polls the sources whose partitions it was given, and declares no others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from agents.declare import Declared, to_declare
from pipeline.errors import StoreError
from pipeline.events import Event, SourceDeclared
from pipeline.ports import Publisher


class Known(Protocol):
    """The declared sources on this process's partitions."""

    def items(self) -> Iterable[tuple[str, SourceDeclared]]: ...

    def holds(self, key: str) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSources:
    """The log as pollers have it: takes what was read of this process's sources, and nothing of another's.

    What a paused poller had in hand is old by the time it goes on, and its source may be another's: it is read again.
    """

    log: Publisher
    known: Known
    is_counted_on: Callable[[], bool]

    async def publish(self, event: Event) -> None:
        """Publish; StoreError when the event's source may be another's by now."""
        await self.publish_all([event])

    async def publish_all(self, events: Iterable[Event]) -> None:
        """Publish in order; StoreError when a source may be another's by now."""
        read = list(events)
        if not self.is_counted_on() or not all(self.known.holds(event.key) for event in read):
            raise StoreError(
                "the source may be another process's by now", remedy="it is read again if it is ours"
            )
        await self.log.publish_all(read)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedSources:
    """Keeps the pollers at the sources of this process's partitions; `wanted` is what the configuration declares."""

    known: Known
    declared: Declared
    wanted: Callable[[], Iterable[SourceDeclared]]
    log: Publisher

    async def let_go(self) -> None:
        """Nothing: until others have been given a source, going on with it hurts nobody."""

    async def take_up(self) -> None:
        """Poll what was declared before, leave what went to others, declare what the configuration has changed."""
        known = [source for _, source in self.known.items()]
        self.declared.keep_only(known)
        for source in known:
            self.declared.take(source)
        ours = [source for source in self.wanted() if self.known.holds(source.key)]
        await self.log.publish_all(to_declare(known, ours))
