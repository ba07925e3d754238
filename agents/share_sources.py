"""Who polls what: each process polls the sources whose partitions it was given, and declares no others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from agents.declare import Declared, to_declare
from pipeline.events import SourceDeclared
from pipeline.ports import Publisher


class Known(Protocol):
    """The declared sources on this process's partitions."""

    def items(self) -> Iterable[tuple[str, SourceDeclared]]: ...

    def holds(self, key: str) -> bool: ...


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
