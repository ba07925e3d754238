"""Feeds parsed off the event loop, in child processes with a deadline."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from types import TracebackType

import msgspec

from pipeline.adapters.feedworker import HEADER, FeedRequest
from pipeline.errors import FetchError
from pipeline.news.feed import RawFeed

ROOT = Path(__file__).resolve().parents[2]
WORKER = "pipeline.adapters.feedworker"


class FeedParser:
    """Parses feeds in up to `workers` children, started when first needed; an `async with` ends them.

    A feed that takes longer than `deadline_s` costs its child, not the program.
    """

    def __init__(self, *, workers: int = 2, deadline_s: float = 20.0) -> None:
        self._slots = asyncio.Semaphore(workers)
        self._deadline_s = deadline_s
        self._idle: list[asyncio.subprocess.Process] = []
        self._children: set[asyncio.subprocess.Process] = set()

    async def __aenter__(self) -> FeedParser:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._idle.clear()
        for child in list(self._children):
            await self._end(child)

    async def parse(self, body: bytes, *, content_type: str, url: str) -> RawFeed:
        """Return the feed that a body is; FetchError(kind="feed") when it is none or takes too long."""
        request = msgspec.msgpack.encode(FeedRequest(body=body, content_type=content_type, url=url))
        async with self._slots:
            feed = await self._ask(request, url)
        if feed.problem:
            raise FetchError(f"{url}: {feed.problem}", kind="feed", remedy=_remedy(feed))
        return feed

    async def _ask(self, request: bytes, url: str) -> RawFeed:
        child = self._idle.pop() if self._idle else await self._started()
        try:
            async with asyncio.timeout(self._deadline_s):
                answer = await _exchange(child, request)
        except TimeoutError as error:
            await self._end(child)
            raise _lost(f"{url} takes longer than {self._deadline_s:g} s to parse") from error
        except (asyncio.IncompleteReadError, OSError) as error:
            await self._end(child)
            raise _lost(f"{url} brought the feed parser down") from error
        except BaseException:
            await self._end(child)
            raise
        self._idle.append(child)
        return msgspec.msgpack.decode(answer, type=RawFeed)

    async def _started(self) -> asyncio.subprocess.Process:
        try:
            return await self._start()
        except OSError as error:
            raise _lost(f"no process for the feed parser: {error}") from error

    async def _start(self) -> asyncio.subprocess.Process:
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            WORKER,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us; the child ends when its input does
            env={**os.environ, "PYTHONPATH": path},
        )
        self._children.add(child)
        return child

    async def _end(self, child: asyncio.subprocess.Process) -> None:
        self._children.discard(child)
        if child.returncode is None:
            child.kill()
        if child.stdin is not None:
            child.stdin.close()
        await child.wait()


async def _exchange(child: asyncio.subprocess.Process, request: bytes) -> bytes:
    assert child.stdin is not None, "a child is started with pipes"
    assert child.stdout is not None, "a child is started with pipes"
    child.stdin.write(len(request).to_bytes(HEADER))
    child.stdin.write(request)
    await child.stdin.drain()
    size = int.from_bytes(await child.stdout.readexactly(HEADER))
    return await child.stdout.readexactly(size)


def _remedy(feed: RawFeed) -> str:
    if feed.alternates:
        return f"The page names {' and '.join(feed.alternates)}: put that in the source's url"
    return "Check the source's url; a site's feed is often named at the foot of its page"


def _lost(fact: str) -> FetchError:
    return FetchError(
        fact, kind="feed", remedy="It is tried again by itself; if it stays, withdraw the source"
    )
