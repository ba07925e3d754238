"""The demo's days as data, and what must be told on each."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Literal

import msgspec
import yaml
from msgspec import Struct

from pipeline.config import slug

FOLDER = Path(__file__).parents[2] / "deploy" / "demo"
NOON = time(12, tzinfo=UTC)

Dress = Literal["classic", "modern"]
Manner = Literal["plain", "reflowed", "remarked", "restless", "soft-404", "consent-wall"]


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the story."""


class Document(Part, frozen=True, kw_only=True):
    """A document that the demo watches, and its path on its service's site."""

    id: str
    service: str
    name: str
    path: str
    aliases: tuple[str, ...] = ()
    select: str = ""


class Feed(Part, frozen=True, kw_only=True):
    """An outlet's feed."""

    id: str
    name: str
    kind: Literal["rss", "atom"]
    path: str


class Watch(Part, frozen=True, kw_only=True):
    """A watch, the stories that satisfy it, and the document whose alert they belong to."""

    name: str
    query: str
    stories: tuple[str, ...]
    document: str


class Serving(Part, frozen=True, kw_only=True):
    """What a document's address serves from a day on."""

    document: str
    page: str
    dress: Dress = "classic"
    manner: Manner = "plain"


class Told(Part, frozen=True, kw_only=True):
    """An alert that must come: of which document, and which changes (`type: words`) it must show."""

    document: str
    shows: tuple[str, ...] = ()


class Day(Part, frozen=True, kw_only=True):
    """One day: what is served anew, why it is there, and the alerts that must come of it."""

    date: date
    title: str
    why: str
    pages: tuple[Serving, ...]
    alerts: tuple[Told, ...] = ()
    tells: tuple[str, ...] = ()
    may_tell: tuple[str, ...] = ()
    trouble: tuple[str, ...] = ()

    @property
    def noon(self) -> datetime:
        """The time from which the day's pages stand."""
        return datetime.combine(self.date, NOON)

    @property
    def end(self) -> datetime:
        """The day's last second."""
        return datetime.combine(self.date, time(23, 59, 59, tzinfo=UTC))


class Reported(Part, frozen=True, kw_only=True):
    """A clause that a news item reports on."""

    document: str
    clause: str


class Item(Part, frozen=True, kw_only=True):
    """A news item: headline, link, one sentence, the story that it tells and the clauses that it reports."""

    story: str
    outlet: str
    url: str
    title: str
    published: date
    excerpt: str
    reports: tuple[Reported, ...] = ()

    @property
    def published_at(self) -> datetime:
        return datetime.combine(self.published, time(9, tzinfo=UTC))


class Story(Part, frozen=True, kw_only=True):
    """The whole demo: what is watched, and what happens day by day."""

    documents: tuple[Document, ...]
    watches: tuple[Watch, ...]
    days: tuple[Day, ...]
    items: tuple[Item, ...] = ()
    folder: Path = FOLDER

    def page(self, serving: Serving) -> bytes:
        """Return the capture that is served: Markdown or HTML, as its name says."""
        return gzip.decompress((self.folder / "pages" / serving.page).read_bytes())

    @property
    def feeds(self) -> tuple[Feed, ...]:
        """The feeds of the outlets, one each, by turns in RSS and in Atom."""
        outlets = dict.fromkeys(item.outlet for item in self.items)
        return tuple(_feed(outlet, number) for number, outlet in enumerate(outlets))

    def published(self, by: datetime) -> tuple[Item, ...]:
        """Return the news items that are out by a time, oldest first."""
        out = (item for item in self.items if item.published_at <= by)
        return tuple(sorted(out, key=lambda item: item.published))


def _feed(outlet: str, number: int) -> Feed:
    kind: Literal["rss", "atom"] = "atom" if number % 2 else "rss"
    return Feed(id=slug(outlet), name=outlet, kind=kind, path=f"/{slug(outlet)}.{kind}")


def read_story(folder: Path = FOLDER) -> Story:
    """Return the story that a folder tells (story.yaml, news.jsonl, pages/)."""
    told = yaml.safe_load((folder / "story.yaml").read_text(encoding="utf-8"))
    story = msgspec.convert(told, Story)
    lines = (folder / "news.jsonl").read_bytes().splitlines()
    items = tuple(msgspec.json.decode(line, type=Item) for line in lines)
    return msgspec.structs.replace(story, items=items, folder=folder)
