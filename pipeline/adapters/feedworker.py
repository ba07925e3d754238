"""The process beside us that runs feedparser: requests in by stdin, parsed feeds out by stdout.

A real feed keeps feedparser busy for seconds, and a hostile one for ever: here neither the event loop nor the
memory of the program is at stake. Frames are a length of four bytes and MessagePack.
"""

from __future__ import annotations

import io
import os
import re
import sys
from calendar import timegm
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, BinaryIO

import feedparser
import msgspec
from lxml import etree
from lxml import html as lxml_html

from pipeline.events import Value
from pipeline.news.feed import TITLE_CHARS, RawFeed, RawItem, plain_text, whole_url

MEMORY_LIMIT = 1 << 30
HEADER = 4
FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml")
BARE = re.compile(rb"<!\[CDATA\[.*?\]\]>|&(?!(?:#\d+|#x[0-9a-f]+|\w+);)", re.S | re.I)
HTML_START = re.compile(rb"<!doctype\s+html|<html[\s>]|<head[\s>]|<body[\s>]", re.I)
ZONES = {
    "CET": "+0100", "CEST": "+0200", "BST": "+0100", "WET": "+0000", "WEST": "+0100", "EET": "+0200",
    "EEST": "+0300", "MSK": "+0300", "JST": "+0900", "KST": "+0900", "HKT": "+0800", "SGT": "+0800",
    "AEST": "+1000", "AEDT": "+1100", "NZST": "+1200", "NZDT": "+1300", "SAST": "+0200",
}  # fmt: skip


class FeedRequest(Value, frozen=True, kw_only=True):
    """What to parse: the bytes as served, their declared type, and where they came from."""

    body: bytes
    content_type: str
    url: str


def parse_feed(request: FeedRequest) -> RawFeed:
    """Return the feed that the bytes are, or the problem that makes them none."""
    body = request.body.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not body:
        return RawFeed(problem="the feed is empty")
    if body.startswith(b"{"):
        return _json_feed(body, request.url)
    parsed = _parsed(request.body, request)
    if parsed.bozo and (mended := _mended(request.body)) != request.body:
        parsed = max(_parsed(mended, request), parsed, key=lambda feed: len(feed.entries))
    if not parsed.get("version") and not parsed.entries:
        return _no_feed(request, parsed)
    return RawFeed(
        title=plain_text(parsed.feed.get("title", ""), is_html=True, limit=TITLE_CHARS),
        language=_language(parsed.feed.get("language", "")),
        items=tuple(_item(entry, parsed.version or "", request.url) for entry in parsed.entries),
    )


def _parsed(body: bytes, request: FeedRequest) -> Any:
    return feedparser.parse(
        io.BytesIO(body),
        response_headers={
            "content-type": request.content_type or "application/xml",
            "content-location": request.url,
        },
        resolve_relative_uris=False,
        sanitize_html=False,
    )


def _mended(body: bytes) -> bytes:
    """Escape the ampersands that stand bare outside CDATA, the commonest slip of hand-made feeds."""
    if b"\0" in body:
        return body  # UTF-16 or 32
    return BARE.sub(lambda found: b"&amp;" if found[0] == b"&" else found[0], body)


def _item(entry: Any, version: str, base: str) -> RawItem:
    guid = str(entry.get("id", "") or "").strip()
    link = entry.get("link", "") or next((link.get("href", "") for link in entry.get("links", [])), "")
    if not link and guid.startswith(("http://", "https://")):
        link = guid
    return RawItem(
        title=_text(entry.get("title_detail"), version, TITLE_CHARS),
        guid=guid,
        url=whole_url(link, base) if link else "",
        summary=_summary(entry, version),
        published_at=_date(entry),
        language=_language((entry.get("title_detail") or {}).get("language") or ""),
    )


def _summary(entry: Any, version: str) -> str:
    """Return the longer of an item's summary and content: many feeds put a teaser in one of them."""
    details = [detail for detail in [entry.get("summary_detail"), *entry.get("content", [])] if detail]
    details.sort(key=lambda detail: len(detail.get("value") or ""))
    return _text(details[-1], version) if details else ""


def _text(detail: Any, version: str, limit: int = 4_000) -> str:
    """Return a text construct's words; RSS never says whether entities in a text were meant as such: they were."""
    if not detail or not detail.get("value"):
        return ""
    value = str(detail["value"])
    is_html = detail.get("type") != "text/plain" or (version.startswith("rss") and "<" not in value)
    return plain_text(value, is_html=is_html, limit=limit)


def _date(entry: Any) -> datetime | None:
    for name in ("published", "updated", "created"):
        stated = str(dict.get(entry, name) or "").strip()  # entry.get maps absent names to others
        when = _odd_date(stated) if stated else None
        if when is not None:
            return when
        parsed = dict.get(entry, f"{name}_parsed")
        if parsed is not None:
            return _from_seconds(timegm(parsed))
        if stated and (when := _mail_date(stated)) is not None:
            return when
    return None


def _odd_date(stated: str) -> datetime | None:
    """Read the forms that feedparser gets wrong: zones by name, and seconds since 1970."""
    if stated.isascii() and stated.isdigit() and 9 <= len(stated) <= 13:
        return _from_seconds(int(stated) / (1000 if len(stated) > 11 else 1))
    head, _, zone = stated.rpartition(" ")
    if zone.upper() not in ZONES:
        return None
    return _mail_date(f"{head} {ZONES[zone.upper()]}")


def _mail_date(stated: str) -> datetime | None:
    """Read an RFC 5322 date; the name of the day does not matter, whatever its language."""
    try:
        when = parsedate_to_datetime(stated)
    except (ValueError, TypeError, OverflowError):
        return None
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def _from_seconds(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _language(code: str) -> str:
    return str(code).strip().lower().replace("_", "-").partition("-")[0][:8]


def _json_feed(body: bytes, base: str) -> RawFeed:
    """Read a JSON Feed (jsonfeed.org, versions 1 and 1.1)."""
    try:
        feed = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return RawFeed(problem="the answer starts like JSON and cannot be read as such")
    if "jsonfeed.org" not in str(feed.get("version", "")) or not isinstance(feed.get("items"), list):
        return RawFeed(problem="the answer is JSON, and no JSON Feed")
    return RawFeed(
        title=plain_text(str(feed.get("title") or ""), is_html=False, limit=TITLE_CHARS),
        language=_language(feed.get("language") or ""),
        items=tuple(_json_item(item, base) for item in feed["items"] if isinstance(item, dict)),
    )


def _json_item(item: dict[str, Any], base: str) -> RawItem:
    link = item.get("url") or item.get("external_url") or ""
    text = item.get("content_text") or item.get("summary")
    return RawItem(
        title=plain_text(str(item.get("title") or ""), is_html=False, limit=TITLE_CHARS),
        guid=str(item.get("id") or ""),
        url=whole_url(str(link), base) if link else "",
        summary=plain_text(str(text or item.get("content_html") or ""), is_html=not text),
        published_at=_iso_date(item.get("date_published") or item.get("date_modified")),
        language=_language(item.get("language") or ""),
    )


def _iso_date(stated: object) -> datetime | None:
    try:
        when = datetime.fromisoformat(str(stated))
    except ValueError:
        return None
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def _no_feed(request: FeedRequest, parsed: Any) -> RawFeed:
    if HTML_START.search(request.body[:4096]):
        return RawFeed(problem="the answer is a web page, not a feed", alternates=tuple(_alternates(request)))
    cause = parsed.get("bozo_exception")
    return RawFeed(problem=f"the answer is no feed: {cause}" if cause else "the answer is no feed")


def _alternates(request: FeedRequest) -> Iterator[str]:
    """Yield the feeds that a page names in its head, each once, at most five."""
    try:
        root = lxml_html.document_fromstring(request.body)
    except (etree.ParserError, ValueError):
        return
    found = (
        whole_url(link.get("href", ""), request.url)
        for link in root.iter("link")
        if "alternate" in link.get("rel", "").lower() and link.get("type", "").lower() in FEED_TYPES
    )
    yield from list(dict.fromkeys(url for url in found if url))[:5]


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until the other side closes."""
    while len(header := requests.read(HEADER)) == HEADER:
        request = msgspec.msgpack.decode(requests.read(int.from_bytes(header)), type=FeedRequest)
        try:
            answer = parse_feed(request)
        except Exception as error:  # feedparser meets every malformed document there is
            answer = RawFeed(problem=f"the answer cannot be parsed: {type(error).__name__}: {error}")
        frame = msgspec.msgpack.encode(answer)
        answers.write(len(frame).to_bytes(HEADER) + frame)
        answers.flush()


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # not on this system
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))


def main() -> None:
    """Serve on the standard streams; whatever a library prints goes to stderr."""
    _limit_memory()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
