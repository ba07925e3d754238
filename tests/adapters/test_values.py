"""Values in a store of blobs: what was used last is not read again, and memory of it is bounded."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.adapters.blobs import BlobValues, FolderBlobs
from pipeline.errors import RejectError
from pipeline.events import Match


def match(number: int) -> Match:
    return Match(watch_id=f"watch-{number}", watch="x" * 1000)


async def test_value_comes_back(tmp_path: Path) -> None:
    """A value is read by whoever knows its reference."""
    ref = await BlobValues(FolderBlobs(tmp_path)).put(match(1))
    assert await BlobValues(FolderBlobs(tmp_path)).get(ref, Match) == match(1)


async def test_held_value_is_not_read(tmp_path: Path) -> None:
    """What was just put needs no disk."""
    values = BlobValues(FolderBlobs(tmp_path))
    ref = await values.put(match(1))
    FolderBlobs(tmp_path).path(ref).unlink()
    assert await values.get(ref, Match) == match(1)


async def test_room_is_bounded(tmp_path: Path) -> None:
    """The value used longest ago makes room, and is read from the store again."""
    values = BlobValues(FolderBlobs(tmp_path), room=2_500)
    refs = [await values.put(match(number)) for number in range(2)]
    await values.get(refs[0], Match)
    refs.append(await values.put(match(2)))
    for ref in refs:
        FolderBlobs(tmp_path).path(ref).unlink()
    assert [await values.get(refs[n], Match) for n in (0, 2)] == [match(0), match(2)]
    with pytest.raises(RejectError):
        await values.get(refs[1], Match)


async def test_too_large_to_hold(tmp_path: Path) -> None:
    """A value larger than the room is stored all the same."""
    values = BlobValues(FolderBlobs(tmp_path), room=10)
    assert await values.get(await values.put(match(1)), Match) == match(1)
