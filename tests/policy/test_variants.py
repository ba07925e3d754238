"""States that return."""

from __future__ import annotations

import pytest

from pipeline.policy.variants import Return, returned, wording

A = wording(["we keep data for thirty days", "we never sell it", "courts decide", "fees are due monthly"])
B = wording(["on conserve les données trente jours", "jamais vendues", "les tribunaux", "les frais"])
EDITED = wording(
    ["we keep data for ninety days", "we never sell it", "courts decide", "fees are due monthly"]
)

CASES = [
    ("the state of before comes back", A, B, [A, B], Return(ago=1, exact=True)),
    ("of two equal states the later counts", A, B, [A, B, A, B], Return(ago=1, exact=True)),
    ("a new state", wording(["something new"]), B, [A, B], None),
    ("no history", A, B, [], None),
    ("nothing changed", A, A, [B, A], None),
    ("the last state does not count", A, B, [B], None),
]


@pytest.mark.parametrize(
    ("new", "old", "past", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_return(new: object, old: object, past: list[object], expected: Return | None) -> None:
    """A version that is worded like an earlier state, not like the last one, goes back to it."""
    assert returned(new, old, past) == expected  # type: ignore[arg-type]


def test_near_return() -> None:
    """A variant that comes back with a small edit is compared with its own last state."""
    long = A + wording([f"clause {number} of the same long terms" for number in range(20)])
    other = B + wording([f"article {number} des mêmes conditions" for number in range(20)])
    near = EDITED + wording([f"clause {number} of the same long terms" for number in range(20)])
    assert returned(near, other, [long, other]) == Return(ago=1, exact=False)
