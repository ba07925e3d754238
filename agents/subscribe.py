"""What can be done to a subscription, by command or API: made, changed, paused, rotated, removed. All as values."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace

from agents.subscriptions import BY_FILE
from pipeline.alerts.hours import hours
from pipeline.alerts.route import READERS
from pipeline.errors import ConfigError
from pipeline.events import (
    Channel,
    Filters,
    Hours,
    Sealed,
    Severity,
    SubscriptionDeclared,
    derived_id,
)
from pipeline.news.names import service_id

OVERLAP = timedelta(hours=24)  # both secrets sign for so long after a rotation
KINDS = frozenset({"change", "story", "health"})
SLACK_HOSTS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
MAILBOX = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;]+")
MOST_SECRETS = 5

Seal = Callable[[str], str]
Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
Word = Annotated[str, Meta(min_length=1, max_length=200)]
Words = Annotated[tuple[Word, ...], Meta(max_length=100)]


class Body(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a request or an answer; keys that are not known are an error."""


class WebhookTo(Body, frozen=True, kw_only=True):
    """An endpoint of the reader's own; posts are signed as Standard Webhooks has it."""

    url: Annotated[str, Meta(max_length=2048, pattern=r"^https?://")]


class SlackTo(Body, frozen=True, kw_only=True):
    """A Slack channel by bot token, or an incoming webhook. Tokens and webhook URLs are stored encrypted."""

    channel: Annotated[str, Meta(max_length=80)] = ""
    token: Annotated[str, Meta(max_length=500)] = ""
    webhook_url: Annotated[str, Meta(max_length=500)] = ""


class EmailTo(Body, frozen=True, kw_only=True):
    """Mailboxes."""

    to: Annotated[tuple[Annotated[str, Meta(max_length=320)], ...], Meta(min_length=1, max_length=50)]


class AppriseTo(Body, frozen=True, kw_only=True):
    """One of the services that Apprise knows, by its URL (discord://…, tgram://…, ntfy://…), stored encrypted."""

    url: Annotated[str, Meta(min_length=5, max_length=2048)]


class To(Body, frozen=True, kw_only=True):
    """Where alerts go: exactly one of the four."""

    webhook: WebhookTo | None = None
    slack: SlackTo | None = None
    email: EmailTo | None = None
    apprise: AppriseTo | None = None


class Only(Body, frozen=True, kw_only=True):
    """Which alerts; an empty list wants all, and no kinds means changes and stories."""

    services: Words = ()
    documents: Words = ()
    categories: Words = ()
    watches: Words = ()
    kinds: Words = ()
    languages: Words = ()
    min_severity: Severity = Severity.INFO


class HoursBody(Body, frozen=True, kw_only=True):
    """When alerts may come, such as `mon-fri 08:00-18:00`; what reaches `urgent` comes at any hour."""

    open: Annotated[str, Meta(max_length=100)]
    zone: Annotated[str, Meta(max_length=100)] = "UTC"
    urgent: Severity | None = None


class NewSubscription(Body, frozen=True, kw_only=True):
    """A subscription to be made."""

    name: Name
    to: To
    only: Only = Only()
    hours: HoursBody | None = None


class ChangedSubscription(Body, frozen=True, kw_only=True):
    """What is to change; what is left out stays as it is."""

    name: Name | UnsetType = UNSET
    only: Only | UnsetType = UNSET
    hours: HoursBody | UnsetType | None = UNSET


class UnusableError(ConfigError):
    """A subscription that cannot be as it was asked for; `key` says which part of it."""


def new_id() -> str:
    """Return an identity that nobody has."""
    return derived_id("sub", secrets.token_hex(16))


def made(
    wanted: NewSubscription,
    *,
    subscription_id: str,
    by: str,
    at: datetime,
    seal: Seal,
    secret: str,
    private: bool = False,
) -> SubscriptionDeclared:
    """Return the subscription that is asked for; UnusableError with the part that is wrong and what to write.

    `secret` is what a webhook's posts will be signed with; `private` lets a webhook lie on a private network.
    """
    channel, target, kept = _target(wanted.to, secret, private=private)
    return SubscriptionDeclared(
        subscription_id=subscription_id,
        name=wanted.name.strip(),
        channel=channel,
        declared_at=at,
        created_at=at,
        target=target,
        filters=filters(wanted.only),
        by=by,
        sealed=tuple(Sealed(name=name, token=seal(value)) for name, value in kept.items()),
        hours=week_of(wanted.hours),
    )


def changed(
    known: SubscriptionDeclared, wanted: ChangedSubscription, *, at: datetime
) -> SubscriptionDeclared:
    """Return a subscription with what is to change changed; UnusableError for one of the configuration."""
    ours(known)
    given = {name: value for name, value in msgspec.structs.asdict(wanted).items() if value is not UNSET}
    if "only" in given:
        given["filters"] = filters(given.pop("only"))
    if "hours" in given:
        given["hours"] = week_of(wanted.hours or None)
    return replace(known, declared_at=at, **given)


def paused(known: SubscriptionDeclared, reason: str, *, at: datetime) -> SubscriptionDeclared:
    """Return a subscription switched off."""
    return replace(known, active=False, reason=reason, declared_at=at)


def resumed(known: SubscriptionDeclared, *, at: datetime) -> SubscriptionDeclared:
    """Return a subscription switched on."""
    return replace(known, active=True, reason="", declared_at=at)


def removed(known: SubscriptionDeclared, *, at: datetime) -> SubscriptionDeclared:
    """Return a subscription's end; UnusableError for one of the configuration, which would come back."""
    ours(known)
    return replace(known, removed=True, sealed=(), declared_at=at)


def rotated(known: SubscriptionDeclared, *, secret: str, seal: Seal, at: datetime) -> SubscriptionDeclared:
    """Return a webhook that signs with a new secret, and for 24 hours with the one before it as well."""
    ours(known)
    if known.channel is not Channel.WEBHOOK:
        raise UnusableError("only a webhook has a secret to rotate", key="to")
    old = [
        replace(one, until=one.until or at + OVERLAP)
        for one in known.sealed
        if one.until is None or one.until > at
    ]
    return replace(
        known, sealed=(Sealed(name="secret", token=seal(secret)), *old)[:MOST_SECRETS], declared_at=at
    )


def ours(known: SubscriptionDeclared) -> None:
    """Raise UnusableError for a route of the configuration, which is changed where it stands."""
    if known.by == BY_FILE:
        raise UnusableError(
            f"{known.name} is a route of the configuration",
            remedy="Change it in clausewire.yaml, or pause it",
        )


def filters(only: Only) -> Filters:
    """Return the filters that are asked for, a service by name and by id."""
    unknown = [kind for kind in only.kinds if kind not in KINDS]
    if unknown:
        raise UnusableError(
            f'"{unknown[0]}" is no kind of alert',
            key="only.kinds",
            remedy=f"Write {', '.join(sorted(KINDS))}",
        )
    services = tuple(dict.fromkeys(word for name in only.services for word in (name, service_id(name))))
    return Filters(
        services=services,
        documents=only.documents,
        categories=only.categories,
        watches=only.watches,
        kinds=only.kinds or READERS,
        languages=tuple(word.lower() for word in only.languages),
        min_severity=only.min_severity,
    )


def week_of(asked: HoursBody | None) -> Hours | None:
    """Return the hours that are asked for; UnusableError for a time zone, a day or an hour that there is not."""
    if asked is None:
        return None
    try:
        return hours(asked.open, zone=asked.zone, urgent=asked.urgent)
    except ConfigError as error:
        raise UnusableError(str(error.args[0]), key="hours", remedy=error.remedy) from None


def _target(to: To, secret: str, *, private: bool) -> tuple[Channel, dict[str, Any], dict[str, str]]:
    """Return the channel, what of the target may be shown, and what of it must be sealed."""
    given = [name for name in ("webhook", "slack", "email", "apprise") if getattr(to, name) is not None]
    if len(given) != 1:
        raise UnusableError(
            "a subscription has one target", key="to", remedy="Write webhook, slack, email or apprise"
        )
    if to.webhook:
        if urlsplit(to.webhook.url).hostname in SLACK_HOSTS:
            raise UnusableError(
                "the address of a Slack webhook is a secret",
                key="to.webhook",
                remedy="Give it as slack.webhook_url",
            )
        return Channel.WEBHOOK, {"url": to.webhook.url, "allow_private": private}, {"secret": secret}
    if to.email:
        return Channel.EMAIL, {"to": _mailboxes(to.email.to)}, {}
    if to.apprise:
        return Channel.APPRISE, {"service": _service(to.apprise.url)}, {"url": to.apprise.url.strip()}
    assert to.slack is not None, "one of four is given"
    return _slack(to.slack)


def _service(url: str) -> str:
    """Return Apprise's word for a service, which is all of its URL that may be shown; UnusableError without one."""
    word = re.match(r"\s*([a-z][a-z0-9]{1,30})://", url, re.IGNORECASE)
    if word is None:
        raise UnusableError(
            "this is no Apprise URL", key="to.apprise.url", remedy="It begins like discord:// or ntfy://"
        )
    return word[1].lower()


def _slack(slack: SlackTo) -> tuple[Channel, dict[str, Any], dict[str, str]]:
    if slack.webhook_url and not (slack.channel or slack.token):
        parts = urlsplit(slack.webhook_url)
        if parts.scheme != "https" or parts.hostname not in SLACK_HOSTS:
            raise UnusableError(
                "this is no Slack webhook",
                key="to.slack.webhook_url",
                remedy="It begins with https://hooks.slack.com/",
            )
        return Channel.SLACK, {}, {"webhook_url": slack.webhook_url}
    if slack.channel and slack.token.startswith("xox") and not slack.webhook_url:
        return Channel.SLACK, {"channel": slack.channel}, {"token": slack.token}
    raise UnusableError(
        "Slack needs a channel and a bot token, or a webhook_url",
        key="to.slack",
        remedy="A bot token begins with xoxb-",
    )


def _mailboxes(written: Sequence[str]) -> list[str]:
    for one in written:
        if not MAILBOX.fullmatch(one):
            raise UnusableError(
                f'"{one[:60]}" is not a mail address', key="to.email.to", remedy="Write name@example.org"
            )
    return list(written)
