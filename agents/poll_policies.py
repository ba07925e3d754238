"""From policy pages to `pages.fetched`: bytes that differ, the reads that confirm them, and trouble."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from datetime import datetime

import structlog
from msgspec import structs

from agents.rounds import Rounds, Sources
from pipeline.errors import FetchError
from pipeline.events import BodyRef, DocumentSpec, FetchOutcome, PageFetched, PageState, derived_id
from pipeline.policy.page import Page, read_page
from pipeline.polling import (
    UNASKED_304,
    Fetched,
    Jitter,
    PollState,
    Reading,
    Validators,
    after_failure,
    after_hold,
    after_success,
    is_news,
    read_answer,
    read_error,
    usable_validators,
)
from pipeline.ports import Blobs, Clock, Fetches, PollMemory, Publisher, Renders

logger = structlog.get_logger(__name__)


async def poll_policies(
    sources: Sources[DocumentSpec],
    *,
    fetcher: Fetches,
    blobs: Blobs,
    publish: Publisher,
    memory: PollMemory,
    clock: Clock,
    stop: asyncio.Event,
    limit: int = 32,
    renders: Renders | None = None,
) -> None:
    """Poll the declared documents, each at its interval, until `stop` is set."""
    poller = PolicyPoller(fetcher=fetcher, blobs=blobs, publish=publish, clock=clock, renders=renders)
    await Rounds(sources=sources, poll=poller.poll, memory=memory, clock=clock, stop=stop, limit=limit).run()


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPoller:
    """Reads one document once: stores its page, publishes what came of it, and says what to remember.

    With `renders`, a page that only its scripts can fill is recorded as they leave it.
    """

    fetcher: Fetches
    blobs: Blobs
    publish: Publisher
    clock: Clock
    renders: Renders | None = None
    jitter: Jitter = random.random

    async def poll(self, spec: DocumentSpec, state: PollState) -> PollState:
        """Return the state after one read; what it would suppress next time is published by then."""
        known = usable_validators(state, self.clock.now()) if state.body else None
        try:
            fetched = await self._fetched(spec, known)
        except FetchError as error:
            if error.kind == "held":
                return after_hold(state, error, now=self.clock.now(), jitter=self.jitter())
            return await self._failed(spec, state, read_error(error))
        reading = read_answer(fetched)
        if reading.outcome is FetchOutcome.UNCHANGED and known is None:
            reading = UNASKED_304
        if not reading.is_good:
            return await self._failed(spec, state, reading, fetched)
        return await self._read(spec, state, fetched)

    async def _fetched(self, spec: DocumentSpec, known: Validators | None) -> Fetched:
        """Return the plain page, or the rendered one where the plain one is only a shell."""
        plain = await self.fetcher.fetch(
            spec.url, validators=known, respect_robots=spec.respect_robots, language=spec.language
        )
        if self.renders is None or not await asyncio.to_thread(is_shell, plain, spec):
            return plain
        shown = await self.renders.render(plain.final_url, language=spec.language)
        return structs.replace(shown, url=plain.url, redirects=(*plain.redirects, *shown.redirects))

    async def _read(self, spec: DocumentSpec, state: PollState, fetched: Fetched) -> PollState:
        same = fetched.body is None or (state.body is not None and state.body.sha256 == fetched.sha256)
        body, confirmed = (state.body, True) if same else (await self._stored(fetched), False)
        event = page_event(spec, state, fetched, body, same=same)
        if event is not None:
            await self.publish.publish(event)
        logger.debug("page.unchanged" if same else "page.read", document=spec.id, status=fetched.status)
        after = after_success(
            state, fetched, now=fetched.fetched_at, interval_s=spec.interval_s, jitter=self.jitter()
        )
        return structs.replace(after, body=body, confirmed=confirmed, selection=selection(spec))

    async def _stored(self, fetched: Fetched) -> BodyRef:
        return await self.blobs.put(fetched.body or b"", media_type=fetched.media_type)

    async def _failed(
        self, spec: DocumentSpec, state: PollState, reading: Reading, fetched: Fetched | None = None
    ) -> PollState:
        now = fetched.fetched_at if fetched else self.clock.now()
        told = is_news(state, reading, now)
        if told:
            await self.publish.publish(trouble_event(spec, state, reading, fetched, now=now))
        after = after_failure(
            state, reading, now=now, interval_s=spec.interval_s, jitter=self.jitter(), told=told
        )
        logger.info("page.failed", document=spec.id, reason=reading.reason, failures=after.failures)
        return after


def is_shell(fetched: Fetched, spec: DocumentSpec) -> bool:
    """Say whether a page holds no text until its scripts have run."""
    if fetched.status != 200 or not fetched.body:
        return False
    page = Page(
        body=fetched.body,
        url=fetched.final_url,
        headers=fetched.headers,
        content_type=fetched.headers.get("content-type", ""),
        select=spec.select,
        remove=spec.remove,
        language=spec.language,
        name=spec.name,
    )
    return read_page(page).state is PageState.SHELL


def page_event(
    spec: DocumentSpec, state: PollState, fetched: Fetched, body: BodyRef | None, *, same: bool
) -> PageFetched | None:
    """Return what a good read is worth telling: new bytes, a first confirmation, an end of trouble.

    The first later read with equal bytes (or a 304) confirms the page. A read that ends trouble with no news
    is told as `unchanged`, so that the trouble can be closed. When the source's selectors changed, an equal page
    is told again, so that it is extracted anew. Any other equal read is worth nothing.
    """
    confirms = same and (not state.confirmed or state.selection != selection(spec))
    recovered = same and state.failures > 0
    if same and not confirms and not recovered:
        return None
    return PageFetched(
        document=spec,
        fetched_at=fetched.fetched_at,
        outcome=FetchOutcome.UNCHANGED if same and not confirms else FetchOutcome.OK,
        final_url=fetched.final_url,
        status=fetched.status,
        headers=fetched.headers,
        redirects=fetched.redirects,
        body=body,
        confirms=confirms,
        reason=f"readable again after {state.failures} failed reads" if state.failures else "",
    )


def selection(spec: DocumentSpec) -> str:
    """Return what stands for a document's selectors."""
    return derived_id("sel", spec.select, spec.remove)


def trouble_event(
    spec: DocumentSpec, state: PollState, reading: Reading, fetched: Fetched | None, *, now: datetime
) -> PageFetched:
    """Return the record of a read that failed or was refused: no body, a reason with its remedy."""
    return PageFetched(
        document=spec,
        fetched_at=now,
        outcome=reading.outcome,
        final_url=fetched.final_url if fetched else "",
        status=reading.status,
        headers=fetched.headers if fetched else {},
        redirects=fetched.redirects if fetched else (),
        reason=reading.told,
        failures=state.failures + 1,
    )
