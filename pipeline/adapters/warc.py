"""Pages captured in WARC files (ISO 28500), read by warcio: first listed, then read one by one in order of time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipeline.adapters.archives import MAX_BYTES, Archived, ArchiveError
from pipeline.events import DocumentSpec

SUFFIXES = (".warc", ".warc.gz")
KEPT = frozenset({"content-type", "content-language", "last-modified", "date", "server"})


@dataclass(frozen=True, slots=True)
class Capture:
    """Where one good answer lies, of which address, from when."""

    path: Path
    offset: int
    url: str
    at: datetime
    headers: dict[str, str]


def warc_files(place: Path) -> list[Path]:
    """Return the WARC files that a path names: itself, or those of a folder; none where it is neither."""
    if place.is_file():
        return [place] if place.name.lower().endswith(SUFFIXES) else []
    return sorted(
        path for path in place.rglob("*") if path.is_file() and path.name.lower().endswith(SUFFIXES)
    )


def warc_pages(files: Sequence[Path], spec_of: Callable[[str], DocumentSpec | None]) -> list[Archived]:
    """Return the captures of the documents wanted, each document's oldest first.

    `spec_of` is given the address of a capture as `address` writes it, and returns None for one that is not wanted.
    """
    found = [
        _page(capture, spec)
        for path in files
        for capture in _captures(path)
        if (spec := spec_of(address(capture.url))) is not None
    ]
    return sorted(found, key=lambda page: (page.document.id, page.at))


def address(url: str) -> str:
    """Return what tells a page's address from another's: host without www, path without its last slash, query."""
    parts = urlsplit(url.strip().strip("<>"))
    host = (parts.hostname or "").removeprefix("www.")
    return f"{host}{parts.path.rstrip('/')}{'?' if parts.query else ''}{parts.query}"


def _page(capture: Capture, spec: DocumentSpec) -> Archived:
    return Archived(
        document=spec, at=capture.at, url=capture.url, headers=capture.headers, read=partial(_body, capture)
    )


def _captures(path: Path) -> Iterator[Capture]:
    """Yield the good answers of a file; redirects, errors, requests and revisits are passed over."""
    warcio = _warcio()
    try:
        with path.open("rb") as file:
            records = warcio.ArchiveIterator(file)
            for record in records:
                if (found := _capture(path, records.get_record_offset(), record)) is not None:
                    yield found
    except _faults() as error:
        raise _unreadable(path, error) from None


def _capture(path: Path, offset: int, record: Any) -> Capture | None:
    if record.rec_type not in {"response", "resource"}:
        return None
    url, written = (
        record.rec_headers.get_header("WARC-Target-URI"),
        record.rec_headers.get_header("WARC-Date"),
    )
    if not url or not url.strip("<> ").startswith(("http://", "https://")):
        return None
    served = record.http_headers
    if record.rec_type == "response" and (served is None or served.get_statuscode() != "200"):
        return None
    return Capture(path, offset, url.strip("<> "), _time(written, path), _headers(record))


def _headers(record: Any) -> dict[str, str]:
    if record.http_headers is None:
        return {"content-type": record.rec_headers.get_header("Content-Type") or "text/html"}
    return {name.lower(): value for name, value in record.http_headers.headers if name.lower() in KEPT}


def _time(written: str | None, path: Path) -> datetime:
    try:
        moment = datetime.fromisoformat(written or "")
    except ValueError:
        raise ArchiveError(
            f"{path}: {written!r} is no WARC-Date", remedy="Mend the file, or leave it out"
        ) from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _body(capture: Capture) -> bytes:
    """Return a capture's decoded bytes, read at its place in the file."""
    try:
        with capture.path.open("rb") as file:
            file.seek(capture.offset)
            record = next(iter(_warcio().ArchiveIterator(file)))
            data: bytes = record.content_stream().read(MAX_BYTES + 1)
            cut = len(data) <= MAX_BYTES and _missing(record)
    except _faults() as error:
        raise _unreadable(capture.path, error) from None
    if cut:
        raise ArchiveError(
            f"{capture.path} ends inside {capture.url}", remedy="Fetch the file again, or leave it out"
        )
    if len(data) > MAX_BYTES:
        raise ArchiveError(f"{capture.url} is larger than {MAX_BYTES} bytes", remedy="Leave its document out")
    return data


def _missing(record: Any) -> bool:
    """Say whether bytes that a record announced are not there."""
    record.raw_stream.read()
    return bool(getattr(record.raw_stream, "limit", 0) > 0)


def _unreadable(path: Path, error: BaseException) -> ArchiveError:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return ArchiveError(
        f"{path} cannot be read as WARC: {lines[0][:200]}",
        remedy="Each record of a .warc.gz is compressed on its own: `warcio recompress` makes it so",
    )


def _warcio() -> Any:
    """Return warcio's reading module; ArchiveError when it is not installed."""
    try:
        return import_module("warcio.archiveiterator")
    except ModuleNotFoundError:
        raise ArchiveError(
            "WARC files cannot be read: warcio is not installed", remedy="pip install 'clausewire[warc]'"
        ) from None


def _faults() -> tuple[type[Exception], ...]:
    """Return what reading a damaged file may raise."""
    loading: type[Exception] = import_module("warcio.recordloader").ArchiveLoadFailed
    return (loading, OSError, EOFError, ValueError, StopIteration, LookupError, AttributeError)
