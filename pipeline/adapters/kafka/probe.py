"""How far a broker's clock is ahead of ours: by the time that it stamps on a record of no meaning."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from pipeline.adapters.kafka.admin import Admin, Wanted
from pipeline.adapters.kafka.connection import Connection
from pipeline.errors import StoreError
from pipeline.ports import Clock

BEGINNING = "clausewire-doctor-"
CONFIG = {"message.timestamp.type": "LogAppendTime", "retention.ms": "60000"}
TRIES = 3


async def ahead(admin: Admin, connection: Connection, *, clock: Clock, prefix: str = "") -> timedelta:
    """Return what a broker's clock is ahead of ours, from the quickest of a few exchanges.

    A topic is made for it and deleted again. StoreError or ConfigError when the cluster does not let us.
    """
    name = f"{prefix}{BEGINNING}{uuid4().hex[:8]}"
    try:
        await admin.create([Wanted(name=name, partitions=1, config=CONFIG)], replication=1)
        return await _compared(connection, name, clock)
    except KafkaError as error:
        raise StoreError(f"no record could be put ({type(error).__name__})") from None
    finally:
        with suppress(KafkaError, StoreError):
            await admin.delete([name])


async def _compared(connection: Connection, topic: str, clock: Clock) -> timedelta:
    producer = AIOKafkaProducer(acks="all", request_timeout_ms=10_000, **connection.options())
    await producer.start()
    try:
        exchanges = [await _exchange(producer, topic, clock) for _ in range(TRIES)]
    finally:
        await producer.stop()
    return min(exchanges)[1]


async def _exchange(producer: AIOKafkaProducer, topic: str, clock: Clock) -> tuple[timedelta, timedelta]:
    """Return how long an exchange took, and how far the broker was ahead of our clock in the middle of it."""
    asked = clock.now()
    kept = await producer.send_and_wait(topic, b"")
    answered = clock.now()
    stamped = datetime.fromtimestamp(kept.timestamp / 1000, UTC)
    return answered - asked, stamped - (asked + (answered - asked) / 2)
