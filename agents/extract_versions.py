"""From pages to versions: read a page as its document, or say why it cannot be read as one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec

from pipeline.alerts.trouble import BROKEN_READS, FAILED_READS, Trouble, healed, worse
from pipeline.events import (
    DocumentSpec,
    Event,
    FetchOutcome,
    Origin,
    PageFetched,
    PageRef,
    PageState,
    Value,
    Version,
    VersionRecorded,
)
from pipeline.policy.extract import EXTRACTOR
from pipeline.policy.lifecycle import Head, noted
from pipeline.policy.normalise import fingerprint
from pipeline.policy.page import Page, Reading, read_page
from pipeline.ports import Blobs, Memory, Values

TECHNICAL = "x-clausewire-technical"  # header of an archived page that its archive extracted anew


class ReadingState(Value, frozen=True, kw_only=True):
    """What is remembered of how a document was last read."""

    head: Head | None = None
    document: DocumentSpec | None = None
    confirmed: bool = True
    trouble: Trouble | None = None
    seen: tuple[str, ...] = ()


async def extract_versions(
    event: PageFetched, *, blobs: Blobs, values: Values, memory: Memory[ReadingState]
) -> AsyncIterator[Event]:
    """Record the version that a page holds, or the state that makes it unreadable.

    When our extractor or the document's selectors changed since the last version, that version is first recorded
    anew from its own page, as a technical upgrade: what differs by our doing is no change of the policy.
    """
    state = memory.recall(event.key) or ReadingState()
    if event.id in state.seen:
        return
    if event.body is None:
        trouble, told = unread(event, state)
        for alert in told:
            yield alert
        memory.keep(
            event.key, msgspec.structs.replace(state, trouble=trouble, seen=noted(state.seen, event.id))
        )
        return
    if state.head and is_outdated(state, event):
        upgraded = await upgrade(state.head, event, blobs, values)
        state = msgspec.structs.replace(state, head=_head(upgraded), document=event.document)
        yield upgraded
    recorded = marked(await record(event, state.head, blobs, values), event)
    if is_news(recorded, state):
        yield recorded
    trouble, told = health(recorded, event, state)
    for alert in told:
        yield alert
    memory.keep(event.key, msgspec.structs.replace(after(state, event, recorded), trouble=trouble))


def unread(event: PageFetched, state: ReadingState) -> tuple[Trouble | None, list[Event]]:
    """Return the trouble after a read that brought no page, and what operators are told."""
    if event.outcome in {FetchOutcome.OK, FetchOutcome.UNCHANGED}:
        return None, healed(state.trouble, event.document, event.at)
    return worse(
        state.trouble,
        event.document,
        reason=event.reason,
        at=event.at,
        reads=event.failures,
        enough=FAILED_READS,
    )


def health(
    recorded: VersionRecorded, event: PageFetched, state: ReadingState
) -> tuple[Trouble | None, list[Event]]:
    """Return the trouble after a page was read, and what operators are told."""
    if recorded.state is PageState.OK:
        return None, healed(state.trouble, event.document, event.at)
    reason = f"What is served there is no version of it ({recorded.state}). {recorded.reason}"
    return worse(state.trouble, event.document, reason=reason, at=event.at, reads=0, enough=BROKEN_READS)


def is_outdated(state: ReadingState, event: PageFetched) -> bool:
    """Say whether the last version was made by another extractor or with other selectors."""
    known, now = state.document, event.document
    same_selectors = known is not None and (known.select, known.remove) == (now.select, now.remove)
    return state.head is not None and (state.head.extractor != EXTRACTOR or not same_selectors)


def marked(recorded: VersionRecorded, event: PageFetched) -> VersionRecorded:
    """Return a version marked as a technical upgrade where the archive it comes from says that it is one."""
    says_so = event.origin is Origin.IMPORT and TECHNICAL in event.headers
    if not says_so or recorded.confirms or recorded.state is not PageState.OK:
        return recorded
    return msgspec.structs.replace(recorded, technical=True)


def is_news(recorded: VersionRecorded, state: ReadingState) -> bool:
    """Say whether a reading tells anything: a new state, a refusal, or the first agreement with the last."""
    return not recorded.confirms or not state.confirmed


def after(state: ReadingState, event: PageFetched, recorded: VersionRecorded) -> ReadingState:
    """Return what to remember after a reading."""
    seen = noted(state.seen, event.id)
    if recorded.state is not PageState.OK:
        return msgspec.structs.replace(state, seen=seen)
    head = state.head if recorded.confirms else _head(recorded)
    return msgspec.structs.replace(
        state, head=head, document=event.document, confirmed=recorded.confirms, seen=seen
    )


def page_ref(event: PageFetched) -> PageRef:
    """Return the evidence that a fetched page is."""
    assert event.body is not None
    return PageRef(
        page_id=event.id,
        url=event.document.url,
        final_url=event.final_url or event.document.url,
        fetched_at=event.fetched_at,
        body=event.body,
        status=event.status,
        headers=event.headers,
    )


async def record(event: PageFetched, head: Head | None, blobs: Blobs, values: Values) -> VersionRecorded:
    """Return the version that the page holds; one that equals the last confirms it."""
    page = page_ref(event)
    if head and head.page.body.sha256 == page.body.sha256 and head.extractor == EXTRACTOR:
        return _recorded(event, page, head, confirms=True)
    known = (await values.get(head.version, Version),) if head and not event.accepted else ()
    reading = await read(page, event.document, known, blobs)
    if reading.version is None or reading.state is not PageState.OK:
        return VersionRecorded(
            document=event.document,
            page=page,
            state=reading.state,
            reason=reading.reason,
            origin=event.origin,
        )
    mark = fingerprint(reading.version)
    if head and head.fingerprint == mark:
        return _recorded(event, page, head, confirms=True)
    accepted = await _accepted(event, page, reading.version, mark, values)
    return msgspec.structs.replace(accepted, accepted=event.accepted)


async def upgrade(head: Head, event: PageFetched, blobs: Blobs, values: Values) -> VersionRecorded:
    """Return the last version as today's extractor and selectors read it from its own page."""
    reading = await read(head.page, event.document, (), blobs)
    if reading.version is None:
        return _recorded(event, head.page, head, technical=True)
    mark = fingerprint(reading.version)
    accepted = await _accepted(event, head.page, reading.version, mark, values)
    return msgspec.structs.replace(accepted, technical=True)


async def read(page: PageRef, document: DocumentSpec, known: tuple[Version, ...], blobs: Blobs) -> Reading:
    """Read stored bytes as a document, off the event loop."""
    served = Page(
        body=await blobs.get(page.body),
        url=page.final_url,
        status=page.status,
        headers=page.headers,
        content_type=page.headers.get("content-type", page.body.media_type),
        select=document.select,
        remove=document.remove,
        language=document.language,
        name=document.name,
    )
    return await asyncio.to_thread(read_page, served, known=known)


async def _accepted(
    event: PageFetched, page: PageRef, version: Version, mark: str, values: Values
) -> VersionRecorded:
    return VersionRecorded(
        document=event.document,
        page=page,
        state=PageState.OK,
        fingerprint=mark,
        version=await values.put(version),
        title=version.title,
        language=version.language,
        extractor=EXTRACTOR,
        clauses=len(version.clauses),
        origin=event.origin,
    )


def _recorded(
    event: PageFetched, page: PageRef, head: Head, *, confirms: bool = False, technical: bool = False
) -> VersionRecorded:
    return VersionRecorded(
        document=event.document,
        page=page,
        state=PageState.OK,
        fingerprint=head.fingerprint,
        version=head.version,
        extractor=EXTRACTOR,
        confirms=confirms,
        technical=technical,
        origin=event.origin,
    )


def _head(recorded: VersionRecorded) -> Head:
    assert recorded.version is not None
    return Head(
        fingerprint=recorded.fingerprint,
        version=recorded.version,
        page=recorded.page,
        extractor=recorded.extractor,
    )
