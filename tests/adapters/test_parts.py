"""A table's entries: visible at once, held once the changelog has them, and never ahead of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.adapters.parts import Change, Mark, MemoryParts, PartedStore


@pytest.fixture
def store() -> PartedStore:
    """A store of one partition, read as far as record 4."""
    table: Any = SimpleNamespace(name="t", partitions=1)
    made = PartedStore("memory://", SimpleNamespace(), table, parts=MemoryParts())
    made.hold({0})
    made.reached(0, 4)
    return made


def test_value_shows_before_it_is_held(store: PartedStore) -> None:
    """What is on its way to the changelog can be read, and does not move the mark."""
    store.put(0, b"k", b"v")
    assert (store.find(b"k"), list(store.entries([0])), store.parts.get(0, b"k"), store.parts.mark(0)) == (
        b"v",
        [(b"k", b"v")],
        None,
        Mark(4),
    )


def test_acknowledged_value_is_held(store: PartedStore) -> None:
    """Value and mark move together once the brokers have the record."""
    store.put(0, b"k", b"v")
    store.confirm(0, Change(b"k", b"v"), Mark(5, 50))
    assert (store.parts.get(0, b"k"), store.parts.mark(0), len(store)) == (b"v", Mark(5, 50), 1)


def test_gap_holds_the_mark(store: PartedStore) -> None:
    """A record of somebody else between ours is not skipped: the mark stays before it until it was read."""
    store.confirm(0, Change(b"k", b"v"), Mark(6))
    store.confirm(0, Change(b"k", b"w"), Mark(7))
    held, mark = store.find(b"k"), store.parts.mark(0)
    store.reached(0, 7)
    assert (held, mark, store.parts.mark(0)) == (b"w", Mark(4), Mark(7))


def test_late_acknowledgement_changes_nothing(store: PartedStore) -> None:
    """A record that recovery has read already, and what came after it, stand."""
    store.parts.apply(0, [Change(b"k", b"new")], Mark(6))
    store.confirm(0, Change(b"k", b"old"), Mark(5))
    assert (store.find(b"k"), store.parts.mark(0)) == (b"new", Mark(6))


def test_lost_partition_is_forgotten(store: PartedStore) -> None:
    """Nothing of a partition that went to another process stays in memory, not even what is on its way."""
    store.parts.apply(0, [Change(b"k", b"v")], Mark(5))
    store.put(0, b"l", b"w")
    store.hold(set())
    store.confirm(0, Change(b"l", b"w"), Mark(6))
    store.hold({0})
    assert (store.find(b"k"), store.find(b"l"), store.parts.mark(0)) == (None, None, None)


def test_deleted_key_is_gone(store: PartedStore) -> None:
    """A key that is being deleted no longer shows, before and after the changelog has it."""
    store.parts.apply(0, [Change(b"k", b"v")], Mark(5))
    store.put(0, b"k", None)
    before = b"k" in store
    store.confirm(0, Change(b"k", None), Mark(6))
    assert (before, b"k" in store, len(store)) == (False, False, 0)


def test_value_on_a_shortened_changelog_is_held(store: PartedStore) -> None:
    """A changelog that lost its end, or cannot tell where a record lies, takes no value of ours from us."""
    for offset in (3, -1):
        store.put(0, b"k", str(offset).encode())
        value = store.find(b"k")
        store.confirm(0, Change(b"k", value), Mark(offset))
        assert (store.find(b"k"), store.parts.mark(0)) == (value, Mark(4))
