"""Which partition a key belongs to: Kafka's default partitioner, so that a history can move between brokers."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import count

from aiokafka.partitioner import murmur2

Partitioner = Callable[[bytes | None, int], int]


def key_hash(key: bytes) -> int:
    """Kafka's murmur2 of a key, made positive as its default partitioner does."""
    return int(murmur2(key)) & 0x7FFFFFFF


def new_partitioner() -> Partitioner:
    """A partitioner with a cache of hashes of its own; null keys take the partitions in turn."""
    cached = lru_cache(maxsize=65_536)(key_hash)
    turns = count()

    def partition(key: bytes | None, partitions: int) -> int:
        return (next(turns) if key is None else cached(key)) % partitions

    return partition
