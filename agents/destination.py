"""Where a subscription leads, as it is asked for by command or API: what of it may be shown, what must be sealed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import SplitResult, urlsplit

from msgspec import UNSET, Meta, Struct, UnsetType

from pipeline.errors import ConfigError
from pipeline.events import Channel, SubscriptionDeclared

SLACK_HOSTS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
MAILBOX = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;]+")

Signature = Literal["v1", "v1a"]


class Body(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a request or an answer; keys that are not known are an error."""


class WebhookTo(Body, frozen=True, kw_only=True):
    """An endpoint of the reader's own; posts are signed as Standard Webhooks has it.

    `signature` is v1 (HMAC-SHA256, a shared secret) or v1a (ed25519, a public key to verify with).
    """

    url: Annotated[str, Meta(max_length=2048, pattern=r"^https?://")]
    signature: Signature | UnsetType = UNSET


class SlackTo(Body, frozen=True, kw_only=True):
    """A Slack channel by bot token, or an incoming webhook. Tokens and webhook URLs are stored encrypted."""

    channel: Annotated[str, Meta(max_length=80)] = ""
    token: Annotated[str, Meta(max_length=500)] = ""
    webhook_url: Annotated[str, Meta(max_length=500)] = ""


class EmailTo(Body, frozen=True, kw_only=True):
    """Mailboxes; each gets mails of its own."""

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


class Destination(NamedTuple):
    """A channel, what of its target may be shown, and what of it must be sealed, by name."""

    channel: Channel
    target: dict[str, Any]
    secrets: Mapping[str, str]


class UnusableError(ConfigError):
    """A subscription that cannot be as it was asked for; `key` says which part of it."""


def destination(to: To, secret: str, *, private: bool) -> Destination:
    """Return where a new subscription leads; UnusableError with the part that is wrong and what to write.

    `secret` is what a webhook's posts will be signed with; `private` lets it lie on a private network.
    """
    _one_of(to)
    if to.webhook:
        target = {"url": _endpoint(to.webhook), "allow_private": private}
        signed = {"signature": to.webhook.signature} if to.webhook.signature == "v1a" else {}
        return Destination(Channel.WEBHOOK, {**target, **signed}, {"secret": secret})
    if to.email:
        return Destination(Channel.EMAIL, {"to": mailboxes(to.email.to)}, {})
    if to.apprise:
        return Destination(
            Channel.APPRISE, {"service": _service(to.apprise.url)}, {"url": to.apprise.url.strip()}
        )
    assert to.slack is not None, "one of four is given"
    return _slack(to.slack)


def moved(known: SubscriptionDeclared, to: To, *, private: bool) -> Destination:
    """Return where a subscription leads from now on; it keeps its channel, and its secrets where none are given.

    UnusableError where it is to become another kind of subscription.
    """
    channel = _one_of(to)
    if channel != known.channel.value:
        raise UnusableError(
            f"{known.name} leads to {known.channel.value}",
            key="to",
            remedy="Make a new subscription, and remove this",
        )
    if to.webhook:
        return _endpoint_moved(known, to.webhook, private=private)
    if to.slack and to.slack.channel and not to.slack.token and _holds(known, "token"):
        return Destination(known.channel, {"channel": to.slack.channel}, {})
    return destination(to, "", private=private)


def _endpoint_moved(known: SubscriptionDeclared, to: WebhookTo, *, private: bool) -> Destination:
    if to.signature not in {UNSET, signature_of(known)}:
        raise UnusableError(
            f"its posts are signed as {signature_of(known)}",
            key="to.webhook.signature",
            remedy=f"clausewire subscriptions rotate {known.subscription_id} --signature {to.signature}",
        )
    if to.url == known.target["url"]:
        return Destination(known.channel, known.target, {})
    return Destination(known.channel, {**known.target, "url": _endpoint(to), "allow_private": private}, {})


def signature_of(known: SubscriptionDeclared) -> Signature:
    """Return how a webhook's posts are signed."""
    return "v1a" if known.target.get("signature") == "v1a" else "v1"


def mailbox(written: str, *, key: str) -> str:
    """Return a mail address; UnusableError for what is none."""
    if not MAILBOX.fullmatch(written):
        raise UnusableError(
            f'"{written[:60]}" is not a mail address', key=key, remedy="Write name@example.org"
        )
    return written


def mailboxes(written: Sequence[str]) -> list[str]:
    """Return the recipients of mails; UnusableError for what is no address."""
    return [mailbox(one, key="to.email.to") for one in written]


def _one_of(to: To) -> str:
    given = [name for name in ("webhook", "slack", "email", "apprise") if getattr(to, name) is not None]
    if len(given) != 1:
        raise UnusableError(
            "a subscription has one target", key="to", remedy="Write webhook, slack, email or apprise"
        )
    return given[0]


def _endpoint(to: WebhookTo) -> str:
    if _split(to.url, key="to.webhook.url").hostname in SLACK_HOSTS:
        raise UnusableError(
            "the address of a Slack webhook is a secret",
            key="to.webhook",
            remedy="Give it as slack.webhook_url",
        )
    return to.url


def _split(url: str, *, key: str) -> SplitResult:
    """Return the parts of a URL; UnusableError for what is none."""
    try:
        return urlsplit(url)
    except ValueError:
        raise UnusableError("this is no URL", key=key, remedy="Write https://host/path") from None


def _holds(known: SubscriptionDeclared, name: str) -> bool:
    return any(sealed.name == name for sealed in known.sealed)


def _service(url: str) -> str:
    """Return Apprise's word for a service, which is all of its URL that may be shown; UnusableError without one."""
    word = re.match(r"\s*([a-z][a-z0-9]{1,30})://", url, re.IGNORECASE)
    if word is None:
        raise UnusableError(
            "this is no Apprise URL", key="to.apprise.url", remedy="It begins like discord:// or ntfy://"
        )
    return word[1].lower()


def _slack(slack: SlackTo) -> Destination:
    if slack.webhook_url and not (slack.channel or slack.token):
        parts = _split(slack.webhook_url, key="to.slack.webhook_url")
        if parts.scheme != "https" or parts.hostname not in SLACK_HOSTS:
            raise UnusableError(
                "this is no Slack webhook",
                key="to.slack.webhook_url",
                remedy="It begins with https://hooks.slack.com/",
            )
        return Destination(Channel.SLACK, {}, {"webhook_url": slack.webhook_url})
    if slack.channel and slack.token.startswith("xox") and not slack.webhook_url:
        return Destination(Channel.SLACK, {"channel": slack.channel}, {"token": slack.token})
    raise UnusableError(
        "Slack needs a channel and a bot token, or a webhook_url",
        key="to.slack",
        remedy="A bot token begins with xoxb-",
    )
