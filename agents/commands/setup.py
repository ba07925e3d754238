"""init, doctor, demo: begin, look whether all is in order, see it at work."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from agents.commands import show
from agents.commands.deployment import ConfigFile, settings_from
from agents.commands.reading import InputError
from agents.doctor import Finding, Level, examine
from agents.serve import fetcher_of, running
from pipeline.adapters.clock import SystemClock
from pipeline.config import Settings
from pipeline.events import DocumentSpec, FeedSpec
from pipeline.polling import Fetched

EXAMPLE = Path(__file__).parents[2] / "deploy" / "clausewire.example.yaml"
MARKS = {Level.OK: ("ok  ", "green"), Level.WARN: ("warn", "yellow"), Level.FAIL: ("FAIL", "bold red")}


def init(
    config: ConfigFile = Path("clausewire.yaml"),
    force: Annotated[bool, typer.Option(help="Write over a file that is there.")] = False,
) -> None:
    """Write a commented example configuration that runs as it is."""
    if config.exists() and not force:
        raise InputError(f"{config} is there already", remedy="use --force to write over it")
    config.write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    typer.echo(f"{config} is written. Next: clausewire doctor, then clausewire run.")


def doctor(config: ConfigFile = Path("clausewire.yaml")) -> None:
    """Look whether all is in order, and say what to do about what is not. Exit status 1 when something fails."""
    findings = asyncio.run(_examined(settings_from(config)))
    out = show.console()
    for finding in findings:
        mark, style = MARKS[finding.level]
        out.print(Text(mark, style), finding.what, sep="  ", markup=False)
        if finding.remedy:
            out.print(f"      {finding.remedy}", markup=False)
    if any(finding.level is Level.FAIL for finding in findings):
        raise typer.Exit(1)


async def _examined(settings: Settings) -> list[Finding]:
    clock = SystemClock()
    async with fetcher_of(settings, clock) as fetcher:

        async def fetch(spec: DocumentSpec | FeedSpec) -> Fetched:
            return await fetcher.fetch(spec.url, respect_robots=spec.respect_robots)

        return await examine(settings, os.environ, fetch=fetch, time=clock)


def demo(
    output: Annotated[Path, typer.Option(help="Where mails and payloads are kept.")] = Path("demo-output"),
) -> None:
    """Play the autumn of 2024 on loopback: real pages and headlines in, alerts out. Exit status 1 when it fails."""
    from agents.demo.play import play

    if output.exists():
        shutil.rmtree(output)
    if not asyncio.run(play(output, running, show.console())):
        raise typer.Exit(1)
