"""The processes that run a replay: this one alone, or several beside each other, none outliving the command."""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from contextlib import aclosing
from importlib.metadata import version
from multiprocessing.process import BaseProcess
from pathlib import Path

import msgspec
import structlog

import agents
import pipeline
from agents.commands.deployment import settings_from
from agents.plan import Plan
from agents.rerun import Rerun, Standing
from agents.stretch import work
from pipeline.adapters.blobs import BlobValues
from pipeline.adapters.bodies import blobs_of
from pipeline.adapters.portions import portions
from pipeline.adapters.wire import decode
from pipeline.config import Settings
from pipeline.errors import PipelineError, StoreError
from pipeline.policy.tables import DEPLOY

LOOK_S = 0.25
STOPPED = 130  # the exit status of what Ctrl-C ended


def logs_aside() -> None:
    """Have what is logged go to standard error: standard output is what the command tells."""
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))


def code() -> str:
    """Return what stands for the code that this process runs history again with: any edit of it makes another."""
    mark = hashlib.sha256()
    folders = [Path(str(package.__file__)).parent for package in (agents, pipeline)]
    for folder in (*folders, DEPLOY / "taxonomy"):
        for path in sorted(folder.rglob("*")):
            if path.suffix in {".py", ".json"}:
                mark.update(path.read_bytes())
    return f"{version('clausewire')} {mark.hexdigest()[:16]}"


async def run_alone(settings: Settings, plan: Plan) -> None:
    """Run in this process the partitions that fall to it, until all are through."""
    blobs = blobs_of(settings)
    values = BlobValues(blobs)

    def line(left: Standing) -> Rerun:
        return Rerun.over(blobs, values, left)

    async with portions(settings, plan.scope) as coming, aclosing(coming):
        await work(coming, plan, lines=line, decode=decode)


def run_beside(config: Path, plan: Plan, workers: int, look: Callable[[], None]) -> None:
    """Run in so many processes; StoreError when they end before all is through."""
    spawn = multiprocessing.get_context("spawn")
    given = (config, msgspec.json.encode(plan), os.getpid())
    crew: list[BaseProcess] = [
        spawn.Process(target=_member, args=given, daemon=True, name=f"replay {number}")
        for number in range(workers)
    ]
    for one in crew:
        one.start()
    try:
        while any(one.is_alive() for one in crew):
            look()
            time.sleep(LOOK_S)
    finally:
        for one in crew:
            one.terminate()
            one.join()
    if all(one.exitcode for one in crew):
        raise StoreError(
            f"every worker ended too early (exit status {crew[0].exitcode})",
            remedy="run the same command again: it goes on where they were",
        )


def _member(config: Path, packed: bytes, parent: int) -> None:
    plan = msgspec.json.decode(packed, type=Plan)
    logs_aside()
    try:
        asyncio.run(_while_wanted(settings_from(config), plan, parent))
    except PipelineError as error:
        sys.exit(f"clausewire: {error}. {error.remedy}")
    except KeyboardInterrupt:
        sys.exit(STOPPED)


async def _while_wanted(settings: Settings, plan: Plan, parent: int) -> None:
    """Run until all is through, or until the command that began this process is gone."""
    running = asyncio.create_task(run_alone(settings, plan))
    while not running.done():
        if os.getppid() != parent:
            running.cancel()
        await asyncio.wait([running], timeout=LOOK_S)
    running.result()
