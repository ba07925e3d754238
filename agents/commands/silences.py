"""silence: what is not told for a while."""

from __future__ import annotations

import getpass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from agents import silence
from agents.commands.deployment import ConfigFile, settings_from
from agents.commands.reading import InputError
from agents.commands.standing import declare, named, standing
from pipeline.adapters.clock import SystemClock
from pipeline.alerts.silence import matcher
from pipeline.config.values import length
from pipeline.events import SilenceDeclared

silence_app = typer.Typer(help="What is not told for a while.", no_args_is_help=True)

EXAMPLE = Path("clausewire.yaml")


@silence_app.command("add")
def add(
    matchers: Annotated[
        list[str], typer.Argument(help="service=X, severity!=high,critical, document=x/*; all must hold.")
    ],
    lasting: Annotated[str, typer.Option("--for", help="How long: 90m, 8h, 2d.")] = "2h",
    to: Annotated[list[str] | None, typer.Option(help="Only these subscriptions; by default all.")] = None,
    comment: Annotated[str, typer.Option(help="Why, for whoever asks.")] = "",
    config: ConfigFile = EXAMPLE,
) -> None:
    """Tell nobody, or not some subscriptions, of alerts that meet all matchers, for a while."""
    settings, now = settings_from(config), SystemClock().now()
    wanted = tuple(matcher(written) for written in matchers)
    registry = standing(settings) if to else None
    only = tuple(named(registry, name).subscription_id for name in to or () if registry)
    made = SilenceDeclared(
        silence_id=silence.new_id(now, *matchers),
        matchers=wanted,
        starts_at=now,
        ends_at=now + _lasting(lasting),
        declared_at=now,
        subscriptions=only,
        author=_author(),
        comment=comment[: silence.COMMENT],
    )
    declare(settings, made)
    typer.echo(f"{made.silence_id}  until {made.ends_at:%Y-%m-%d %H:%M} UTC")


def _lasting(written: str) -> timedelta:
    seconds = length(written)
    if not 0 < seconds <= silence.LONGEST.total_seconds():
        raise InputError(
            f'"{written[:30]}" is not a length of time up to a year', remedy="Write 90m, 8h or 2d"
        )
    return timedelta(seconds=seconds)


def _author() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


@silence_app.command("list")
def list_silences(
    every: Annotated[bool, typer.Option("--all", help="Those that are over too.")] = False,
    config: ConfigFile = EXAMPLE,
) -> None:
    """List the silences that hold."""
    now = SystemClock().now()
    for one in standing(settings_from(config)).silences.values():
        if every or silence.holds(one, now):
            typer.echo(_line(one, now))


def _line(one: SilenceDeclared, now: datetime) -> str:
    asks = " ".join(f"{m.what}{'!=' if m.negated else '='}{','.join(m.words)}" for m in one.matchers)
    whom = f"  to {', '.join(one.subscriptions)}" if one.subscriptions else ""
    over = "" if silence.holds(one, now) else "  (over)"
    said = f"  {one.author}: {one.comment}" if one.comment else f"  {one.author}".rstrip()
    return f"{one.silence_id}  until {one.ends_at:%Y-%m-%d %H:%M} UTC  {asks}{whom}{said}{over}"


@silence_app.command("expire")
def expire(silence_id: str, config: ConfigFile = EXAMPLE) -> None:
    """End a silence now."""
    settings, now = settings_from(config), SystemClock().now()
    found = standing(settings).silences.get(silence_id)
    if found is None or not silence.holds(found, now):
        raise InputError(
            f"there is no silence {silence_id} that holds", remedy="see `clausewire silence list`"
        )
    declare(settings, silence.ended(found, at=now))
    typer.echo(f"{silence_id} is over")
