"""Permanent identities of clauses: through edits, moves, renumbering, splits, merges, disappearance and return.

An identity is opaque. It is made once, from the document and the version in which the wording was first seen,
and follows the clause by alignment from version to version; a wording that returns after having vanished gets
its old identity back from the ledger. The same history gives the same identities on any machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from pipeline.events import Clause, Value, Version, derived_id
from pipeline.policy.align import Alignment, align
from pipeline.policy.normalise import fingerprint, key, keys_of
from pipeline.policy.stack import stack


class Record(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of one clause: when it stood, how often it was reworded and moved, what it came from.

    `first` and `last` count versions from 1; `wording` is the digest of its last words; `lineage` holds
    "split-from ID", "merged-into ID" and "copy-of ID".
    """

    first: int
    last: int
    versions: int = 1
    changes: int = 0
    moves: int = 0
    returns: int = 0
    wording: str = ""
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    lineage: tuple[str, ...] = ()


class Ledger(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All clauses that a document ever had, by identity, and which identities had which wording."""

    document_id: str
    versions: int = 0
    clauses: dict[str, Record] = {}
    wordings: dict[str, tuple[str, ...]] = {}

    def months(self, clause_id: str) -> float:
        """Return for how many months (of 30.44 days) a clause has been watched, 0 where times are unknown."""
        record = self.clauses[clause_id]
        if record.first_seen is None or record.last_seen is None:
            return 0.0
        return (record.last_seen - record.first_seen).total_seconds() / (30.44 * 86_400)


def digest(text: str) -> str:
    """Return the short name of a wording in the ledger."""
    return derived_id("w", text)


def identify(
    new: Version, previous: Version | None, ledger: Ledger, *, seen_at: datetime | None = None
) -> tuple[Version, Ledger]:
    """Give every clause of a version its identity, and return the version with the ledger that remembers it.

    `previous` is the version before it, with its identities; without one only the ledger's memory is used.
    """
    naming = _Naming(new, previous, ledger)
    ids = naming.ids()
    clauses = tuple(
        msgspec.structs.replace(clause, id=name) for clause, name in zip(new.clauses, ids, strict=True)
    )
    named = msgspec.structs.replace(new, clauses=clauses)
    return named, _remembered(ledger, naming, ids, seen_at)


class _Naming:
    """Finds the identities of one version's clauses."""

    def __init__(self, new: Version, previous: Version | None, ledger: Ledger) -> None:
        self.new, self.ledger = new, ledger
        self.keys = keys_of(new.clauses)
        self.wordings = [digest(text) for text in self.keys]
        self.links: dict[int, Clause] = {}
        self.moved: set[int] = set()
        self.origin: dict[int, str] = {}
        self.absorbed: dict[str, int] = {}
        self.told: Sequence[int] = range(len(new.clauses))
        if previous is not None:
            self._follow(previous)

    def _follow(self, previous: Version) -> None:
        """Read the links from the version before; of stacked pages, between the coming parts."""
        before = stack(previous)
        old = before.coming if before else previous.clauses
        old_keys = keys_of(old)
        in_force = keys_of(before.current) if before else old_keys
        after = stack(self.new, in_force, keys=self.keys)
        places = after.places if after else range(len(self.new.clauses))
        part, part_keys = [self.new.clauses[at] for at in places], [self.keys[at] for at in places]
        self.told = places
        self._read(align(old, part, old_keys=old_keys, new_keys=part_keys), old, places)

    def _read(self, found: Alignment, old: Sequence[Clause], places: Sequence[int]) -> None:
        self.links = {places[j]: old[i] for i, j in found.pairs.items()}
        self.moved = {places[j] for j in found.moved}
        self.origin = {places[j]: old[i].id for j, i in found.split.items()}
        self.absorbed = {old[i].id: places[j] for i, j in found.merged.items()}

    def ids(self) -> list[str]:
        """Return one identity per clause, none twice: by equal link, by memory, by link, else a new one."""
        ids = [""] * len(self.keys)
        taken: set[str] = set()
        aside = [at for at in range(len(ids)) if at not in set(self.told)]  # a stacked page's text in force
        for step, places in (
            (self._equal, self.told),
            (self._remembered, self.told),
            (self._linked, self.told),
            (self._remembered, aside),
        ):
            for at in places:
                name = "" if ids[at] else step(at, taken)
                if name and name not in taken:
                    ids[at] = name
                    taken.add(name)
        return self._minted(ids)

    def _equal(self, at: int, taken: set[str]) -> str:
        link = self.links.get(at)
        return link.id if link is not None and key(link) == self.keys[at] else ""

    def _remembered(self, at: int, taken: set[str]) -> str:
        known = self.ledger.wordings.get(self.wordings[at], ())
        free = [name for name in known if name not in taken]
        return max(free, key=lambda name: self.ledger.clauses[name].last, default="")

    def _linked(self, at: int, taken: set[str]) -> str:
        link = self.links.get(at)
        return link.id if link is not None else ""

    def _minted(self, ids: list[str]) -> list[str]:
        mark = fingerprint(self.new)
        seen: Counter[str] = Counter()
        for at, text in enumerate(self.keys):
            seen[text] += 1
            ids[at] = ids[at] or derived_id("c", self.ledger.document_id, mark, text, seen[text])
        return ids


def _remembered(ledger: Ledger, naming: _Naming, ids: Sequence[str], seen_at: datetime | None) -> Ledger:
    """Return the ledger after one more version."""
    number = ledger.versions + 1
    clauses, wordings = dict(ledger.clauses), dict(ledger.wordings)
    for at, name in enumerate(ids):
        clauses[name] = _record(clauses.get(name), naming, at, number, seen_at)
        wording = naming.wordings[at]
        if name not in wordings.get(wording, ()):
            wordings[wording] = (*wordings.get(wording, ()), name)
    for name, at in naming.absorbed.items():
        if name in clauses and name not in ids:
            clauses[name] = _with_lineage(clauses[name], f"merged-into {ids[at]}")
    return Ledger(document_id=ledger.document_id, versions=number, clauses=clauses, wordings=wordings)


def _record(known: Record | None, naming: _Naming, at: int, number: int, seen_at: datetime | None) -> Record:
    wording = naming.wordings[at]
    if known is None:
        lineage = (f"split-from {naming.origin[at]}",) if at in naming.origin else ()
        return Record(
            first=number, last=number, wording=wording, first_seen=seen_at, last_seen=seen_at, lineage=lineage
        )
    return msgspec.structs.replace(
        known,
        last=number,
        versions=known.versions + 1,
        changes=known.changes + (wording != known.wording),
        moves=known.moves + (at in naming.moved),
        returns=known.returns + (known.last < number - 1),
        wording=wording,
        last_seen=seen_at or known.last_seen,
    )


def _with_lineage(record: Record, line: str) -> Record:
    if line in record.lineage:
        return record
    return msgspec.structs.replace(record, lineage=(*record.lineage, line))
