"""A site on loopback that answers bytes as told, however wrong; and what else the pollers' tests need."""

from __future__ import annotations

import asyncio
import inspect
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Answer = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Request:
    """What a client asked: the target as sent, and its headers by lower-case name."""

    target: str
    headers: dict[str, str]


@dataclass
class RawSite:
    """Answers by path; a path without an answer is a 404. An answer may be a function of the request."""

    answers: dict[str, Answer | Callable[[Request], bytes]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    port: int = 0
    scheme: str = "http"
    host: str = "127.0.0.1"

    def url(self, path: str) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{path}"

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.target == path]

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "a connection is handled in a task"
        self.tasks.add(task)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            await self._answer(_request(head), writer)
            writer.close()
            await writer.wait_closed()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            writer.transport.abort()
        finally:
            self.tasks.discard(task)

    async def close(self) -> None:
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await asyncio.sleep(0.01)  # aborted transports close on the loop's next turns

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        self.requests.append(request)
        answer = self.answers.get(request.target, page(b"not here", status="404 Not Found"))
        if callable(answer):
            answer = answer(request if _wants_request(answer) else writer)  # type: ignore[arg-type]
        if isinstance(answer, bytes):
            writer.write(answer)
            await writer.drain()
        else:
            await answer


def _wants_request(answer: Callable[..., object]) -> bool:
    return not inspect.iscoroutinefunction(answer)


def _request(head: str) -> Request:
    first, *lines = head.split("\r\n")
    pairs = (line.partition(":") for line in lines if ":" in line)
    return Request(first.split(" ")[1], {name.lower(): value.strip() for name, _, value in pairs})


def page(body: bytes, *, status: str = "200 OK", **headers: str) -> bytes:
    """Return a whole answer; keyword names are header names with underscores for hyphens."""
    given = {"Content-Type": "text/html", "Content-Length": str(len(body))}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"HTTP/1.1 {status}\r\n{lines}Connection: close\r\n\r\n".encode("latin-1") + body


@asynccontextmanager
async def serving(
    answers: dict[str, Answer | Callable[[Request], bytes]],
    *,
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
) -> AsyncIterator[RawSite]:
    """Serve the answers on a free port of loopback."""
    site = RawSite(answers=answers, scheme="https" if tls else "http", host=host)
    server = await asyncio.start_server(site.handle, host, 0, ssl=tls)
    site.port = server.sockets[0].getsockname()[1]
    async with server:
        try:
            yield site
        finally:
            await site.close()
