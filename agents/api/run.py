"""The API of a deployment: what it reads and writes beside a running program, or without one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial

from agents.api.office import HistoryLog, Office
from agents.api.server import listening
from agents.channels import Channels
from agents.subscriptions import TOPICS, Registry, known
from agents.told import telling
from pipeline.adapters.bodies import blobs_of
from pipeline.adapters.follow import following
from pipeline.adapters.history import open_history
from pipeline.adapters.vault import KEY
from pipeline.config import Settings
from pipeline.ports import Clock

HOST, PORT = "127.0.0.1", 8480


@asynccontextmanager
async def office_of(settings: Settings, clock: Clock, *, private: bool = False) -> AsyncIterator[Office]:
    """Open what the API works with, on the broker of the settings; it keeps up with what others declare."""
    async with AsyncExitStack() as stack:
        channels = await stack.enter_async_context(Channels(settings, clock))
        follower = await stack.enter_async_context(following(settings, TOPICS))
        registry = Registry(channels)
        await known(registry, follower, settings.subscriptions, clock)

        opened = partial(open_history, settings, create=True)
        task = asyncio.create_task(registry.follow(follower), name="follow")
        stack.push_async_callback(_ended, task)
        yield Office(
            registry=registry,
            log=HistoryLog(opened),
            channels=channels,
            history=opened,
            clock=clock,
            told=await stack.enter_async_context(telling(settings, clock)),
            blobs=blobs_of(settings),
            public_url=settings.api.public_url,
            key=settings.secrets.get(KEY),
            slack_secret=settings.secrets.get(settings.slack.signing_secret_env),
            private=private,
        )


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def serve_api(
    settings: Settings,
    clock: Clock,
    stop: asyncio.Event,
    *,
    host: str = HOST,
    port: int = PORT,
    private: bool = False,
) -> None:
    """Serve the API until asked to stop."""
    async with office_of(settings, clock, private=private) as office, listening(office, host=host, port=port):
        await stop.wait()
