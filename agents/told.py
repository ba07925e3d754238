"""What was told, found without reading whole topics: an index of the log that keeps up with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta

import structlog

from pipeline.adapters import lookup
from pipeline.adapters.index import Index, Mark, Spot
from pipeline.adapters.indexed import TOPICS, AlertLine, marks
from pipeline.adapters.lookup import After, Wanted
from pipeline.adapters.places import EmbeddedPlaces, KafkaPlaces, Span, placing
from pipeline.adapters.wire import decode
from pipeline.config import Settings
from pipeline.errors import DecodeError, RetryError, StoreError
from pipeline.events import AlertRaised, BodyRef, ClausesChanged, DeliveryAttempted, Event
from pipeline.ports import Clock, Kept
from pipeline.topics import BY_NAME

FILE = "index.db"
LOOK_S, AGAIN_S = 1.0, 5.0
PATIENCE_S = 8.0
TIDY_S = 3600.0
AT_ONCE, AT_ONCE_BYTES = 5_000, 16_000_000  # of one transaction

logger = structlog.get_logger(__name__)


class IndexingError(RetryError):
    """The index is still being made, so that an answer would lack what it does not hold yet."""


class Told:
    """What was told: lists, and the parts of one alert. `current` first brings it up to the end of the log."""

    def __init__(self, places: EmbeddedPlaces | KafkaPlaces, index: Index) -> None:
        self._places = places
        self._index = index
        self._lock = asyncio.Lock()
        self._begun = 0
        self._marks: dict[tuple[str, int], Mark] = {}
        self._checked = False
        self._tidy_at = 0.0  # of the event loop's clock

    async def current(self, patience_s: float = PATIENCE_S) -> None:
        """Take in what lies in the log by now; IndexingError where that takes longer than a reader waits."""
        asked = self._begun
        try:
            async with asyncio.timeout(patience_s), self._lock:
                if self._begun == asked:  # else a look began after this one was asked for
                    self._begun += 1
                    await self._look()
        except TimeoutError:
            raise IndexingError(
                "the index of alerts is being made from the log", remedy="Ask again in a few seconds"
            ) from None

    async def follow(self, clock: Clock) -> None:
        """Keep up with the log, for ever."""
        while True:
            try:
                await self.current(patience_s=3600.0)
                await self._tidied(clock)
            except (StoreError, IndexingError) as error:
                logger.warning("index.waiting", reason=str(error))
                await asyncio.sleep(AGAIN_S)
            await asyncio.sleep(LOOK_S)

    async def alerts(self, wanted: Wanted) -> list[tuple[After, AlertLine]]:
        """Return a part of the list of alerts."""
        await self.current()
        return await asyncio.to_thread(lookup.alerts, self._index, wanted)

    async def attempts(self, wanted: Wanted) -> list[tuple[After, DeliveryAttempted]]:
        """Return a part of the list of attempts to deliver."""
        await self.current()
        return await asyncio.to_thread(lookup.attempts, self._index, wanted)

    async def alert(self, alert_id: str) -> AlertRaised | None:
        """Return an alert, None where there is none."""
        await self.current()
        event = await self._event(await asyncio.to_thread(lookup.alert_spot, self._index, alert_id))
        return event if isinstance(event, AlertRaised) else None

    async def sequels(self, alert_id: str) -> list[Event]:
        """Return what became known of an alert, and who acknowledged it, each once, in the order of time."""
        spots = await asyncio.to_thread(lookup.sequel_spots, self._index, alert_id)
        found = [await self._event(spot) for spot in spots]
        return [event for event in found if event is not None]

    async def change_set(self, change_id: str) -> ClausesChanged | None:
        """Return a change set, None where there is none."""
        event = await self._event(await asyncio.to_thread(lookup.change_spot, self._index, change_id))
        return event if isinstance(event, ClausesChanged) else None

    async def version(self, document_id: str, fingerprint: str, page_id: str) -> BodyRef | None:
        """Return where a version lies: that of a page, else one that says the same."""
        return await asyncio.to_thread(lookup.version_body, self._index, document_id, fingerprint, page_id)

    async def _event(self, spot: Spot | None) -> Event | None:
        record = await self._places.one(*spot) if spot else None
        with suppress(DecodeError):
            return decode(record.value) if record else None
        return None

    async def _look(self) -> None:
        spans = await self._places.spans(TOPICS)
        if not self._checked:
            await self._check(spans)
        for span in sorted(spans, key=lambda span: (TOPICS.index(span.topic), span.partition)):
            await self._caught_up(span)

    async def _check(self, spans: Sequence[Span]) -> None:
        """Begin anew where the index was made of another log than the one that lies there now."""
        self._marks = dict(await asyncio.to_thread(self._index.marks))
        if not all([await self._fits(span) for span in spans]):
            logger.warning("index.anew", reason="the log is another than the one that was indexed")
            await asyncio.to_thread(self._index.clear)
            self._marks = {}
        self._checked = True

    async def _fits(self, span: Span) -> bool:
        mark = self._marks.get((span.topic, span.partition))
        if mark is None or not mark.last or mark.next <= span.first:
            return True
        record = await self._places.one(span.topic, span.partition, mark.next - 1)
        return mark.next <= span.next and (record is None or marks(record) == mark.last)

    async def _caught_up(self, span: Span) -> None:
        key = (span.topic, span.partition)
        place = max(self._marks[key].next if key in self._marks else 0, span.first)
        while place < span.next and (records := await self._some(span, place)):
            await asyncio.to_thread(self._index.take, records)
            place = records[-1].offset + 1
            self._marks[key] = Mark(place, "")

    async def _some(self, span: Span, place: int) -> list[Kept]:
        """Return the next records of a partition, as many as are worth one transaction of the index."""
        found: list[Kept] = []
        size = 0
        while place < span.next and len(found) < AT_ONCE and size < AT_ONCE_BYTES:
            records = await self._places.read(span.topic, span.partition, place)
            if not records:
                break
            found += records
            size += sum(len(record.value or b"") for record in records)
            place = records[-1].offset + 1
        return found

    async def _tidied(self, clock: Clock) -> None:
        """Forget the attempts that the log has forgotten, once in a while."""
        now = asyncio.get_running_loop().time()
        if now < self._tidy_at:
            return
        self._tidy_at = now + TIDY_S
        kept = timedelta(seconds=BY_NAME["deliveries"].retention_s or 0)
        await asyncio.to_thread(self._index.forget_before, clock.now() - kept)


@asynccontextmanager
async def telling(settings: Settings, clock: Clock) -> AsyncIterator[Told]:
    """Open what was told on the broker of the settings; inside the context it keeps up with the log."""
    async with AsyncExitStack() as stack:
        places = await stack.enter_async_context(placing(settings))
        log = f"{settings.broker} {settings.kafka.prefix}"
        index = stack.enter_context(Index(settings.data / FILE, log=log))
        told = Told(places, index)
        task = asyncio.create_task(told.follow(clock), name="index")
        stack.push_async_callback(_ended, task)
        yield told


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
