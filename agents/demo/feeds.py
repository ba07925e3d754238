"""The news of the demo as feeds: headline, link, date, outlet and one sentence, in RSS 2.0 and in Atom."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from email.utils import format_datetime
from html import escape

from agents.demo.story import Feed, Item, Story


def published(story: Story, feed: Feed, *, by: datetime) -> tuple[Item, ...]:
    """Return an outlet's items that are out by a time, newest first, as feeds have it."""
    return tuple(item for item in story.published(by) if item.outlet == feed.name)[::-1]


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
<summary>{escape(item.excerpt)}</summary>
</entry>"""
        for item in listed
    )
    updated = max((item.published_at.isoformat() for item in listed), default="2024-01-01T00:00:00+00:00")
    return f"""<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">
<id>{root}{feed.path}</id>
<title>{escape(feed.name)}</title>
<author><name>{escape(feed.name)}</name></author>
<link rel="self" href="{root}{feed.path}"/>
<updated>{updated}</updated>
{entries}
</feed>
"""
