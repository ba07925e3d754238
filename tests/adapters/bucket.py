"""Stands for stores of bodies: a folder, and a bucket of moto's S3 on loopback, each with hands to reach behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol

import httpx
import pytest

from pipeline.adapters.blobs import FolderBlobs, name_of
from pipeline.adapters.s3blobs import S3Blobs
from pipeline.config import BucketSettings
from pipeline.events import BodyRef
from pipeline.ports import Blobs

NOT_INSTALLED = (
    "BODIES WERE NOT STORED IN A BUCKET: the extra `s3`, moto[s3], flask or flask-cors is not installed"
)
AWS = {"AWS_ACCESS_KEY_ID": "an-id", "AWS_SECRET_ACCESS_KEY": "not-to-be-shown", "AWS_REGION": "us-east-1"}


class Stand(Protocol):
    """A store, where it says it is, and what lies in it."""

    place: str

    @property
    def blobs(self) -> Blobs: ...

    async def names(self) -> list[str]: ...

    async def overwrite(self, ref: BodyRef, body: bytes) -> None: ...


class FolderStand:
    """A folder of files."""

    def __init__(self, root: Path) -> None:
        self.blobs = FolderBlobs(root)
        self.place = str(root)

    async def names(self) -> list[str]:
        """Return what lies there, relative to the root."""
        root = self.blobs.root
        return [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]

    async def overwrite(self, ref: BodyRef, body: bytes) -> None:
        """Put bytes of any kind in the place of a body."""
        self.blobs.path(ref).write_bytes(body)


class BucketStand:
    """A bucket and a prefix of an S3 that asks nobody who they are."""

    def __init__(self, url: str, bucket: str) -> None:
        self.settings = BucketSettings(bucket=bucket, prefix="some/prefix", endpoint=url, allow_http=True)
        self.blobs = S3Blobs(self.settings)
        self.place = f"s3://{bucket}/some/prefix"
        self._bucket = f"{url}/{bucket}"
        self._raw = import_module("obstore.store").S3Store(
            bucket, config={"endpoint": url}, client_options={"allow_http": True}
        )
        httpx.put(self._bucket).raise_for_status()

    async def names(self) -> list[str]:
        """Return what lies in the bucket, relative to the prefix."""
        async with httpx.AsyncClient() as client:
            listed = (await client.get(self._bucket, params={"list-type": "2"})).text
        return [key.removeprefix("some/prefix/") for key in re.findall("<Key>(.*?)</Key>", listed)]

    async def overwrite(self, ref: BodyRef, body: bytes) -> None:
        """Put bytes of any kind in the place of a body."""
        await import_module("obstore").put_async(self._raw, f"some/prefix/{name_of(ref)}", body)


@dataclass(frozen=True)
class Credentials:
    """What AWS users set, for the length of a test."""

    patch: pytest.MonkeyPatch

    def set(self) -> None:
        for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT", "AWS_SESSION_TOKEN", "AWS_ALLOW_HTTP"):
            self.patch.delenv(name, raising=False)
        for name, value in AWS.items():
            self.patch.setenv(name, value)


@contextmanager
def moto_server() -> Iterator[str]:
    """Serve S3 on a port of loopback; skips, and says so, where moto is not installed."""
    pytest.importorskip("obstore", reason=NOT_INSTALLED)
    for module in ("flask", "flask_cors"):
        pytest.importorskip(module, reason=NOT_INSTALLED)
    moto = pytest.importorskip("moto.server", reason=NOT_INSTALLED)
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield "http://{}:{}".format(*server.get_host_and_port())
    finally:
        server.stop()
