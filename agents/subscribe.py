"""What can be done to a subscription, by command or API: made, changed, paused, rotated, removed. All as values."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from agents.cadence import GatherBody, gather_of
from agents.destination import Body, Signature, To, UnusableError, destination, mailbox, moved
from agents.subscriptions import BY_FILE
from pipeline.alerts.hours import hours
from pipeline.alerts.recipients import is_part, whole_id
from pipeline.alerts.render.sign import public_key
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
MOST_SECRETS = 5

Seal = Callable[[str], str]
Mailbox = Annotated[str, Meta(max_length=320)]
Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
Word = Annotated[str, Meta(min_length=1, max_length=200)]
Words = Annotated[tuple[Word, ...], Meta(max_length=100)]


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
    """A subscription to be made. `contact` is a mailbox that hears when it fails and when it is switched off."""

    name: Name
    to: To
    only: Only = Only()
    hours: HoursBody | None = None
    gather: GatherBody | None = None
    contact: Mailbox = ""


class ChangedSubscription(Body, frozen=True, kw_only=True):
    """What is to change; what is left out stays as it is."""

    name: Name | UnsetType = UNSET
    to: To | UnsetType = UNSET
    only: Only | UnsetType = UNSET
    hours: HoursBody | UnsetType | None = UNSET
    gather: GatherBody | UnsetType | None = UNSET
    contact: Mailbox | UnsetType = UNSET


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
    found = destination(wanted.to, secret, private=private)
    return SubscriptionDeclared(
        subscription_id=subscription_id,
        name=wanted.name.strip(),
        channel=found.channel,
        declared_at=at,
        created_at=at,
        target=found.target,
        filters=filters(wanted.only),
        by=by,
        sealed=_sealed(found.secrets, seal),
        hours=week_of(wanted.hours),
        gather=gather_of(wanted.gather),
        contact=contact_of(wanted.contact),
    )


def _sealed(kept: Mapping[str, str], seal: Seal) -> tuple[Sealed, ...]:
    return tuple(
        Sealed(name=name, token=seal(value), public=public_key(value)) for name, value in kept.items()
    )


def changed(
    known: SubscriptionDeclared,
    wanted: ChangedSubscription,
    *,
    at: datetime,
    seal: Seal,
    private: bool = False,
) -> SubscriptionDeclared:
    """Return a subscription with what is to change changed; UnusableError for one of the configuration.

    Where it leads elsewhere, its secrets stay unless others are given. Who is to be asked for consent, the caller asks.
    """
    ours(known)
    given = {name: value for name, value in msgspec.structs.asdict(wanted).items() if value is not UNSET}
    if isinstance(wanted.to, To):
        found = moved(known, wanted.to, private=private)
        given.pop("to")
        given |= {"target": found.target, "sealed": _sealed(found.secrets, seal) or known.sealed}
    if "contact" in given:
        given["contact"] = contact_of(given["contact"])
    if "only" in given:
        given["filters"] = filters(given.pop("only"))
    if "hours" in given:
        given["hours"] = week_of(wanted.hours or None)
    if "gather" in given:
        given["gather"] = gather_of(wanted.gather or None)
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


def ended(
    known: SubscriptionDeclared, apart: Iterable[SubscriptionDeclared], *, at: datetime
) -> list[SubscriptionDeclared]:
    """Return a subscription's end, and that of what was declared of single recipients of it."""
    parts = (one for one in apart if whole_id(one.subscription_id) == known.subscription_id)
    return [removed(known, at=at), *(replace(one, removed=True, declared_at=at) for one in parts)]


def rotated(known: SubscriptionDeclared, *, secret: str, seal: Seal, at: datetime) -> SubscriptionDeclared:
    """Return a webhook that signs with a new secret, and for 24 hours with the one before it as well.

    What kind of secret the new one is decides how posts are signed from now on.
    """
    ours(known)
    if known.channel is not Channel.WEBHOOK:
        raise UnusableError("only a webhook has a secret to rotate", key="to")
    old = [
        replace(one, until=one.until or at + OVERLAP)
        for one in known.sealed
        if one.until is None or one.until > at
    ]
    new = _sealed({"secret": secret}, seal)
    target = {name: value for name, value in known.target.items() if name != "signature"}
    signed = {"signature": "v1a"} if new[0].public else {}
    return replace(known, target={**target, **signed}, sealed=(*new, *old)[:MOST_SECRETS], declared_at=at)


def contact_of(written: str) -> str:
    """Return the mailbox of a subscription's owner, nothing where none is given; UnusableError for no address."""
    return mailbox(written.strip(), key="contact") if written.strip() else ""


def signature_wanted(wanted: NewSubscription) -> Signature:
    """Return how a new webhook's posts are to be signed."""
    return "v1a" if wanted.to.webhook and wanted.to.webhook.signature == "v1a" else "v1"


def ours(known: SubscriptionDeclared) -> None:
    """Raise UnusableError for what cannot be changed here: a route of the configuration, one recipient of a list."""
    if is_part(known.subscription_id):
        whole = whole_id(known.subscription_id)
        raise UnusableError(
            f"{known.target['to'][0]} is one recipient of {known.name}",
            remedy=f"Change the list of {whole}; one recipient can be paused and resumed",
        )
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
