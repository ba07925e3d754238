"""The news of the demo as feeds: headline, link, date, outlet and one sentence, in RSS 2.0 and in Atom."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from email.utils import format_datetime
from hashlib import sha256
from html import escape

from agents.demo.story import Feed, Item, Story


def shared_out(story: Story, feed: Feed, *, by: datetime) -> tuple[Item, ...]:
    """Return a feed's share of the items that are out by a time, newest first, as feeds have it.

    Each outlet's items stand in one feed, as its name falls.
    """
    return tuple(item for item in story.published(by) if _home_feed(story, item) == feed.id)[::-1]


def _home_feed(story: Story, item: Item) -> str:
    return story.feeds[sha256(item.outlet.encode()).digest()[0] % len(story.feeds)].id


def written(feed: Feed, items: Iterable[Item], root: str) -> tuple[bytes, str]:
    """Return a feed's bytes and media type."""
    if feed.kind == "atom":
        return _atom(feed, items, root).encode(), "application/atom+xml; charset=utf-8"
    return _rss(feed, items, root).encode(), "application/rss+xml; charset=utf-8"


def _rss(feed: Feed, items: Iterable[Item], root: str) -> str:
    entries = "\n".join(
        f"""<item>
<title>{escape(item.title)}</title>
<link>{escape(item.url)}</link>
<guid isPermaLink="true">{escape(item.url)}</guid>
<pubDate>{format_datetime(item.published_at)}</pubDate>
<source url="{escape(_home(item))}">{escape(item.outlet)}</source>
<description>{escape(item.excerpt)}</description>
</item>"""
        for item in items
    )
    return f"""<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel>
<title>{escape(feed.name)}</title>
<link>{root}/</link>
<description>What is written about policies</description>
<language>en</language>
{entries}
</channel></rss>
"""


def _atom(feed: Feed, items: Iterable[Item], root: str) -> str:
    listed = list(items)
    entries = "\n".join(
        f"""<entry>
<id>{escape(item.url)}</id>
<title>{escape(item.title)}</title>
<link rel="alternate" href="{escape(item.url)}"/>
<published>{item.published_at.isoformat()}</published>
<updated>{item.published_at.isoformat()}</updated>
<author><name>{escape(item.outlet)}</name></author>
<source><id>{escape(_home(item))}</id><title>{escape(item.outlet)}</title></source>
<summary>{escape(item.excerpt)}</summary>
</entry>"""
        for item in listed
    )
    updated = max((item.published_at.isoformat() for item in listed), default="2024-01-01T00:00:00+00:00")
    return f"""<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">
<id>{root}{feed.path}</id>
<title>{escape(feed.name)}</title>
<link rel="self" href="{root}{feed.path}"/>
<updated>{updated}</updated>
{entries}
</feed>
"""


def _home(item: Item) -> str:
    return "/".join(item.url.split("/")[:3]) + "/"
