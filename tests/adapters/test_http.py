"""The fetcher against a real site on loopback: what it brings, and how it asks."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from pipeline.adapters.clock import SystemClock
from pipeline.adapters.http import Fetcher, FetchLimits, user_agent
from pipeline.errors import FetchError
from pipeline.polling import Validators
from tests.adapters.rawsite import Request, page, serving

QUICK = FetchLimits(spacing_s=0.0, connect_s=2.0, read_s=2.0, total_s=5.0)
TEXT = "Données — terms".encode()


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    async with Fetcher(
        clock=SystemClock(), limits=QUICK, agent=user_agent("https://example.org/bot")
    ) as fetcher:
        yield fetcher


async def test_brings_a_page(fetcher: Fetcher) -> None:
    """A 200 comes back with its bytes, their hash, its status and the headers worth keeping."""
    async with serving({"/p": page(TEXT, Set_Cookie="a=b")}) as site:
        fetched = await fetcher.fetch(site.url("/p"))
    assert (fetched.status, fetched.body, fetched.media_type) == (200, TEXT, "text/html")
    assert "set-cookie" not in fetched.headers


@pytest.mark.parametrize(
    ("coding", "coded"),
    [
        ("gzip", gzip.compress(TEXT)),
        ("x-gzip", gzip.compress(TEXT)),
        ("gzip", gzip.compress(TEXT[:4]) + gzip.compress(TEXT[4:])),
        ("gzip", gzip.compress(TEXT) + b"\0" * 16),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", zlib.compress(TEXT)[2:-4]),
        ("identity", TEXT),
    ],
    ids=["gzip", "x-gzip", "two members", "padded", "zlib", "raw deflate", "identity"],
)
async def test_undoes_codings(fetcher: Fetcher, coding: str, coded: bytes) -> None:
    """A compressed body is decoded, in every dialect that servers speak."""
    async with serving({"/p": page(coded, Content_Encoding=coding)}) as site:
        assert (await fetcher.fetch(site.url("/p"))).body == TEXT


async def test_names_itself(fetcher: Fetcher) -> None:
    """Every request carries our name, version and contact, and keeps no cookies."""
    async with serving({"/p": page(TEXT, Set_Cookie="a=b")}) as site:
        await fetcher.fetch(site.url("/p"))
        await fetcher.fetch(site.url("/p"))
    assert site.requests[-1].headers["user-agent"].startswith("Clausewire/")
    assert "+https://example.org/bot" in site.requests[-1].headers["user-agent"]
    assert "cookie" not in site.requests[-1].headers


async def test_empty_page(fetcher: Fetcher) -> None:
    """A 200 with nothing in it is an answer like any other; extraction says what it means."""
    async with serving({"/p": page(b"")}) as site:
        assert (await fetcher.fetch(site.url("/p"))).body == b""


async def test_other_statuses(fetcher: Fetcher) -> None:
    """A status that is no success is returned, without a body."""
    async with serving({}) as site:
        fetched = await fetcher.fetch(site.url("/gone"))
    assert (fetched.status, fetched.body) == (404, None)


async def test_validators_byte_exact(fetcher: Fetcher) -> None:
    """ETag and Last-Modified go back as they came, odd bytes, quotes and all; a 304 has no body."""
    etag, modified = 'W/"caf\xe9--x"', "Thu, 17 Oct 2024 08:00:00 UTC"

    def conditional(request: Request) -> bytes:
        given = (request.headers.get("if-none-match"), request.headers.get("if-modified-since"))
        if given == (etag, modified):
            return page(b"", status="304 Not Modified")
        return page(TEXT, ETag=etag, Last_Modified=modified)

    async with serving({"/p": conditional}) as site:
        first = await fetcher.fetch(site.url("/p"))
        second = await fetcher.fetch(site.url("/p"), validators=first.validators)
    assert (first.status, second.status, second.body) == (200, 304, None)


async def test_validators_stay_home(fetcher: Fetcher) -> None:
    """Validators of one URL are not sent to another."""
    async with serving({"/p": page(TEXT)}) as site:
        known = Validators(url=site.url("/elsewhere"), etag='"1"')
        await fetcher.fetch(site.url("/p"), validators=known)
        assert "if-none-match" not in site.asked("/p")[0].headers


async def test_records_redirects(fetcher: Fetcher) -> None:
    """Redirects are followed, each hop is told, and cookies live only from hop to hop."""
    hop = page(b"", status="301 Moved", Location="/b#x", Set_Cookie="seen=1; Path=/")
    async with serving({"/a": hop, "/b": page(TEXT)}) as site:
        fetched = await fetcher.fetch(site.url("/a"))
        assert fetched.redirects == (f"301 {site.url('/b')}",)
        assert fetched.final_url == site.url("/b")
        assert site.asked("/b")[0].headers["cookie"] == "seen=1"


async def test_retry_after_holds_host(fetcher: Fetcher) -> None:
    """After a 429 with Retry-After the host is left alone: the next fetch makes no request."""
    async with serving({"/p": page(b"", status="429 Slow Down", Retry_After="120")}) as site:
        fetched = await fetcher.fetch(site.url("/p"))
        with pytest.raises(FetchError) as caught:
            await fetcher.fetch(site.url("/q"))
        assert fetched.retry_after_s == 120
        assert caught.value.kind == "held"
        assert not site.asked("/q")


async def test_spaces_starts() -> None:
    """Two fetches from one host start at least the spacing apart, from two hosts they do not."""
    times: dict[str, datetime] = {}

    def stamp(request: Request) -> bytes:
        times[request.target] = datetime.now(UTC)
        return page(TEXT)

    answers = {"/1": stamp, "/2": stamp, "/3": stamp}
    limits = FetchLimits(spacing_s=0.3)
    async with (
        Fetcher(clock=SystemClock(), limits=limits) as fetcher,
        serving(answers) as site,
        serving(answers, host="127.0.0.2") as other,
    ):
        urls = (site.url("/1"), site.url("/2"), other.url("/3"))
        await asyncio.gather(*(fetcher.fetch(url, respect_robots=False) for url in urls))
    assert abs((times["/2"] - times["/1"]).total_seconds()) >= 0.28
    assert (times["/3"] - min(times["/1"], times["/2"])).total_seconds() < 0.28


async def test_asks_for_language(fetcher: Fetcher) -> None:
    """A document's language is asked for, so that sites do not serve languages in turn."""
    async with serving({"/p": page(TEXT)}) as site:
        await fetcher.fetch(site.url("/p"), language="de")
        assert site.asked("/p")[0].headers["accept-language"].startswith("de")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.7"])
async def test_loopback_is_never_proxied(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """A proxy in the environment is not asked for what lies on this machine."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with (
        Fetcher(clock=SystemClock(), limits=QUICK) as fetcher,
        serving({"/p": page(TEXT)}, host=host) as site,
    ):
        assert (await fetcher.fetch(site.url("/p"))).body == TEXT


async def test_proxy_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment is asked for everything else, unless we are told not to trust it."""
    async with serving({"http://example.test/p": page(TEXT)}) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url(""))
        async with Fetcher(clock=SystemClock(), limits=QUICK) as fetcher:
            fetched = await fetcher.fetch("http://example.test/p", respect_robots=False)
    assert fetched.body == TEXT


async def test_ipv6(fetcher: Fetcher) -> None:
    """An address in brackets is a host like any other."""
    try:
        async with serving({"/p": page(TEXT)}, host="::1") as site:
            assert (await fetcher.fetch(site.url("/p"))).body == TEXT
    except OSError as error:
        pytest.skip(f"no IPv6 loopback here: {error}")
