"""A bucket that is away, refuses us or does not exist is tried again; nothing of the credentials is told."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import test_utils, web

from pipeline.adapters.blobs import FolderBlobs
from pipeline.adapters.bodies import blobs_of
from pipeline.adapters.s3blobs import S3Blobs
from pipeline.config import BucketSettings, parse
from pipeline.errors import ConfigError, StoreError
from pipeline.events import BodyRef
from pipeline.ports import Blobs
from tests.adapters.bucket import AWS, NOT_INSTALLED, Credentials, moto_server

Act = Callable[[Blobs], Awaitable[object]]
FILE = Path("/etc/clausewire/clausewire.yaml")
ACTS = pytest.mark.parametrize(
    "act",
    [lambda blobs: blobs.put(b"x"), lambda blobs: blobs.get(BodyRef(sha256="0" * 64, size=1))],
    ids=["put", "get"],
)


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    Credentials(monkeypatch).set()


def bucket(url: str) -> S3Blobs:
    """Return the store of a bucket at an endpoint."""
    pytest.importorskip("obstore", reason=NOT_INSTALLED)
    return S3Blobs(BucketSettings(bucket="bodies", endpoint=url.rstrip("/"), allow_http=True))


async def failure(act: Act, blobs: Blobs) -> StoreError:
    """Return what an act is told."""
    with pytest.raises(StoreError) as caught:
        await act(blobs)
    assert "tried again" in caught.value.remedy
    return caught.value


@ACTS
async def test_store_that_is_away_can_heal(act: Act) -> None:
    """Nobody listens: the error names the bucket."""
    assert "s3://bodies" in str(await failure(act, bucket(f"http://127.0.0.1:{test_utils.unused_port()}")))


@ACTS
@pytest.mark.parametrize(
    ("status", "told"), [(401, "credentials are refused"), (403, "credentials are refused"), (503, "503")]
)
async def test_refusal_can_heal(act: Act, status: int, told: str) -> None:
    """Credentials that are refused, and a store in trouble, are told as such and without any secret."""

    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=status, text=f"<Error>{request.headers['Authorization']}</Error>")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", refuse)
    async with test_utils.TestServer(app) as server:
        error = await failure(act, bucket(str(server.make_url("/"))))
    assert told in str(error)
    assert not any(AWS[name] in f"{error} {error.remedy}" for name in AWS if name != "AWS_REGION")


@ACTS
async def test_missing_bucket_can_heal(act: Act) -> None:
    """A bucket that is not there yet gives no body up."""
    with moto_server() as url:
        assert "s3://bodies" in str(await failure(act, bucket(url)))


def test_store_without_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bucket without the library that reads it says what to install."""
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(ConfigError, match=r"clausewire\[s3\]"):
        blobs_of(parse(b"blobs: s3://bodies\n", FILE, {}))


def test_bodies_lie_in_the_folder_unless_told() -> None:
    """Without a bucket the bodies lie under the data."""
    store = blobs_of(parse(b"data: /srv/data\n", FILE, {}))
    assert isinstance(store, FolderBlobs)
    assert store.root == Path("/srv/data/blobs")
