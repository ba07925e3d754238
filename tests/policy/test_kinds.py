"""Right about what changed, silent about what did not: one case per kind of difference."""

from __future__ import annotations

import pytest

from tests.bench.bench_scenarios import judged
from tests.policy.kinds import KINDS, Kind


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_kind_of_difference(kind: Kind) -> None:
    """The verdict, the types of change and the reason are what a reader would want."""
    right, told = judged(kind)
    assert right, told
