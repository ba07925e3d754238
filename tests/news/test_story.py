"""Entries become stories."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from pipeline.events import Entry, derived_id
from pipeline.news.cluster import assign, best, canonical, read
from pipeline.news.story import ENTRIES, KEPT, STORIES, StoryBook, add

from .conftest import Item

NOW = datetime(2024, 10, 17, 8, tzinfo=UTC)


def entry(title: str, *, url: str = "", summary: str = "", at: datetime = NOW) -> Entry:
    url = url or f"https://news.example/{derived_id('page', title)}"
    return Entry(
        id=derived_id("entry", url, title),
        feed_id="f",
        outlet="o",
        title=title,
        url=url,
        summary=summary,
        published_at=at,
    )


def told(entries: Iterable[Entry]) -> tuple[StoryBook, dict[str, str]]:
    """Return the book after some entries, and each entry's story."""
    book, stories = StoryBook(), {}
    for held in entries:
        book, story = add(book, held, (), (), held.published_at or NOW)
        if story:
            stories[held.id] = story.story_id
    return book, stories


def groups(items: list[Item]) -> dict[str, list[str]]:
    """Return the labels of the items of each story that was made of them."""
    _, stories = told(held.entry for held in items)
    found = defaultdict(list)
    for held in items:
        found[stories[held.entry.id]].append(held.story)
    return found


def test_unmixed_stories(items: list[Item]) -> None:
    """Training, courts, blocking and other services are never one story."""
    assert all(len(set(labels)) == 1 for labels in groups(items).values())


def test_one_training_story(items: list[Item]) -> None:
    """The eight reports on training by third parties are one story."""
    assert ["x-third-party-ai-training"] * 8 in groups(items).values()


def test_courts_within_silence(items: list[Item]) -> None:
    """The reports on Texas courts are one story in October, and another after three weeks of silence."""
    sizes = [len(labels) for labels in groups(items).values() if "x-terms-texas-venue" in labels]
    assert sorted(sizes) == [3, 4]


@pytest.mark.parametrize("seed", range(5))
def test_order_within_day(items: list[Item], seed: int) -> None:
    """Entries of one day in another order never mix stories."""
    shuffled = items[:]
    random.Random(seed).shuffle(shuffled)
    shuffled.sort(key=lambda held: held.entry.published_at or NOW)
    assert all(len(set(labels)) == 1 for labels in groups(shuffled).values())


def test_same_page() -> None:
    """One page under two addresses is one story and is told once."""
    first = entry("X changes its terms", url="https://www.outlet.example/a/?utm_source=rss")
    again = entry("Terms of X are not what they were", url="http://outlet.example/a#top")
    _, stories = told([first, again])
    assert list(stories) == [first.id]


def test_copied_headline() -> None:
    """The same headline from another outlet joins the story and says why."""
    book, _ = told([entry("X names a court in Texas for every lawsuit")])
    joined = best(
        read(entry("X Names a Court in Texas for Every Lawsuit", url="https://other.example/b")), book.stories
    )
    assert joined is not None
    assert joined.reasons == ("the same headline",)


def test_reasons() -> None:
    """A join by words names the words."""
    book, _ = told([entry("Reddit charges for bulk access to public content by contract")])
    joined = best(read(entry("Bulk access to public Reddit content now needs a contract")), book.stories)
    assert joined is not None
    assert "contract" in joined.reasons[0]


def test_amounts_apart() -> None:
    """Two reports of the same kind that name different sums stay apart."""
    book, _ = told([entry("Regulator fines Acme $5 million over consent banners")])
    assert assign(entry("Regulator fines Acme $9 million over consent banners anew"), book.stories) is None


def test_late_news_apart() -> None:
    """The same words after more than four days of silence begin another story."""
    book, _ = told([entry("X outage hits users in Europe tonight again")])
    late = entry(
        "X outage hits users in Europe tonight", url="https://b.example/2", at=NOW + timedelta(days=5)
    )
    assert assign(late, book.stories) is None


def test_repeat_changes_nothing() -> None:
    """An entry met again leaves the book as it is and tells nothing."""
    held = entry("X changes its terms of service")
    book, _ = told([held])
    assert add(book, held, ("x",), (), NOW) == (book, None)


def test_growth() -> None:
    """A story that gains an entry keeps its identity, its services and the order of its entries."""
    first, second = entry("X names Texas court for lawsuits"), entry("Texas court for all lawsuits, says X")
    book, before = add(StoryBook(), first, ("x",), (), NOW)
    _, after = add(book, second, ("tesla",), (), NOW)
    assert before is not None
    assert after is not None
    assert (after.story_id, after.entries, after.services) == (
        before.story_id,
        (first, second),
        ("tesla", "x"),
    )


def test_bounded_story() -> None:
    """A story told very often stops growing; further entries are recognised and not told."""
    many = [
        entry("X names Texas court for lawsuits", url=f"https://o{n}.example/") for n in range(ENTRIES + 5)
    ]
    book, stories = told(many)
    assert (len(book.stories[0].entries), len(stories)) == (ENTRIES, ENTRIES)


def test_bounded_book() -> None:
    """The book keeps the stories that moved last."""
    many = [entry(f"word{n}a word{n}b word{n}c", url=f"https://o{n}.example/") for n in range(STORIES + 10)]
    book, _ = told(many)
    assert (len(book.stories), book.stories[-1].entries[0]) == (STORIES, many[-1])


def test_silent_story_leaves() -> None:
    """A story long silent leaves the book when another moves."""
    old, new = entry("X names Texas court"), entry("Reddit sues", at=NOW + KEPT + timedelta(hours=1))
    book, _ = told([old, new])
    assert [story.entries[0].id for story in book.stories] == [new.id]


def test_kept_as_json(items: list[Item]) -> None:
    """The book survives being kept as JSON."""
    book, _ = told(held.entry for held in items)
    assert msgspec.json.decode(msgspec.json.encode(book), type=StoryBook) == book


@pytest.mark.parametrize("url", ["", "http://[", "not a url", "mailto:x@example.com"])
def test_odd_address(url: str) -> None:
    """An entry with an address that is none still founds a story."""
    held = Entry(id="e1", feed_id="f", outlet="o", title="", url=url)
    _, story = add(StoryBook(), held, (), (), NOW)
    assert story is not None


@pytest.mark.parametrize(
    "url",
    [
        "https://www.a.example/x/",
        "http://a.example/x?utm_medium=rss",
        "https://amp.a.example/x/amp",
        "https://a.example/x/amp/#c",
    ],
)
def test_canonical(url: str) -> None:
    """Scheme, www, AMP, tracking, fragment and last slash do not make another page."""
    assert canonical(url) == "a.example/x"
