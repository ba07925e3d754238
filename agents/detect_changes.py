"""From versions to changes: what differs from the last accepted version, and whether it stands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec

from agents.reword_summaries import reword
from pipeline.events import (
    ClausesChanged,
    Comparison,
    DocumentSpec,
    Event,
    Evidence,
    Origin,
    PageState,
    Verdict,
    Version,
    VersionRecorded,
)
from pipeline.policy.compare import compare
from pipeline.policy.identity import Ledger, identify
from pipeline.policy.lifecycle import (
    INLINE_BYTES,
    DocumentState,
    Head,
    Provisional,
    advanced,
    counts,
    head_of,
    noted,
    reminders,
    settled,
)
from pipeline.policy.rewritten import anew_headline, rewritten
from pipeline.policy.summary import headline
from pipeline.ports import Memory, Rewrites, Values
from pipeline.sizes import fitting

COMPARED_STATES = 4  # earlier states that a comparison may look at, for variants that return almost equal


async def detect_changes(
    event: VersionRecorded,
    *,
    values: Values,
    memory: Memory[DocumentState],
    rewrites: Rewrites | None = None,
) -> AsyncIterator[Event]:
    """Report what changed since the last accepted version, and settle what was reported before.

    `rewrites` may reword the summaries of what is new; a replay and a backfill go without, and no id depends on it.
    """
    state = memory.recall(event.key) or DocumentState()
    if event.id in state.seen or event.state is not PageState.OK or event.version is None:
        return
    state = msgspec.structs.replace(state, seen=noted(state.seen, event.id))
    results, state = await _decided(event, state, values, rewrites)
    for result in results:
        yield result
    memory.keep(event.key, state)


async def _decided(
    event: VersionRecorded, state: DocumentState, values: Values, rewrites: Rewrites | None
) -> tuple[list[Event], DocumentState]:
    if state.head is None or event.technical or event.accepted:
        return [], await _taken(event, state, values)
    if event.fingerprint == state.head.fingerprint:
        return _confirmed(event, state)
    if state.provisional and event.fingerprint == state.provisional.before.fingerprint:
        return _withdrawn(event, state, state.provisional)
    return await _compared(event, state, state.head, values, rewrites)


def _confirmed(event: VersionRecorded, state: DocumentState) -> tuple[list[Event], DocumentState]:
    if state.provisional is None:
        return [], state
    told = settled(state.provisional, event, "confirmed", "a second, independent read says the same")
    return [told], msgspec.structs.replace(state, provisional=None)


def _withdrawn(
    event: VersionRecorded, state: DocumentState, provisional: Provisional
) -> tuple[list[Event], DocumentState]:
    told = settled(provisional, event, "withdrawn", "the page went back to what it said before")
    back = advanced(state, provisional.before)
    return [told], msgspec.structs.replace(back, provisional=None)


async def _taken(event: VersionRecorded, state: DocumentState, values: Values) -> DocumentState:
    """Accept a version as the document's state without comparing: a first one, or a technical upgrade."""
    assert event.version is not None
    new = await values.get(event.version, Version)
    previous = await values.get(state.head.version, Version) if state.head else None
    return await _accepted(event, state, new, previous, values)


async def _accepted(
    event: VersionRecorded, state: DocumentState, new: Version, previous: Version | None, values: Values
) -> DocumentState:
    """Give the version's clauses their permanent ids and make it the document's state."""
    ledger = await values.get(state.ledger, Ledger) if state.ledger else Ledger(document_id=event.document.id)
    named, ledger = await asyncio.to_thread(identify, new, previous, ledger, seen_at=event.at)
    return advanced(state, head_of(event, await values.put(named)), ledger=await values.put(ledger))


async def _compared(
    event: VersionRecorded, state: DocumentState, head: Head, values: Values, rewrites: Rewrites | None
) -> tuple[list[Event], DocumentState]:
    assert event.version is not None
    new, old = await values.get(event.version, Version), await values.get(head.version, Version)
    history = [await values.get(earlier.version, Version) for earlier in state.recent[-COMPARED_STATES:]]
    accepted = await _accepted(event, state, new, old, values)
    assert accepted.head is not None
    named = await values.get(accepted.head.version, Version)
    comparison = await asyncio.to_thread(
        compare,
        old,
        named,
        history=history,
        service=event.document.service,
        document=event.document.name,
        seen_at=event.at,
    )
    if event.confirms:  # the reader of pages took it for the document, twice
        comparison = rewritten(
            comparison, old, named, service=event.document.service, name=event.document.name
        )
    if rewrites and event.origin is Origin.POLL:
        comparison = await reword(comparison, event, rewrites)
    change = await change_set(event, head, comparison, values)
    if comparison.verdict is Verdict.BROKEN:
        return [change], state
    if comparison.verdict is not Verdict.CHANGED:
        return [change], accepted
    provisional = None if change.confirmed else Provisional(change_id=change.id, before=head)
    return [change, *reminders(change)], msgspec.structs.replace(accepted, provisional=provisional)


async def change_set(
    event: VersionRecorded, head: Head, comparison: Comparison, values: Values
) -> ClausesChanged:
    """Return the event that carries a comparison; what does not fit in a record is referred to."""
    inline = fitting(comparison.changes, budget=INLINE_BYTES)
    whole = len(inline) == len(comparison.changes)
    return ClausesChanged(
        document=event.document,
        old_fingerprint=head.fingerprint,
        new_fingerprint=event.fingerprint,
        verdict=comparison.verdict,
        reason=comparison.reason,
        evidence=Evidence(new=event.page, old=head.page),
        changes=inline,
        counts=counts(comparison.changes),
        all_changes=None if whole else await values.put(comparison),
        effective_date=comparison.effective_date,
        headline=_headline(comparison, event.document),
        summary=comparison.summary,
        stacked=comparison.stacked,
        confirmed=event.origin is Origin.IMPORT or event.confirms,
        language=event.language,
        origin=event.origin,
    )


def _headline(comparison: Comparison, document: DocumentSpec) -> str:
    anew = anew_headline(comparison, service=document.service, name=document.name)
    return anew or headline(comparison, service=document.service, document=document.name)
