"""The values that the embedded log holds, and how their headers are packed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

Headers = tuple[tuple[str, bytes], ...]

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Headers).decode


class Entry(NamedTuple):
    """One record to append; `partition` None asks for the partition of its key, `timestamp` is in ms since 1970."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    timestamp: int = 0
    partition: int | None = None


class Record(NamedTuple):
    """One record as it lies in the log; `timestamp` is in ms since 1970."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Place(NamedTuple):
    """Where a record went."""

    topic: str
    partition: int
    offset: int


def headers_of(headers: Mapping[str, bytes] | Iterable[tuple[str, bytes]] | None) -> Headers:
    """Headers in the order given; a name may come more than once."""
    if not headers:
        return ()
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return tuple((name, value if isinstance(value, bytes) else bytes(value)) for name, value in pairs)


def pack_headers(headers: Headers) -> bytes | None:
    """Headers as the bytes that are stored, None when there are none."""
    return _pack(headers) if headers else None


def unpack_headers(data: bytes | None) -> Headers:
    """Headers from the bytes that were stored."""
    return _unpack(data) if data else ()


def size_of(entry: Entry) -> int:
    """Bytes that count against the limit on a record: key, value and headers."""
    size = len(entry.key or b"") + len(entry.value or b"")
    return size + sum(len(name) + len(value) for name, value in entry.headers)
