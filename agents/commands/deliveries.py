"""deliveries, why: what became of each message, sent again where asked, and why it was sent or not."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from agents import why as reasons
from agents.commands.deployment import ConfigFile, settings_from
from agents.commands.reading import InputError
from agents.commands.standing import named, standing
from agents.replay import decoded
from agents.subscriptions import Registry
from pipeline.adapters.clock import SystemClock
from pipeline.adapters.history import open_history
from pipeline.adapters.wire import decode
from pipeline.alerts import recipients
from pipeline.alerts.attempt import alert_id, members
from pipeline.alerts.attempt import what as kind
from pipeline.events import AlertRaised, DeliveryAttempted, DeliveryDue, Event, SubscriptionDeclared
from pipeline.ports import Kept

deliveries_app = typer.Typer(help="What became of each attempt to deliver.", invoke_without_command=True)

Config = ConfigFile
EXAMPLE = Path("clausewire.yaml")
Route = Annotated[str, typer.Option(help="Only to this subscription.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object per attempt.")]
Which = Annotated[str, typer.Argument(metavar="ID", help="A delivery's id, dlv-….")]


@deliveries_app.callback()
def deliveries(
    context: typer.Context, config: Config = EXAMPLE, route: Route = "", as_json: AsJson = False
) -> None:
    """List what became of each attempt; with a command, look at one delivery or send it again."""
    if context.invoked_subcommand is None:
        list_deliveries(config, route, as_json)


@deliveries_app.command("list")
def list_deliveries(config: Config = EXAMPLE, route: Route = "", as_json: AsJson = False) -> None:
    """List what became of each attempt to deliver."""
    settings = settings_from(config)
    with open_history(settings) as history:
        for event in _events(history.records("deliveries")):
            if isinstance(event, DeliveryAttempted) and _is_to(event, route):
                typer.echo(msgspec.json.encode(event).decode() if as_json else _attempt(event))


def _is_to(event: DeliveryAttempted, route: str) -> bool:
    return not route or recipients.concerns(route, event.subscription_id)


def _attempt(event: DeliveryAttempted) -> str:
    told = f"{event.attempted_at:%Y-%m-%d %H:%M:%S}  {event.outcome:<8}  {event.what:<10}  {event.subscription_id}"
    rest = f"  attempt {event.attempt}  {event.status or ''}  {event.delivery_id}  {event.reason}"
    return (told + rest).rstrip()


@deliveries_app.command("show")
def show(which: Which, config: Config = EXAMPLE) -> None:
    """Show a delivery: what it tells, to whom, why, and each attempt with the answer it got."""
    due, attempts = _delivery(config, which)
    if due:
        typer.echo(f"{which}  to {due.subscription_id}  in thread {due.thread}")
        for told in due.members or (due,):
            typer.echo(_told(told))
        typer.echo(f"due {due.due_at:%Y-%m-%d %H:%M} UTC: {due.reason}")
    for event in attempts:
        typer.echo(reasons.line(event))
        for name, value in (("answer", event.response), ("receipt", event.receipt)):
            if value:
                typer.echo(f"  {name}: {value}")


def _told(due: DeliveryDue) -> str:
    """Return what a delivery tells, or a member of a gathered one: the alert, and which news of it."""
    news = f"  ({kind(due)})" if due.update or due.withdrawal else ""
    return f"{alert_id(due)}{news}  {due.alert.title if due.alert else ''}".rstrip()


@deliveries_app.command("retry")
def retry(which: Which, config: Config = EXAMPLE) -> None:
    """Send a delivery again that was refused or given up; one that arrived is not repeated."""
    due, _ = _delivery(config, which)
    if due is None:
        raise InputError(f"what {which} told is no longer kept", remedy="`clausewire subscriptions recover`")
    settings = settings_from(config)
    with open_history(settings) as history:
        history.append([msgspec.structs.replace(due, due_at=SystemClock().now())])
    typer.echo(f"{which} is due again; a running `clausewire run` sends it")


def _delivery(config: Path, which: str) -> tuple[DeliveryDue | None, list[DeliveryAttempted]]:
    """Return a delivery and its attempts, oldest first; InputError where nothing of it is kept."""
    with open_history(settings_from(config)) as history:
        events = list(_events(history.records("outbox")))
    dues = [event for event in events if isinstance(event, DeliveryDue) and event.delivery_id == which]
    for event in events:
        if not dues and isinstance(event, DeliveryDue) and which in members(event):
            raise InputError(
                f"{which} was gathered with others", remedy=f"it is told in {event.delivery_id}: ask for that"
            )
    made = {
        event.id: event
        for event in events
        if isinstance(event, DeliveryAttempted) and event.delivery_id == which
    }
    if not dues and not made:
        raise InputError(f"there is no delivery {which}", remedy="see `clausewire deliveries`")
    attempts = sorted(made.values(), key=lambda event: (event.attempted_at, event.attempt))
    return (dues[0] if dues else None), attempts


def why(
    alert: Annotated[str, typer.Argument(metavar="ALERT", help="An alert's id, alt-….")],
    to: Annotated[str, typer.Option(help="The route or subscription.")],
    config: Config = EXAMPLE,
) -> None:
    """Say why a subscription was told of an alert, or was not."""
    settings = settings_from(config)
    registry = standing(settings)
    subscription = named(registry, to)
    with open_history(settings) as history:
        known = list(_events(history.records("alerts.raised"), key=alert))
        outbox = [event for topic in reasons.TOPICS for event in _events(history.records(topic))]
    if not any(isinstance(event, AlertRaised) for event in known):
        raise InputError(f"there is no alert {alert}", remedy="see `clausewire alerts` for what is")
    silences = registry.silences.values()
    for one in _asked(registry, subscription, outbox):
        if one is not subscription:
            typer.echo(f"{recipients.place(one)}  ({one.subscription_id})")
        for line in reasons.why(one, known, outbox, silences=silences):
            typer.echo(line)


def _asked(
    registry: Registry, subscription: SubscriptionDeclared, outbox: Iterable[Event]
) -> Iterable[SubscriptionDeclared]:
    """Yield a subscription's recipients where it has several; the list itself where it was once told as a whole."""
    parts = recipients.parts(subscription, registry.apart)
    if len(parts) > 1 and any(
        isinstance(event, DeliveryDue) and event.subscription_id == subscription.subscription_id
        for event in outbox
    ):
        yield subscription
    yield from parts


def _events(records: Iterable[Kept], *, key: str | None = None) -> Iterable[Event]:
    return decoded((record for record in records if key is None or record.key == key.encode()), decode)
