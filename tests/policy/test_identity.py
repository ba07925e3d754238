"""Permanent identities: through edits, moves, splits, merges, disappearance and return."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.events import Version
from pipeline.policy.identity import Ledger, identify
from tests.policy.versions import POLICY, edited, moved, stacked, version, without

EMPTY = Ledger(document_id="example/terms")


CUT = edited((" We will tell you why", "\n\nWe will tell you why"))


def history(*versions: Version) -> tuple[list[Version], Ledger]:
    """Return the versions with their identities, and the ledger after the last."""
    named: list[Version] = []
    ledger = EMPTY
    for one in versions:
        found, ledger = identify(one, named[-1] if named else None, ledger)
        named.append(found)
    return named, ledger


def id_of(start: str, where: Version) -> str:
    return next(clause.id for clause in where.clauses if clause.text.startswith(start))


KEPT = {
    "an edit": edited(("12 dollars", "15 dollars")),
    "a move": version(moved("Fees are", "We may suspend")),
    "a move with an edit": edited(("12 dollars", "15 dollars"), text=moved("Fees are", "We may suspend")),
    "renumbering": edited(("3. Fees", "4. Fees")),
    "a neighbour's removal": version(without("If a payment")),
    "a stacked page": version(stacked(edited(("12 dollars", "15 dollars")).text)),
}


@pytest.mark.parametrize("new", KEPT.values(), ids=KEPT.keys())
def test_identity_survives(new: Version) -> None:
    """A clause keeps its identity through whatever happens to it or around it."""
    (first, second), _ = history(version(), new)
    assert id_of("Fees are", second) == id_of("Fees are", first)


def test_identity_survives_absence() -> None:
    """A clause that vanishes and returns is the same clause, and its return is counted."""
    (first, _, third), ledger = history(version(), version(without("Our liability")), version())
    name = id_of("Our liability", first)
    assert id_of("Our liability", third) == name
    assert (ledger.clauses[name].returns, ledger.clauses[name].versions) == (1, 2)


def test_edits_and_moves_are_counted() -> None:
    """The ledger knows how often a clause was reworded and moved."""
    new = edited(("12 dollars", "15 dollars"), text=moved("Fees are", "We may suspend"))
    (first, _), ledger = history(version(), new)
    record = ledger.clauses[id_of("Fees are", first)]
    assert (record.changes, record.moves, record.versions) == (1, 1, 2)


def test_split_keeps_lineage() -> None:
    """Of a split clause one piece keeps the identity, the other remembers where it came from."""
    (first, second), ledger = history(version(), CUT)
    name = id_of("We may suspend", first)
    other = ({id_of("We may suspend", second), id_of("We will tell", second)} - {name}).pop()
    assert ledger.clauses[other].lineage == (f"split-from {name}",)


def test_merge_keeps_lineage() -> None:
    """Of two merged clauses the one that vanished remembers where it went."""
    (first, second), ledger = history(CUT, version())
    kept = id_of("We may suspend", second)
    gone = ({id_of("We may suspend", first), id_of("We will tell", first)} - {kept}).pop()
    assert ledger.clauses[gone].lineage == (f"merged-into {kept}",)


def test_identical_clauses_differ() -> None:
    """Two clauses of one wording have two identities."""
    (found,), _ = history(version("Learn more.\n\nLearn more.\n\nLearn more."))
    assert len({clause.id for clause in found.clauses}) == 3


def test_times_are_kept() -> None:
    """First and last seen are the times that were given, and the months between them can be told."""
    first, ledger = identify(version(), None, EMPTY, seen_at=datetime(2024, 1, 1, tzinfo=UTC))
    _, ledger = identify(version(), first, ledger, seen_at=datetime(2025, 1, 1, tzinfo=UTC))
    assert round(ledger.months(id_of("Fees are", first))) == 12


PARAGRAPHS = POLICY.split("\n\n")
ORDER = st.lists(st.sampled_from(range(len(PARAGRAPHS))), unique=True, min_size=1)


@given(one=ORDER, two=ORDER)
def test_return_restores_identities(one: list[int], two: list[int]) -> None:
    """Whatever comes between, a state that returns has its identities back, and none stands twice."""
    first, second = (version("\n\n".join(PARAGRAPHS[at] for at in order)) for order in (one, two))
    named, _ = history(first, second, first)
    ids = [[clause.id for clause in each.clauses] for each in named]
    assert ids[2] == ids[0]
    assert all(len(set(each)) == len(each) for each in ids)


def test_same_history_same_identities() -> None:
    """The same versions give the same identities and the same ledger, anywhere."""
    versions = (version(), edited(("12 dollars", "15 dollars")), version(without("Our liability")))
    assert history(*versions) == history(*versions)
