"""The content-addressed store, in a folder and in a bucket: what goes in comes out, once, and damage is noticed."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard

from pipeline.adapters.blobs import FolderBlobs
from pipeline.errors import RejectError, StoreError
from pipeline.events import BodyRef
from tests.adapters.bucket import BucketStand, Credentials, FolderStand, Stand, moto_server


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture(params=["folder", "bucket"])
def stand(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stand:
    if request.param == "folder":
        return FolderStand(tmp_path)
    Credentials(monkeypatch).set()
    name = hashlib.sha256(str(tmp_path).encode()).hexdigest()[:20]
    return BucketStand(request.getfixturevalue("s3"), name)


async def test_bytes_come_back(stand: Stand) -> None:
    """A stored body is read again under its SHA-256."""
    ref = await stand.blobs.put(b"a policy" * 1000, media_type="text/html")
    assert (ref.size, await stand.blobs.get(ref)) == (8000, b"a policy" * 1000)


async def test_empty_body_is_a_body(stand: Stand) -> None:
    """No bytes at all can be stored and read."""
    assert await stand.blobs.get(await stand.blobs.put(b"")) == b""


async def test_large_body_comes_back(stand: Stand) -> None:
    """A body of the size that a fetch allows is stored and read whole."""
    data = bytes(range(256)) * 40_000
    assert await stand.blobs.get(await stand.blobs.put(data)) == data


async def test_body_lies_under_its_name(stand: Stand) -> None:
    """The name is the same in every store, so that a folder can be copied into a bucket."""
    ref = await stand.blobs.put(b"named")
    assert await stand.names() == [f"{ref.sha256[:2]}/{ref.sha256[2:]}.zst"]


async def test_same_bytes_lie_once(stand: Stand) -> None:
    """Storing the same bytes twice, and at once, leaves one body."""
    await asyncio.gather(stand.blobs.put(b"same"), stand.blobs.put(b"same"))
    await stand.blobs.put(b"same", media_type="text/plain")
    assert len(await stand.names()) == 1


async def test_what_is_there_is_not_written_again(stand: Stand) -> None:
    """A body that the store has by name is left as it lies."""
    ref = await stand.blobs.put(b"first")
    await stand.overwrite(ref, zstandard.compress(b"other"))
    await stand.blobs.put(b"first")
    with pytest.raises(RejectError, match="damaged"):
        await stand.blobs.get(ref)


async def test_missing_body_says_where(stand: Stand) -> None:
    """A body that is gone is refused with the place that it should lie in, and what to do."""
    with pytest.raises(RejectError, match=stand.place) as caught:
        await stand.blobs.get(BodyRef(sha256="0" * 64, size=1))
    assert "fetch the page again" in caught.value.remedy


@pytest.mark.parametrize(
    "body",
    [zstandard.compress(b"two"), zstandard.compress(b"one")[:-2], b"<html>no zstd</html>", b""],
    ids=["another", "cut short", "not squeezed", "empty"],
)
async def test_damaged_body_is_noticed(stand: Stand, body: bytes) -> None:
    """Bytes that are no longer what their name says are not handed out."""
    ref = await stand.blobs.put(b"one")
    await stand.overwrite(ref, body)
    with pytest.raises(RejectError, match="damaged"):
        await stand.blobs.get(ref)


async def test_unwritable_folder_can_heal(tmp_path: Path) -> None:
    """A folder that cannot be written is a StoreError with a remedy, to be tried again."""
    in_the_way = tmp_path / "blobs"
    in_the_way.write_text("a file where the folder should be")
    with pytest.raises(StoreError) as caught:
        await FolderBlobs(in_the_way).put(b"x")
    assert "tried again" in caught.value.remedy
