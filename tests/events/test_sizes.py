"""How much fits into a record."""

from __future__ import annotations

from pipeline.events import Change, ChangeType
from pipeline.sizes import fitting

CHANGES = tuple(Change(type=ChangeType.ADDED, clause_id=f"c-{number}") for number in range(10))


def test_changes_fit_until_the_budget_ends() -> None:
    """Whole changes are kept, in order, while their JSON fits."""
    kept = fitting(CHANGES, budget=1000)
    assert 0 < len(kept) < 10
    assert kept == CHANGES[: len(kept)]


def test_gravest_change_is_never_left_out() -> None:
    """However small the budget, as many as asked for are kept."""
    assert fitting(CHANGES, budget=1, least=1) == CHANGES[:1]
