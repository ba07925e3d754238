"""What steps remember: typed values in Faust tables, made lasting only once the stage says so.

A step's `keep` is held back in the context of the event at hand; `Staged.settle` writes it to the table, and
thereby to the changelog, after everything that the step yielded was acknowledged: publish, then remember.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar
from typing import Any, Generic, TypeVar, cast

import zstandard
from faust.tables.table import Table

from pipeline.adapters.embedded.partitioner import new_partitioner
from pipeline.adapters.parts import Change, Mark, MemoryShelves, PartedStore, Shelves
from pipeline.adapters.wire import pack, unpack
from pipeline.errors import RejectError

V = TypeVar("V")

LOG_APPEND_TIME = 1
LARGE = 8 * 1024  # bytes from which a value is kept compressed: a changelog record has a limit
MOST = 1_000_000  # bytes of a value as it is kept; with its key and headers it stays under a mebibyte
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"  # RFC 8878, section 3.1.1; no JSON begins so

_sent: ContextVar[list[Any] | None] = ContextVar("changelog_sends", default=None)
_staged: ContextVar[Staged | None] = ContextVar("staged", default=None)


class LastingTable(Table[bytes, bytes]):
    """A Faust table whose changelog sends can be waited for, and that holds what its partitions hold and no more.

    Faust's own stores keep what was written on partitions that have gone to another process since, and take a value
    before the changelog has it: recovery would build on both. The option `shelves` says where the entries are.
    """

    def _new_store(self) -> PartedStore:
        shelves: Shelves = (self.options or {}).get("shelves") or MemoryShelves()
        url = self._store or self.app.conf.store
        return PartedStore(url, self.app, self, parts=shelves.parts(self.name), loop=self.loop)

    @property
    def entries(self) -> PartedStore:
        """The entries, by partition."""
        return cast(PartedStore, self.data)

    def get(self, key: bytes, default: Any = None) -> Any:
        """Return what is held under a key."""
        found = self.entries.find(key)
        return default if found is None else found

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self.remember(cast(int, self.partition_for_key(key)), key, value)

    def __delitem__(self, key: bytes) -> None:
        self.remember(cast(int, self.partition_for_key(key)), key, None)

    def remember(self, partition: int, key: bytes, value: bytes | None) -> Awaitable[Any]:
        """Send an entry, or that it is gone, to the changelog; it is held once that has it."""
        sent = self.changelog_topic.send_soon(
            key=key,
            value=value,
            partition=partition,
            timestamp=time.time(),
            key_serializer="raw",
            value_serializer="raw",
            callback=self._on_changelog_sent,
            eager_partitioning=True,
        )
        self.entries.put(partition, key, value)
        waiting = _sent.get()
        if waiting is not None:
            waiting.append(sent)
        return sent

    def _on_changelog_sent(self, fut: Any) -> None:
        told, message = fut.result(), fut.message
        # aiokafka tells each record of a batch the time of the first, unless the broker gave the times
        stamp_ms = (
            told.timestamp if told.timestamp_type == LOG_APPEND_TIME else int(message.timestamp * 1000.0)
        )
        self.entries.confirm(told.partition, Change(message.key, message.value), Mark(told.offset, stamp_ms))

    async def on_rebalance(
        self, assigned: Any, revoked: Any, newly_assigned: Any, generation_id: int = 0
    ) -> None:
        """Let go of what lies on partitions that are another's now, and forget that it was ever read."""
        await super().on_rebalance(assigned, revoked, newly_assigned, generation_id)
        topic = self.changelog_topic_name
        self.entries.hold({tp.partition for tp in assigned if tp.topic == topic})
        for tp in [tp for tp in revoked if tp.topic == topic]:
            self._recovery.revoke(tp)

    async def on_recovery_completed(self, active_tps: Any, standby_tps: Any) -> None:
        """Know up to where the changelog was read."""
        for tp in active_tps:
            read = self._recovery.active_offsets.get(tp)
            self.entries.reached(tp.partition, -1 if read is None else read)
        await super().on_recovery_completed(active_tps, standby_tps)

    @property
    def held(self) -> set[int]:
        """The partitions that this process writes; none while they are being handed out or recovered."""
        if not self.is_settled:
            return set()
        actives = self.app.assignor.assigned_actives()
        return {tp.partition for tp in actives if tp.topic == self.changelog_topic_name}

    def held_items(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield what lies on the partitions that this process writes."""
        return self.entries.entries(self.held)

    @property
    def is_settled(self) -> bool:
        """Whether partitions are handed out and recovered."""
        return not self.app.rebalancing and bool(self._recovery.completed.is_set())

    @property
    def _recovery(self) -> Any:
        return cast(Any, self.app.tables).recovery


class Staged:
    """What one event's step kept so far, not yet in any table."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, bytes], tuple[Any, bytes | None]] = {}
        self._after: list[Callable[[], None]] = []

    def __enter__(self) -> Staged:
        self._token = _staged.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        _staged.reset(self._token)

    def clear(self) -> None:
        """Forget what was kept, so that the step can be tried again from the start."""
        self._kept.clear()
        self._after.clear()

    def after(self, act: Callable[[], None]) -> None:
        """Do something once the tables hold what was kept."""
        self._after.append(act)

    def put(self, table: Any, key: bytes, value: bytes | None) -> None:
        self._kept[id(table), key] = (table, value)

    def find(self, table: Any, key: bytes) -> tuple[bool, bytes | None]:
        kept = self._kept.get((id(table), key))
        return (True, kept[1]) if kept else (False, None)

    async def settle(self) -> None:
        """Write what was kept to the tables and wait until their changelogs have it."""
        if not self._kept:
            return
        sent: list[Any] = []
        token = _sent.set(sent)
        try:
            for (_, key), (table, value) in self._kept.items():
                _write(table, key, value)
        finally:
            _sent.reset(token)
        acts = list(self._after)
        self.clear()
        for act in acts:
            act()
        await asyncio.gather(*sent)


def _write(table: Any, key: bytes, value: bytes | None) -> None:
    if value is not None:
        table[key] = value
    elif key in table:
        del table[key]


def frozen(value: object) -> bytes:
    """Return a value as it is kept: JSON, compressed where it is large."""
    data = pack(value)
    return data if len(data) < LARGE else zstandard.compress(data)


def thawed(data: bytes, kind: type[V]) -> V:
    """Return the value that kept bytes stand for."""
    return unpack(zstandard.decompress(data) if data.startswith(ZSTD_MAGIC) else data, kind)


class TableMemory(Generic[V]):
    """A typed view of a table of bytes: JSON values under the key of the event at hand."""

    def __init__(self, table: Any, kind: type[V]) -> None:
        self.table = table
        self.kind = kind
        self._place = new_partitioner()

    def recall(self, key: str) -> V | None:
        """Return what is remembered under the key, what this event kept included."""
        name = key.encode()
        staged = _staged.get()
        found, value = staged.find(self.table, name) if staged else (False, None)
        raw = value if found else self.table.get(name)
        return None if raw is None else thawed(raw, self.kind)

    def keep(self, key: str, value: V) -> None:
        self._put(key, frozen(value))

    def forget(self, key: str) -> None:
        self._put(key, None)

    def items(self) -> Iterator[tuple[str, V]]:
        """Yield everything remembered on the partitions that this process holds; nothing while that changes."""
        for name, raw in self.table.held_items():
            yield name.decode(), thawed(raw, self.kind)

    def holds(self, key: str) -> bool:
        """Say whether what is keyed so is this process's work; never while partitions are being handed out."""
        return self.partition(key) in self.table.held

    def partition(self, key: str) -> int:
        """Return the partition of what is keyed so."""
        return self._place(key.encode(), self.table.partitions)

    def after(self, act: Callable[[], None]) -> None:
        """Do something once what this event kept can be recalled by others."""
        _at_hand().after(act)

    def _put(self, key: str, value: bytes | None) -> None:
        """Keep a value; RejectError for one that no changelog takes: else the process would stop at it, ever again."""
        if value is not None and len(value) > MOST:
            raise RejectError(
                f"what is remembered of {key!r} would take {len(value):,} bytes, and {MOST:,} is the most",
                remedy="once less is remembered of it: `clausewire rejected retry`",
            )
        _at_hand().put(self.table, key.encode(), value)


def _at_hand() -> Staged:
    staged = _staged.get()
    if staged is None:
        raise RuntimeError("a step remembers only while it handles an event")
    return staged


class DictMemory(Generic[V]):
    """The same without a table, for replay and for tests: lasting at once, gone with the process."""

    def __init__(self, kind: type[V]) -> None:
        self.kind = kind
        self.kept: dict[str, bytes] = {}

    def recall(self, key: str) -> V | None:
        raw = self.kept.get(key)
        return None if raw is None else unpack(raw, self.kind)

    def keep(self, key: str, value: V) -> None:
        self.kept[key] = pack(value)

    def forget(self, key: str) -> None:
        self.kept.pop(key, None)

    def after(self, act: Callable[[], None]) -> None:
        act()
