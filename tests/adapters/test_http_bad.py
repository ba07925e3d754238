"""What hostile, broken and absent servers do to a fetch: one clear error each, in time and in little memory."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import struct
import time
import tracemalloc
from collections.abc import AsyncIterator

import pytest
import trustme

from pipeline.adapters.clock import SystemClock
from pipeline.adapters.http import Fetcher, FetchLimits
from pipeline.errors import FetchError
from tests.adapters.rawsite import Answer, page, serving

MB = 1024 * 1024
TIGHT = FetchLimits(spacing_s=0.0, connect_s=1.0, read_s=0.5, total_s=2.0, max_bytes=10 * MB)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    async with Fetcher(clock=SystemClock(), limits=TIGHT) as fetcher:
        yield fetcher


async def failure(fetcher: Fetcher, url: str) -> FetchError:
    with pytest.raises(FetchError) as caught:
        await fetcher.fetch(url, respect_robots=False)
    return caught.value


async def resets(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    await writer.drain()
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write(CHUNKED)
    while True:
        writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        await writer.drain()


async def drips(writer: asyncio.StreamWriter) -> None:
    writer.write(CHUNKED)
    while True:
        writer.write(b"1\r\nx\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)


async def stalls(writer: asyncio.StreamWriter) -> None:
    writer.write(CHUNKED)
    await writer.drain()
    await asyncio.sleep(5)


CASES: dict[str, tuple[Answer, str]] = {
    "reset mid-body": (resets, "reset"),
    "fewer bytes than promised": (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "reset"),
    "closed without a word": (b"", "reset"),
    "not HTTP": (b"220 mail.example.com ESMTP\r\n\r\n", "reset"),
    "50 MB promised": (b"HTTP/1.1 200 OK\r\nContent-Length: 52428800\r\n\r\n" + b"x" * 1000, "size"),
    "endless chunks": (endless, "size"),
    "a drip without end": (drips, "timeout"),
    "a stall": (stalls, "timeout"),
    "gzip bomb": (page(gzip.compress(bytes(200 * MB), 1), Content_Encoding="gzip"), "size"),
    "cut gzip": (page(gzip.compress(b"terms" * 99)[:-9], Content_Encoding="gzip"), "encoding"),
    "no gzip at all": (page(b"plain terms", Content_Encoding="gzip"), "encoding"),
    "a coding not asked for": (page(b"??", Content_Encoding="br"), "encoding"),
    "redirect to itself": (page(b"", status="302 Found", Location="/p"), "redirects"),
    "redirect to a file": (page(b"", status="302 Found", Location="file:///etc/passwd"), "url"),
    "redirect to nonsense": (page(b"", status="302 Found", Location="http://[::bad/"), "url"),
}


@pytest.mark.parametrize(("answer", "kind"), CASES.values(), ids=CASES)
async def test_bad_answers(fetcher: Fetcher, answer: Answer, kind: str) -> None:
    """Each way of a server to fail has its kind, a sentence and a remedy."""
    async with serving({"/p": answer}) as site:
        error = await failure(fetcher, site.url("/p"))
    assert error.kind == kind
    assert error.remedy


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "127.0.0.1/x",
        "http://",
        "",
        "http://[1",
        "http://a b/",
    ],
)
async def test_bad_urls(fetcher: Fetcher, url: str) -> None:
    """What is no http(s) address is refused before anything is asked."""
    assert (await failure(fetcher, url)).kind == "url"


async def test_unknown_name(fetcher: Fetcher) -> None:
    """A name that does not resolve is told as such."""
    error = await failure(fetcher, "http://nowhere.invalid/terms")
    assert error.kind == "dns"
    assert "nowhere.invalid" in str(error)


async def test_refused_connection(fetcher: Fetcher) -> None:
    """A port where nobody listens is a refused connection."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert (await failure(fetcher, f"http://127.0.0.1:{taken.getsockname()[1]}/")).kind == "connect"


def authority() -> tuple[trustme.CA, ssl.SSLContext]:
    ca = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(server)
    return ca, server


async def test_untrusted_certificate(fetcher: Fetcher) -> None:
    """A certificate that nobody we trust has signed is a TLS failure that says why."""
    _, tls = authority()
    async with serving({"/p": page(b"x")}, tls=tls) as site:
        error = await failure(fetcher, site.url("/p"))
    assert error.kind == "tls"
    assert "certificate" in str(error).lower() or "issuer" in str(error).lower()


async def test_plain_text_on_a_tls_port(fetcher: Fetcher) -> None:
    """https to a port that speaks plain HTTP is a TLS failure too."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(page(b"", status="400 Bad Request"))
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        error = await failure(fetcher, f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/p")
    assert error.kind == "tls"


async def test_trusted_certificate() -> None:
    """A private authority can be trusted by handing in its context."""
    ca, tls = authority()
    trusting = ssl.create_default_context()
    ca.configure_trust(trusting)
    async with (
        Fetcher(clock=SystemClock(), limits=TIGHT, verify=trusting) as fetcher,
        serving({"/p": page(b"x")}, tls=tls) as site,
    ):
        assert (await fetcher.fetch(site.url("/p"))).body == b"x"


async def test_bomb_costs_little(fetcher: Fetcher) -> None:
    """200 MB of zeros in a 200 kB gzip cost no more memory than the limit, and hold the loop up briefly."""
    answer = page(gzip.compress(bytes(200 * MB), 1), Content_Encoding="gzip")
    async with serving({"/p": answer}) as site:
        tracemalloc.start()
        try:
            await failure(fetcher, site.url("/p"))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 3 * TIGHT.max_bytes


async def test_large_body_leaves_the_loop_free(fetcher: Fetcher) -> None:
    """While 9 MB come in compressed, other tasks run: no pause is longer than a moment."""
    longest = 0.0

    async def beat() -> None:
        nonlocal longest
        while True:
            before = time.thread_time()
            await asyncio.sleep(0)
            longest = max(longest, time.thread_time() - before)

    async with serving({"/p": page(gzip.compress(bytes(9 * MB)), Content_Encoding="gzip")}) as site:
        heart = asyncio.create_task(beat())
        fetched = await fetcher.fetch(site.url("/p"), respect_robots=False)
        heart.cancel()
    assert fetched.body is not None
    assert len(fetched.body) == 9 * MB
    assert longest < 0.02
