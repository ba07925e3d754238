"""The feed parser in its child process: every dialect in, plain values out, and no feed harms the program."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.adapters.feeds import FeedParser
from pipeline.adapters.feedworker import FeedRequest, parse_feed
from pipeline.errors import FetchError
from pipeline.news.feed import RawFeed

URL = "https://example.com/news/feed"


def rss(items: str, head: str = "<?xml version='1.0' encoding='utf-8'?>", extra: str = "") -> str:
    return f"{head}<rss version='2.0'><channel><title>The Outlet</title>{extra}{items}</channel></rss>"


def parsed(body: str | bytes, content_type: str = "application/rss+xml") -> RawFeed:
    data = body.encode() if isinstance(body, str) else body
    return parse_feed(FeedRequest(body=data, content_type=content_type, url=URL))


RSS = rss(
    "<item><guid isPermaLink='false'>a-1</guid><link>/a?x=1&amp;utm_source=rss</link><title>X &amp;amp; AI</title>"
    "<description>&lt;p&gt;One&lt;/p&gt;&lt;p&gt;two&lt;/p&gt;</description>"
    "<pubDate>Thu, 17 Oct 2024 10:00:00 +0200</pubDate></item>",
    extra="<language>en-US</language>",
)
ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://example.com/base/">
<title>The Outlet</title><id>f</id><updated>2024-10-17T08:00:00Z</updated>
<entry><id>a-1</id><title type="text">Why &lt;b&gt; is bold</title><link href="a"/><updated>2024-10-17T08:00:00Z</updated>
<content type="html">&lt;p&gt;Words&lt;/p&gt;&lt;script&gt;x()&lt;/script&gt;</content></entry></feed>"""
RDF = """<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="x"><title>The Outlet</title></channel>
<item rdf:about="https://example.com/a"><title>One</title><link>https://example.com/a</link><dc:date>2024-10-17T08:00:00Z</dc:date></item></rdf:RDF>"""
JSON = """{"version": "https://jsonfeed.org/version/1.1", "title": "The Outlet", "language": "en",
"items": [{"id": "a-1", "url": "/a", "title": "One", "content_html": "<p>Words</p>", "date_published": "2024-10-17T10:00:00+02:00"}]}"""


@pytest.mark.parametrize(
    ("body", "title", "url", "summary"),
    [
        (RSS, "X & AI", "https://example.com/a?x=1&utm_source=rss", "One two"),
        (ATOM, "Why <b> is bold", "https://example.com/base/a", "Words"),
        (RDF, "One", "https://example.com/a", ""),
        (JSON, "One", "https://example.com/a", "Words"),
    ],
    ids=["rss", "atom", "rdf", "json"],
)
def test_dialects(body: str, title: str, url: str, summary: str) -> None:
    """Every dialect of feed gives the same values: plain words, whole links, dates in UTC."""
    feed = parsed(body)
    item = feed.items[0]
    assert (feed.title, item.title, item.url, item.summary) == ("The Outlet", title, url, summary)
    assert item.published_at == datetime(2024, 10, 17, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (rss("<item><title>Données</title></item>").encode(), "application/rss+xml"),
        (
            rss("<item><title>Données</title></item>", head="").encode("cp1252"),
            "application/rss+xml; charset=utf-8",
        ),
        (rss("<item><title>Données</title></item>", head="").encode("latin-1"), ""),
        (
            rss(
                "<item><title>Données</title></item>", head="<?xml version='1.0' encoding='iso-8859-1'?>"
            ).encode("latin-1"),
            "text/xml",
        ),
        (rss("<item><title>Données</title></item>", head="").encode("utf-16"), "application/rss+xml"),
        (b"\xef\xbb\xbf" + rss("<item><title>Données</title></item>").encode(), "application/rss+xml"),
    ],
    ids=["utf-8", "cp1252 called utf-8", "latin-1 unsaid", "latin-1 declared", "utf-16", "BOM"],
)
def test_charsets(body: bytes, content_type: str) -> None:
    """A wrong or missing charset does not garble words."""
    assert parsed(body, content_type).items[0].title == "Données"


@pytest.mark.parametrize(
    ("stated", "hour"),
    [
        ("03 Nov 2026 10:00:00 CEST", 8),
        ("03 Nov 2026 10:00:00 EST", 15),
        ("mar, 03 nov 2026 10:00:00 +0100", 9),
        ("1793700000", 10),
        ("2026-11-03T10:00:00Z", 10),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates(stated: str, hour: int | None) -> None:
    """Dates in the forms that feeds really use; none where there is none."""
    when = parsed(rss(f"<item><title>t</title><pubDate>{stated}</pubDate></item>")).items[0].published_at
    assert (when.hour if when else None) == hour


@pytest.mark.parametrize(
    ("body", "title"),
    [
        (rss("<item><title>M&A talks</title></item>"), "M&A talks"),
        (rss("<item><title>A&nbsp;B &mdash; C</title></item>"), "A B — C"),
        (rss("<item><title>One</title></item><item><title>Tw")[:-20], "One"),
        (rss("<item><title><![CDATA[<b>Bold</b> claim]]></title></item>"), "Bold claim"),
    ],
    ids=["bare ampersand", "HTML entities", "cut off", "markup in CDATA"],
)
def test_malformed(body: str, title: str) -> None:
    """A feed that is not well-formed still gives its items."""
    assert parsed(body).items[0].title == title


@pytest.fixture
async def parser() -> AsyncIterator[FeedParser]:
    async with FeedParser(deadline_s=15) as parser:
        yield parser


async def test_parses_in_a_child(parser: FeedParser) -> None:
    """A feed goes to the child and comes back as values, one after another."""
    for _ in range(2):
        feed = await parser.parse(RSS.encode(), content_type="application/rss+xml", url=URL)
        assert feed.items[0].title == "X & AI"


PAGE = """<!DOCTYPE html><html><head><title>News</title>
<link rel="alternate" type="application/rss+xml" href="/rss.xml"><link rel="stylesheet" href="/s.css"></head>
<body><p>news</p></body></html>"""


@pytest.mark.parametrize(
    ("body", "fact", "remedy"),
    [
        (PAGE, "web page", "https://example.com/rss.xml"),
        (PAGE.replace("alternate", "x"), "web page", "Check the source's url"),
        ("", "empty", ""),
        ("   ", "empty", ""),
        ('{"a": 1}', "no JSON Feed", ""),
        ("{oops", "cannot be read", ""),
        ("<?xml version='1.0'?><note>hello</note>", "no feed", ""),
        ("just words", "no feed", ""),
    ],
)
async def test_no_feed(parser: FeedParser, body: str, fact: str, remedy: str) -> None:
    """What is no feed is told as such; a web page with the feeds that it names."""
    with pytest.raises(FetchError) as caught:
        await parser.parse(body.encode(), content_type="", url=URL)
    assert (caught.value.kind, fact in str(caught.value)) == ("feed", True)
    assert remedy in caught.value.remedy


LAUGHS = (
    "<?xml version='1.0'?><!DOCTYPE rss [<!ENTITY a0 'ha'>"
    + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12))
    + "]>"
    + rss("<item><title>&a11;</title></item>", head="")
)
OUTSIDE = "<?xml version='1.0'?><!DOCTYPE rss [<!ENTITY x SYSTEM 'file://{}'>]>" + rss(
    "<item><title>read: &x;</title></item>", head=""
)


async def test_billion_laughs(parser: FeedParser) -> None:
    """Entities that multiply are not expanded: the answer is quick and small."""
    started = time.monotonic()
    feed = await parser.parse(LAUGHS.encode(), content_type="text/xml", url=URL)
    assert len(feed.items[0].title) < 1000
    assert time.monotonic() - started < 10


async def test_outside_entities(parser: FeedParser, tmp_path: Path) -> None:
    """An entity that names a file of ours does not bring its contents."""
    secret = tmp_path / "secret"
    secret.write_text("the password")
    feed = await parser.parse(OUTSIDE.format(secret).encode(), content_type="text/xml", url=URL)
    assert "password" not in feed.items[0].title


async def test_deadline() -> None:
    """A feed that takes too long costs its child, and the next one is parsed by another."""
    async with FeedParser(deadline_s=0.001) as parser:
        with pytest.raises(FetchError) as caught:
            await parser.parse(RSS.encode(), content_type="", url=URL)
        assert "takes longer" in str(caught.value)
        parser._deadline_s = 15.0
        assert (await parser.parse(RSS.encode(), content_type="", url=URL)).items


async def test_loop_stays_free(parser: FeedParser) -> None:
    """While a feed of 3,000 items is parsed, the event loop runs on."""
    body = rss(
        "".join(
            f"<item><guid>{n}</guid><title>T{n}</title><description>{'word ' * 50}</description></item>"
            for n in range(3000)
        )
    )
    await parser.parse(RSS.encode(), content_type="", url=URL)  # the child is up
    longest = 0.0
    task = asyncio.create_task(parser.parse(body.encode(), content_type="", url=URL))
    while not task.done():
        before = time.thread_time()
        await asyncio.sleep(0.001)
        longest = max(longest, time.thread_time() - before)
    assert len((await task).items) == 3000
    assert longest < 0.02
