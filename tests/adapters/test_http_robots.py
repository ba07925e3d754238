"""robots.txt, as RFC 9309 has it, against a real site on loopback."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.adapters.clock import SettableClock
from pipeline.adapters.http import Fetcher, FetchLimits
from pipeline.errors import FetchError
from tests.adapters.rawsite import Request, page, serving

QUICK = FetchLimits(spacing_s=0.0, connect_s=2.0, read_s=2.0, total_s=5.0)
FORBIDS = page(b"User-agent: *\nDisallow: /private\nCrawl-delay: 1\n", Content_Type="text/plain")


def clock() -> SettableClock:
    return SettableClock(datetime(2024, 10, 17, tzinfo=UTC))


async def tried(fetcher: Fetcher, url: str) -> str:
    try:
        await fetcher.fetch(url)
    except FetchError as error:
        return error.kind
    return "read"


@pytest.mark.parametrize(
    ("robots", "allowed"),
    [
        (FORBIDS, False),
        (page(b"User-agent: Clausewire\nDisallow: /\n"), False),
        (page(b"User-agent: OtherBot\nDisallow: /\n"), True),
        (page(b"User-agent: *\nDisallow: /\nUser-agent: Clausewire\nAllow: /\n"), True),
        (page(b"", status="404 Not Found"), True),
        (page(b"", status="403 Forbidden"), True),
        (page(b"", status="503 Unavailable"), False),
        (page(b"", status="429 Too Many Requests"), False),
        (page(b"\xef\xbb\xbf<html>no robots here</html>"), True),
        (page(b""), True),
        (page(b"User-agent: *\nDisallow: /private\n" + b"# filler\n" * 100_000), False),
    ],
    ids=["all", "us", "others", "us allowed", "404", "403", "503", "429", "html", "empty", "over 500 KiB"],
)
async def test_rules(robots: bytes, allowed: bool) -> None:
    """What robots.txt forbids us is not asked for; none allows all, one that cannot be given allows nothing."""
    async with (
        Fetcher(clock=clock(), limits=QUICK) as fetcher,
        serving({"/robots.txt": robots, "/private": page(b"x")}) as site,
    ):
        outcome = await tried(fetcher, site.url("/private"))
        assert outcome == ("read" if allowed else "robots")
        assert bool(site.asked("/private")) is allowed


async def test_overruled_with_a_reason() -> None:
    """A source that says otherwise is read without asking robots.txt."""
    async with (
        Fetcher(clock=clock(), limits=QUICK) as fetcher,
        serving({"/robots.txt": FORBIDS, "/private": page(b"x")}) as site,
    ):
        assert (await fetcher.fetch(site.url("/private"), respect_robots=False)).status == 200
        assert not site.asked("/robots.txt")


async def test_kept_for_a_day() -> None:
    """robots.txt is asked for once a day and host, not once a page."""
    time = clock()
    async with Fetcher(clock=time, limits=QUICK) as fetcher, serving({"/a": page(b"x")}) as site:
        await fetcher.fetch(site.url("/a"))
        await fetcher.fetch(site.url("/a"))
        assert len(site.asked("/robots.txt")) == 1
        time.advance(hours=25)
        await fetcher.fetch(site.url("/a"))
        assert len(site.asked("/robots.txt")) == 2


async def test_heals() -> None:
    """A robots.txt that the server could not give forbids nothing once it can be read again."""
    time = clock()
    async with Fetcher(clock=time, limits=QUICK) as fetcher, serving({"/a": page(b"x")}) as site:
        site.answers["/robots.txt"] = page(b"", status="500 Oops")
        with pytest.raises(FetchError):
            await fetcher.fetch(site.url("/a"))
        del site.answers["/robots.txt"]
        time.advance(minutes=11)
        assert (await fetcher.fetch(site.url("/a"))).status == 200


async def test_known_copy_outlives_trouble() -> None:
    """While robots.txt cannot be read, the copy that is known still holds."""
    time = clock()
    async with (
        Fetcher(clock=time, limits=QUICK) as fetcher,
        serving({"/robots.txt": FORBIDS, "/a": page(b"x")}) as site,
    ):
        await fetcher.fetch(site.url("/a"))
        site.answers["/robots.txt"] = page(b"", status="500 Oops")
        time.advance(hours=25)
        assert (await fetcher.fetch(site.url("/a"))).status == 200
        with pytest.raises(FetchError):
            await fetcher.fetch(site.url("/private"))


async def test_redirects_are_asked_about() -> None:
    """A redirect to a forbidden page is not followed, and robots.txt itself may be redirected."""

    def moved(request: Request) -> bytes:
        return page(b"", status="301 Moved", Location="/robots-here.txt")

    answers = {
        "/robots.txt": moved,
        "/robots-here.txt": FORBIDS,
        "/a": page(b"", status="302 F", Location="/private"),
    }
    async with Fetcher(clock=clock(), limits=QUICK) as fetcher, serving(answers) as site:
        with pytest.raises(FetchError) as caught:
            await fetcher.fetch(site.url("/a"))
    assert caught.value.kind == "robots"
