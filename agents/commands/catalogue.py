"""Every command by name, and where it lies: what is not asked for is not loaded."""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup


class Place(NamedTuple):
    """Where a command lies (`module:attribute` under agents.commands), and where the help shows it."""

    path: str
    panel: str


LOOK, RUN, HISTORY, MEASURE = "Look at pages", "Run", "History", "Measure"

COMMANDS = {
    "check": Place("pages:check", LOOK),
    "extract": Place("pages:extract", LOOK),
    "diff": Place("pages:diff", LOOK),
    "classify": Place("pages:classify", LOOK),
    "init": Place("setup:init", RUN),
    "doctor": Place("setup:doctor", RUN),
    "run": Place("running:run", RUN),
    "worker": Place("running:worker", RUN),
    "poll": Place("running:poll", RUN),
    "demo": Place("setup:demo", RUN),
    "kafka": Place("kafka:kafka_app", RUN),
    "sources": Place("sources:sources_app", RUN),
    "subscriptions": Place("subscriptions:subscriptions_app", RUN),
    "silence": Place("silences:silence_app", RUN),
    "api": Place("interface:api", RUN),
    "api-keys": Place("interface:keys_app", RUN),
    "secret-key": Place("interface:secret_key", RUN),
    "alerts": Place("history:alerts", HISTORY),
    "deliveries": Place("deliveries:deliveries_app", HISTORY),
    "why": Place("deliveries:why", HISTORY),
    "explain": Place("explain:explain", HISTORY),
    "evidence": Place("evidence:evidence", HISTORY),
    "clauses": Place("explain:clauses", HISTORY),
    "import": Place("importing:import_pages", HISTORY),
    "replay": Place("replaying:replay_history", HISTORY),
    "topics": Place("topics:topics_app", HISTORY),
    "events": Place("history:events", HISTORY),
    "rejected": Place("history:rejected_app", HISTORY),
    "bench": Place("bench:bench_app", MEASURE),
}


class Catalogue(TyperGroup):
    """The commands of the catalogue, each loaded when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return every name, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command, None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        if cmd_name not in self.commands:
            self.commands[cmd_name] = _loaded(cmd_name, COMMANDS[cmd_name])
        return self.commands[cmd_name]


def _loaded(name: str, place: Place) -> Any:
    module, _, attribute = place.path.partition(":")
    found = getattr(import_module(f"agents.commands.{module}"), attribute)
    if isinstance(found, typer.Typer):
        command: Any = typer.main.get_group(found)
    else:
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")
        alone.command(name)(found)
        command = typer.main.get_command(alone)
    command.name, command.rich_help_panel = name, place.panel
    return command
