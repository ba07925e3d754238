"""One process that does everything or half of it: pollers, agents, notifiers, with adapters as the settings ask."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from agents.app import World, wire, wire_agents, wire_sources
from agents.channels import Channels
from agents.declare import Declared
from agents.lookout import Lookout
from agents.match_stories import Desk
from agents.poll_feeds import poll_feeds
from agents.poll_policies import poll_policies
from agents.program import Program
from agents.rounds import Sources
from agents.share_sources import OwnSources, SharedSources
from agents.subscriptions import TOPICS, Known, Registry, known
from agents.timekeeping import watch_clock
from pipeline.adapters.bodies import blobs_of
from pipeline.adapters.browser import Browser, find_browser
from pipeline.adapters.feeds import FeedParser
from pipeline.adapters.follow import following
from pipeline.adapters.http import Fetcher, FetchLimits, user_agent
from pipeline.adapters.kafka.connection import is_kafka
from pipeline.adapters.kafka.start import kafka_of
from pipeline.adapters.metrics import SOURCES
from pipeline.adapters.pollstate import PollStates
from pipeline.adapters.polltable import PollTable
from pipeline.adapters.rewriter import ChatRewriter
from pipeline.adapters.tables import TableMemory
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.events import DocumentSpec, FeedSpec, SourceDeclared
from pipeline.news.names import Names, ServiceName
from pipeline.news.watch import Watch, WatchIndex
from pipeline.polling import PollState
from pipeline.ports import Clock, PollMemory
from pipeline.topics import POLLERS, WORKERS

NAMES = Path(__file__).parents[1] / "deploy" / "names.yaml"


@asynccontextmanager
async def running(
    settings: Settings,
    clock: Clock,
    *,
    works: bool = True,
    polls: bool = True,
    lookout: Lookout | None = None,
) -> AsyncIterator[Program]:
    """Run the program inside the context: pollers, agents and notifiers, on the settings' broker.

    On Kafka agents and pollers are two consumer groups, and a process may be in one of them only; the embedded log
    serves one process, which does everything.
    """
    settings.data.mkdir(parents=True, exist_ok=True)
    # Names are looked up in these threads too: hanging ones must not hold up what else works aside.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(32, thread_name_prefix="aside"))
    async with AsyncExitStack() as stack:
        lookout = await stack.enter_async_context(lookout or Lookout())
        if is_kafka(settings.broker):
            yield await _shared(stack, settings, clock, lookout, works=works, polls=polls)
        elif works and polls:
            yield await _alone(stack, settings, clock, lookout)
        else:
            raise ConfigError(
                "the embedded log serves one process, which does everything",
                key="broker",
                remedy="use `clausewire run`, or a broker of kafka://host:9092 for many",
            )


async def _alone(stack: AsyncExitStack, settings: Settings, clock: Clock, lookout: Lookout) -> Program:
    """Start agents and pollers as one program."""
    program = Program(WORKERS, settings.broker, data=settings.data, clock=clock, **lookout.eyes)
    lookout.watch(program)
    told, channels = await _known(stack, settings, clock)
    world = await _world(stack, settings, told.registry, channels)
    sources = wire(program, world)
    told.beside(program)
    program.beside(watch_clock, clock=clock)
    memory = await stack.enter_async_context(PollStates(settings.data / "polls.db"))
    await _poll(stack, program, settings, world, sources, memory, lookout)
    return await stack.enter_async_context(program)


async def _shared(
    stack: AsyncExitStack, settings: Settings, clock: Clock, lookout: Lookout, *, works: bool, polls: bool
) -> Program:
    """Start agents and pollers as members of their groups."""
    kafka = kafka_of(settings)
    told, channels = await kafka.patiently(partial(_known, stack, settings, clock))
    world = await _world(stack, settings, told.registry, channels)
    common: dict[str, Any] = {"data": settings.data, "clock": clock, "kafka": kafka, **lookout.eyes}
    worker = Program(WORKERS, settings.broker, **common)
    poller = Program(POLLERS, settings.broker, **common)
    for program in [worker] * works + [poller] * polls:
        lookout.watch(program)
    (worker if works else poller).beside(watch_clock, clock=clock)
    if polls:
        sources = wire_sources(poller, world.declared)
        memory = PollTable(poller.memory("polls", "sources", PollState), poller.is_counted_on)
        await _poll(stack, poller, settings, world, sources, memory, lookout)
        await stack.enter_async_context(poller)
    if not works:
        return poller
    wire_agents(worker, world)
    told.beside(worker)
    if polls:
        worker.beside(poller.run_until, stop=worker.stopping)
    return await stack.enter_async_context(worker)


async def _known(stack: AsyncExitStack, settings: Settings, clock: Clock) -> tuple[Known, Channels]:
    """Return who is told, as far as that is declared, and the channels that are opened for them."""
    channels = await stack.enter_async_context(Channels(settings, clock))
    follower = await stack.enter_async_context(following(settings, TOPICS))
    return await known(Registry(channels), follower, settings.subscriptions, clock), channels


async def _world(stack: AsyncExitStack, settings: Settings, registry: Registry, channels: Channels) -> World:
    rewriter = rewriter_of(settings)
    return World(
        blobs=blobs_of(settings),
        desk=desk_of(settings),
        declared=Declared(Sources[DocumentSpec](), Sources[FeedSpec]()),
        subscriptions=registry.told,
        notifiers=channels.notifiers,
        silences=registry.silenced,
        waits=registry.waits,
        find=registry.find,
        tenure=channels.tenure,
        rewrites=await stack.enter_async_context(rewriter) if rewriter else None,
    )


async def _poll(
    stack: AsyncExitStack,
    program: Program,
    settings: Settings,
    world: World,
    sources: TableMemory[SourceDeclared],
    memory: PollMemory,
    lookout: Lookout,
) -> None:
    """Have the sources of this process polled beside a program."""
    fetcher = await stack.enter_async_context(fetcher_of(settings, program.clock))
    parser = await stack.enter_async_context(FeedParser())
    common: dict[str, Any] = {
        "publish": OwnSources(log=program.log, known=sources, is_counted_on=program.is_counted_on),
        "memory": memory,
        "clock": program.clock,
        "stop": program.stopping,
        "limit": settings.fetch.concurrency,
    }
    pages, feeds = (lookout.metered(fetcher, kind, world.declared) for kind in SOURCES)
    documents = world.declared.documents
    browser = browser_of(settings, program.clock)
    renders = await stack.enter_async_context(browser) if browser else None
    reading = partial(poll_policies, documents, blobs=world.blobs, fetcher=pages, renders=renders)
    program.beside(partial(reading, **common))
    program.beside(partial(poll_feeds, world.declared.feeds, parser=parser, fetcher=feeds, **common))
    shared = SharedSources(
        known=sources,
        declared=world.declared,
        wanted=lambda: settings.sources(program.clock.now()),
        log=program.log,
    )
    program.holds(shared, "sources")


def fetcher_of(settings: Settings, clock: Clock) -> Fetcher:
    """Return the fetcher that the settings ask for."""
    return Fetcher(clock=clock, limits=limits_of(settings), agent=user_agent(settings.fetch.contact))


def limits_of(settings: Settings) -> FetchLimits:
    """Return the bounds of a fetch that the settings ask for."""
    wanted = settings.fetch
    return FetchLimits(
        connect_s=wanted.connect_timeout_s,
        read_s=wanted.read_timeout_s,
        total_s=wanted.total_timeout_s,
        max_bytes=wanted.max_bytes,
        spacing_s=wanted.per_host_spacing_s,
        concurrency=wanted.concurrency,
    )


def browser_of(settings: Settings, clock: Clock) -> Browser | None:
    """Return the browser that the settings ask for, None where they name none; ConfigError when it is not there."""
    wanted = settings.fetch
    if not wanted.browser:
        return None
    return Browser(
        path=find_browser(wanted.browser),
        clock=clock,
        limits=limits_of(settings),
        agent=user_agent(wanted.contact),
        sandbox=wanted.browser_sandbox,
    )


def rewriter_of(settings: Settings) -> ChatRewriter | None:
    """Return who may reword summaries, None where the settings name nobody."""
    wanted = settings.rewriter
    if wanted is None:
        return None
    key = settings.secrets.get(wanted.api_key_env) if wanted.api_key_env else ""
    return ChatRewriter(wanted.url, model=wanted.model, api_key=key, timeout_s=wanted.timeout_s)


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


async def serve(
    settings: Settings,
    clock: Clock,
    stop: asyncio.Event,
    *,
    works: bool = True,
    polls: bool = True,
    lookout: Lookout | None = None,
) -> None:
    """Run until asked to stop, while starting too; raises what crashed the program."""
    leaving = asyncio.create_task(_leave(stop, asyncio.current_task()))
    try:
        async with running(settings, clock, works=works, polls=polls, lookout=lookout) as program:
            leaving.cancel()
            await program.run_until(stop)
    except asyncio.CancelledError:
        if not leaving.done() or leaving.cancelled():
            raise
    finally:
        leaving.cancel()


async def _leave(stop: asyncio.Event, starting: asyncio.Task[Any] | None) -> None:
    """Break off a start that is no longer wanted."""
    await stop.wait()
    if starting is not None:
        starting.cancel()
