"""The content-addressed store of bodies: SHA-256 names, zstd inside, one file each in a folder."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from collections import OrderedDict
from pathlib import Path
from typing import TypeVar, cast

import zstandard
from msgspec import Struct

from pipeline.adapters.wire import pack, unpack
from pipeline.errors import RejectError, StoreError
from pipeline.events import BodyRef
from pipeline.ports import Blobs

T = TypeVar("T")

ROOM = 16 * 1024 * 1024  # bytes of JSON whose values are held; in memory they take some 2.3 times as much


def ref_of(data: bytes, media_type: str) -> BodyRef:
    """Return what bytes are called."""
    return BodyRef(sha256=hashlib.sha256(data).hexdigest(), size=len(data), media_type=media_type)


def name_of(ref: BodyRef) -> str:
    """Return the name of a body in any store: `ab/cdef….zst`."""
    return f"{ref.sha256[:2]}/{ref.sha256[2:]}.zst"


def squeezed(data: bytes) -> bytes:
    """Return bytes as they lie in a store (zstd)."""
    return zstandard.compress(data, 6)


def opened(body: bytes, ref: BodyRef, place: str) -> bytes:
    """Return the bytes that lie in a store, checked against their name; RejectError when they are not themselves."""
    try:
        data = zstandard.decompress(body, max_output_size=max(ref.size, 1))
    except zstandard.ZstdError:
        data = None
    if data is None or hashlib.sha256(data).hexdigest() != ref.sha256:
        raise RejectError(
            f"body {ref.sha256} is damaged in {place}", remedy=f"restore {place} from its backup"
        )
    return data


def missing(ref: BodyRef, place: str) -> RejectError:
    """Return the error that a body does not lie where it should."""
    return RejectError(
        f"body {ref.sha256} is not in {place}",
        remedy=f"restore {place} from its backup, or fetch the page again",
    )


class FolderBlobs:
    """Blobs in a folder: `ab/cdef….zst` under the root, written whole or not at all."""

    def __init__(self, root: Path) -> None:
        self.root = root

    async def put(self, data: bytes, *, media_type: str = "application/octet-stream") -> BodyRef:
        """Store bytes once and return where they lie; StoreError when the disk will not take them."""
        ref = ref_of(data, media_type)
        if not self.path(ref).exists():
            await asyncio.to_thread(self._write, ref, data)
        return ref

    async def get(self, ref: BodyRef) -> bytes:
        """Return the bytes, checked against their name; RejectError when they are gone or not themselves."""
        return await asyncio.to_thread(self._read, ref)

    def path(self, ref: BodyRef) -> Path:
        """Where the bytes lie on disk (zstd)."""
        return self.root / name_of(ref)

    def _write(self, ref: BodyRef, data: bytes) -> None:
        path = self.path(ref)
        spare = ""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, spare = tempfile.mkstemp(dir=path.parent, prefix=".new-")
            with os.fdopen(handle, "wb") as file:
                file.write(squeezed(data))
                file.flush()
                os.fsync(file.fileno())
            os.replace(spare, path)
        except OSError as error:
            if spare:
                Path(spare).unlink(missing_ok=True)
            raise StoreError(
                f"the blob store at {self.root} cannot take {ref.size} bytes: {error.strerror}",
                remedy="free space or make the folder writable; the write is tried again",
            ) from error

    def _read(self, ref: BodyRef) -> bytes:
        place = f"the blob store at {self.root}"
        try:
            body = self.path(ref).read_bytes()
        except FileNotFoundError:
            raise missing(ref, place) from None
        except OSError as error:
            raise StoreError(
                f"body {ref.sha256} cannot be read: {error.strerror}",
                remedy=f"make {place} readable; the read is tried again",
            ) from error
        return opened(body, ref, place)


class BlobValues:
    """Values as JSON in a store of blobs; those used last are held as well, up to `room` bytes of their JSON."""

    def __init__(self, blobs: Blobs, *, room: int = ROOM) -> None:
        self._blobs = blobs
        self._room = room
        self._held: OrderedDict[tuple[str, type], tuple[Struct, int]] = OrderedDict()

    async def put(self, value: Struct) -> BodyRef:
        kind = type(value).__name__.lower()
        ref = await self._blobs.put(pack(value), media_type=f"application/vnd.clausewire.{kind}+json")
        self._hold(ref, value)
        return ref

    async def get(self, ref: BodyRef, kind: type[T]) -> T:
        held = self._held.get((ref.sha256, kind))
        value = cast(T, held[0]) if held else unpack(await self._blobs.get(ref), kind)
        self._hold(ref, cast(Struct, value))
        return value

    def _hold(self, ref: BodyRef, value: Struct) -> None:
        key = (ref.sha256, type(value))
        if key in self._held:
            self._held.move_to_end(key)
            return
        self._held[key] = value, ref.size
        self._room -= ref.size
        while self._room < 0:
            _, (_, size) = self._held.popitem(last=False)
            self._room += size
