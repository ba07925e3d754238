"""replay: history run again with today's code, or told to one subscription."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from agents.commands.deployment import ConfigFile, settings_from
from agents.commands.retelling import tell
from agents.commands.workforce import STOPPED, code, logs_aside, run_alone, run_beside
from agents.plan import ALERTS, PAGES, Plan, Wanted
from agents.progress import Progress
from agents.replay import Report, compared, decoded, line_of, planned
from pipeline.adapters.history import open_history
from pipeline.adapters.wire import decode
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.events import AlertRaised
from pipeline.ports import ReplayLog

Day = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"], help="UTC, such as 2024-10-17."
    ),
]
LOOK_S = 0.5


def replay_history(
    topic: Annotated[
        str, typer.Option(help="pages.fetched to run history again, alerts.raised to deliver it.")
    ],
    since: Day = None,
    until: Day = None,
    document: Annotated[
        list[str] | None, typer.Option(help="Only this document id; may be repeated.")
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes that run history again, beside each other.")
    ] = 1,
    anew: Annotated[
        bool, typer.Option("--anew", help="Begin again, even where the same replay was begun or is through.")
    ] = False,
    deliver_to: Annotated[
        str, typer.Option(help="Tell what is found to this one route or subscription, oldest first.")
    ] = "",
    rate: Annotated[
        float | None,
        typer.Option(
            min=0.01, max=6000, show_default="by channel", help="At most so many messages a minute."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be told.")] = False,
    config: ConfigFile = Path("clausewire.yaml"),
) -> None:
    """Run history again with today's code, and say what it would have alerted and whether that is what it did.

    Results go to shadow topics; nothing is delivered unless a subscription is named. Stopped or killed, the same
    command goes on where it was. Exit status 1 when they differ.
    """
    settings = settings_from(config)
    logs_aside()
    wanted = Wanted(since=utc(since), until=utc(until), documents=tuple(sorted(document or [])))
    if topic not in {PAGES, ALERTS}:
        raise ConfigError(
            f"{topic} cannot be replayed", remedy="use --topic pages.fetched or --topic alerts.raised"
        )
    with open_history(settings) as log:
        equal = True
        if topic == PAGES:
            plan = planned(log, wanted, code=code(), anew=anew, say=partial(typer.echo, err=True))
            equal = _run_again(settings, config, log, plan, workers)
        elif not deliver_to:
            _list(log, wanted)
        if deliver_to:
            place = (wanted.prefix if topic == PAGES else "") + ALERTS
            tell(settings, log, place, wanted, deliver_to, rate=rate, dry_run=dry_run)
    if not equal:
        raise typer.Exit(1)


def _run_again(settings: Settings, config: Path, log: ReplayLog, plan: Plan, workers: int) -> bool:
    progress = Progress(what="records", total=plan.total, out=sys.stderr, now=time.monotonic)
    before = _done(log, plan)
    if 0 < before < plan.total:
        progress.say(f"goes on after {before:,} of {plan.total:,} records")

    def look() -> None:
        progress.tell(lambda: _done(log, plan))

    try:
        if before < plan.total:
            if workers > 1:
                run_beside(config, plan, workers, look)
            else:
                asyncio.run(_watched(settings, plan, look))
    except KeyboardInterrupt:
        progress.say(
            f"stopped after {_done(log, plan):,} of {plan.total:,} records; the same command goes on"
        )
        raise typer.Exit(STOPPED) from None
    progress.end()
    report = compared(log, plan, decode)
    typer.echo(f"{report.results} results in shadow topics {plan.wanted.prefix}*")
    _show(report)
    return report.equal


async def _watched(settings: Settings, plan: Plan, look: Callable[[], None]) -> None:
    """Run in this process, and look every now and then how far it is."""
    running = asyncio.create_task(run_alone(settings, plan))
    try:
        while not running.done():
            await asyncio.to_thread(look)
            await asyncio.wait([running], timeout=LOOK_S)
    finally:
        running.cancel()
    await running


def _done(log: ReplayLog, plan: Plan) -> int:
    return plan.done(log.committed(plan.wanted.group, PAGES))


def _show(report: Report) -> None:
    for line in report.alerts:
        typer.echo(line)
    for line in report.rejected:
        typer.echo(f"rejected: {line}")
    typer.echo(f"{report.pages} pages, {len(report.alerts)} alerts: ", nl=False)
    typer.echo("equal to what was alerted" if report.equal else "not what was alerted")
    for sign, ids in (("-", report.missing), ("+", report.extra)):
        for alert_id in ids:
            typer.echo(f"{sign} {alert_id}")


def _list(log: ReplayLog, wanted: Wanted) -> None:
    lines: dict[str, tuple[datetime, str, str]] = {}
    for event in decoded(log.records(ALERTS, since=wanted.since, until=wanted.until), decode):
        if isinstance(event, AlertRaised) and (
            not wanted.documents or (event.document and event.document.id in wanted.documents)
        ):
            lines[event.id] = (event.at, event.id, line_of(event))
    for _, _, line in sorted(lines.values()):
        typer.echo(line)
    typer.echo(f"{len(lines)} alerts in history")


def utc(moment: datetime | None) -> datetime | None:
    """Return a day that was typed as a moment of UTC."""
    return None if moment is None else moment.replace(tzinfo=UTC)
