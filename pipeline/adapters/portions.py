"""The partitions of a replay as they fall to this process, on either broker."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, closing

from pipeline.adapters.embedded import Log, path_of
from pipeline.adapters.embedded.claims import claims
from pipeline.adapters.kafka.claims import member
from pipeline.adapters.kafka.connection import is_kafka
from pipeline.adapters.kafka.start import kafka_of
from pipeline.config import Settings
from pipeline.ports import Portion, Scope


@asynccontextmanager
async def portions(settings: Settings, scope: Scope) -> AsyncIterator[AsyncGenerator[Portion, None]]:
    """Join the processes that run a replay; inside, partitions come until all are done, whoever did them."""
    if is_kafka(settings.broker):
        async with member(kafka_of(settings), scope) as joined:
            yield joined.claims()
    else:
        with closing(Log(path_of(settings.broker), create=False)) as log:
            yield claims(log, scope)
