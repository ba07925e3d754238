"""Archived pages put into the same first topic as polled ones, with their own times."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import mimetypes
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from agents.extract_versions import TECHNICAL
from pipeline.adapters.archives import Archived, ArchiveError
from pipeline.events import BodyRef, DocumentSpec, Event, FetchOutcome, Origin, PageFetched
from pipeline.ports import Blobs

__all__ = ["ArchiveError", "Intake", "batches", "date_of", "dated_files", "folder_pages", "media_type"]
BATCH = 64  # pages
ABREAST = 16  # bodies that are written at the same time

DATED = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:[T_ -]?(\d\d)[-:]?(\d\d)(?:[-:]?(\d\d))?Z?)?")
TEXT_TYPES = {".md": "text/markdown", ".txt": "text/plain"}


def date_of(path: Path) -> datetime | None:
    """Return the UTC time that a file's name, or its folder's, spells; None when there is none."""
    for name in (path.name, path.parent.name):
        found = DATED.search(name)
        if found:
            try:
                year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
                return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
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


def folder_pages(files: Iterable[tuple[datetime, Path]], document: DocumentSpec) -> list[Archived]:
    """Return the dated files of a folder as pages of a document."""
    return [
        Archived(
            document=document,
            at=moment,
            url=document.url,
            headers={"content-type": media_type(path)},
            read=partial(_read, path),
        )
        for moment, path in files
    ]


def _read(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if path.suffix == ".gz" else data
    except (OSError, EOFError) as error:
        raise ArchiveError(f"{path} cannot be read: {error}") from None


@dataclass(kw_only=True)
class Intake:
    """Puts archived pages into history in their order: what is there already is passed over, and so is what is
    older than what history holds of its document, for history is read in the order of the log.
    """

    blobs: Blobs
    known: set[str]
    newest: dict[str, datetime]
    added: int = 0
    there: int = 0
    late: int = 0

    @classmethod
    def over(cls, events: Iterable[Event], blobs: Blobs) -> Intake:
        """Return an intake beside the pages that history holds."""
        known, newest = set[str](), dict[str, datetime]()
        for event in events:
            if isinstance(event, PageFetched):
                known.add(event.id)
                newest[event.key] = max(newest.get(event.key, event.at), event.at)
        return cls(blobs=blobs, known=known, newest=newest)

    async def take(self, pages: Sequence[Archived]) -> list[PageFetched]:
        """Store the bodies of new pages, several abreast, and return the events that put them into history."""
        taken: list[PageFetched] = []
        for few in batches(pages, ABREAST):
            new = [found for page in few if (found := self._taken(page))]
            await asyncio.gather(
                *(self.blobs.put(data, media_type=event.body.media_type) for event, data in new if event.body)
            )
            taken += [event for event, _ in new]
        return taken

    def _taken(self, page: Archived) -> tuple[PageFetched, bytes] | None:
        data = page.read()
        kind = page.headers.get("content-type", "text/html")
        ref = BodyRef(
            sha256=hashlib.sha256(data).hexdigest(), size=len(data), media_type=kind.partition(";")[0].strip()
        )
        event = _event(page, ref)
        if event.id in self.known:
            self.there += 1
            return None
        if page.at < self.newest.get(event.key, page.at):
            self.late += 1
            return None
        self.known.add(event.id)
        self.newest[event.key] = page.at
        self.added += 1
        return event, data


def _event(page: Archived, body: BodyRef) -> PageFetched:
    return PageFetched(
        document=page.document,
        fetched_at=page.at,
        outcome=FetchOutcome.OK,
        final_url=page.url or page.document.url,
        status=200,
        headers=page.headers | ({TECHNICAL: "upgrade"} if page.technical else {}),
        body=body,
        origin=Origin.IMPORT,
    )


def batches(pages: Sequence[Archived], size: int = BATCH) -> Iterator[Sequence[Archived]]:
    """Yield pages by so many, each batch's progress being lasting before the next is read."""
    return (pages[at : at + size] for at in range(0, len(pages), size))
