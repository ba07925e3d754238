"""Faust's recovery of tables, mended where records could be lost between its end and the streams' new start.

Faust 0.15.3 resumes the streams' partitions while the flow is still open from reading changelogs, seeks them to their
committed offsets, and then clears every queue: what came in between is delivered and never handled. Here the flow is
shut first (faust-streaming issues 21, 74 and 216 tell of hangs and gaps after rebalances).
"""

from __future__ import annotations

from typing import Any, cast

from faust.tables.recovery import Recovery

from pipeline.adapters.embedded.settings import PromptTables


class SteadyRecovery(Recovery):
    """Ends with the flow shut, so that streams start from their committed offsets with empty queues."""

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        """Shut the flow, then let the streams start."""
        self.app.consumer.stop_flow()
        self.app.flow_control.suspend()
        await super().on_recovery_completed(generation_id)


class SteadyTables(PromptTables):
    """A table manager with that recovery."""

    @property
    def recovery(self) -> Recovery:
        """Return the service that recovers the tables."""
        if self._recovery is None:
            self._recovery = SteadyRecovery(
                cast(Any, self.app), cast(Any, self), beacon=self.beacon, loop=self.loop
            )
        return self._recovery
