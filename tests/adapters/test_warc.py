"""Captures in WARC files, written by hand so that nothing but the format is trusted."""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from pathlib import Path

import pytest

from pipeline.adapters.archives import ArchiveError
from pipeline.adapters.warc import address, warc_files, warc_pages
from pipeline.events import DocumentSpec

SPEC = DocumentSpec(id="x/terms", service="X", name="Terms", url="https://x.example/terms")
pytestmark = pytest.mark.skipif(
    find_spec("warcio") is None, reason="WARC WAS NOT READ: warcio is not installed (extra warc)"
)


def record(
    body: bytes = b"<p>terms</p>",
    *,
    url: str = "https://x.example/terms",
    at: str = "2024-01-02T03:04:05Z",
    kind: str = "response",
    status: str = "200 OK",
    headers: str = "Content-Type: text/html\r\n",
) -> bytes:
    """Return one WARC record."""
    http = f"HTTP/1.1 {status}\r\n{headers}\r\n".encode() + body if kind == "response" else body
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\nWARC-Date: {at}\r\n"
        f"WARC-Record-ID: <urn:uuid:0>\r\nContent-Type: application/http; msgtype={kind}\r\n"
        f"Content-Length: {len(http)}\r\n\r\n"
    )
    return head.encode() + http + b"\r\n\r\n"


def known(wanted: str) -> DocumentSpec | None:
    return SPEC if wanted == "x.example/terms" else None


def pages(*files: Path) -> list[tuple[str, bytes]]:
    return [(f"{page.at:%Y-%m-%d %H:%M}", page.read()) for page in warc_pages(files, known)]


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz"])
def test_captures_in_order_of_time(tmp_path: Path, name: str) -> None:
    """Good answers at the document's address come oldest first, compressed by record or not."""
    records = [
        record(b"later", at="2024-03-01T00:00:00Z"),
        record(b"other", url="https://x.example/privacy"),
        record(b"moved", status="301 Moved", headers="Location: /\r\n"),
        record(b"gone", status="404 Not Found"),
        record(b"asked", kind="request"),
        record(b"earlier", url="http://www.x.example/terms/", at="2024-01-01T00:00:00.123456Z"),
    ]
    file = tmp_path / name
    file.write_bytes(b"".join(gzip.compress(one) if name.endswith("gz") else one for one in records))
    assert pages(file) == [("2024-01-01 00:00", b"earlier"), ("2024-03-01 00:00", b"later")]


def test_bodies_are_decoded(tmp_path: Path) -> None:
    """Chunks and compression are undone, and the page's own headers kept."""
    body = gzip.compress(b"<p>packed</p>")
    chunked = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    headers = "Content-Type: text/html; charset=utf-8\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a=b\r\n"
    (tmp_path / "a.warc").write_bytes(record(chunked, headers=headers))
    (page,) = warc_pages([tmp_path / "a.warc"], known)
    assert (page.read(), page.headers) == (b"<p>packed</p>", {"content-type": "text/html; charset=utf-8"})


@pytest.mark.parametrize(
    "data",
    [
        b"no warc at all",
        gzip.compress(record() + record()),
        record(at="yesterday"),
        record(b"<p>terms</p>" * 40)[:-100],
        gzip.compress(record(bytes(range(256)) * 9))[:-60],
    ],
    ids=["no warc", "compressed as a whole", "no date", "cut", "cut and compressed"],
)
def test_damage_is_said(tmp_path: Path, data: bytes) -> None:
    """A file that cannot be read ends in a sentence that names it."""
    file = tmp_path / ("a.warc.gz" if data.startswith(b"\x1f\x8b") else "a.warc")
    file.write_bytes(data)
    with pytest.raises(ArchiveError, match=r"a\.warc"):
        pages(file)


def test_empty_file_holds_nothing(tmp_path: Path) -> None:
    """A file without a record is no damage."""
    (tmp_path / "a.warc").write_bytes(b"")
    assert pages(tmp_path / "a.warc") == []


def test_files_of_a_folder(tmp_path: Path) -> None:
    """A folder's WARC files are found in order of their names; other files are none."""
    for name in ("b.warc.gz", "a.warc", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    assert [path.name for path in warc_files(tmp_path)] == ["a.warc", "b.warc.gz"]
    assert warc_files(tmp_path / "notes.txt") == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://x.example/terms", "http://www.x.example/terms/#top", True),
        ("https://x.example/terms?lang=en", "https://x.example/terms", False),
        ("https://x.example/", "https://x.example", True),
        ("https://X.example:443/a", "https://x.example/a", True),
        ("https://x.example/A", "https://x.example/a", False),
    ],
)
def test_addresses(one: str, other: str, same: bool) -> None:
    """Scheme, www, port, fragment and a last slash do not tell pages apart; path and query do."""
    assert (address(one) == address(other)) is same
