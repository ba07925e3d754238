"""The content-addressed store: what goes in comes out, once, and damage is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.adapters.blobs import FolderBlobs
from pipeline.errors import RejectError, StoreError
from pipeline.events import BodyRef


async def test_bytes_come_back(tmp_path: Path) -> None:
    """A stored body is read again under its SHA-256."""
    blobs = FolderBlobs(tmp_path)
    ref = await blobs.put(b"a policy" * 1000, media_type="text/html")
    assert (ref.size, await blobs.get(ref)) == (8000, b"a policy" * 1000)


async def test_empty_body_is_a_body(tmp_path: Path) -> None:
    """No bytes at all can be stored and read."""
    blobs = FolderBlobs(tmp_path)
    assert await blobs.get(await blobs.put(b"")) == b""


async def test_same_bytes_lie_once(tmp_path: Path) -> None:
    """Storing the same bytes twice leaves one file."""
    blobs = FolderBlobs(tmp_path)
    await blobs.put(b"same")
    await blobs.put(b"same")
    assert len(list(tmp_path.rglob("*.zst"))) == 1


async def test_missing_body_says_where(tmp_path: Path) -> None:
    """A body that is gone is refused with the folder it should lie in."""
    with pytest.raises(RejectError, match=str(tmp_path)):
        await FolderBlobs(tmp_path).get(BodyRef(sha256="0" * 64, size=1))


async def test_damaged_body_is_noticed(tmp_path: Path) -> None:
    """Bytes that are no longer what their name says are not handed out."""
    blobs = FolderBlobs(tmp_path)
    ref, other = await blobs.put(b"one"), await blobs.put(b"two")
    blobs.path(ref).write_bytes(blobs.path(other).read_bytes())
    with pytest.raises(RejectError, match="damaged"):
        await blobs.get(ref)


async def test_unwritable_store_can_heal(tmp_path: Path) -> None:
    """A folder that cannot be written is a StoreError with a remedy, to be tried again."""
    in_the_way = tmp_path / "blobs"
    in_the_way.write_text("a file where the folder should be")
    with pytest.raises(StoreError) as caught:
        await FolderBlobs(in_the_way).put(b"x")
    assert "tried again" in caught.value.remedy
