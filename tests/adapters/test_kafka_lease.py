"""Whether the group still counts on a process, by its own clock."""

from __future__ import annotations

import time

import pytest

from pipeline.adapters.kafka.lease import Lease, since_boot


class Coordinator:
    """Answers heartbeats or not, each after so many seconds of the test's clock."""

    def __init__(self, clock: Clock, answers: bool, takes_s: float) -> None:
        self._clock, self._answers, self._takes_s = clock, answers, takes_s

    async def _do_heartbeat(self) -> bool:
        self._clock.moment += self._takes_s
        return self._answers


class Clock:
    """A monotonic clock that is set by hand."""

    moment = 100.0

    def __call__(self) -> float:
        return self.moment


@pytest.mark.parametrize(("later_s", "holds"), [(0.0, True), (5.9, True), (6.0, False), (600.0, False)])
def test_lease_runs_out(later_s: float, holds: bool) -> None:
    """A process that was paused for a session is no longer counted on."""
    clock = Clock()
    lease = Lease(6.0, clock)
    lease.renew()
    clock.moment += later_s
    assert lease.holds is holds


def test_lease_begins_with_partitions() -> None:
    """Before anything was handed out there is nothing to hold."""
    assert not Lease(6.0, Clock()).holds


@pytest.mark.parametrize(
    ("answers", "takes_s", "holds"),
    [(True, 1.0, True), (False, 1.0, False), (True, 7.0, False)],
    ids=["answered", "unanswered", "answered-too-late"],
)
async def test_heartbeat_renews(answers: bool, takes_s: float, holds: bool) -> None:
    """A heartbeat that is answered renews the lease from when it was sent: a pause in between counts."""
    clock = Clock()
    lease, coordinator = Lease(6.0, clock), Coordinator(clock, answers, takes_s)
    lease.follow(coordinator)
    await coordinator._do_heartbeat()
    assert lease.holds is holds


def test_sleep_of_the_machine_counts() -> None:
    """The lease is timed by a clock that goes on while the machine sleeps, which a monotonic one does not on Linux."""
    lease = Lease(6.0)
    lease.renew(since_boot() - 6.0)
    assert (lease.holds, since_boot() >= time.monotonic() - 1.0) == (False, True)
