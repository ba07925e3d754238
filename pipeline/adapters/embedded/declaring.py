"""Declaring topics, as Faust asks both its consumer and its producer to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from mode.utils.times import want_seconds

from pipeline.adapters.embedded.journal import Journal


class DeclaresTopics:
    """What has a transport over the log, shared by the app's consumer and producer, and declares topics there."""

    transport: Any

    @property
    def journal(self) -> Journal:
        """The log, one for the app."""
        return cast(Journal, self.transport.journal)

    async def create_topic(
        self,
        topic: str,
        partitions: int,
        replication: int,
        *,
        config: Mapping[str, Any] | None = None,
        retention: Any = None,
        compacting: bool | None = None,
        deleting: bool | None = None,
        **_: Any,
    ) -> None:
        """Declare a topic; again is harmless, ConfigError when its partitions differ."""
        held = topic_config(config, retention=retention, compacting=compacting, deleting=deleting)
        await self.journal.create(topic, partitions, held)


def topic_config(
    config: Mapping[str, Any] | None, *, retention: Any, compacting: bool | None, deleting: bool | None
) -> dict[str, str]:
    """A topic's configuration under Kafka's names, from what Faust passes on declaring it."""
    flags = [name for name, wanted in (("compact", compacting), ("delete", deleting)) if wanted]
    held = {"cleanup.policy": ",".join(flags)} if flags else {}
    if retention:
        held["retention.ms"] = str(int(want_seconds(retention) * 1000))
    return {**held, **{key: str(value) for key, value in (config or {}).items()}}
