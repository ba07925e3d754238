"""rejected, alerts, events: what was set aside, what was concluded, and what every event looks like."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from agents.commands import show
from agents.commands.deployment import ConfigFile, settings_from
from agents.commands.replaying import Day, utc
from agents.replay import decoded
from pipeline.adapters.history import open_history
from pipeline.adapters.wire import decode
from pipeline.alerts.render import text
from pipeline.events import AlertRaised, EventRejected
from pipeline.ports import History, Kept

rejected_app = typer.Typer(help="Events that a stage gave up on.", no_args_is_help=True)


@rejected_app.command("list")
def rejected_list(config: ConfigFile = Path("clausewire.yaml")) -> None:
    """List the rejected events: id, stage, reason and remedy."""
    with open_history(settings_from(config)) as history:
        for _, event in _rejections(history):
            typer.echo(
                f"{event.id}  {event.rejected_at:%Y-%m-%d %H:%M}  {event.stage}  {event.topic}  {event.reason}"
            )
            if event.remedy:
                typer.echo(f"    {event.remedy}")


@rejected_app.command("retry")
def rejected_retry(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids of rejected events; none means all.")] = None,
    config: ConfigFile = Path("clausewire.yaml"),
) -> None:
    """Put rejected events back on the topics they came from, as they were."""
    with open_history(settings_from(config)) as history:
        chosen = [event for _, event in _rejections(history) if not ids or event.id in ids]
        for event in chosen:
            history.put_back(
                event.topic, event.origin_key.encode(), b64decode(event.value_base64), event.headers
            )
    typer.echo(f"{len(chosen)} events put back")


def _rejections(history: History) -> list[tuple[Kept, EventRejected]]:
    records = list(history.records("events.rejected"))
    events = [(record, decode(record.value)) for record in records]
    return [(record, event) for record, event in events if isinstance(event, EventRejected)]


def alerts(
    config: ConfigFile = Path("clausewire.yaml"),
    since: Day = None,
    until: Day = None,
) -> None:
    """Print the alerts of history as text."""
    out = show.console()
    with open_history(settings_from(config)) as history:
        for event in decoded(history.records("alerts.raised", since=utc(since), until=utc(until)), decode):
            if isinstance(event, AlertRaised):
                out.print(text.alert(event), markup=False)
                out.print()


def events() -> None:
    """Print the JSON Schema of every event."""
    from pipeline.adapters.wire import schemas

    typer.echo(msgspec.json.format(msgspec.json.encode(schemas()), indent=2).decode())
