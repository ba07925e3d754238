"""A receiver of webhooks on loopback, with every bad habit at its own path."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import trustme
from aiohttp import test_utils, web

from pipeline.adapters.ssrf import Allow
from pipeline.adapters.webhook import WebhookClient

LOOPBACK = Allow.of("127.0.0.0/8", "::1")


class Receiver:
    """What arrived, in order: path, headers, body. `script` overrides the next statuses."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.script: list[int] = []
        self.server: test_utils.TestServer

    def url(self, path: str = "ok") -> str:
        return str(self.server.make_url(f"/{path}"))

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.got.append((request.path, dict(request.headers), await request.read()))
        status = self.script.pop(0) if self.script else 200
        answer = getattr(self, f"_{request.path.strip('/')}", None)
        return await answer(request) if answer else web.Response(status=status, text="taken")

    async def _late(self, request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.5)
        return web.Response(text="late but there")

    async def _hang(self, request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        return web.Response()

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await answer.write(b"more " * 1_000)
        return answer

    async def _trickle(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await answer.write(b".")
                await asyncio.sleep(0.05)
        return answer

    async def _redirect(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": "http://169.254.169.254/latest/meta-data/"})

    async def _gone(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=410)

    async def _busy(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": "7200"})

    async def _echo(self, request: web.Request) -> web.StreamResponse:
        return web.Response(
            status=400, text=f"bad {request.headers.get('Authorization')} {request.url}\x1b[31m"
        )

    async def _drop(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()


@contextlib.asynccontextmanager
async def receiving(tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{tail:.*}", receiver.take)
    receiver.server = test_utils.TestServer(app, host=host)
    await receiver.server.start_server(ssl=tls, shutdown_timeout=0.1)
    try:
        yield receiver
    finally:
        await receiver.server.close()


def client(**also: object) -> WebhookClient:
    """A client that may post to this machine, and waits a fraction of the time."""
    return WebhookClient(**({"allow": LOOPBACK, "timeout_s": 1.0, "connect_s": 0.5} | also))  # type: ignore[arg-type]


def certificates(*names: str, expired: bool = False) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The TLS contexts of a server with a certificate for these names, and of a client that trusts its authority."""
    authority = trustme.CA()
    until = datetime.now() - timedelta(days=1) if expired else None  # noqa: DTZ005  # what trustme takes
    server, trusting = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert(*names, **({"not_after": until} if until else {})).configure_cert(server)
    authority.configure_trust(trusting)
    return server, trusting
