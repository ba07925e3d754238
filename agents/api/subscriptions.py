"""Subscriptions over HTTP: made, seen, changed, paused, tested, rotated, removed. No answer holds a stored secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from aiohttp import web
from msgspec import Struct
from msgspec.structs import replace

from agents import subscribe
from agents.api.access import SHOWN
from agents.api.consent import accepted
from agents.api.office import Office, Opened
from agents.api.problems import ProblemError
from agents.api.requests import body, page, query
from agents.destination import signature_of
from agents.subscribe import ChangedSubscription, NewSubscription
from pipeline.adapters.vault import new_secret
from pipeline.alerts import recipients
from pipeline.alerts.render.sign import public_key
from pipeline.errors import DeliveryError, PipelineError, RefusedError
from pipeline.events import (
    AlertRaised,
    Channel,
    DeliveryDue,
    Filters,
    Gather,
    Hours,
    Severity,
    SubscriptionDeclared,
    derived_id,
)

MOST = 10_000  # subscriptions of a deployment
NOTHING: Mapping[str, str] = {}


class PublicKey(Struct, frozen=True, kw_only=True):
    """A key that verifies posts signed as v1a, and until when; null for as long as nobody rotates it."""

    key: str
    until: datetime | None


class Recipient(Struct, frozen=True, kw_only=True):
    """One of several recipients of mails: the id under which they are told, and whether they are."""

    id: str
    mailbox: str
    active: bool
    reason: str


class SubscriptionView(Struct, frozen=True, kw_only=True, omit_defaults=False):
    """A subscription as it is shown. `secret` is there once: when it is made, and when it is rotated.

    `recipients` are those of a mail subscription with several, each of whom can be paused and may leave alone.
    """

    id: str
    name: str
    channel: Channel
    to: dict[str, Any]
    only: Filters
    active: bool
    reason: str
    by: str
    created_at: datetime
    changed_at: datetime
    hours: Hours | None = None
    gather: Gather | None = None
    contact: str = ""
    public_keys: tuple[PublicKey, ...] = ()
    recipients: tuple[Recipient, ...] = ()
    secret: str | msgspec.UnsetType = msgspec.UNSET
    consent: str | msgspec.UnsetType = msgspec.UNSET


class SubscriptionPage(Struct, frozen=True, kw_only=True):
    """A part of the list of subscriptions; `next_cursor` asks for the next, null at the end."""

    items: list[SubscriptionView]
    next_cursor: str | None


class Tested(Struct, frozen=True, kw_only=True):
    """How a test message fared."""

    delivered: bool
    status: int | None
    response: str
    reason: str = ""
    remedy: str = ""


def view(
    one: SubscriptionDeclared,
    apart: Mapping[str, SubscriptionDeclared] = recipients.NOBODY,
    shown: Mapping[str, str] = NOTHING,
) -> SubscriptionView:
    """Return a subscription as it is shown: of its secrets only that they are there.

    `apart` is what was declared of single recipients, `shown` what is shown this once.
    """
    held = {sealed.name: "(stored, encrypted)" for sealed in one.sealed if sealed.name != "secret"}
    return SubscriptionView(
        id=one.subscription_id,
        name=one.name,
        channel=one.channel,
        to={one.channel.value: {**one.target, **held}},
        only=one.filters,
        active=one.active,
        reason=one.reason,
        by=one.by,
        created_at=one.created_at or one.declared_at,
        changed_at=one.declared_at,
        hours=one.hours,
        gather=one.gather,
        contact=one.contact,
        public_keys=tuple(PublicKey(key=held.public, until=held.until) for held in one.sealed if held.public),
        recipients=_recipients(one, apart),
        **shown,
    )


def _recipients(
    one: SubscriptionDeclared, apart: Mapping[str, SubscriptionDeclared]
) -> tuple[Recipient, ...]:
    parts = recipients.parts(one, apart)
    return tuple(
        Recipient(
            id=part.subscription_id, mailbox=part.target["to"][0], active=part.active, reason=part.reason
        )
        for part in (parts if len(parts) > 1 else ())
    )


def answer(value: object, status: int = 200, **headers: str) -> web.Response:
    """Return a value as JSON."""
    return web.Response(
        status=status,
        text=msgspec.json.encode(value).decode(),
        content_type="application/json",
        headers=headers,
    )


def known(office: Office, request: web.Request) -> SubscriptionDeclared:
    """Return the subscription that a path names, or a recipient of one; ProblemError 404 where there is none."""
    found = office.registry.find(request.match_info["id"])
    if found is None:
        raise ProblemError(404, "there is no such subscription")
    return found


async def create(office: Office, request: web.Request) -> web.Response:
    """Make a subscription; a webhook must first say that it wants our posts."""
    wanted = await body(request, NewSubscription)
    query(request, ())
    if len(office.registry.by_id) >= MOST:
        raise ProblemError(409, f"there are {MOST:,} subscriptions already")
    secret, subscription_id = new_secret(subscribe.signature_wanted(wanted)), _identity(request)
    if before := office.registry.by_id.get(subscription_id):  # made before this process started
        return answer(view(before, office.registry.apart), 201, **{"Idempotent-Replayed": "true"})
    declared = subscribe.made(
        wanted,
        subscription_id=subscription_id,
        by="api",
        at=office.now(),
        seal=office.vault().seal,
        secret=secret,
        private=office.private,
    )
    told = await accepted(office, declared)
    if declared.channel is Channel.WEBHOOK:
        told |= _shown(secret)
    place = f"/v1/subscriptions/{subscription_id}"
    return await _declared(office, declared, told, status=201, Location=place)


def _shown(secret: str) -> dict[str, str]:
    """Return the secret that a receiver verifies with, to be shown this once; of a pair of keys it needs none."""
    return {} if public_key(secret) else {"secret": secret}


def _identity(request: web.Request) -> str:
    """Return the identity of what is to be made: the same for the same Idempotency-Key, for ever."""
    given = request.headers.get("Idempotency-Key", "")
    return derived_id("sub", request[SHOWN].key_id, given) if given else subscribe.new_id()


async def list_all(office: Office, request: web.Request) -> web.Response:
    """List subscriptions."""
    asked = query(request, ("limit", "cursor"))
    views = sorted((view(one, office.registry.apart) for one in office.registry.all()), key=_place)
    return answer(page(views, asked, key=_place))


def _place(one: SubscriptionView) -> str:
    return f"{one.created_at.isoformat()} {one.id}"


async def show(office: Office, request: web.Request) -> web.Response:
    """Show a subscription."""
    query(request, ())
    return answer(view(known(office, request), office.registry.apart))


async def change(office: Office, request: web.Request) -> web.Response:
    """Change a subscription; an endpoint at another address must first say that it wants our posts."""
    query(request, ())
    one, wanted = known(office, request), await body(request, ChangedSubscription)
    changed = subscribe.changed(
        one, wanted, at=office.now(), seal=lambda secret: office.vault().seal(secret), private=office.private
    )
    if wanted.to is not msgspec.UNSET:
        changed = replace(changed, by="api")  # where it leads is a stranger's word from now on
    leads = (changed.target, changed.sealed, changed.contact) != (one.target, one.sealed, one.contact)
    return await _declared(office, changed, await accepted(office, changed, one) if leads else {})


async def remove(office: Office, request: web.Request) -> web.Response:
    """Remove a subscription."""
    query(request, ())
    one, apart = known(office, request), office.registry.apart
    for end in subscribe.ended(one, list(apart.values()), at=office.now()):
        await office.declare(end)
    return web.Response(status=204)


async def pause(office: Office, request: web.Request) -> web.Response:
    """Switch a subscription off; what it misses can be recovered."""
    query(request, ())
    return await _declared(
        office, subscribe.paused(known(office, request), "paused through the API", at=office.now())
    )


async def resume(office: Office, request: web.Request) -> web.Response:
    """Switch a subscription on again."""
    query(request, ())
    return await _declared(office, subscribe.resumed(known(office, request), at=office.now()))


async def rotate(office: Office, request: web.Request) -> web.Response:
    """Give a webhook a new secret; for 24 hours both sign."""
    query(request, ())
    one = known(office, request)
    secret = new_secret(signature_of(one))
    rotated = subscribe.rotated(one, secret=secret, seal=office.vault().seal, at=office.now())
    return await _declared(office, rotated, _shown(secret))


async def _declared(
    office: Office,
    declared: SubscriptionDeclared,
    shown: Mapping[str, str] = NOTHING,
    *,
    status: int = 200,
    **headers: str,
) -> web.Response:
    await office.declare(declared)
    return answer(view(declared, office.registry.apart, shown), status, **headers)


async def test(office: Office, request: web.Request) -> web.Response:
    """Send a test message now, and say how it fared."""
    query(request, ())
    parts = recipients.reachable(known(office, request), office.registry.apart)
    return answer(await tested(office.channels, parts, office.now()))


async def tested(channels: Opened, parts: Sequence[SubscriptionDeclared], at: datetime) -> Tested:
    """Return how a test message fared; of several, the first that failed is the answer."""
    found = [await _tested(channels, part, at) for part in parts]
    if not found:
        return Tested(
            delivered=False, status=None, response="", reason="every recipient has left or is paused"
        )
    return next((one for one in found if not one.delivered), found[-1])


async def _tested(channels: Opened, one: SubscriptionDeclared, at: datetime) -> Tested:
    due = sample(one.subscription_id, at)
    try:
        notifier = await channels.notifier(one)
        receipt = await notifier.send(due, parent=None)
    except (DeliveryError, RefusedError) as error:
        return Tested(
            delivered=False, status=error.status, response="", reason=str(error), remedy=error.remedy
        )
    except PipelineError as error:
        return Tested(
            delivered=False, status=None, response="", reason=str(error.args[0]), remedy=error.remedy
        )
    return Tested(delivered=True, status=receipt.status, response=receipt.response)


def sample(subscription_id: str, at: datetime) -> DeliveryDue:
    """Return the delivery of a test message."""
    alert = AlertRaised(
        alert_id=derived_id("alt", "test", subscription_id, at),
        kind="health",
        raised_at=at,
        title="Clausewire reaches you",
        summary="This is a test of the subscription; nothing has changed anywhere.",
        severity=Severity.INFO,
    )
    return DeliveryDue(
        delivery_id=derived_id("dlv", alert.alert_id, subscription_id),
        subscription_id=subscription_id,
        thread=alert.thread,
        due_at=at,
        reason="a test was asked for",
        alert=alert,
    )
