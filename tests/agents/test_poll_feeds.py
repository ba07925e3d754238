"""The feed poller: new entries once each, whatever the feed and the log do."""

from __future__ import annotations

import asyncio

import pytest

from agents.poll_feeds import FeedPoller, poll_feeds
from agents.rounds import Sources
from pipeline.adapters.clock import SystemClock
from pipeline.adapters.feeds import FeedParser
from pipeline.adapters.feedworker import FeedRequest, parse_feed
from pipeline.adapters.http import Fetcher, FetchLimits
from pipeline.errors import FetchError, StoreError
from pipeline.events import FeedFetched, FeedSpec
from pipeline.news.feed import RawFeed
from pipeline.polling import Fetched, fresh_state
from tests.adapters.rawsite import page, serving
from tests.agents.polls import DictMemory, ScriptedFetcher, answer, later
from tests.agents.test_poll_policies import DNS, until
from tests.fakes import FixedClock, ListLog

SPEC = FeedSpec(id="news", name="The Outlet", url="http://127.0.0.1/feed")


def rss(*titles: str) -> bytes:
    items = "".join(f"<item><guid>{title}</guid><title>{title}</title></item>" for title in titles)
    return (
        f"<?xml version='1.0'?><rss version='2.0'><channel><title>T</title>{items}</channel></rss>".encode()
    )


class InlineParser:
    """Parses in this process, with what runs in the child."""

    async def parse(self, body: bytes, *, content_type: str, url: str) -> RawFeed:
        feed = parse_feed(FeedRequest(body=body, content_type=content_type, url=url))
        if feed.problem:
            raise FetchError(feed.problem, kind="feed", remedy="Look at it")
        return feed


class Trial:
    """A poller with fakes around it, polled an hour apart."""

    def __init__(self, *answers: Fetched | FetchError) -> None:
        self.clock = FixedClock()
        self.fetcher = ScriptedFetcher(self.clock, list(answers))
        self.log = ListLog()
        self.state = fresh_state(None, SPEC.id, SPEC.url)

    async def poll(self) -> list[FeedFetched]:
        poller = FeedPoller(
            fetcher=self.fetcher,
            parser=InlineParser(),
            publish=self.log,
            clock=self.clock,
            jitter=lambda: 0.5,
        )
        while self.fetcher.answers:
            self.state = await poller.poll(SPEC, self.state)
            later(self.clock, hours=1)
        return [event for event in self.log.published if isinstance(event, FeedFetched)]


def told(events: list[FeedFetched]) -> list[tuple[str, list[str]]]:
    return [(event.outcome.value, [entry.title for entry in event.entries]) for event in events]


HTML = b"<!doctype html><html><body>news</body></html>"


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([answer(rss("a", "b"))], [("ok", ["a", "b"])]),
        ([answer(rss("a")), answer(rss("b", "a"))], [("ok", ["a"]), ("ok", ["b"])]),
        ([answer(rss("a", "b")), answer(rss("b", "a"))], [("ok", ["a", "b"])]),
        ([answer(rss("a")), answer(rss("a"))], [("ok", ["a"])]),
        ([answer(rss("a"), etag='"1"'), answer(None, status=304)], [("ok", ["a"])]),
        ([answer(rss())], []),
        ([answer(rss("a")), answer(rss()), answer(rss("a"))], [("ok", ["a"])]),
        ([answer(HTML)] * 2, [("failed", [])]),
        ([answer(b"")], [("failed", [])]),
        ([answer(None, status=404)], [("failed", [])]),
        ([DNS] * 4, [("failed", []), ("failed", [])]),
        ([answer(rss("a")), DNS, answer(rss("a"))], [("ok", ["a"]), ("failed", []), ("unchanged", [])]),
        ([DNS, answer(rss("a"))], [("failed", []), ("ok", ["a"])]),
    ],
    ids=[
        "first read", "one more", "reordered", "same bytes", "304", "no entries", "emptied and back", "a web page", "nothing",
        "gone", "told sparingly", "trouble, then the same", "trouble, then news",
    ],
)  # fmt: skip
async def test_records(answers: list[Fetched | FetchError], expected: list[tuple[str, list[str]]]) -> None:
    """New entries make a record, and trouble now and then and its end; else there is none."""
    assert told(await Trial(*answers).poll()) == expected


async def test_unpublished_is_not_remembered() -> None:
    """When the log cannot take new entries, they are new at the next poll too."""
    trial = Trial(answer(rss("a")))
    trial.log = ListLog(failures=[StoreError("disk full")])
    with pytest.raises(StoreError):
        await trial.poll()
    trial.fetcher.answers.append(answer(rss("a")))
    assert told(await trial.poll()) == [("ok", ["a"])]


async def test_many_entries_fit_records() -> None:
    """A feed of a thousand long entries is told in several records, none too large, no entry lost."""
    items = "".join(
        f"<item><guid>{n}</guid><description>{'word ' * 700}</description></item>" for n in range(1000)
    )
    body = f"<rss version='2.0'><channel><title>T</title>{items}</channel></rss>".encode()
    events = await Trial(answer(body)).poll()
    assert sum(len(event.entries) for event in events) == 1000
    assert len({event.id for event in events}) == len(events) > 1


async def test_polls_for_real() -> None:
    """A real feed is read through the child process, and a new entry is told once."""
    log, stop = ListLog(), asyncio.Event()
    async with (
        serving({"/feed": page(rss("a"))}) as site,
        Fetcher(clock=SystemClock(), limits=FetchLimits(spacing_s=0)) as fetcher,
        FeedParser() as parser,
    ):
        spec = FeedSpec(id="f", name="F", url=site.url("/feed"), interval_s=0.05)
        polling = asyncio.create_task(
            poll_feeds(
                Sources([spec]), fetcher=fetcher, parser=parser, publish=log, memory=DictMemory(),
                clock=SystemClock(), stop=stop,
            )
        )  # fmt: skip
        await until(lambda: len(log.published) == 1)
        site.answers["/feed"] = page(rss("b", "a"))
        await until(lambda: len(log.published) == 2)
        stop.set()
        await polling
    assert told([event for event in log.published if isinstance(event, FeedFetched)]) == [
        ("ok", ["a"]),
        ("ok", ["b"]),
    ]
