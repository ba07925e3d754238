"""subscriptions: who hears of alerts; paused, resumed, tested, rotated, removed, and what they missed sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from agents import subscribe
from agents.api.subscriptions import Tested, tested, view
from agents.channels import Channels
from agents.commands.deployment import ConfigFile, settings_from
from agents.commands.endpoints import check_endpoints
from agents.commands.standing import declare, locker, named, standing
from agents.commands.subscribing import add, change, signed_as, tell_secret
from agents.destination import signature_of
from agents.recover import asked_for, missed
from agents.replay import decoded
from pipeline.adapters.clock import SystemClock
from pipeline.adapters.history import open_history
from pipeline.adapters.vault import new_secret
from pipeline.adapters.wire import decode
from pipeline.alerts import recipients
from pipeline.alerts.window import asked
from pipeline.config import Settings
from pipeline.events import SubscriptionDeclared

subscriptions_app = typer.Typer(help="Who hears of alerts.", no_args_is_help=True)

subscriptions_app.command("add")(add)
subscriptions_app.command("change")(change)
subscriptions_app.command("check")(check_endpoints)

Config = ConfigFile
Who = Annotated[
    str, typer.Argument(metavar="ID", help="A subscription's id or name; or one recipient, as ID/mailbox.")
]
EXAMPLE = Path("clausewire.yaml")


@subscriptions_app.command("list")
def list_subscriptions(
    config: Config = EXAMPLE,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per subscription.")] = False,
) -> None:
    """List subscriptions: id, channel, whether they are on, where they lead and who made them."""
    registry = standing(settings_from(config))
    for one in registry.all():
        if as_json:
            typer.echo(msgspec.json.encode(view(one, registry.apart)).decode())
        else:
            typer.echo("\n".join(_told(one, recipients.parts(one, registry.apart))))


def _told(one: SubscriptionDeclared, parts: Sequence[SubscriptionDeclared]) -> list[str]:
    """Return a subscription in a line, and where it has several recipients one more for each."""
    head = f"{_state(one)}  {one.channel.value:<8}  {one.subscription_id}"
    if len(parts) == 1:
        return [f"{head}  {recipients.place(one)}  ({one.by}){_why(one)}"]
    boxes = (
        f"{_state(part)}      {part.subscription_id}  {recipients.place(part)}{_why(part)}" for part in parts
    )
    return [f"{head}  {len(parts)} recipients  ({one.by}){_why(one)}", *boxes]


def _state(one: SubscriptionDeclared) -> str:
    return "on " if one.active else "off"


def _why(one: SubscriptionDeclared) -> str:
    return f"  {one.reason}" if one.reason and not one.active else ""


@subscriptions_app.command("pause")
def pause(
    who: Who,
    reason: Annotated[str, typer.Option(help="Why, for whoever asks.")] = "paused by hand",
    config: Config = EXAMPLE,
) -> None:
    """Switch a subscription off, one of the configuration too; what it misses can be recovered."""
    _act(config, who, lambda one, now: subscribe.paused(one, reason, at=now), "is paused")


@subscriptions_app.command("resume")
def resume(who: Who, config: Config = EXAMPLE) -> None:
    """Switch a subscription on again."""
    _act(config, who, lambda one, now: subscribe.resumed(one, at=now), "is told again")


@subscriptions_app.command("remove")
def remove(who: Who, config: Config = EXAMPLE) -> None:
    """Remove a subscription that was made by command or API."""
    settings = settings_from(config)
    registry = standing(settings)
    one = named(registry, who)
    declare(settings, *subscribe.ended(one, registry.apart.values(), at=SystemClock().now()))
    typer.echo(f"{one.subscription_id} is removed")


def _act(
    config: Path, who: str, act: Callable[[SubscriptionDeclared, datetime], SubscriptionDeclared], done: str
) -> None:
    settings = settings_from(config)
    one = named(standing(settings), who)
    declare(settings, act(one, SystemClock().now()))
    typer.echo(f"{one.subscription_id} {done}")


@subscriptions_app.command("rotate")
def rotate(
    who: Who,
    signature: Annotated[str, typer.Option(help="From now on: v1 or v1a; by default as it is.")] = "",
    config: Config = EXAMPLE,
) -> None:
    """Give a webhook a new secret, printed this once; for 24 hours both sign. Of a pair of keys the public one."""
    settings = settings_from(config)
    one = named(standing(settings), who)
    secret = new_secret(signed_as(signature) if signature else signature_of(one))
    seal = locker(settings).seal
    declare(settings, subscribe.rotated(one, secret=secret, seal=seal, at=SystemClock().now()))
    tell_secret(secret)


@subscriptions_app.command("test")
def send_test(who: Who, config: Config = EXAMPLE) -> None:
    """Send a test message now. Exit status 1 when it does not arrive."""
    settings = settings_from(config)
    registry = standing(settings)
    parts = recipients.reachable(named(registry, who), registry.apart)
    found = asyncio.run(_tested(settings, parts))
    typer.echo(
        "delivered" if found.delivered else f"not delivered: {found.reason}. {found.remedy}".rstrip(". ")
    )
    if not found.delivered:
        raise typer.Exit(1)


async def _tested(settings: Settings, parts: Sequence[SubscriptionDeclared]) -> Tested:
    clock = SystemClock()
    async with Channels(settings, clock) as channels:
        return await tested(channels, parts, clock.now())


@subscriptions_app.command("recover")
def recover(
    who: Who,
    since: Annotated[
        datetime,
        typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"], help="UTC."),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent.")] = False,
    config: Config = EXAMPLE,
) -> None:
    """Send the alerts since a time that a subscription wants and never took: what it missed while it was off."""
    settings, now = settings_from(config), SystemClock().now()
    registry = standing(settings)
    one = named(registry, who)
    with open_history(settings) as history:
        raised = list(decoded(history.records("alerts.raised", since=since.replace(tzinfo=UTC)), decode))
        ledger = list(decoded(history.records("deliveries"), decode))
        waiting = list(decoded(history.records("gatherings"), decode))
        found = missed(one, raised, ledger, at=now, apart=registry.apart, gatherings=waiting)
        places = {part.subscription_id: recipients.place(part) for part in recipients.parts(one)}
        for due in found:
            said = f"{due.alert.raised_at:%Y-%m-%d %H:%M}  {due.alert.title}" if due.alert else due.thread
            typer.echo(said + (f"  to {places[due.subscription_id]}" if len(places) > 1 else ""))
        if not dry_run:
            history.append(asked_for(found, one, registry.apart))
    typer.echo(
        f"{len(found)} alerts {'would be' if dry_run else 'are'} due to {one.subscription_id}"
        + (f"; {asked(one.gather)}" if one.gather and found else ""),
        err=True,
    )
