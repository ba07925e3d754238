"""subscriptions add, change: who hears of what, where it leads, and whom to tell when it fails."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec import UNSET

from agents import subscribe
from agents.api.consent import endpoint_consent
from agents.api.problems import ProblemError
from agents.cadence import written
from agents.channels import Channels
from agents.commands.deployment import ConfigFile, settings_from
from agents.commands.reading import InputError
from agents.commands.standing import declare, locker, named, standing
from agents.destination import AppriseTo, EmailTo, Signature, SlackTo, To, WebhookTo
from agents.subscribe import ChangedSubscription, HoursBody, NewSubscription, Only
from pipeline.adapters.clock import SystemClock
from pipeline.adapters.vault import new_secret
from pipeline.alerts import recipients
from pipeline.alerts.render.sign import public_key
from pipeline.config import Settings
from pipeline.events import Channel, Filters, Severity, SubscriptionDeclared, slug

EXAMPLE = Path("clausewire.yaml")
ORIGIN = "clausewire"

Config = ConfigFile
Words = Annotated[list[str] | None, typer.Option(help="May be repeated.")]
Webhook = Annotated[str, typer.Option(help="An endpoint of your own.")]
Email = Annotated[list[str] | None, typer.Option(help="A mailbox; may be repeated, each gets its own mails.")]
SlackChannel = Annotated[str, typer.Option(help="A Slack channel; the bot token is asked for.")]
SlackWebhook = Annotated[bool, typer.Option("--slack-webhook", help="Its URL is asked for.")]
Week = Annotated[str, typer.Option(help="Only at these hours, such as “mon-fri 08:00-18:00”.")]
Zone = Annotated[str, typer.Option(help="The time zone of hours and digests, such as Europe/Berlin.")]
Urgent = Annotated[Severity | None, typer.Option(help="What is told at once, and at any hour.")]
Digest = Annotated[
    str, typer.Option(help="Told together: “daily 08:00”, “weekly mon 08:00”; “never” for each at once.")
]
Group = Annotated[
    str, typer.Option(help="Told together: by “service”, or “all”; with how long to wait: “service 30s 1d”.")
]
Contact = Annotated[str, typer.Option(help="A mailbox that hears when it fails and is switched off.")]
Private = Annotated[bool, typer.Option("--allow-private", help="The webhook may lie on a private network.")]


def add(  # noqa: PLR0913  # an option each
    name: Annotated[str, typer.Argument(help="What it is called.")],
    *,
    webhook: Webhook = "",
    signature: Annotated[
        str, typer.Option(help="How posts are signed: v1 (a secret), v1a (ed25519, a public key).")
    ] = "v1",
    email: Email = None,
    slack_channel: SlackChannel = "",
    slack_webhook: SlackWebhook = False,
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
    hours: Week = "",
    zone: Zone = "UTC",
    urgent: Urgent = None,
    digest: Digest = "",
    group: Group = "",
    contact: Contact = "",
    allow_private: Private = False,
    config: Config = EXAMPLE,
) -> None:
    """Make a subscription. A webhook is asked for consent first; its secret is printed this once."""
    settings = settings_from(config)
    to = To(
        webhook=WebhookTo(url=webhook, signature=signed_as(signature)) if webhook else None,
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
    gather = written(digest, group, zone=zone, urgent=urgent) or None
    wanted = NewSubscription(name=name, to=to, only=only, hours=week, gather=gather, contact=contact)
    _made(settings, wanted, private=allow_private)


def change(  # noqa: PLR0913  # an option each
    who: Annotated[str, typer.Argument(metavar="ID", help="A subscription's id or name.")],
    *,
    name: Annotated[str, typer.Option(help="What it is called from now on.")] = "",
    webhook: Webhook = "",
    email: Email = None,
    slack_channel: Annotated[str, typer.Option(help="Another Slack channel, by the same token.")] = "",
    service: Words = None,
    document: Words = None,
    category: Words = None,
    watch: Words = None,
    kind: Words = None,
    language: Words = None,
    min_severity: Annotated[Severity | None, typer.Option()] = None,
    hours: Annotated[str, typer.Option(help="Such as “mon-fri 08:00-18:00”; “always” for any hour.")] = "",
    zone: Zone = "UTC",
    urgent: Urgent = None,
    digest: Digest = "",
    group: Group = "",
    contact: Annotated[str, typer.Option(help="A mailbox that hears of trouble; “nobody” for none.")] = "",
    allow_private: Private = False,
    config: Config = EXAMPLE,
) -> None:
    """Change what is named, and leave the rest. An endpoint at another address is asked for consent; secrets stay."""
    settings = settings_from(config)
    one = named(standing(settings), who)
    filters = {
        "services": service, "documents": document, "categories": category, "watches": watch, "kinds": kind,
        "languages": language, "min_severity": min_severity,
    }  # fmt: skip
    wanted = ChangedSubscription(
        name=name or UNSET,
        to=_moved(webhook, email, slack_channel),
        only=only_of(one.filters, filters) if any(filters.values()) else UNSET,
        hours=_hours(hours, zone, urgent),
        gather=written(digest, group, zone=zone, urgent=urgent),
        contact=("" if contact == "nobody" else contact) if contact else UNSET,
    )
    _changed(settings, one, wanted, private=allow_private)


def signed_as(written: str) -> Signature:
    """Return a kind of signature; InputError for another word."""
    if written == "v1":
        return "v1"
    if written == "v1a":
        return "v1a"
    raise InputError(f'"{written[:20]}" is no signature', remedy="Write v1 or v1a")


def only_of(known: Filters, given: dict[str, Any]) -> Only:
    """Return the filters with those that are given in the place of the old ones."""
    kept = {name: given[name] or getattr(known, name) for name in given}
    lists = {name: tuple(value) for name, value in kept.items() if name != "min_severity"}
    return Only(**lists, min_severity=kept["min_severity"])


def _hours(written: str, zone: str, urgent: Severity | None) -> Any:
    if written == "always":
        return None
    return HoursBody(open=written, zone=zone, urgent=urgent) if written else UNSET


def _moved(webhook: str, email: list[str] | None, slack_channel: str) -> Any:
    if not (webhook or email or slack_channel):
        return UNSET
    return To(
        webhook=WebhookTo(url=webhook) if webhook else None,
        email=EmailTo(to=tuple(email)) if email else None,
        slack=SlackTo(channel=slack_channel) if slack_channel else None,
    )


def _slack(channel: str, *, webhook: bool) -> SlackTo | None:
    """Return the Slack target, its secret asked for and not shown: never an argument, which `ps` would show."""
    if webhook:
        return SlackTo(webhook_url=typer.prompt("Webhook URL", hide_input=True, err=True))
    if channel:
        return SlackTo(channel=channel, token=typer.prompt("Bot token", hide_input=True, err=True))
    return None


def _made(settings: Settings, wanted: NewSubscription, *, private: bool) -> None:
    registry, identity = standing(settings), slug(wanted.name)
    if not identity or identity in registry.by_id:
        raise InputError(
            f"there is a subscription {identity!r}" if identity else "this name has no letter and no digit",
            remedy="Give it another name",
        )
    secret = new_secret(subscribe.signature_wanted(wanted))
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
    asyncio.run(_accepted(settings, made, asks=made.channel is Channel.WEBHOOK))
    declare(settings, made)
    typer.echo(f"{identity} is told from now on", err=True)
    if made.channel is Channel.WEBHOOK:
        tell_secret(secret)


def tell_secret(secret: str) -> None:
    """Print what a receiver verifies posts with: of a pair of keys the public one, else the secret itself."""
    if public := public_key(secret):
        typer.echo("Its posts are signed as v1a; this public key verifies them:", err=True)
    else:
        typer.echo("Its posts are signed with this secret, shown this once:", err=True)
    typer.echo(public or secret)


def _changed(
    settings: Settings, one: SubscriptionDeclared, wanted: ChangedSubscription, *, private: bool
) -> None:
    def seal(secret: str) -> str:
        return locker(settings).seal(secret)  # only what has secrets needs the key

    changed = subscribe.changed(one, wanted, at=SystemClock().now(), seal=seal, private=private)
    moves = one.channel is Channel.WEBHOOK and changed.target != one.target
    asyncio.run(_accepted(settings, changed, asks=moves))
    declare(settings, changed)
    typer.echo(f"{one.subscription_id} is changed")


async def _accepted(settings: Settings, one: SubscriptionDeclared, *, asks: bool) -> None:
    """Say now what would keep every message from being sent, and ask an endpoint whether it wants our posts."""
    clock = SystemClock()
    async with Channels(settings, clock) as channels:
        if one.channel is Channel.APPRISE:
            await channels.notifier(one)
        if contact := recipients.owner(one):
            await channels.notifier(contact)
        if asks:
            await _asked(channels, settings, one, clock)


async def _asked(
    channels: Channels, settings: Settings, one: SubscriptionDeclared, clock: SystemClock
) -> None:
    try:
        await endpoint_consent(
            channels,
            locker(settings),
            one,
            private=bool(one.target["allow_private"]),
            origin=ORIGIN,
            at=clock.now(),
        )
    except ProblemError as error:
        raise InputError(str(error), remedy=error.remedy) from None
