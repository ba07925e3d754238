"""Putting events on their topics, in order, and knowing that the log has them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from typing import Any

from pipeline.adapters.wire import headers, pack
from pipeline.errors import StoreError
from pipeline.events import Event
from pipeline.topics import PLACES


class TopicLog:
    """The log behind Faust topics: sends are pipelined, their acknowledgements awaited together."""

    def __init__(self, topics: Mapping[str, Any]) -> None:
        self._topics = topics

    async def publish(self, event: Event) -> None:
        await self.publish_all([event])

    async def publish_all(self, events: Iterable[Event]) -> None:
        """Send events in order and wait until the log has acknowledged each."""
        sent = [await future for event in events for future in self._sends(event)]
        try:
            await asyncio.gather(*sent)
        except OSError as error:
            raise StoreError(
                f"the log cannot take a write: {error}", remedy="see `clausewire doctor`"
            ) from error

    def _sends(self, event: Event) -> list[Awaitable[Any]]:
        value, attributes = pack(event), headers(event)
        return [
            self._topics[name].send(
                key=key(event).encode(), value=value, headers=dict(attributes), timestamp=event.at.timestamp()
            )
            for name, key in PLACES[type(event)]
        ]
