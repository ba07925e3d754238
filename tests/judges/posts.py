"""Our posts before the receivers' libraries: Standard Webhooks' and Svix's signatures, CloudEvents' form."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import msgspec
import standardwebhooks
import svix.webhooks
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipeline.adapters.clock import SystemClock
from pipeline.adapters.webhook import WebhookNotifier
from pipeline.alerts.render import webhook
from tests.adapters.hooks import client, receiving
from tests.judges.cases import LINKS, Case

NEW, OLD, OTHER = (
    f"whsec_{base64.b64encode(name.encode() * 4).decode()}" for name in ("newer 01", "older 02", "others 3")
)
TOLERANCE = timedelta(minutes=5)


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """A post as a receiver gets it, the secret that the receiver holds, and whether it is to accept it."""

    name: str
    secret: str
    headers: dict[str, str]
    body: str
    good: bool


class Verifier(Protocol):
    """What both libraries' Webhook does."""

    def verify(self, data: bytes | str, headers: dict[str, str]) -> object: ...


@dataclass(frozen=True, slots=True)
class Library:
    """A library that verifies posts."""

    name: str
    webhook: type[Verifier]
    error: type[Exception]


LIBRARIES = (
    Library("standardwebhooks", standardwebhooks.Webhook, standardwebhooks.WebhookVerificationError),
    Library("svix", svix.webhooks.Webhook, svix.webhooks.WebhookVerificationError),
)


def posts(cases: Iterable[Case], now: datetime) -> Iterator[Post]:
    """Yield each case as posted, in every way that a receiver must accept or refuse."""
    for case in cases:
        yield from _variants(case.name, case.due.delivery_id, case.body(), now)


def _variants(name: str, message: str, body: bytes, now: datetime) -> Iterator[Post]:
    def post(kind: str, secrets: Sequence[str], *, good: bool, at: datetime = now, held: str = NEW) -> Post:
        headers = webhook.sign(secrets, delivery_id=message, at=at, payload=body)
        return Post(name=f"{name}, {kind}", secret=held, headers=headers, body=body.decode(), good=good)

    plain = post("plain", [NEW], good=True)
    yield plain
    yield post("rotated, new secret held", [NEW, OLD], good=True)
    yield post("rotated, old secret held", [NEW, OLD], good=True, held=OLD)
    yield post("an ed25519 signature first", [_ed25519(), NEW], good=True)
    yield post("four minutes on its way", [NEW], good=True, at=now - timedelta(minutes=4))
    yield post("six minutes old", [NEW], good=False, at=now - TOLERANCE - timedelta(minutes=1))
    yield post("six minutes ahead", [NEW], good=False, at=now + TOLERANCE + timedelta(minutes=1))
    yield post("another's secret", [OTHER], good=False)
    yield from _tampered(plain)


def _tampered(post: Post) -> Iterator[Post]:
    change = partial(msgspec.structs.replace, post, good=False)
    sent_at = int(post.headers["webhook-timestamp"])
    yield change(name=f"{post.name}, body changed", body=post.body.replace("alert", "Alert", 1) + " ")
    yield change(name=f"{post.name}, last byte gone", body=post.body[:-1])
    for header, value in (
        ("webhook-id", "dlv-of-another"),
        ("webhook-timestamp", str(sent_at + 1)),
        ("webhook-signature", "v1," + base64.b64encode(bytes(32)).decode()),
        ("webhook-signature", post.headers["webhook-signature"].replace("v1,", "v2,")),
    ):
        yield change(name=f"{post.name}, {header} changed", headers={**post.headers, header: value})
    for header in post.headers:
        left = {name: value for name, value in post.headers.items() if name != header}
        yield change(name=f"{post.name}, without {header}", headers=left)


def _ed25519() -> str:
    return (
        "whsk_"
        + base64.b64encode(
            Ed25519PrivateKey.from_private_bytes(bytes(range(32))).private_bytes_raw()
        ).decode()
    )


async def sent(cases: Iterable[Case]) -> list[Post]:
    """Return the posts that a receiver on loopback gets from the notifier itself, bytes and headers as they come."""
    clock, secrets = SystemClock(), [NEW, OLD]
    async with receiving() as receiver, client() as http:
        notifier = WebhookNotifier(
            http,
            url=receiver.url(),
            compose=partial(webhook.compose, links=LINKS),
            sign=webhook.signer(secrets),
            clock=clock,
        )
        names = [case.name for case in cases if await notifier.send(case.due, parent=None)]
    return [
        Post(name=f"{name}, as received", secret=held, headers=_lower(headers), body=body.decode(), good=True)
        for name, (_, headers, body) in zip(names, receiver.got, strict=True)
        for held in secrets
    ]


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def misjudged(library: Library, given: Iterable[Post]) -> Iterator[str]:
    """Yield the posts that a library judges otherwise than it must."""
    for post in given:
        accepted = _accepts(library, post)
        if accepted != post.good:
            yield f"{post.name}: {'accepted' if accepted else 'refused'}"


def _accepts(library: Library, post: Post) -> bool:
    try:
        library.webhook(post.secret).verify(post.body.encode(), dict(post.headers))  # type: ignore[call-arg]
    except library.error:
        return False
    return True
