"""run: the whole program in one process, until it is asked to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import structlog
import typer

from agents.api.run import HOST, office_of
from agents.api.server import listening
from agents.commands.deployment import ConfigFile, settings_from
from agents.lookout import Lookout
from agents.serve import serve
from pipeline.adapters.clock import SystemClock
from pipeline.config import Settings

STOP_S, LAST_S = 25.0, 5.0  # from the signal on, and once all is done

LogFormat = Annotated[str, typer.Option(help="How to log: pretty or json.")]
MetricsPort = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=65535,
        show_default="none",
        envvar="CLAUSEWIRE_METRICS_PORT",
        help="Answer /metrics, /health/live and /health/ready on this port; 0 takes a free one.",
    ),
]
MetricsHost = Annotated[
    str, typer.Option(envvar="CLAUSEWIRE_METRICS_HOST", help="The address that --metrics-port listens on.")
]
ApiPort = Annotated[
    int | None,
    typer.Option(min=0, max=65535, show_default="none", help="Serve the HTTP API as well, on 127.0.0.1."),
]


def run(
    config: ConfigFile = Path("clausewire.yaml"),
    log_format: LogFormat = "pretty",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log every step.")] = False,
    metrics_port: MetricsPort = None,
    metrics_host: MetricsHost = "127.0.0.1",
    api_port: ApiPort = None,
) -> None:
    """Run everything in this process: pollers, agents and notifiers. Stops on Ctrl-C or SIGTERM."""
    _run(config, log_format, verbose, Lookout(metrics_port, metrics_host), api_port=api_port)


def worker(
    config: ConfigFile = Path("clausewire.yaml"),
    log_format: LogFormat = "pretty",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log every step.")] = False,
    metrics_port: MetricsPort = None,
    metrics_host: MetricsHost = "127.0.0.1",
) -> None:
    """Run agents and notifiers, and poll nothing. As many as you like on Kafka: they share the work."""
    _run(config, log_format, verbose, Lookout(metrics_port, metrics_host), polls=False)


def poll(
    config: ConfigFile = Path("clausewire.yaml"),
    log_format: LogFormat = "pretty",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log every step.")] = False,
    metrics_port: MetricsPort = None,
    metrics_host: MetricsHost = "127.0.0.1",
) -> None:
    """Poll pages and feeds, and nothing else. As many as you like on Kafka: they share the sources."""
    _run(config, log_format, verbose, Lookout(metrics_port, metrics_host), works=False)


def _run(
    config: Path,
    log_format: str,
    verbose: bool,
    lookout: Lookout,
    *,
    works: bool = True,
    polls: bool = True,
    api_port: int | None = None,
) -> None:
    settings = settings_from(config)
    missing = settings.missing_secrets()
    if missing:
        raise missing[0]
    set_up_logs(log_format, verbose=verbose)
    asyncio.run(_until_signal(settings, lookout, works=works, polls=polls, api_port=api_port))


def end_within(seconds: float) -> None:
    """End this process by then, whatever still hangs: a Kafka client's thread outlives the loss of its brokers.

    Nothing is lost by it: what was not acknowledged is done again after the next start.
    """
    last = threading.Timer(seconds, os._exit, args=(0,))
    last.daemon = True
    last.start()


async def _until_signal(
    settings: Settings, lookout: Lookout, *, works: bool, polls: bool, api_port: int | None
) -> None:
    stop, clock = asyncio.Event(), SystemClock()

    def ask() -> None:
        stop.set()
        end_within(STOP_S)

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ask)
    async with AsyncExitStack() as stack:
        if api_port is not None:
            office = await stack.enter_async_context(office_of(settings, clock))
            await stack.enter_async_context(listening(office, host=HOST, port=api_port))
        await serve(settings, clock, stop, works=works, polls=polls, lookout=lookout)
    if stop.is_set():
        end_within(LAST_S)


def set_up_logs(log_format: str, *, verbose: bool = False) -> None:
    """Log to standard error: readable, or one JSON object per line."""
    renderer = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if verbose else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
