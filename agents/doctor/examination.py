"""The whole, in the order of the configuration: config, sources, mail, destinations, what else is used, the machine."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from agents.doctor.bodies import bucket
from agents.doctor.broker import broker
from agents.doctor.configuration import configuration
from agents.doctor.destinations import destination, unheard
from agents.doctor.finding import Finding
from agents.doctor.machine import directory, packages
from agents.doctor.mail import mail
from agents.doctor.sources import Fetch, browser, clock, sources
from agents.doctor.summaries import rewriter
from pipeline.config import Settings
from pipeline.ports import Clock


async def examine(settings: Settings, env: Mapping[str, str], *, fetch: Fetch, time: Clock) -> list[Finding]:
    """Return what was found; never raises for what it finds.

    `fetch` reads a document or a feed once (PipelineError when it cannot); `time` is the machine's clock. A bucket
    and a Kafka cluster are each given a probe, which is deleted again.
    """
    configured = list(configuration(settings, env))
    answered, read = await sources(settings, fetch)
    destinations = await asyncio.gather(*(destination(route, settings) for route in settings.routes))
    used = [*await browser(settings), *await rewriter(settings), *await bucket(settings)]
    machine = [
        *directory(settings.data),
        *await broker(settings, time),
        *packages(),
        clock(read, time.now()),
    ]
    return [
        *configured,
        *answered,
        *await mail(settings),
        *destinations,
        *unheard(settings.routes),
        *used,
        *machine,
    ]
