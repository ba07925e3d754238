"""The content-addressed store of bodies: SHA-256 names, zstd inside, one file each in a local folder."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from pathlib import Path
from typing import TypeVar

import zstandard
from msgspec import Struct

from pipeline.adapters.wire import pack, unpack
from pipeline.errors import RejectError, StoreError
from pipeline.events import BodyRef
from pipeline.ports import Blobs

T = TypeVar("T")


class FolderBlobs:
    """Blobs in a folder: `ab/cdef….zst` under the root, written whole or not at all."""

    def __init__(self, root: Path) -> None:
        self.root = root

    async def put(self, data: bytes, *, media_type: str = "application/octet-stream") -> BodyRef:
        """Store bytes once and return where they lie; StoreError when the disk will not take them."""
        ref = BodyRef(sha256=hashlib.sha256(data).hexdigest(), size=len(data), media_type=media_type)
        if not self.path(ref).exists():
            await asyncio.to_thread(self._write, ref, data)
        return ref

    async def get(self, ref: BodyRef) -> bytes:
        """Return the bytes, checked against their name; RejectError when they are gone or not themselves."""
        return await asyncio.to_thread(self._read, ref)

    def path(self, ref: BodyRef) -> Path:
        """Where the bytes lie on disk (zstd)."""
        return self.root / ref.sha256[:2] / f"{ref.sha256[2:]}.zst"

    def _write(self, ref: BodyRef, data: bytes) -> None:
        path = self.path(ref)
        spare = ""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, spare = tempfile.mkstemp(dir=path.parent, prefix=".new-")
            with os.fdopen(handle, "wb") as file:
                file.write(zstandard.compress(data, 6))
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
        try:
            data = zstandard.decompress(self.path(ref).read_bytes(), max_output_size=max(ref.size, 1))
        except FileNotFoundError:
            raise RejectError(
                f"body {ref.sha256} is not in the blob store at {self.root}",
                remedy="restore the blobs folder from its backup, or fetch the page again",
            ) from None
        except (OSError, zstandard.ZstdError) as error:
            raise StoreError(f"body {ref.sha256} cannot be read: {error}") from error
        if hashlib.sha256(data).hexdigest() != ref.sha256:
            raise RejectError(
                f"body {ref.sha256} is damaged on disk", remedy="restore the blobs folder from its backup"
            )
        return data


class BlobValues:
    """Values as JSON in a store of blobs."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    async def put(self, value: Struct) -> BodyRef:
        kind = type(value).__name__.lower()
        return await self._blobs.put(pack(value), media_type=f"application/vnd.clausewire.{kind}+json")

    async def get(self, ref: BodyRef, kind: type[T]) -> T:
        return unpack(await self._blobs.get(ref), kind)
