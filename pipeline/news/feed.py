"""Feeds as values: plain text from markup, links made whole, and entries known again from poll to poll."""

from __future__ import annotations

import hashlib
import html
import re
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from lxml import etree
from lxml import html as lxml_html

from pipeline.events import Entry, FeedSpec, Value, derived_id

REMEMBERED = 2_000
SUMMARY_CHARS = 4_000
TITLE_CHARS = 1_000
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=2)  # outlets in other zones and with wrong clocks; later than that is no date
BATCH_CHARS = 200_000

_TRACKING = re.compile(
    r"^(utm_\w+|fbclid|gclid|dclid|msclkid|mc_[ce]id|igshid|yclid|at_medium|at_campaign|cmpid)$", re.I
)
_MARKUP = re.compile(r"<[a-zA-Z!/?][^<>]*>|&(#\d+|#[xX][0-9a-fA-F]+|\w+);")
_TAG = re.compile(r"<[^>]*>")
_SPACE = re.compile(r"\s+")
_UNSAFE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_BREAKS = (
    "p", "div", "br", "li", "ul", "ol", "tr", "td", "th", "table", "h1",
    "h2", "h3", "h4", "h5", "h6", "blockquote", "section", "article", "figure", "hr",
)  # fmt: skip
_SILENT = ("script", "style", "template", "svg")


class RawItem(Value, frozen=True, kw_only=True):
    """One item as a parser found it: text already plain, link already whole, date as stated (UTC) or None."""

    title: str
    guid: str = ""
    url: str = ""
    summary: str = ""
    published_at: datetime | None = None
    language: str = ""


class RawFeed(Value, frozen=True, kw_only=True):
    """A parsed feed; with a `problem` it is none, and `alternates` are feeds that the page names instead."""

    title: str = ""
    language: str = ""
    items: tuple[RawItem, ...] = ()
    problem: str = ""
    alternates: tuple[str, ...] = ()


def plain_text(markup: str, *, is_html: bool, limit: int = SUMMARY_CHARS) -> str:
    """Return the words of a feed's text: no tags or entities, single spaces, `limit` characters at most."""
    text = _words(markup) if is_html and _MARKUP.search(markup) else markup
    text = _SPACE.sub(" ", _UNSAFE.sub(" ", text)).strip()
    if len(text) <= limit:
        return text
    cut = text.rfind(" ", limit // 2, limit)
    return text[: cut if cut > 0 else limit - 1].rstrip() + "…"


def _words(markup: str) -> str:
    if "<" not in markup:
        return html.unescape(markup)
    try:
        root = lxml_html.fragment_fromstring(_UNSAFE.sub(" ", markup), create_parent="div")
    except (etree.ParserError, ValueError):
        return html.unescape(_TAG.sub(" ", markup))
    etree.strip_elements(root, *_SILENT, with_tail=False)
    for block in root.iter(*_BREAKS):
        block.text = f" {block.text or ''}"
        block.tail = f" {block.tail or ''}"
    return str(root.text_content())


def whole_url(link: str, base: str) -> str:
    """Return a link made absolute, or nothing if it is no http(s) address."""
    try:
        url = urljoin(base, link.strip())
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.netloc else ""


def canonical_url(url: str) -> str:
    """Return the form of a URL that identifies what it leads to: no tracking, no fragment, host in lower case."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    query = parts.query
    if query:
        pairs = parse_qsl(query, keep_blank_values=True)
        query = urlencode([(name, value) for name, value in pairs if not _TRACKING.match(name)])
    scheme = "https" if parts.scheme.lower() == "http" else parts.scheme.lower()
    return urlunsplit((scheme, parts.netloc.lower(), parts.path or "/", query, ""))


def stated_date(when: datetime | None, *, now: datetime) -> datetime | None:
    """Return a date that an item can have been published at, None for one that is a slip."""
    return when if when is not None and EARLIEST <= when <= now + AHEAD else None


def new_entries(
    feed: FeedSpec, raw: RawFeed, seen: Sequence[str], *, now: datetime
) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """Return the entries that were not there before, in the feed's order, and what to remember as seen.

    An item is known by its guid, else by its canonical URL, else by title and text. A name that several items
    share counts together with the URL, then with the title. An item met under a new guid with URL, title and
    date all known is the old one. Neither order nor the edit of a title makes an item new.
    """
    known = {name for line in seen for name in line.split()}
    counts = Counter(level for item in raw.items for level in dict.fromkeys(_levels(item)))
    fresh: list[Entry] = []
    lines: list[tuple[str, ...]] = []
    for item in raw.items:
        identity, own, marks = _identify(item, counts, known)
        if known.isdisjoint(own):
            fresh.append(_entry(feed, raw, item, identity, now=now))
        known.update(own)
        lines.append(own + marks)
    return tuple(fresh), _remembered(lines, seen)


def batches(entries: Sequence[Entry]) -> Iterator[tuple[Entry, ...]]:
    """Cut entries into runs that fit in a record each."""
    run: list[Entry] = []
    size = 0
    for entry in entries:
        weight = len(entry.title) + len(entry.summary) + len(entry.url) + 300
        if run and size + weight > BATCH_CHARS:
            yield tuple(run)
            run, size = [], 0
        run.append(entry)
        size += weight
    if run:
        yield tuple(run)


def _levels(item: RawItem) -> list[tuple[str, ...]]:
    """Return the names that could identify an item, the most telling last."""
    url = canonical_url(item.url) if item.url else ""
    if item.guid:
        return [("g", item.guid), ("gu", item.guid, url), ("gut", item.guid, url, item.title)]
    if url:
        return [("u", url), ("ut", url, item.title)]
    return [("ts", item.title, item.summary)]


def _identify(
    item: RawItem, counts: Counter[tuple[str, ...]], known: set[str]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return an item's identity, the names that it is known by, and the marks of names that others share."""
    levels = _levels(item)
    marks: list[str] = []
    while len(levels) > 1 and (counts[levels[0]] > 1 or _short("shared", *levels[0]) in known):
        marks.append(_short("shared", *levels.pop(0)))
    own = [_short(*level) for level in levels]
    if item.guid and item.url:
        own.append(_short("utd", canonical_url(item.url), item.title, str(item.published_at)))
    return levels[0], tuple(own), tuple(marks)


def _remembered(lines: Iterable[tuple[str, ...]], seen: Sequence[str]) -> tuple[str, ...]:
    """Return what to remember: all of the present document, then the newest of what was known before."""
    present = [" ".join(line) for line in dict.fromkeys(lines)]
    names = {name for line in present for name in line.split()}
    older = (line for line in seen if names.isdisjoint(line.split()))
    return tuple(present + list(islice(older, max(0, REMEMBERED - len(present)))))


def _entry(feed: FeedSpec, raw: RawFeed, item: RawItem, identity: tuple[str, ...], *, now: datetime) -> Entry:
    return Entry(
        id=derived_id("entry", feed.id, *identity),
        feed_id=feed.id,
        outlet=feed.name or raw.title,
        title=item.title or plain_text(item.summary, is_html=False, limit=120),
        url=item.url,
        summary=item.summary,
        published_at=stated_date(item.published_at, now=now),
        seen_at=now,
        language=item.language or raw.language,
    )


def _short(*parts: str) -> str:
    """Return 64 bits of the parts' hash as 11 characters."""
    digest = hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")
