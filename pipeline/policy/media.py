"""What the bytes of a page are (HTML, Markdown, text, PDF, JSON or nothing readable) and the text they spell."""

from __future__ import annotations

import codecs
import re
import zlib
from dataclasses import dataclass

LIMIT = 25_000_000  # characters or bytes that a page may have, decompressed
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([a-zA-Z0-9_:.-]{2,40})", re.I)
_XML = re.compile(rb"^\s*<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([a-zA-Z0-9_:.-]{2,40})", re.I)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([a-zA-Z0-9_:.-]{2,40})", re.I)
_TAGS = re.compile(
    r"<(?:!doctype\s+html|html|head|body|div|p|h[1-6]|main|article|section|table|ul|span|meta|title)\b", re.I
)
_ODD = re.compile("[\ufffd\x01-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_UNDEFINED = frozenset(b"\x81\x8d\x8f\x90\x9d")  # in Windows-1252
_BINARY = (
    (b"\x89PNG", "an image (PNG)"),
    (b"\xff\xd8\xff", "an image (JPEG)"),
    (b"GIF8", "an image (GIF)"),
    (b"RIFF", "a RIFF file (an image or a sound)"),
    (b"PK\x03\x04", "a ZIP archive (a Word document perhaps)"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"\x28\xb5\x2f\xfd", "bytes compressed with zstd"),
    (b"wOF2", "a font"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A page's text and its kind: html, markdown, text, json, pdf or binary; `what` says what binary bytes are."""

    kind: str
    text: str = ""
    body: bytes = b""
    what: str = ""
    encoding: str = ""


def read(body: bytes, *, content_type: str = "", url: str = "") -> Content:
    """Return what the bytes are; whatever they are, without an error."""
    body, fault = _inflated(body)
    if fault:
        return Content(kind="binary", what=fault)
    if len(body) > LIMIT:
        return Content(kind="binary", what=f"more than {LIMIT // 1_000_000} MB")
    if body[:1024].lstrip()[:5] == b"%PDF-":
        return Content(kind="pdf", body=body)
    for magic, what in _BINARY:
        if body.startswith(magic):
            return Content(kind="binary", what=what)
    text, encoding = decode(body, content_type)
    if _is_noise(text) or (not encoding.startswith("utf") and _is_binary(body)):
        return Content(kind="binary", what="bytes that are no text in any encoding we know")
    return Content(
        kind=_kind(text, content_type.lower(), url.lower()), text=text, body=body, encoding=encoding
    )


def _inflated(body: bytes) -> tuple[bytes, str]:
    """Undo a gzip that was left on, up to the limit."""
    if not body.startswith(b"\x1f\x8b"):
        return body, ""
    inflate = zlib.decompressobj(wbits=31)
    try:
        plain = inflate.decompress(body, LIMIT + 1)
    except zlib.error:
        return b"", "compressed bytes (gzip) that cannot be read"
    return plain, ""


def decode(body: bytes, content_type: str = "") -> tuple[str, str]:
    """Return the text and its encoding: byte order mark, valid UTF-8, header, `meta`, then the best guess."""
    for bom, encoding in _BOMS:
        if body.startswith(bom):
            return body.decode(encoding, "replace"), encoding
    if body[:200].count(0) > 40:
        wide = "utf-16-le" if body[1:2] == b"\x00" else "utf-16-be"
        return body.decode(wide, "replace"), wide
    try:
        return body.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        if (
            error.reason == "unexpected end of data" and not body[: error.start].isascii()
        ):  # cut inside a character
            return body.decode("utf-8", "ignore"), "utf-8"
    for encoding in _declared(body, content_type):
        try:
            return body.decode(encoding), encoding
        except (LookupError, ValueError):
            continue
    return _guessed(body)


def _declared(body: bytes, content_type: str) -> list[str]:
    found = [match[1] for match in [_CHARSET.search(content_type)] if match]
    found += [match[1].decode("ascii") for pattern in (_META, _XML) if (match := pattern.search(body[:4096]))]
    names = [name.lower() for name in found]
    return [
        "cp1252" if name in {"iso-8859-1", "latin-1", "latin1", "us-ascii", "ascii"} else name
        for name in names
    ]


def _guessed(body: bytes) -> tuple[str, str]:
    """Mostly UTF-8 with faults is UTF-8; else what a statistical detector says; else Windows-1252."""
    text = body.decode("utf-8", "replace")
    if text.count("\ufffd") * 100 < max(1, sum(1 for char in text[:200_000] if char > "\x7f")) * 20:
        return text, "utf-8"
    high = sum(1 for byte in body[:60_000] if byte >= 0x80)
    if high * 7 < len(body[:60_000]) and not any(byte in _UNDEFINED for byte in body[:60_000]):
        return body.decode("cp1252", "replace"), "cp1252"  # a letter here and there: a Latin alphabet
    from charset_normalizer import from_bytes

    best = from_bytes(body[:60_000], cp_exclusion=["utf_7"]).best()
    encoding = best.encoding if best else "cp1252"
    return body.decode(encoding, "replace"), encoding


def _is_binary(body: bytes) -> bool:
    """Tell bytes that no encoding of text uses: many control characters of ASCII."""
    sample = body[:20_000]
    return len(sample.translate(None, bytes({*range(32)} - {9, 10, 12, 13, 27}))) < 0.97 * len(sample)


def _is_noise(text: str) -> bool:
    sample = text[:20_000]
    odd = len(_ODD.findall(sample))
    return len(sample) > 20 and odd * 5 > len(sample)


def _kind(text: str, content_type: str, url: str) -> str:
    media = content_type.partition(";")[0].strip()
    head = text[:3000].lstrip()
    if "html" in media or media.endswith("xml"):
        return "html"
    if "markdown" in media:
        return "markdown"
    if media.endswith("json"):
        return "json"
    if head.startswith("<") and _TAGS.search(head):
        return "html"
    path = url.partition("?")[0].partition("#")[0]
    if path.endswith((".md", ".markdown")):
        return "markdown"
    if media == "text/plain" or path.endswith((".txt", ".text")):
        return "text"
    return (
        "html" if len(_TAGS.findall(text[:20_000])) >= 3 and not head.startswith(("#", "|")) else "markdown"
    )
