"""topics: what the log has, and on Kafka how its topics are made and checked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from agents.commands.deployment import ConfigFile, settings_from
from agents.commands.reading import InputError
from agents.plan import GROUP
from agents.replay import clear
from pipeline.adapters.history import open_history
from pipeline.adapters.kafka.admin import Admin, admin_of, replication_of, wanted_topics
from pipeline.adapters.kafka.connection import is_kafka
from pipeline.adapters.kafka.logs import quieten
from pipeline.adapters.kafka.start import Kafka, kafka_of
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.topics import SHADOW

T = TypeVar("T")

topics_app = typer.Typer(help="The log's topics.", no_args_is_help=True)


@topics_app.command("list")
def list_topics(config: ConfigFile = Path("clausewire.yaml")) -> None:
    """List the topics and how many records each was given."""
    with open_history(settings_from(config)) as history:
        for name, count in history.topics().items():
            typer.echo(f"{count:>9}  {name}")


@topics_app.command()
def create(
    config: ConfigFile = Path("clausewire.yaml"),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would be made.")] = False,
) -> None:
    """Create the topics that are not there on Kafka, each with its partitions, retention and largest record."""
    kafka = _kafka(settings_from(config))
    if dry_run:
        for topic in wanted_topics(kafka.settings.partitions, kafka.settings.prefix):
            told = " ".join(f"{key}={value}" for key, value in topic.config.items())
            typer.echo(f"{topic.name}  partitions={topic.partitions}  {told}")
        return
    made = _ask(kafka, kafka.create)
    for name in made:
        typer.echo(f"created  {name}")
    typer.echo(f"{len(made)} topics created")


@topics_app.command()
def check(config: ConfigFile = Path("clausewire.yaml")) -> None:
    """Say which topics do not fit, and what to do about it. Exit status 1 when one does not."""
    kafka = _kafka(settings_from(config))
    facts = _ask(kafka, kafka.check)
    for fact in facts:
        typer.echo(fact)
    if facts:
        raise typer.Exit(1)
    typer.echo("every topic is there and fits")


@topics_app.command("drop-shadow")
def drop_shadow(
    prefix: Annotated[
        str, typer.Argument(help="Of one replay, such as shadow.rp-heh6vpdy; none means of all.")
    ] = "",
    config: ConfigFile = Path("clausewire.yaml"),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be deleted.")] = False,
) -> None:
    """Delete what replays left: their shadow topics and their consumer groups. Nothing else is ever deleted."""
    with open_history(settings_from(config)) as log:
        names = [name for name in log.topics() if name.startswith(SHADOW)]
        for replay in _replays(names, prefix):
            beginning = f"{SHADOW}{replay}."
            if not dry_run:
                clear(log, beginning, GROUP + replay)
            for name in (name for name in names if name.startswith(beginning)):
                typer.echo(f"{'would be deleted' if dry_run else 'deleted'}  {name}")
            typer.echo(f"{'would be deleted' if dry_run else 'deleted'}  group {GROUP}{replay}")


def _replays(names: list[str], prefix: str) -> list[str]:
    """Return the replays that left topics, of those whose shadow topics begin with a prefix; InputError where none."""
    wanted = prefix if prefix.startswith(SHADOW) else SHADOW + prefix
    there = sorted({name.removeprefix(SHADOW).partition(".")[0] for name in names})
    found = [replay for replay in there if f"{SHADOW}{replay}.".startswith(wanted)]
    if prefix and not found:
        known = ", ".join(SHADOW + replay for replay in there) or "none"
        raise InputError(f"no shadow topic begins with {prefix}", remedy=f"there are of replays: {known}")
    return found


def _kafka(settings: Settings) -> Kafka:
    if not is_kafka(settings.broker):
        raise ConfigError(
            "the embedded log makes its topics by itself",
            key="broker",
            remedy="only a broker of kafka://host:9092 needs this command",
        )
    quieten()
    return kafka_of(settings)


def _ask(kafka: Kafka, act: Callable[[Admin, int], Awaitable[T]]) -> T:
    async def asked() -> T:
        async with admin_of(kafka.connection) as admin:
            _, brokers = await admin.cluster()
            return await act(admin, replication_of(brokers, kafka.settings.replication))

    return asyncio.run(asked())
