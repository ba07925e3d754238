"""replay, rejected, alerts: what happened, put in, run again, set aside, told."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from agents.commands import show
from agents.commands.deployment import ConfigFile, settings_from
from agents.extract_versions import ReadingState
from agents.replay import Memories, Report, Rerun, decoded, replay
from pipeline.adapters.blobs import BlobValues
from pipeline.adapters.bodies import blobs_of
from pipeline.adapters.history import open_history
from pipeline.adapters.tables import DictMemory
from pipeline.adapters.wire import decode
from pipeline.alerts.alert import AlertingState
from pipeline.alerts.render import text
from pipeline.alerts.route import Decision, delivery
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.events import (
    AlertRaised,
    DeliveryDue,
    EventRejected,
    derived_id,
)
from pipeline.policy.lifecycle import DocumentState
from pipeline.ports import History, Kept

Day = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"], help="UTC, such as 2024-10-17."
    ),
]
SHADOW = "shadow."

rejected_app = typer.Typer(help="Events that a stage gave up on.", no_args_is_help=True)


def replay_history(
    topic: Annotated[
        str, typer.Option(help="pages.fetched to run history again, alerts.raised to deliver it.")
    ],
    since: Day = None,
    until: Day = None,
    document: Annotated[
        list[str] | None, typer.Option(help="Only this document id; may be repeated.")
    ] = None,
    deliver_to: Annotated[str, typer.Option(help="Deliver what is found to this one route.")] = "",
    config: ConfigFile = Path("clausewire.yaml"),
) -> None:
    """Run history again with today's code, and say what it would have alerted and whether that is what it did.

    Results go to shadow topics; nothing is delivered unless a route is named. Exit status 1 when they differ.
    """
    settings = settings_from(config)
    begin, end = _utc(since), _utc(until)
    with open_history(settings) as history:
        report = (
            asyncio.run(_rerun(settings, history, begin, end, document or []))
            if topic == "pages.fetched"
            else _recorded(history, topic, begin, end, document or [])
        )
        _tell(report, run_again=topic == "pages.fetched")
        if deliver_to:
            _deliver(settings, history, report.alerts, deliver_to)
    if not report.equal:
        raise typer.Exit(1)


async def _rerun(
    settings: Settings,
    history: History,
    since: datetime | None,
    until: datetime | None,
    documents: list[str],
) -> Report:
    blobs = blobs_of(settings)
    values = BlobValues(blobs)

    def rerun() -> Rerun:
        memories = Memories(
            reading=DictMemory(ReadingState),
            documents=DictMemory(DocumentState),
            alerting=DictMemory(AlertingState),
        )
        return Rerun(blobs=blobs, values=values, memories=memories)

    report = await replay(history, rerun=rerun, decode=decode, since=since, until=until, documents=documents)
    name = shadow_name(since, until, documents)
    history.drop(name)
    history.append(report.results, prefix=name)
    typer.echo(f"{len(report.results)} results in shadow topics {name}*")
    return report


def shadow_name(since: datetime | None, until: datetime | None, documents: list[str]) -> str:
    """Return the prefix of a replay's shadow topics: the same replay has the same."""
    return f"{SHADOW}{derived_id('rp', since or '', until or '', *sorted(documents))[:11]}."


def _recorded(
    history: History, topic: str, since: datetime | None, until: datetime | None, documents: list[str]
) -> Report:
    if topic != "alerts.raised":
        raise ConfigError(
            f"{topic} cannot be replayed", remedy="use --topic pages.fetched or --topic alerts.raised"
        )
    events = decoded(history.records(topic, since=since, until=until), decode)
    alerts = [event for event in events if isinstance(event, AlertRaised)]
    wanted = [a for a in alerts if not documents or (a.document and a.document.id in documents)]
    return Report(results=sorted(wanted, key=lambda alert: (alert.at, alert.id)))


def _tell(report: Report, *, run_again: bool) -> None:
    for alert in report.alerts:
        typer.echo(f"{alert.at:%Y-%m-%d %H:%M}  {alert.severity.value:<8}  {alert.alert_id}  {alert.title}")
    for line in report.rejected:
        typer.echo(f"rejected: {line}")
    if not run_again:
        typer.echo(f"{len(report.alerts)} alerts in history")
        return
    typer.echo(f"{report.pages} pages, {len(report.alerts)} alerts: ", nl=False)
    typer.echo("equal to what was alerted" if report.equal else "not what was alerted")
    for sign, ids in (("-", report.missing), ("+", report.extra)):
        for alert_id in ids:
            typer.echo(f"{sign} {alert_id}")


def _deliver(settings: Settings, history: History, alerts: Iterable[AlertRaised], route: str) -> None:
    found = next((known for known in settings.routes if route in {known.id, known.name}), None)
    if found is None:
        names = ", ".join(known.name for known in settings.routes) or "none"
        raise ConfigError(f"there is no route {route!r}", remedy=f"the configuration has: {names}")
    decision = Decision(subscription_id=found.id, deliver=True, reason="asked for by replay")
    due = [_due(alert, decision) for alert in alerts]
    history.append(due)
    typer.echo(f"{len(due)} deliveries to {found.name} are due; a running `clausewire run` makes them")


def _due(alert: AlertRaised, decision: Decision) -> DeliveryDue:
    past = msgspec.structs.replace(alert, replayed=True)
    return delivery(past, decision, due_at=alert.at)


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
        for event in decoded(history.records("alerts.raised", since=_utc(since), until=_utc(until)), decode):
            if isinstance(event, AlertRaised):
                out.print(text.alert(event), markup=False)
                out.print()


def events() -> None:
    """Print the JSON Schema of every event."""
    from pipeline.adapters.wire import schemas

    typer.echo(msgspec.json.format(msgspec.json.encode(schemas()), indent=2).decode())


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)
