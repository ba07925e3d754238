"""Faust's aiokafka driver with what keeps our promises: contiguous commits, ordered lasting sends, prompt hand-over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, cast

import aiokafka
import structlog
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, AppT, Message
from mode.threads import WorkerThread
from yarl import URL

from pipeline.adapters.embedded.acks import OrderlyAcks
from pipeline.adapters.kafka.connection import Connection
from pipeline.adapters.kafka.lease import Lease
from pipeline.adapters.kafka.recovery import SteadyTables, answered

HEARTBEATS_PER_SESSION = 4
IDLE_S = 0.1
FETCH_WAIT_MS = 100  # a fetch holds up the partitions that it does not ask for
MAX_POLL_S = 600.0
REQUEST_S = 40.0
REBALANCE_S = 30.0
LEAVE_S = 2.0
PRODUCE_S = 1200.0  # how long a send outlives a broker's absence

logger = structlog.get_logger(__name__)


class Daemon(WorkerThread):
    """A thread that does not hold up the end of its process."""

    def __init__(self, service: Any, **kwargs: Any) -> None:
        super().__init__(service, **kwargs)
        self.daemon = True


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread that talks to the brokers."""

    Worker = Daemon

    async def on_start(self) -> None:
        """Connect, have the lease follow the heartbeats, and leave without waiting for a broker that is gone."""
        await super().on_start()
        coordinator = self._ensure_consumer()._coordinator
        cast(Transport, self.transport).lease.follow(coordinator)
        leave = coordinator._maybe_leave_group

        async def leaving() -> None:
            with suppress(TimeoutError):
                await asyncio.wait_for(leave(), LEAVE_S)

        coordinator._maybe_leave_group = leaving

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        conf = self.app.conf
        self._assignor = self.app.assignor
        return aiokafka.AIOKafkaConsumer(
            client_id=conf.broker_client_id,
            group_id=conf.id,
            partition_assignment_strategy=[self._assignor],
            enable_auto_commit=False,
            auto_offset_reset=conf.consumer_auto_offset_reset,
            max_poll_records=conf.broker_max_poll_records,
            max_poll_interval_ms=int(MAX_POLL_S * 1000),
            max_partition_fetch_bytes=conf.consumer_max_fetch_size,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            request_timeout_ms=int(REQUEST_S * 1000),
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(REBALANCE_S * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            metadata_max_age_ms=30_000,
            **transport.connection.options(),
        )

    async def _fetch_records(
        self,
        consumer: aiokafka.AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,
        max_records: int | None = None,
    ) -> Any:
        """Fetch from these partitions; what a seek or a rebalance overtook in the meantime is put back.

        Faust 0.15.3 hands over the set that it goes on changing: emptied by a pause, it lets every partition through,
        and what then comes from a paused one is dropped with its position moved on: a gap in a recovered table.
        """
        wanted, turn = frozenset(active_partitions), cast(Consumer, self.consumer).turn
        if not wanted:
            await asyncio.sleep(IDLE_S)
            return {}
        records = await super()._fetch_records(consumer, cast(Any, wanted), timeout, max_records)
        if turn == cast(Consumer, self.consumer).turn:
            return records
        for tp, batch in records.items():
            _put_back(consumer, tp, batch)
        return {}

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit; False when the group has moved on or the brokers are away, and it is to be tried again."""
        held = {tp: offset for tp, offset in offsets.items() if tp in self.assignment()}
        wanted = {driver.ensure_aiokafka_TP(tp): OffsetAndMetadata(offset, "") for tp, offset in held.items()}
        try:
            if wanted:
                await self._ensure_consumer().commit(wanted)
        except (CommitFailedError, IllegalStateError) as error:
            logger.info("kafka.not-committed", reason=str(error).strip()[:200])
            return False
        except KafkaError as error:
            logger.warning("kafka.not-committed", reason=repr(error))
            return False
        return True


def _put_back(consumer: aiokafka.AIOKafkaConsumer, tp: Any, batch: list[Any]) -> None:
    """Have a batch fetched again, unless its partition is gone or was turned elsewhere since."""
    assignment = consumer._subscription.subscription and consumer._subscription.subscription.assignment
    state = assignment.state_value(tp) if assignment and batch else None
    if state is not None and state.has_valid_position and state.position == batch[-1].offset + 1:
        consumer.seek(tp, batch[0].offset)


class Consumer(OrderlyAcks, driver.Consumer):
    """Commits no further than what was done, and lets what is at work end before its partitions go.

    `turn` counts what makes a fetch under way stale: pauses, seeks, stops of the flow.
    """

    turn = 0

    def __post_init__(self) -> None:
        self._behind: dict[TP, int] = {}

    def stop_flow(self) -> None:
        """Deliver nothing more."""
        self.turn += 1
        super().stop_flow()

    def pause_partitions(self, tps: Iterable[TP]) -> None:
        """Fetch nothing more from these."""
        self.turn += 1
        super().pause_partitions(tps)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Go to what the group committed."""
        self.turn += 1
        return cast(Mapping[TP, int], await answered(super().seek_to_committed))

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Go to the offsets given."""
        self.turn += 1
        await super().seek_wait(partitions)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:
        turn = self.turn
        records = await super()._getmany(active_partitions, timeout)
        return records if turn == self.turn else {}

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def ack(self, message: Message) -> bool:
        """Count a message as done, unless its partition has been handed out anew since it came."""
        if message.generation_id != self.app.consumer_generation_id:
            return False
        return bool(super().ack(message))

    async def wait_empty(self) -> None:
        """Let what is at work end, within bounds, then commit it."""
        await cast(Transport, self.transport).let_go()
        await self.commit_and_end_transactions()

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        self._behind = {**self._behind, **offsets}
        done = bool(await super()._commit(self._behind))
        if done:
            self._behind = {}
        return done

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Take partitions: the session begins with them."""
        cast(Transport, self.transport).lease.renew()
        await super().on_partitions_assigned(assigned, generation_id)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Hand partitions back; what could not be committed by now is the next owner's."""
        await super().on_partitions_revoked(revoked)
        self._behind = {}

    async def create_topic(self, *_: Any, **__: Any) -> None:
        """Nothing: topics were made and checked before the start."""


class Producer(driver.Producer):
    """Sends in order, each record once per send, acknowledged by all replicas in sync."""

    def _settings_auth(self) -> Mapping[str, Any]:
        return cast(Transport, self.transport).connection.options()

    def _settings_extra(self) -> Mapping[str, Any]:
        return {
            "acks": "all",
            "enable_idempotence": True,
            "request_timeout_ms": int(PRODUCE_S * 1000),
            "metadata_max_age_ms": 30_000,
        }

    async def create_topic(self, *_: Any, **__: Any) -> None:
        """Nothing: topics were made and checked before the start."""


class Transport(driver.Transport):
    """The driver on one connection. `let_go` is called when partitions are about to be taken away.

    `lease` holds for as long as the group counts on this process.
    """

    Consumer = Consumer
    Producer = Producer

    def __init__(
        self, app: AppT, connection: Connection, let_go: Callable[[], Awaitable[None]], lease: Lease
    ) -> None:
        super().__init__([URL(f"kafka://{server}") for server in connection.servers], app)
        self.connection = connection
        self.let_go = let_go
        self.lease = lease


def attach(app: Any, connection: Connection, let_go: Callable[[], Awaitable[None]], lease: Lease) -> None:
    """Have a Faust app use a connection, for its consumer and its producer."""
    app.transport = app.producer_transport = Transport(app, connection, let_go, lease)


def driver_settings(session_timeout_s: float) -> dict[str, Any]:
    """Return keyword arguments for `faust.App` that fit this driver."""
    return {
        "broker_session_timeout": session_timeout_s,
        "broker_heartbeat_interval": session_timeout_s / HEARTBEATS_PER_SESSION,
        "broker_rebalance_timeout": REBALANCE_S,
        "broker_request_timeout": REQUEST_S,
        "broker_max_poll_interval": MAX_POLL_S,
        "broker_max_poll_records": 500,
        "producer_request_timeout": PRODUCE_S,
        "stream_wait_empty": True,  # that is: call wait_empty before partitions go
        "table_standby_replicas": 0,
        "TableManager": SteadyTables,
    }


__all__ = ["Consumer", "Producer", "Transport", "attach", "driver_settings"]
