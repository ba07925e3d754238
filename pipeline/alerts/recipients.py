"""Each recipient of a mail subscription is told alone: a part of it, with an identity of its own.

A part is a subscription like any other: it has its own deliveries, retries and pauses. A subscription with one
recipient is its own only part, so that its identities stay what they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parseaddr

from msgspec.structs import replace

from pipeline.events import Channel, Filters, SubscriptionDeclared, derived_id

SEPARATOR = "/"
OWNER = "owner"
NOBODY: Mapping[str, SubscriptionDeclared] = {}


def part_id(subscription_id: str, mailbox: str) -> str:
    """Return the identity of one recipient of a subscription; letter case and display name do not count."""
    address = parseaddr(mailbox)[1] or mailbox
    return f"{subscription_id}{SEPARATOR}{derived_id('', subscription_id, address.casefold())[1:13]}"


def whole_id(subscription_id: str) -> str:
    """Return the identity of the subscription that a part belongs to; of a whole one its own."""
    return subscription_id.partition(SEPARATOR)[0]


def is_part(subscription_id: str) -> bool:
    """Say whether an identity is that of a part, or of the contact, of a subscription."""
    return SEPARATOR in subscription_id


def concerns(asked: str, subscription_id: str) -> bool:
    """Say whether what is asked of a subscription is asked of this one: it is the same, or a part of it."""
    return asked in {subscription_id, whole_id(subscription_id)}


def mailboxes(one: SubscriptionDeclared) -> dict[str, str]:
    """Return the recipients of a mail subscription by the identity of their part, each once; none for others."""
    if one.channel is not Channel.EMAIL:
        return {}
    boxes: dict[str, str] = {}
    for box in one.target.get("to", ()):
        boxes.setdefault(part_id(one.subscription_id, box), box)
    return boxes


def parts(
    one: SubscriptionDeclared, apart: Mapping[str, SubscriptionDeclared] = NOBODY
) -> tuple[SubscriptionDeclared, ...]:
    """Return the subscriptions that are told instead of this one: one per recipient where there are several.

    `apart` holds, by identity, what was declared of single recipients: who left the list, or is paused, is off.
    """
    boxes = mailboxes(one) if len(one.target.get("to", ())) > 1 else {}
    if len(boxes) < 2:
        return (one,)
    return tuple(_part(one, name, box, apart.get(name)) for name, box in boxes.items())


def reachable(
    one: SubscriptionDeclared, apart: Mapping[str, SubscriptionDeclared] = NOBODY
) -> tuple[SubscriptionDeclared, ...]:
    """Return the parts of a subscription as if it were on; without the recipients who are off by themselves."""
    return tuple(part for part in parts(replace(one, active=True), apart) if part.active)


def names(one: SubscriptionDeclared) -> frozenset[str]:
    """Return every identity under which a subscription, or a recipient, may have been told, now or before."""
    whole = whole_id(one.subscription_id)
    alone = one.target.get("to", ())[:1] if one.channel is Channel.EMAIL else ()
    return frozenset((one.subscription_id, whole, *(part_id(whole, box) for box in alone)))


def _part(
    one: SubscriptionDeclared, name: str, box: str, apart: SubscriptionDeclared | None
) -> SubscriptionDeclared:
    part = replace(one, subscription_id=name, target={**one.target, "to": [box]})
    if apart is None:
        return part
    declared_at = max(one.declared_at, apart.declared_at)
    if one.active and not apart.active:
        return replace(part, active=False, reason=apart.reason, declared_at=declared_at)
    return replace(part, declared_at=declared_at)


def owner(one: SubscriptionDeclared) -> SubscriptionDeclared | None:
    """Return the mailbox that hears of a subscription's own trouble and of nothing else; None where none is named."""
    if not one.contact:
        return None
    return SubscriptionDeclared(
        subscription_id=owner_id(one.subscription_id),
        name=f"{one.name} (contact)",
        channel=Channel.EMAIL,
        declared_at=one.declared_at,
        created_at=one.created_at,
        target={"to": [one.contact]},
        filters=Filters(kinds=(OWNER,)),  # no alert is of this kind: it is told by name only
        by=one.by,
    )


def owner_id(subscription_id: str) -> str:
    """Return the identity under which a subscription's contact is told."""
    return f"{whole_id(subscription_id)}{SEPARATOR}{OWNER}"


def is_owner(subscription_id: str) -> bool:
    """Say whether an identity is that of a contact."""
    return subscription_id.endswith(f"{SEPARATOR}{OWNER}")


def place(one: SubscriptionDeclared) -> str:
    """Return in words where a subscription leads; never a secret."""
    target = one.target
    known = (target.get(name) for name in ("url", "channel", "service"))
    return str(next(filter(None, known), "") or ", ".join(target.get("to", ())) or one.name)
