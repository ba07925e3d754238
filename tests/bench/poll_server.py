"""A loopback site of many hosts (127.1.x.y) for bench_poll: 32 KB pages, with or without ETags.

Run `python -m tests.bench.poll_server HOSTS [--etag]`; prints its port and serves until it is ended.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import sys

PAGE_BYTES = 32 * 1024
WORDS = [
    "service",
    "user",
    "account",
    "content",
    "data",
    "party",
    "liability",
    "agreement",
    "access",
    "license",
    "terms",
    "privacy",
    "notice",
]


def host(number: int) -> str:
    """Return the nth host's address."""
    return f"127.1.{number // 250}.{number % 250 + 1}"


def body() -> bytes:
    """Return a page of paragraphs, the same every time."""
    pick = random.Random(7)
    text = "".join(f"<p>{' '.join(pick.choices(WORDS, k=60))}.</p>" for _ in range(80))
    return f"<!doctype html><html><body>{text}</body></html>".encode().ljust(PAGE_BYTES)[:PAGE_BYTES]


class Site(asyncio.Protocol):
    """Answers every GET with the page, a 304 if its ETag is known, and robots.txt with a 404."""

    page = body()
    tag = f'"{hashlib.sha1(page, usedforsecurity=False).hexdigest()[:16]}"'.encode()

    def __init__(self, *, etag: bool) -> None:
        self.etag = etag
        self.pending = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport), "TCP is written to"
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self.pending = (self.pending + data).split(b"\r\n\r\n")
        for request in requests:
            self.transport.write(self.answer(request.lower()))

    def answer(self, request: bytes) -> bytes:
        if request.startswith(b"get /robots.txt"):
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        tag = b"ETag: " + self.tag + b"\r\n" if self.etag else b""
        if self.etag and b"if-none-match: " + self.tag in request:
            return b"HTTP/1.1 304 Not Modified\r\n" + tag + b"\r\n"
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n%s\r\n" % (
            len(self.page),
            tag,
        )
        return head + self.page


async def main(hosts: int, etag: bool) -> None:
    """Serve on every host, on one port that the first host picks."""
    loop = asyncio.get_running_loop()
    first = await loop.create_server(lambda: Site(etag=etag), host(0), 0)
    port = first.sockets[0].getsockname()[1]
    others = [host(number) for number in range(1, hosts)]
    server = await loop.create_server(lambda: Site(etag=etag), others, port, backlog=16)
    print(port, flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), "--etag" in sys.argv))
