"""All that is known of an alert, gathered for whoever wants to see it proved: every change, its state, both pages."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from agents.proof import Proof, Served, proofs
from pipeline.errors import RejectError
from pipeline.events import (
    AlertAcknowledged,
    AlertRaised,
    AlertUpdated,
    AlertWithdrawn,
    BodyRef,
    Change,
    ClausesChanged,
    Comparison,
    Event,
    PageRef,
    Version,
)
from pipeline.ports import Blobs, Values

OLD, NEW = "old", "new"


class Finds(Protocol):
    """Finds the events behind an alert by their ids."""

    async def alert(self, alert_id: str) -> AlertRaised | None: ...

    async def sequels(self, alert_id: str) -> Sequence[Event]: ...

    async def change_set(self, change_id: str) -> ClausesChanged | None: ...

    async def version(self, document_id: str, fingerprint: str, page_id: str) -> BodyRef | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two pages: what was served, and the version that was extracted from it. `fault` says what is gone."""

    name: str
    page: PageRef
    fingerprint: str = ""
    text: BodyRef | None = None
    version: Version | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """An alert with every change, what became known of it, and its pages. `missing` counts changes that are gone."""

    alert: AlertRaised
    changes: tuple[Change, ...]
    updates: tuple[AlertUpdated, ...] = ()
    withdrawal: AlertWithdrawn | None = None
    acknowledgements: tuple[AlertAcknowledged, ...] = ()
    change_set: ClausesChanged | None = None
    sides: tuple[Side, ...] = ()
    missing: int = 0

    def side(self, name: str) -> Side | None:
        """Return the old or the new page, None where there is none."""
        return next((side for side in self.sides if side.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """One page looked at again: its bytes as they lie in the store now, and what came of looking up each quote.

    `proofs` has a place for every change of the dossier, None where the change quotes nothing of this page.
    """

    side: Side
    body: bytes | None
    proofs: tuple[Proof | None, ...]
    fault: str = ""

    @property
    def quoted(self) -> list[Proof]:
        """The quotes of this page."""
        return [proof for proof in self.proofs if proof]

    @property
    def stand(self) -> int:
        """How many of its quotes stand at their offsets."""
        return sum(proof.stands for proof in self.quoted)

    @property
    def served(self) -> int:
        """How many of its quotes the page's bytes hold."""
        return sum(proof.served is True for proof in self.quoted)


async def dossier(finds: Finds, values: Values, alert_id: str) -> Dossier | None:
    """Return all that is known of an alert, None where there is none."""
    alert = await finds.alert(alert_id)
    if alert is None:
        return None
    sequels = await finds.sequels(alert_id)
    found = await finds.change_set(alert.cause_id) if alert.cause_id else None
    changes = await _changes(alert, found, values)
    return Dossier(
        alert=alert,
        changes=changes,
        updates=tuple(event for event in sequels if isinstance(event, AlertUpdated)),
        withdrawal=next((event for event in sequels if isinstance(event, AlertWithdrawn)), None),
        acknowledgements=tuple(event for event in sequels if isinstance(event, AlertAcknowledged)),
        change_set=found,
        sides=await _sides(alert, found, finds, values),
        missing=max(sum((found or alert).counts.values()) - len(changes), 0),
    )


async def _changes(alert: AlertRaised, found: ClausesChanged | None, values: Values) -> tuple[Change, ...]:
    """Return every change there is: the whole list, else the most that an event carries."""
    ref = found.all_changes if found else alert.all_changes
    if ref is not None:
        try:
            return (await values.get(ref, Comparison)).changes
        except RejectError:
            pass  # the list is gone; what the events carry is told, and how many are missing
    return max(alert.changes, found.changes if found else (), key=len)


async def _sides(
    alert: AlertRaised, found: ClausesChanged | None, finds: Finds, values: Values
) -> tuple[Side, ...]:
    if alert.evidence is None or alert.document is None:
        return ()
    pages = ((OLD, alert.evidence.old), (NEW, alert.evidence.new))
    marks = {OLD: found.old_fingerprint, NEW: found.new_fingerprint} if found else {}
    return tuple(
        [
            await _side(name, page, marks.get(name, ""), alert.document.id, finds, values)
            for name, page in pages
            if page
        ]
    )


async def _side(name: str, page: PageRef, mark: str, document_id: str, finds: Finds, values: Values) -> Side:
    ref = await finds.version(document_id, mark, page.page_id) if mark else None
    if ref is None:
        return Side(
            name=name, page=page, fingerprint=mark, fault="the text of this version is not in history"
        )
    try:
        version = await values.get(ref, Version)
    except RejectError as error:
        return Side(name=name, page=page, fingerprint=mark, text=ref, fault=str(error))
    return Side(name=name, page=page, fingerprint=mark, text=ref, version=version)


async def exhibits(found: Dossier, blobs: Blobs) -> tuple[Exhibit, ...]:
    """Return the pages of a dossier, each read from the store and looked at again now."""
    return tuple([await _exhibit(side, found.changes, blobs) for side in found.sides])


async def _exhibit(side: Side, changes: Sequence[Change], blobs: Blobs) -> Exhibit:
    body, fault = None, ""
    try:
        body = await blobs.get(side.page.body)  # checked against its SHA-256 by the store
    except RejectError as error:
        fault = str(error)
    looked = await asyncio.to_thread(_looked, side, changes, body)
    return Exhibit(side=side, body=body, proofs=looked, fault=fault)


def _looked(side: Side, changes: Sequence[Change], body: bytes | None) -> tuple[Proof | None, ...]:
    spans = [change.old if side.name == OLD else change.new for change in changes]
    served = Served(body, side.page) if body is not None else None
    found = proofs([span for span in spans if span], side.version, served)
    return tuple([next(found) if span else None for span in spans])
