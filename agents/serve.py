"""One process that does everything: adapters as the settings ask for them, pollers, agents, notifiers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from agents.app import World, wire
from agents.channels import Channels
from agents.declare import Declared, to_declare
from agents.match_stories import Desk
from agents.poll_feeds import poll_feeds
from agents.poll_policies import poll_policies
from agents.program import Program
from agents.rounds import Sources
from pipeline.adapters.blobs import FolderBlobs
from pipeline.adapters.feeds import FeedParser
from pipeline.adapters.http import Fetcher, FetchLimits, user_agent
from pipeline.adapters.pollstate import PollStates
from pipeline.adapters.tables import TableMemory
from pipeline.config import Settings
from pipeline.events import DocumentSpec, FeedSpec, SourceDeclared
from pipeline.news.names import Names, ServiceName
from pipeline.news.watch import Watch, WatchIndex
from pipeline.ports import Clock

NAMES = Path(__file__).parents[1] / "deploy" / "names.yaml"
APP = "clausewire"


@asynccontextmanager
async def running(settings: Settings, clock: Clock) -> AsyncIterator[Program]:
    """Run the whole program inside the context: pollers, agents and notifiers, on the settings' broker."""
    settings.data.mkdir(parents=True, exist_ok=True)
    # Names are looked up in these threads too: hanging ones must not hold up what else works aside.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(32, thread_name_prefix="aside"))
    async with AsyncExitStack() as stack:
        declared = Declared(Sources[DocumentSpec](), Sources[FeedSpec]())
        channels = await stack.enter_async_context(Channels(settings, clock))
        subscriptions = settings.subscriptions(clock.now())
        blobs = FolderBlobs(settings.data / "blobs")
        program = Program(APP, settings.broker, data=settings.data, clock=clock)
        world = World(
            blobs=blobs,
            desk=desk_of(settings),
            declared=declared,
            subscriptions=lambda: subscriptions,
            notifiers=channels.notifiers,
        )
        sources = wire(program, world)
        await _poll(stack, program, settings, blobs, declared)
        program.beside(declare, program=program, sources=sources, declared=declared, settings=settings)
        yield await stack.enter_async_context(program)


async def _poll(
    stack: AsyncExitStack, program: Program, settings: Settings, blobs: FolderBlobs, declared: Declared
) -> None:
    """Have the declared sources polled beside the program."""
    fetcher = await stack.enter_async_context(fetcher_of(settings, program.clock))
    parser = await stack.enter_async_context(FeedParser())
    memory = await stack.enter_async_context(PollStates(settings.data / "polls.db"))
    common: dict[str, Any] = {
        "fetcher": fetcher,
        "publish": program.log,
        "memory": memory,
        "clock": program.clock,
        "stop": program.stopping,
        "limit": settings.fetch.concurrency,
    }
    program.beside(partial(poll_policies, declared.documents, blobs=blobs, **common))
    program.beside(partial(poll_feeds, declared.feeds, parser=parser, **common))


async def declare(
    *, program: Program, sources: TableMemory[SourceDeclared], declared: Declared, settings: Settings
) -> None:
    """Poll what was declared before, and declare what the configuration has changed since."""
    known = [source for _, source in sources.items()]
    for source in known:
        declared.take(source)
    await program.log.publish_all(to_declare(known, settings.sources(program.clock.now())))


def fetcher_of(settings: Settings, clock: Clock) -> Fetcher:
    """Return the fetcher that the settings ask for."""
    wanted = settings.fetch
    limits = FetchLimits(
        connect_s=wanted.connect_timeout_s,
        read_s=wanted.read_timeout_s,
        total_s=wanted.total_timeout_s,
        max_bytes=wanted.max_bytes,
        spacing_s=wanted.per_host_spacing_s,
        concurrency=wanted.concurrency,
    )
    return Fetcher(clock=clock, limits=limits, agent=user_agent(wanted.contact))


def desk_of(settings: Settings) -> Desk:
    """Return what the news is read for: the watches, and the names of the watched services."""
    watches = WatchIndex([Watch(watch.id, watch.name, watch.query) for watch in settings.watches])
    return Desk(watches, services_of(settings))


def services_of(settings: Settings) -> list[ServiceName]:
    """Return the services whose documents are watched, with every name they go by."""
    names = Names.load(NAMES.read_text(encoding="utf-8"), file=str(NAMES))
    aliases: dict[str, list[str]] = {}
    for document in settings.documents:
        aliases.setdefault(document.service, []).extend(document.aliases)
    return [names.service(service, known) for service, known in aliases.items()]


async def serve(settings: Settings, clock: Clock, stop: asyncio.Event) -> None:
    """Run until asked to stop; raises what crashed the program."""
    async with running(settings, clock) as program:
        await program.run_until(stop)
