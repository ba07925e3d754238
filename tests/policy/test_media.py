"""What bytes are: by header, by themselves, by the address, in this order of trust."""

from __future__ import annotations

import gzip

import pytest

from pipeline.policy.media import decode, read


@pytest.mark.parametrize(
    ("body", "content_type", "url", "kind"),
    [
        (b"<p>a</p>", "text/html; charset=utf-8", "", "html"),
        (b"<!doctype html><p>a", "", "", "html"),
        (b"# Terms\n\ntext", "text/markdown", "", "markdown"),
        (b"# Terms\n\ntext", "", "https://x.org/terms.md", "markdown"),
        (b"Terms\n\ntext", "text/plain", "", "text"),
        (b"Terms\n\ntext", "", "https://x.org/terms.txt?v=1", "text"),
        (b"<html><body>a", "text/plain", "", "html"),
        (b"%PDF-1.4 ...", "text/html", "", "pdf"),
        (b'{"a": 1}', "application/json", "", "json"),
        (b"Terms with a <b>tag</b> in it", "", "", "markdown"),
        (gzip.compress(b"<!doctype html><p>a"), "", "", "html"),
        (b"", "", "", "markdown"),
    ],
)
def test_kinds(body: bytes, content_type: str, url: str, kind: str) -> None:
    """Each page is read as what it is, not only as what it says it is."""
    assert read(body, content_type=content_type, url=url).kind == kind


def test_cut_character() -> None:
    """A body cut inside a character is still UTF-8."""
    assert decode("données é".encode()[:-1]) == ("données ", "utf-8")


def test_unknown_charset() -> None:
    """A charset that does not exist is passed over."""
    assert decode("données gardées".encode("cp1252"), "text/html; charset=klingon")[0] == "données gardées"
