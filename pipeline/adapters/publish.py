"""Putting events on their topics, in order, and knowing that the log has them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from typing import Any

from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from faust.exceptions import ProducerSendError

from pipeline import trace
from pipeline.adapters.wire import headers, pack
from pipeline.errors import PipelineError, RejectError, RetryError, StoreError
from pipeline.events import Event
from pipeline.ports import Meter, Unmetered
from pipeline.topics import PLACES


class TopicLog:
    """The log behind Faust topics: sends are pipelined, their acknowledgements awaited together."""

    def __init__(self, topics: Mapping[str, Any], meter: Meter | None = None) -> None:
        self._topics = topics
        self._meter = meter or Unmetered()
        self.takes_writes = True  # as far as the last one tells

    async def publish(self, event: Event) -> None:
        await self.publish_all([event])

    async def publish_all(self, events: Iterable[Event]) -> None:
        """Send events in order and wait until the log has acknowledged each."""
        events = list(events)
        try:
            sent = [await future for event in events for future in self._sends(event)]
            await asyncio.gather(*sent)
        except PipelineError as error:
            self.takes_writes = not isinstance(error, RetryError)
            raise
        except (OSError, KafkaError, ProducerSendError) as error:
            told = _told(error)
            self.takes_writes = isinstance(told, RejectError)
            raise told from error
        self.takes_writes = True
        for event in events:
            self._meter.published(event)

    def _sends(self, event: Event) -> list[Awaitable[Any]]:
        value, attributes = pack(event), {**headers(event), **trace.headers_for(event.id)}
        return [
            self._topics[name].send(
                key=key(event).encode(), value=value, headers=dict(attributes), timestamp=event.at.timestamp()
            )
            for name, key in PLACES[type(event)]
        ]


def _told(error: Exception) -> PipelineError:
    cause = error.__cause__ or error
    if isinstance(cause, MessageSizeTooLargeError):
        return RejectError(
            f"a record is too large for its topic: {cause}", remedy="raise max.message.bytes of the topic"
        )
    return StoreError(f"the log cannot take a write: {cause!r}", remedy="see `clausewire doctor`")
