"""What a table holds, partition by partition, and up to which record of the changelog it holds everything.

A value counts as held once the changelog has it: until then it waits beside the parts, seen by those who read and
forgotten with the process. So the parts are at any moment what the changelog says up to the mark, and whoever finds
them later reads on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from faust.stores.base import Store
from faust.streams import current_event
from faust.types import TP

from pipeline.adapters.embedded.partitioner import new_partitioner


class Mark(NamedTuple):
    """Up to which record of its changelog a part holds everything; `stamp_ms` is that record's time, 0 if unknown."""

    offset: int
    stamp_ms: int = 0


class Change(NamedTuple):
    """A record of the changelog; no value means that the key is gone."""

    key: bytes
    value: bytes | None


class Parts(Protocol):
    """Where a table's entries are, by partition."""

    def get(self, place: int, key: bytes) -> bytes | None: ...

    def apply(self, place: int, changes: Iterable[Change], mark: Mark | None) -> None:
        """Take changes, and with them the mark, both or neither."""

    def mark(self, place: int) -> Mark | None:
        """Return the mark of a part that may be built upon; one that may not is forgotten."""

    def known(self, place: int) -> Mark | None:
        """Return the mark of a part that is in use, however old it is."""

    def items(self, place: int) -> Iterator[tuple[bytes, bytes]]: ...

    def size(self, place: int) -> int: ...

    def release(self, place: int) -> None:
        """Know that the partition is another process's."""

    def forget(self, place: int) -> None:
        """Hold nothing of a partition any more."""

    def touch(self, place: int) -> None:
        """Know that a part is still what the changelog says."""


class Shelves(Protocol):
    """What gives tables their parts, from when it is opened."""

    def open(self, home: Path) -> None: ...

    def close(self) -> None: ...

    def parts(self, table: str) -> Parts: ...


class MemoryParts:
    """Parts in memory: gone when the partition or the process is."""

    def __init__(self) -> None:
        self._held: dict[int, dict[bytes, bytes]] = {}
        self._marks: dict[int, Mark] = {}

    def get(self, place: int, key: bytes) -> bytes | None:
        held = self._held.get(place)
        return None if held is None else held.get(key)

    def apply(self, place: int, changes: Iterable[Change], mark: Mark | None) -> None:
        """Take changes and the mark."""
        held = self._held.setdefault(place, {})
        for key, value in changes:
            if value is None:
                held.pop(key, None)
            else:
                held[key] = value
        if mark is not None:
            self._marks[place] = mark

    def mark(self, place: int) -> Mark | None:
        return self._marks.get(place)

    def known(self, place: int) -> Mark | None:
        return self._marks.get(place)

    def items(self, place: int) -> Iterator[tuple[bytes, bytes]]:
        return iter(list(self._held.get(place, {}).items()))

    def size(self, place: int) -> int:
        return len(self._held.get(place, ()))

    def release(self, place: int) -> None:
        """Forget what another process writes from now on."""
        self.forget(place)

    def forget(self, place: int) -> None:
        self._held.pop(place, None)
        self._marks.pop(place, None)

    def touch(self, place: int) -> None: ...


class MemoryShelves:
    """Parts in memory for every table."""

    def open(self, home: Path) -> None: ...

    def close(self) -> None: ...

    def parts(self, table: str) -> Parts:
        return MemoryParts()


class PartedStore(Store[bytes, bytes]):
    """A table's entries as Faust reads them: what waits for its acknowledgement first, then the parts."""

    def __init__(self, *args: Any, parts: Parts, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parts = parts
        self._held: set[int] = set()
        self._read: set[int] = set()
        self._behind: set[int] = set()
        self._waiting: dict[int, dict[bytes, bytes | None]] = {}
        self._place: Callable[..., int] = new_partitioner()

    def find(self, key: bytes) -> bytes | None:
        """Return what is held under a key: on its own partition, or on that of the event at hand, where it was put."""
        event, own = current_event(), self.place(key)
        found = self._on(own, key)
        if found is None and event is not None and event.message.partition != own:
            return self._on(event.message.partition, key)
        return found

    def _on(self, place: int, key: bytes) -> bytes | None:
        waiting = self._waiting.get(place)
        return waiting[key] if waiting and key in waiting else self.parts.get(place, key)

    def place(self, key: bytes) -> int:
        """Return the partition that a key belongs to."""
        return self._place(key, self.table.partitions)

    def put(self, place: int, key: bytes, value: bytes | None) -> None:
        """Show a value that is on its way to the changelog."""
        self._waiting.setdefault(place, {})[key] = value

    def confirm(self, place: int, change: Change, mark: Mark) -> None:
        """Hold what the changelog has taken.

        A mark that does not follow on ours tells of a record that somebody else wrote: we hold the value, and the mark
        stays, so that whoever recovers reads that record. What is not recovered yet will be read. A value of ours
        that the changelog puts where we were already (it lost its end, or cannot tell the place) is held likewise.
        """
        waiting = self._waiting.get(place, {})
        is_ours = change.key in waiting and waiting[change.key] is change.value
        if is_ours:
            del waiting[change.key]
        known = self.parts.known(place)
        if known is None:
            return
        if mark.offset == known.offset + 1:
            self.parts.apply(place, [change], mark)
        elif place in self._held if mark.offset > known.offset else is_ours and place in self._read:
            self._behind.add(place)
            self.parts.apply(place, [change], None)

    def reached(self, place: int, offset: int) -> None:
        """Know that everything up to an offset was read."""
        self._behind.discard(place)
        known = self.parts.known(place)
        if known is None or known.offset < offset:
            self.parts.apply(place, [], Mark(offset))
        self.parts.touch(place)
        self._read.add(place)

    def hold(self, places: set[int]) -> None:
        """Know which partitions are this process's, and are to be read again; what it no longer holds is released."""
        gone, self._held = self._held - places, set(places)
        self._read.clear()
        for place in gone | (self._waiting.keys() - places):
            self._waiting.pop(place, None)
            self.parts.release(place)

    def forget(self, place: int) -> None:
        """Hold nothing of a partition, so that it is recovered from the beginning."""
        self._waiting.pop(place, None)
        self.parts.forget(place)

    def touch(self) -> None:
        """Know that what is held is what the changelog says now, where nothing came between."""
        for place in self._held & self._read - self._behind:
            self.parts.touch(place)

    def entries(self, places: Iterable[int]) -> Iterator[tuple[bytes, bytes]]:
        """Yield keys and values on partitions, with what is on its way."""
        for place in places:
            waiting = dict(self._waiting.get(place, {}))
            yield from ((key, value) for key, value in self.parts.items(place) if key not in waiting)
            yield from ((key, value) for key, value in waiting.items() if value is not None)

    # what Faust asks of a store

    def persisted_offset(self, tp: TP) -> int | None:
        """Return up to which offset of a changelog everything is held."""
        mark = self.parts.mark(tp.partition)
        return None if mark is None else mark.offset

    def apply_changelog_batch(self, batch: Iterable[Any], to_key: Any, to_value: Any) -> None:
        """Take records of the changelog, as read."""
        by_place: dict[int, list[Any]] = {}
        for event in batch:
            by_place.setdefault(event.message.partition, []).append(event.message)
        for place, messages in by_place.items():
            last = messages[-1]
            changes = [Change(message.key, message.value) for message in messages]
            self.parts.apply(place, changes, Mark(last.offset, stamp_of(last.timestamp)))

    def reset_state(self) -> None:
        """Nothing: parts are forgotten one by one."""

    async def backup_partition(self, *_: Any, **__: Any) -> None:
        """Nothing: the changelog is the copy."""

    def restore_backup(self, *_: Any, **__: Any) -> None:
        """Nothing: the changelog is the copy."""

    def __getitem__(self, key: bytes) -> bytes:
        value = self.find(key)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: bytes, value: bytes) -> None:
        raise TypeError("entries come with their changelog records")

    def __delitem__(self, key: bytes) -> None:
        raise TypeError("entries go with their changelog records")

    def __contains__(self, key: object) -> bool:
        return self.find(key) is not None  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[bytes]:
        return (key for key, _ in self.entries(self._held))

    def __len__(self) -> int:
        return sum(self.parts.size(place) for place in self._held)


def stamp_of(timestamp_s: float | None) -> int:
    """Return a record's time in milliseconds, 0 where it is not known."""
    return round(timestamp_s * 1000) if timestamp_s and timestamp_s > 0 else 0
