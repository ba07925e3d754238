"""Pages and texts as the command line takes them: a file or a URL in, a reading or a comparison out."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import msgspec

from pipeline.errors import PipelineError
from pipeline.events import Comparison, PageState, Verdict, Version
from pipeline.policy.compare import compare
from pipeline.policy.page import Page, Reading, read_page

DOCUMENT = re.compile(
    r"\b(?:privacy|terms|polic(?:y|ies)|conditions|guidelines|agreement|notice|rules|cookies?|trackers?|licen[cs]e)\b",
    re.I,
)
TEXT_TYPES = {".md": "text/markdown", ".markdown": "text/markdown", ".txt": "text/plain"}


class InputError(PipelineError):
    """A file or an address that the command line was given cannot be used."""


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """A page as a command was given it: its bytes, and what is known of how it was served."""

    body: bytes
    name: str = ""
    url: str = ""
    status: int = 200
    content_type: str = ""
    headers: dict[str, str] = {}
    document: str = ""  # what it is called, which tells apart the documents of a page that holds several


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a batch; paths are relative to where the command runs."""

    old: str = ""
    new: str = ""
    page: str = ""
    url: str | None = ""
    status: int = 200
    old_status: int = 200
    new_status: int = 200
    content_type: str = ""
    siblings: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    extractor_changed: bool = False
    select: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    service: str = ""
    document: str = ""


def from_file(
    path: str | Path, *, url: str = "", status: int = 200, content_type: str = "", document: str = ""
) -> Served:
    """Return a page kept in a file; `.gz` is opened.

    Where nothing else does, the suffix tells the media type, and a file or folder called like a document its name.
    """
    path = Path(path)
    try:
        body = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", remedy="name a file that can be read") from None
    name = path.name
    if name.endswith(".gz"):
        body, name = _opened(body, path), name.removesuffix(".gz")
    suffix = Path(name).suffix.lower()
    guessed = TEXT_TYPES.get(suffix) or mimetypes.guess_type(name)[0] or ""
    return Served(
        body=body,
        name=str(path),
        url=url,
        status=status,
        content_type=content_type or guessed,
        document=document or document_name(path),
    )


def document_name(path: Path) -> str:
    """Return what a file or its folder is called, where that is the name of a kind of document.

    Archives keep a document's pages as `Privacy Policy/2024-10-17.html` or `privacy-policy--html/…`.
    """
    for part in (path.name.partition(".")[0], path.parent.name):
        words = re.sub(r"[-_\s]+", " ", part.partition("--")[0]).strip()
        if DOCUMENT.search(words) and not re.search(r"\d{3}", words):
            return words.title()
    return ""


def _opened(body: bytes, path: Path) -> bytes:
    import gzip

    try:
        return gzip.decompress(body)
    except (OSError, EOFError) as error:
        raise InputError(f"{path}: not gzip: {error}") from None


def read(
    served: Served,
    *,
    known: Sequence[Version] = (),
    siblings: Sequence[bytes] = (),
    select: Sequence[str] = (),
    remove: Sequence[str] = (),
) -> Reading:
    """Read a page as a document."""
    page = Page(
        body=served.body,
        url=served.url,
        status=served.status,
        headers=served.headers,
        content_type=served.content_type,
        select=tuple(select),
        remove=tuple(remove),
        siblings=tuple(siblings),
        name=served.document,
    )
    return read_page(page, known=known)


def extracted(reading: Reading) -> dict[str, Any]:
    """Return the public JSON of a reading: state, title, language, text and clauses with offsets."""
    version = reading.version or Version(text="", clauses=())
    return {
        "state": reading.state.value,
        "title": version.title,
        "language": version.language,
        "text": version.text,
        "clauses": [
            {
                "id": clause.id,
                "number": clause.number,
                "heading": clause.heading,
                "path": list(clause.path),
                "text": clause.text,
                "start": clause.start,
                "end": clause.end,
                "kind": clause.kind,
                "lead": clause.lead,
            }
            for clause in version.clauses
        ],
        "detail": reading.reason,
        "notes": list(reading.notes),
    }


def compared(
    old: Served,
    new: Served,
    *,
    history: Sequence[Served] = (),
    siblings: Sequence[bytes] = (),
    extractor_changed: bool = False,
    service: str = "",
    document: str = "",
    select: Sequence[str] = (),
    remove: Sequence[str] = (),
) -> tuple[Comparison, str]:
    """Compare two pages; the second value tells, for a broken one, what is wrong in a sentence."""
    reads = partial(read, siblings=siblings, select=select, remove=remove)
    earlier = [version for page in history if (version := reads(page).version)]
    before = reads(old, known=earlier[-1:])
    base = before.version if before.state is PageState.OK else (earlier[-1] if earlier else None)
    known = [*earlier, *([base] if base and base not in earlier[-1:] else [])]
    after = reads(new, known=known)
    if before.state is not PageState.OK and after.state is not PageState.OK:
        base, after = _lasting(old, new, reads) or (base, after)
    if after.state is not PageState.OK or after.version is None:
        return Comparison(verdict=Verdict.BROKEN, reason=after.state.value, notes=after.notes), after.reason
    if base is None:
        why = f"the old page is no readable version ({before.state.value}): a first version is not a change"
        return Comparison(verdict=Verdict.UNCHANGED, reason=why), before.reason
    comparison = compare(
        base,
        after.version,
        history=earlier,
        extractor_changed=extractor_changed,
        service=service,
        document=document,
    )
    return comparison, ""


def _lasting(old: Served, new: Served, reads: Callable[..., Reading]) -> tuple[Version, Reading] | None:
    """Return two pages in a row that agree with each other, though not with what stood before: the page stays so."""
    base = reads(old).version
    after = reads(new, known=[base]) if base else None
    return (base, after) if base and after and after.state is PageState.OK else None


def as_json(comparison: Comparison, detail: str = "") -> dict[str, Any]:
    """Return the public JSON of a comparison."""
    return {**msgspec.to_builtins(comparison), "detail": detail}


def row_of(line: str, number: int) -> Row:
    """Return a line of a batch; InputError says what is wrong with it."""
    try:
        return msgspec.json.decode(line, type=Row)
    except msgspec.MsgspecError as error:
        raise InputError(f"line {number}: {error}") from None


def diff_row(row: Row) -> dict[str, Any]:
    """Return the result of one line of `diff --batch`."""
    if not row.old or not row.new:
        raise InputError("a line of a diff batch names `old` and `new`")
    file = partial(from_file, url=row.url or "", content_type=row.content_type, document=row.document)
    comparison, detail = compared(
        file(row.old, status=row.old_status),
        file(row.new, status=row.new_status),
        history=[file(path) for path in row.history],
        siblings=sibling_bodies(row.siblings),
        extractor_changed=row.extractor_changed,
        service=row.service,
        document=row.document,
        select=row.select,
        remove=row.remove,
    )
    return as_json(comparison, detail)


def extract_row(row: Row) -> dict[str, Any]:
    """Return the result of one line of `extract --batch`."""
    if not row.page:
        raise InputError("a line of an extract batch names `page`")
    served = from_file(
        row.page, url=row.url or "", status=row.status, content_type=row.content_type, document=row.document
    )
    reading = read(served, siblings=sibling_bodies(row.siblings), select=row.select, remove=row.remove)
    return extracted(reading)


def sibling_bodies(paths: Sequence[str]) -> tuple[bytes, ...]:
    """Return the bodies of other pages of the same host."""
    return tuple(_body(path) for path in paths)


@lru_cache(maxsize=64)
def _body(path: str) -> bytes:
    return from_file(path).body


def explained(error: Exception) -> Mapping[str, str]:
    """Return what a failed line of a batch yields in place of its result."""
    if isinstance(error, PipelineError):
        told = str(error)
        return {"error": f"{told} ({error.remedy})" if error.remedy else told}
    return {"error": f"{type(error).__name__}: {error}"}
