"""Feeds as values: text without markup, whole links, and entries known again from poll to poll."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from pipeline.events import Entry, FeedSpec
from pipeline.news.feed import (
    REMEMBERED,
    RawFeed,
    RawItem,
    batches,
    canonical_url,
    new_entries,
    plain_text,
    stated_date,
    whole_url,
)

NOW = datetime(2024, 10, 17, 8, 0, tzinfo=UTC)
FEED = FeedSpec(id="f", name="The Outlet", url="https://example.com/feed")
A = RawItem(guid="1", url="https://example.com/a", title="X changes its terms", published_at=NOW)
B = RawItem(guid="2", url="https://example.com/b", title="Courts in Texas", published_at=NOW)


def fresh(seen: tuple[str, ...], *items: RawItem) -> tuple[list[str], tuple[str, ...]]:
    entries, after = new_entries(FEED, RawFeed(items=items), seen, now=NOW)
    return [entry.title for entry in entries], after


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One</p><p>two</p>", "One two"),
        ("a<br>b", "a b"),
        ("in<b>line</b>", "inline"),
        ("AT&amp;T &mdash; caf&eacute;", "AT&T — café"),
        ("<script>alert(1)</script>safe<style>p{}</style>", "safe"),
        ("<img src=x onerror=alert(1)>words", "words"),
        ("5 < 6 and 7 > 3", "5 < 6 and 7 > 3"),
        ("<!-- note -->said", "said"),
        ("safe<object data='x'> words", "safe words"),
        ("a\x00\x0b b\ufffe", "a b"),
        ("<p>unclosed <b>tags", "unclosed tags"),
        ("", ""),
    ],
)
def test_plain_text(markup: str, text: str) -> None:
    """Markup becomes the words that a reader would see."""
    assert plain_text(markup, is_html=True) == text


def test_plain_text_is_kept() -> None:
    """Text that was declared plain keeps what looks like markup."""
    assert plain_text("Why <b> is &amp; was", is_html=False) == "Why <b> is &amp; was"


def test_long_text_is_cut() -> None:
    """Text past the limit is cut at a word, with a mark."""
    cut = plain_text("word " * 1000, is_html=False, limit=100)
    assert len(cut) <= 100
    assert cut.endswith("word…")


@given(st.text())
def test_any_text_is_survived(markup: str) -> None:
    """No text whatever breaks the cleaning, and none comes out longer than the limit."""
    assert len(plain_text(markup, is_html=True, limit=50)) <= 50


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("/a", "https://example.com/a"),
        ("b", "https://example.com/news/b"),
        ("//cdn.example.com/c", "https://cdn.example.com/c"),
        ("  https://other.org/d\n", "https://other.org/d"),
        ("javascript:alert(1)", ""),
        ("mailto:a@b.c", ""),
        ("http://[bad", ""),
    ],
)
def test_whole_links(link: str, url: str) -> None:
    """Links are made absolute, and what leads to no page is none."""
    assert whole_url(link, "https://example.com/news/feed") == url


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a?id=7",
        "http://EXAMPLE.com/a?id=7#comments",
        "https://example.com/a?utm_source=rss&id=7&utm_medium=feed",
        "https://example.com/a?id=7&fbclid=zzz",
    ],
)
def test_canonical_url(url: str) -> None:
    """Tracking, fragment, scheme and case of the host do not make another page."""
    assert canonical_url(url) == "https://example.com/a?id=7"


def test_first_poll_brings_all() -> None:
    """The first read of a feed brings every entry, with outlet, date and time seen."""
    entries, _ = new_entries(FEED, RawFeed(title="own title", language="en", items=(A, B)), (), now=NOW)
    assert [entry.title for entry in entries] == [A.title, B.title]
    assert entries[0] == Entry(
        id=entries[0].id, feed_id="f", outlet="The Outlet", title=A.title, url=A.url,
        published_at=NOW, seen_at=NOW, language="en",
    )  # fmt: skip


SAME = {
    "as it was": A,
    "title edited": structs.replace(A, title="X changes its terms (updated)"),
    "moved to another slug": structs.replace(A, url="https://example.com/a-better-slug"),
    "another guid, all else equal": structs.replace(A, guid="https://example.com/?p=1"),
    "tracking added": structs.replace(A, guid="9", url=A.url + "?utm_source=rss"),
}


@pytest.mark.parametrize("item", SAME.values(), ids=SAME)
def test_not_new(item: RawItem) -> None:
    """An entry that was seen is not new when it is edited, moved in its site, or given another guid."""
    _, seen = fresh((), A, B)
    assert fresh(seen, B, item)[0] == []


@pytest.mark.parametrize(
    "item",
    [
        RawItem(url="https://example.com/a", title="one"),
        RawItem(title="one", summary="no link at all"),
        RawItem(title=""),
    ],
    ids=["by url", "by text", "by nothing"],
)
def test_without_guid(item: RawItem) -> None:
    """An item without guid is known by its URL, without that by its text."""
    _, seen = fresh((), item)
    assert fresh(seen, item)[0] == []


def test_edit_without_guid() -> None:
    """Without a guid an edited title leaves the entry the same, as long as its URL stands."""
    _, seen = fresh((), structs.replace(A, guid=""))
    assert fresh(seen, structs.replace(A, guid="", title="edited"))[0] == []


def test_new_among_old() -> None:
    """A new entry is told wherever in the feed it stands."""
    _, seen = fresh((), A)
    assert fresh(seen, A, B)[0] == [B.title]


def test_shared_guid() -> None:
    """Items that share one guid are told apart by URL, now and when one of them comes alone later."""
    one, two, three = (
        structs.replace(item, guid="same") for item in (A, B, RawItem(title="3", url="https://example.com/c"))
    )
    titles, seen = fresh((), one, two)
    assert titles == [A.title, B.title]
    assert fresh(seen, two)[0] == []
    assert fresh(seen, three)[0] == ["3"]


def test_shared_guid_and_url() -> None:
    """A change log whose items share guid and URL is told apart by title."""
    items = [RawItem(guid="log", url="https://example.com/log", title=f"Version {n}") for n in (1, 2)]
    titles, seen = fresh((), *items)
    assert titles == ["Version 1", "Version 2"]
    assert fresh(seen, *items)[0] == []


def test_twice_in_one_document() -> None:
    """The same item twice in one document is one entry."""
    assert fresh((), A, A)[0] == [A.title]


def test_memory_is_bounded() -> None:
    """What is remembered stays bounded, and holds at least the whole present document."""
    old = tuple(f"name{n}" for n in range(5000))
    _, seen = fresh(old, A)
    assert len(seen) == REMEMBERED
    many = tuple(RawItem(guid=str(n), title=str(n)) for n in range(REMEMBERED + 500))
    _, seen = fresh((), *many)
    assert fresh(seen, *many)[0] == []


item_lists = st.lists(
    st.builds(
        RawItem,
        guid=st.sampled_from(["", "1", "2", "3"]),
        url=st.sampled_from(["", "https://e.com/a", "https://e.com/b", "https://e.com/c#x"]),
        title=st.sampled_from(["", "one", "two"]),
        summary=st.sampled_from(["", "words"]),
    ),
    max_size=6,
)


@given(item_lists, st.randoms(use_true_random=False))
def test_reordered_feed(items: list[RawItem], random: st.Random) -> None:
    """Whatever a feed holds, reading the same items again in any order tells nothing new."""
    _, seen = fresh((), *items)
    shuffled = random.sample(items, len(items))
    assert fresh(seen, *shuffled)[0] == []


@given(item_lists, item_lists)
def test_identity_is_stable(first: list[RawItem], second: list[RawItem]) -> None:
    """The same polls give the same entry ids, so that a repeated publication is recognised."""

    def run() -> list[str]:
        found, seen = new_entries(FEED, RawFeed(items=tuple(first)), (), now=NOW)
        more, _ = new_entries(FEED, RawFeed(items=tuple(second)), seen, now=NOW)
        return [entry.id for entry in (*found, *more)]

    ids = run()
    assert ids == run()
    assert len(ids) == len(set(ids))


def test_untitled() -> None:
    """An entry without title is called by the beginning of its text."""
    entries, _ = new_entries(FEED, RawFeed(items=(RawItem(title="", summary="Only a text"),)), (), now=NOW)
    assert entries[0].title == "Only a text"


@pytest.mark.parametrize(
    ("when", "kept"),
    [
        (NOW, True),
        (NOW + timedelta(days=1), True),
        (NOW + timedelta(days=9), False),
        (datetime(1793, 1, 1, tzinfo=UTC), False),
    ],
)
def test_dates_that_cannot_be(when: datetime, kept: bool) -> None:
    """A date before the web or well ahead of now is a slip, and counts as none."""
    assert (stated_date(when, now=NOW) is not None) is kept


def test_batches_fit_records() -> None:
    """Many long entries are cut into runs that stay well under a record's size, none lost."""
    entries = [
        Entry(id=str(n), feed_id="f", outlet="o", title="t", url="u", summary="x" * 4000) for n in range(500)
    ]
    runs = list(batches(entries))
    assert [entry for run in runs for entry in run] == entries
    assert all(sum(len(entry.summary) for entry in run) <= 200_000 for run in runs)
