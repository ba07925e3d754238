"""Archived pages put into the same first topic as polled ones, with their own times."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.events import DocumentSpec, FetchOutcome, Origin, PageFetched
from pipeline.ports import Blobs

DATED = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:[T_ -]?(\d\d)[-:]?(\d\d)(?:[-:]?(\d\d))?Z?)?")
TEXT_TYPES = {".md": "text/markdown", ".txt": "text/plain"}


class ArchiveError(PipelineError):
    """A folder of pages that cannot be imported."""


def date_of(path: Path) -> datetime | None:
    """Return the UTC time that a file's name, or its folder's, spells; None when there is none."""
    for name in (path.name, path.parent.name):
        found = DATED.search(name)
        if found:
            try:
                return datetime(*(int(part or 0) for part in found.groups()), tzinfo=UTC)  # type: ignore[arg-type]
            except ValueError:
                continue
    return None


def dated_files(folder: Path) -> list[tuple[datetime, Path]]:
    """Return the dated files of a folder, oldest first; ArchiveError names those without a date."""
    if not folder.is_dir():
        raise ArchiveError(f"{folder} is not a folder", remedy="name a folder of dated pages")
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    dated = [(date_of(path), path) for path in files]
    undated = [path.name for date, path in dated if date is None]
    if undated or not files:
        shown = ", ".join(undated[:3]) or "no file at all"
        raise ArchiveError(
            f"{folder} holds {len(undated)} files without a date in their names: {shown}",
            remedy="name them like 2024-10-17.html or 2024-10-17T00-36-53Z.md",
        )
    return sorted((date, path) for date, path in dated if date is not None)


def media_type(path: Path) -> str:
    """Return the media type that a file's suffix stands for; `.gz` is looked through."""
    name = path.name.removesuffix(".gz")
    return TEXT_TYPES.get(Path(name).suffix.lower()) or mimetypes.guess_type(name)[0] or "text/html"


async def archived_pages(
    files: Iterable[tuple[datetime, Path]], document: DocumentSpec, *, blobs: Blobs
) -> list[PageFetched]:
    """Store the bodies of archived pages and return the events that put them into history."""
    return [await _page(moment, path, document, blobs) for moment, path in files]


async def _page(moment: datetime, path: Path, document: DocumentSpec, blobs: Blobs) -> PageFetched:
    kind = media_type(path)
    return PageFetched(
        document=document,
        fetched_at=moment,
        outcome=FetchOutcome.OK,
        final_url=document.url,
        status=200,
        headers={"content-type": kind},
        body=await blobs.put(_read(path), media_type=kind),
        origin=Origin.IMPORT,
    )


def _read(path: Path) -> bytes:
    import gzip

    try:
        data = path.read_bytes()
        return gzip.decompress(data) if path.suffix == ".gz" else data
    except (OSError, EOFError) as error:
        raise ArchiveError(f"{path} cannot be read: {error}") from None


def new_pages(pages: Iterable[PageFetched], known: set[str]) -> Iterator[PageFetched]:
    """Yield the pages whose ids are not in history yet, so that importing twice changes nothing."""
    return (page for page in pages if page.id not in known)
