"""The addresses of an alert's pages: made of its id and a tag that only this deployment's key makes. No login, no end.

Whoever has an address can read that alert's pages and nothing else; it is the same every time, so that a message sent
twice is one message. With several keys the first signs and all open, as they do for stored secrets.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from pipeline.alerts.render.words import Links
from pipeline.events import AlertRaised, DeliveryDue

PURPOSE = b"clausewire: pages of an alert, 1"
TAG_BYTES = 16  # 128 bits
REDLINE = "/a/{id}/{tag}"
EVIDENCE = REDLINE + "/evidence"
BUNDLE = REDLINE + "/evidence.zip"
PAGE = REDLINE + "/{side}/page"
TEXT = REDLINE + "/{side}/text"


def tag(key: str, alert_id: str) -> str:
    """Return what proves that an address was given out by whoever has a key."""
    ours = hmac.digest(key.strip().encode(), PURPOSE, "sha256")
    digest = hmac.digest(ours, alert_id.encode("utf-8", "replace"), "sha256")[:TAG_BYTES]
    return urlsafe_b64encode(digest).decode().rstrip("=")


def is_ours(keys: str, alert_id: str, shown: str) -> bool:
    """Say whether one of our keys made a tag; every key is tried, so that time tells nothing."""
    made = [tag(key, alert_id).encode() for key in keys.split(",") if key.strip()]
    return True in [hmac.compare_digest(one, shown.encode("utf-8", "replace")) for one in made]


def path(template: str, key: str, alert_id: str, **more: str) -> str:
    """Return where one of an alert's pages lies under the public address."""
    return template.format(id=quote(alert_id, safe=""), tag=tag(key, alert_id), **more)


def links(public_url: str, keys: str, due: DeliveryDue) -> Links:
    """Return where a message's reader can go; nothing where the API is not public, or no key signs."""
    if not public_url or not keys:
        return Links()
    key = next(iter(keys.split(",")))
    members = {alert.alert_id: _links(public_url, key, alert) for alert in _alerts(due.members)}
    if due.alert is None or due.members:
        return Links(members=members)
    return _links(public_url, key, due.alert)


def _links(public_url: str, key: str, alert: AlertRaised) -> Links:
    """Return the pages of an alert: only what changed has a redline, and evidence."""
    deliveries = f"{public_url}/v1/deliveries?alert={quote(alert.alert_id, safe='')}"
    if alert.kind != "change" or alert.evidence is None:
        return Links(deliveries=deliveries)
    return Links(
        redline=public_url + path(REDLINE, key, alert.alert_id),
        evidence=public_url + path(EVIDENCE, key, alert.alert_id),
        deliveries=deliveries,
    )


def _alerts(dues: Iterable[DeliveryDue]) -> Iterator[AlertRaised]:
    return (due.alert for due in dues if due.alert is not None)
