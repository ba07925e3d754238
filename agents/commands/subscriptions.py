"""subscriptions: who hears of alerts, made and changed by hand; which endpoints would be accepted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from agents import subscribe
from agents.api.consent import consent
from agents.api.problems import ProblemError
from agents.api.subscriptions import Tested, tested, view
from agents.channels import Channels
from agents.commands.deployment import ConfigFile, settings_from
from agents.commands.pages import print_json
from agents.commands.reading import InputError
from agents.commands.standing import declare, locker, named, standing
from agents.recover import missed
from agents.subscribe import AppriseTo, EmailTo, HoursBody, NewSubscription, Only, SlackTo, To, WebhookTo
from pipeline.adapters import ssrf
from pipeline.adapters.clock import SystemClock
from pipeline.adapters.history import open_history
from pipeline.adapters.vault import new_secret
from pipeline.adapters.wire import decode
from pipeline.config import Settings
from pipeline.errors import DecodeError
from pipeline.events import Channel, Event, Severity, SubscriptionDeclared, slug

subscriptions_app = typer.Typer(help="Who hears of alerts.", no_args_is_help=True)

Config = ConfigFile
Who = Annotated[str, typer.Argument(metavar="ID", help="A subscription's id or name.")]
Words = Annotated[list[str] | None, typer.Option()]
EXAMPLE = Path("clausewire.yaml")
ORIGIN = "clausewire"


@subscriptions_app.command("list")
def list_subscriptions(
    config: Config = EXAMPLE,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per subscription.")] = False,
) -> None:
    """List subscriptions: id, channel, whether they are on, where they lead and who made them."""
    for one in standing(settings_from(config)).all():
        typer.echo(msgspec.json.encode(view(one)).decode() if as_json else _told(one))


def _told(one: SubscriptionDeclared) -> str:
    target = one.target
    place = (
        target.get("url") or target.get("channel") or target.get("service") or ", ".join(target.get("to", ()))
    )
    state = "on " if one.active else "off"
    why = f"  {one.reason}" if one.reason else ""
    return f"{state}  {one.channel.value:<8}  {one.subscription_id}  {place or one.name}  ({one.by}){why}"


@subscriptions_app.command("add")
def add(  # noqa: PLR0913  # an option each
    name: Annotated[str, typer.Argument(help="What it is called.")],
    *,
    webhook: Annotated[str, typer.Option(help="An endpoint of your own.")] = "",
    email: Annotated[list[str] | None, typer.Option(help="A mailbox; may be repeated.")] = None,
    slack_channel: Annotated[str, typer.Option(help="A Slack channel; the bot token is asked for.")] = "",
    slack_webhook: Annotated[bool, typer.Option("--slack-webhook", help="Its URL is asked for.")] = False,
    apprise: Annotated[
        bool, typer.Option("--apprise", help="A service that Apprise knows; its URL is asked for.")
    ] = False,
    service: Words = None,
    document: Words = None,
    category: Words = None,
    watch: Words = None,
    kind: Words = None,
    language: Words = None,
    min_severity: Severity = Severity.INFO,
    hours: Annotated[str, typer.Option(help="Only at these hours, such as “mon-fri 08:00-18:00”.")] = "",
    zone: Annotated[str, typer.Option(help="The hours' time zone, such as Europe/Berlin.")] = "UTC",
    urgent: Annotated[Severity | None, typer.Option(help="What is told at any hour.")] = None,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="The webhook may lie on a private network.")
    ] = False,
    config: Config = EXAMPLE,
) -> None:
    """Make a subscription. A webhook is asked for consent first; its secret is printed this once."""
    settings = settings_from(config)
    to = To(
        webhook=WebhookTo(url=webhook) if webhook else None,
        email=EmailTo(to=tuple(email)) if email else None,
        slack=_slack(slack_channel, webhook=slack_webhook),
        apprise=AppriseTo(url=typer.prompt("Apprise URL", hide_input=True, err=True)) if apprise else None,
    )
    only = Only(
        services=tuple(service or ()),
        documents=tuple(document or ()),
        categories=tuple(category or ()),
        watches=tuple(watch or ()),
        kinds=tuple(kind or ()),
        languages=tuple(language or ()),
        min_severity=min_severity,
    )
    week = HoursBody(open=hours, zone=zone, urgent=urgent) if hours else None
    wanted = NewSubscription(name=name, to=to, only=only, hours=week)
    _made(settings, wanted, private=allow_private)


def _slack(channel: str, *, webhook: bool) -> SlackTo | None:
    """Return the Slack target, its secret asked for and not shown: never an argument, which `ps` would show."""
    if webhook:
        return SlackTo(webhook_url=typer.prompt("Webhook URL", hide_input=True, err=True))
    if channel:
        return SlackTo(channel=channel, token=typer.prompt("Bot token", hide_input=True, err=True))
    return None


def _made(settings: Settings, wanted: NewSubscription, *, private: bool) -> None:
    registry, identity, secret = standing(settings), slug(wanted.name), new_secret()
    if not identity or identity in registry.by_id:
        raise InputError(
            f"there is a subscription {identity!r}" if identity else "this name has no letter and no digit",
            remedy="Give it another name",
        )
    seals = wanted.to.webhook or wanted.to.slack or wanted.to.apprise
    made = subscribe.made(
        wanted,
        subscription_id=identity,
        by="command",
        at=SystemClock().now(),
        seal=locker(settings).seal if seals else str,
        secret=secret,
        private=private,
    )
    if made.channel is Channel.WEBHOOK:
        asyncio.run(_consented(settings, made, secret))
    if made.channel is Channel.APPRISE:
        asyncio.run(_opened(settings, made))
    declare(settings, made)
    typer.echo(f"{identity} is told from now on", err=True)
    if made.channel is Channel.WEBHOOK:
        typer.echo("Its posts are signed with this secret, shown this once:", err=True)
        typer.echo(secret)


async def _opened(settings: Settings, made: SubscriptionDeclared) -> None:
    """Say now what would keep every message from being sent."""
    async with Channels(settings, SystemClock()) as channels:
        await channels.notifier(made)


async def _consented(settings: Settings, made: SubscriptionDeclared, secret: str) -> None:
    clock, private = SystemClock(), bool(made.target["allow_private"])
    async with Channels(settings, clock) as channels:
        posts = await channels.webhooks(private=private)
        try:
            await consent(
                posts,
                made.target["url"],
                subscription_id=made.subscription_id,
                secret=secret,
                origin=ORIGIN,
                at=clock.now(),
            )
        except ProblemError as error:
            raise InputError(str(error), remedy=error.remedy) from None


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
    _act(config, who, lambda one, now: subscribe.removed(one, at=now), "is removed")


def _act(
    config: Path, who: str, act: Callable[[SubscriptionDeclared, datetime], SubscriptionDeclared], done: str
) -> None:
    settings = settings_from(config)
    one = named(standing(settings), who)
    declare(settings, act(one, SystemClock().now()))
    typer.echo(f"{one.subscription_id} {done}")


@subscriptions_app.command("rotate")
def rotate(who: Who, config: Config = EXAMPLE) -> None:
    """Give a webhook a new secret, printed this once; for 24 hours both sign."""
    settings, secret = settings_from(config), new_secret()
    one = named(standing(settings), who)
    seal = locker(settings).seal
    declare(settings, subscribe.rotated(one, secret=secret, seal=seal, at=SystemClock().now()))
    typer.echo(secret)


@subscriptions_app.command("test")
def send_test(who: Who, config: Config = EXAMPLE) -> None:
    """Send a test message now. Exit status 1 when it does not arrive."""
    settings = settings_from(config)
    found = asyncio.run(_tested(settings, named(standing(settings), who)))
    typer.echo(
        "delivered" if found.delivered else f"not delivered: {found.reason}. {found.remedy}".rstrip(". ")
    )
    if not found.delivered:
        raise typer.Exit(1)


async def _tested(settings: Settings, one: SubscriptionDeclared) -> Tested:
    clock = SystemClock()
    async with Channels(settings, clock) as channels:
        return await tested(channels, one, clock.now())


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
    one = named(standing(settings), who)
    with open_history(settings) as history:
        raised = _events(history.records("alerts.raised", since=since.replace(tzinfo=UTC)))
        found = missed(one, raised, _events(history.records("deliveries")), at=now)
        for due in found:
            typer.echo(
                f"{due.alert.raised_at:%Y-%m-%d %H:%M}  {due.alert.title}" if due.alert else due.thread
            )
        if not dry_run:
            history.append(found)
    typer.echo(
        f"{len(found)} alerts {'would be' if dry_run else 'are'} due to {one.subscription_id}", err=True
    )


def _events(records: Iterable[Any]) -> list[Event]:
    found: list[Event] = []
    for record in records:
        try:
            found.append(decode(record.value))
        except DecodeError:
            continue
    return found


@subscriptions_app.command("check")
def check_endpoints(
    urls: Annotated[list[str] | None, typer.Argument(help="Webhook endpoints.")] = None,
    batch: Annotated[Path | None, typer.Option(help="A file with one URL a line.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per URL.")] = False,
    allow: Annotated[
        list[str] | None, typer.Option(help="Hosts or networks that are meant to be private.")
    ] = None,
) -> None:
    """Say of each endpoint whether it would be accepted, to which addresses it resolves, and why not.

    Nothing is posted. Exit status 1 when one is refused.
    """
    wanted = [*(urls or []), *(_lines(batch) if batch else [])]
    verdicts = asyncio.run(_verdicts(wanted, ssrf.Allow.of(*(allow or []))))
    for verdict in verdicts:
        if as_json:
            print_json(verdict)
        else:
            typer.echo(_line(verdict))
    if not all(verdict["accepted"] for verdict in verdicts):
        raise typer.Exit(1)


async def _verdicts(urls: Iterable[str], allow: ssrf.Allow) -> list[dict[str, Any]]:
    found = [await ssrf.check_url(url, resolve=ssrf.system_resolve, allow=allow) for url in urls]
    return [
        {
            "url": verdict.url,
            "accepted": verdict.accepted,
            "addresses": list(verdict.addresses),
            "reason": verdict.reason,
        }
        for verdict in found
    ]


def _line(verdict: dict[str, Any]) -> str:
    addresses = ", ".join(verdict["addresses"])
    return f"{'accepted' if verdict['accepted'] else 'refused '}  {verdict['url']}  {addresses}  {verdict['reason']}"


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {error}", remedy="name a UTF-8 file with one URL a line") from None
