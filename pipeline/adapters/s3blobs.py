"""The content-addressed store of bodies in an S3-compatible bucket: the names and bytes of the folder, one object each.

Through obstore, since it is one wheel without dependencies, asynchronous by nature, and pins no botocore on us.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from importlib import import_module
from types import ModuleType
from typing import Any
from uuid import uuid4

from pipeline.adapters.blobs import missing, name_of, opened, ref_of, squeezed
from pipeline.config import BucketSettings
from pipeline.errors import ConfigError, StoreError
from pipeline.events import BodyRef

CLIENT = {"connect_timeout": "5s", "timeout": "60s"}  # of one request
RETRIES = {"max_retries": 2, "retry_timeout": timedelta(seconds=30)}  # the stages try again for longer
REFUSED = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this machine a role, that may do s3:GetObject and "
    "s3:PutObject under the prefix and s3:ListBucket on the bucket; it is tried again"
)
AWAY = (
    "check the bucket's name, `blobs.endpoint`, the network, and that AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are "
    "set (without them the machine's role is asked for); it is tried again"
)


class S3Blobs:
    """Blobs in a bucket: `prefix/ab/cdef….zst`.

    Credentials, and what the settings leave open, come from AWS_* of the environment, a web identity or the
    machine's role. Without s3:ListBucket a store cannot tell a missing body from a forbidden one.
    """

    def __init__(self, settings: BucketSettings) -> None:
        self.place = f"the blob store s3://{'/'.join(filter(None, (settings.bucket, settings.prefix)))}"
        self._s3 = _obstore()
        self._store = _store(settings)

    async def put(self, data: bytes, *, media_type: str = "application/octet-stream") -> BodyRef:
        """Store bytes once and return where they lie; StoreError when the bucket will not take them."""
        ref = ref_of(data, media_type)
        try:
            if not await self._holds(name_of(ref)):
                body = await asyncio.to_thread(squeezed, data)
                await self._s3.put_async(self._store, name_of(ref), body)
        except self._failures as error:
            raise self._failed(f"cannot take {ref.size} bytes", error) from error
        return ref

    async def get(self, ref: BodyRef) -> bytes:
        """Return the bytes, checked against their name; RejectError when they are gone or not themselves."""
        try:
            body = await self._body(name_of(ref))
        except self._failures as error:
            raise self._failed(f"cannot give body {ref.sha256}", error) from error
        if body is None:
            raise missing(ref, self.place)
        return await asyncio.to_thread(opened, body, ref, self.place)

    async def probe(self) -> str:
        """Put an object of no meaning, read it and delete it; returns its name where it cannot be deleted.

        StoreError when the bucket does not take it, or gives back something else.
        """
        name, body = f"doctor/{uuid4().hex}", b"clausewire"
        try:
            await self._s3.put_async(self._store, name, body)
            if await self._body(name) != body:
                raise StoreError(f"{self.place} does not give back what it took", remedy=AWAY)
        except self._failures as error:
            raise self._failed("cannot be used", error) from error
        try:
            await self._s3.delete_async(self._store, name)
        except self._failures:
            return name
        return ""

    async def _holds(self, name: str) -> bool:
        try:
            await self._s3.head_async(self._store, name)
        except FileNotFoundError:
            return False
        return True

    async def _body(self, name: str) -> bytes | None:
        try:
            found = await self._s3.get_async(self._store, name)
            return bytes(await found.bytes_async())
        except FileNotFoundError:
            # A missing bucket answers alike, and is no reason to give a body up: listing it fails otherwise.
            await self._s3.list_with_delimiter_async(self._store, name)
            return None

    @property
    def _failures(self) -> tuple[type[Exception], ...]:
        return (self._s3.exceptions.BaseError, OSError)

    def _failed(self, fact: str, error: Exception) -> StoreError:
        """Return a failure to be tried again: what the library says first, without the answer's body."""
        told = self._s3.exceptions
        if isinstance(error, (told.PermissionDeniedError, told.UnauthenticatedError)):
            return StoreError(f"{self.place} {fact}: our credentials are refused", remedy=REFUSED)
        if isinstance(error, FileNotFoundError):
            return StoreError(f"{self.place} {fact}: there is no such bucket", remedy=AWAY)
        reason = (str(error).splitlines() or [""])[0][:300].strip()
        return StoreError(f"{self.place} {fact}: {reason}", remedy=AWAY)


def _store(settings: BucketSettings) -> Any:
    """Return obstore's store; what is not set is left to the environment."""
    config = {"endpoint": settings.endpoint, "region": settings.region}
    return import_module("obstore.store").S3Store(
        settings.bucket,
        prefix=settings.prefix or None,
        config={key: value for key, value in config.items() if value},
        client_options=CLIENT | ({"allow_http": True} if settings.allow_http else {}),
        retry_config=RETRIES,
    )


def _obstore() -> ModuleType:
    """Return obstore; ConfigError when the extra is not installed."""
    try:
        return import_module("obstore")
    except ModuleNotFoundError:
        raise ConfigError(
            "bodies are to lie in a bucket, and obstore is not installed",
            key="blobs",
            remedy="Install it: pip install 'clausewire[s3]', or take blobs out",
        ) from None
