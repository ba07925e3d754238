"""Subscriptions over HTTP, changed: where they lead, how they are signed, whom they name, who of a list is told."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pipeline.events import DeliveryAttempted
from tests.adapters.hooks import Receiver, receiving
from tests.api.desk import Desk, desk
from tests.fakes import NOON, FixedClock

MAIL: dict[str, Any] = {"name": "Legal", "to": {"email": {"to": ["anna@example.org", "bo@example.org"]}}}


def is_signed(key: str, headers: dict[str, str], body: bytes) -> bool:
    """Verify as the Standard Webhooks specification says: any v1a of the list, over id, time and the raw body."""
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key.removeprefix("whpk_")))
    content = b".".join((headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body))
    for signature in headers["webhook-signature"].split():
        version, _, value = signature.partition(",")
        try:
            if version == "v1a":
                public.verify(base64.b64decode(value), content)
                return True
        except InvalidSignature:
            continue
    return False


async def signed_hook(api: Desk, receiver: Receiver) -> dict[str, Any]:
    body = {"name": "Hook", "to": {"webhook": {"url": receiver.url(), "signature": "v1a"}}}
    status, made = await api.call("POST", "/v1/subscriptions", body)
    assert status == 201, made
    return dict(made)


async def test_public_key_verifies(tmp_path: Path) -> None:
    """A webhook signed as v1a shows its public key at any time, its private one never, and its ping verifies."""
    async with desk(tmp_path) as api, receiving() as receiver:
        made = await signed_hook(api, receiver)
        _, shown = await api.call("GET", f"/v1/subscriptions/{made['id']}")
        (key,) = [one["key"] for one in shown["public_keys"]]
        _, headers, body = receiver.got[-1]
        assert ("secret" in made, key.startswith("whpk_")) == (False, True)
        assert is_signed(key, headers, body)
        assert not is_signed(key, headers, body + b" ")
        assert b"whsk_" not in api.stored()


async def test_both_keys_verify_for_a_day(tmp_path: Path) -> None:
    """After a rotation the old and the new public key verify, and a day later only the new one."""
    clock = FixedClock()
    async with desk(tmp_path, clock=clock) as api, receiving() as receiver:
        made = await signed_hook(api, receiver)
        _, rotated = await api.call("POST", f"/v1/subscriptions/{made['id']}/rotate")
        keys = [one["key"] for one in rotated["public_keys"]]
        seen = []
        for hours in (23, 25):
            clock.moment += timedelta(hours=hours)
            await api.call("POST", f"/v1/subscriptions/{made['id']}/test")
            _, headers, body = receiver.got[-1]
            seen.append([is_signed(key, headers, body) for key in keys])
    assert (keys[1], [one["until"] is None for one in rotated["public_keys"]]) == (
        made["public_keys"][0]["key"], [True, False],
    )  # fmt: skip
    assert seen == [[True, True], [True, False]]


async def test_moved_endpoint_is_asked_and_keeps_its_secret(tmp_path: Path) -> None:
    """An endpoint at another address is pinged, signed with the same secret; the same address is not asked again."""
    async with desk(tmp_path) as api, receiving() as receiver:
        made = await signed_hook(api, receiver)
        one = f"/v1/subscriptions/{made['id']}"
        there = receiver.url("late")
        answers = [await api.call("PATCH", one, {"to": {"webhook": {"url": there}}}) for _ in range(2)]
        pings = [
            path for path, headers, _ in receiver.got if headers.get("webhook-id", "").startswith("ping")
        ]
        _, headers, ping = receiver.got[-1]
    assert [seen["to"]["webhook"]["url"] for _, seen in answers] == [there, there]
    assert pings == ["/ok", "/late"]
    assert is_signed(made["public_keys"][0]["key"], headers, ping)


@pytest.mark.parametrize(
    ("to", "at"),
    [
        ({"webhook": {"url": "http://169.254.169.254/"}}, "to.webhook.url"),
        ({"webhook": {"url": "GONE"}}, "to.webhook.url"),
        ({"webhook": {"url": "GONE", "signature": "v1"}}, "to.webhook.signature"),
        ({"email": {"to": ["a@b.example"]}}, "to"),
        ({}, "to"),
    ],
)
async def test_unfit_move_changes_nothing(tmp_path: Path, to: dict[str, Any], at: str) -> None:
    """Where it may not lead, where nobody consents, and what it is not: the subscription stays as it was."""
    async with desk(tmp_path) as api, receiving() as receiver:
        made = await signed_hook(api, receiver)
        one = f"/v1/subscriptions/{made['id']}"
        if to.get("webhook", {}).get("url") == "GONE":
            to = {"webhook": {**to["webhook"], "url": receiver.url("gone")}}
        status, problem = await api.call("PATCH", one, {"to": to})
        _, shown = await api.call("GET", one)
    assert (status, problem["at"]) == (422, at)
    assert shown["to"] == made["to"]


async def test_slack_channel_moves_by_the_same_token(tmp_path: Path) -> None:
    """A Slack subscription moves to another channel; its token stays, unseen."""
    async with desk(tmp_path) as api:
        slack = {"name": "S", "to": {"slack": {"channel": "#a", "token": "xoxb-1"}}}
        _, made = await api.call("POST", "/v1/subscriptions", slack)
        status, moved = await api.call(
            "PATCH", f"/v1/subscriptions/{made['id']}", {"to": {"slack": {"channel": "#b"}}}
        )
        held = api.office.registry.by_id[made["id"]].sealed[0].token
        assert (status, moved["to"]["slack"]["channel"]) == (200, "#b")
        assert api.office.vault().open(held) == "xoxb-1"


async def test_contact_is_shown_and_changed(tmp_path: Path) -> None:
    """A contact is a mailbox, may be changed and taken away, and what is no address is told."""
    async with desk(tmp_path) as api:
        _, made = await api.call("POST", "/v1/subscriptions", {**MAIL, "contact": "it@example.org"})
        one = f"/v1/subscriptions/{made['id']}"
        _, problem = await api.call("PATCH", one, {"contact": "nobody"})
        _, gone = await api.call("PATCH", one, {"contact": ""})
    assert (made["contact"], problem["at"], gone["contact"]) == ("it@example.org", "contact", "")


async def test_one_recipient_is_paused_alone(tmp_path: Path) -> None:
    """A recipient is paused and resumed by their own id; the list shows who is told."""
    async with desk(tmp_path) as api:
        _, made = await api.call("POST", "/v1/subscriptions", MAIL)
        first = made["recipients"][0]["id"].replace("/", "%2F")
        await api.call("POST", f"/v1/subscriptions/{first}/pause")
        _, seen = await api.call("GET", f"/v1/subscriptions/{made['id']}")
        status, _ = await api.call("DELETE", f"/v1/subscriptions/{first}")
        await api.call("POST", f"/v1/subscriptions/{first}/resume")
        _, after = await api.call("GET", f"/v1/subscriptions/{made['id']}")
    assert [one["active"] for one in seen["recipients"]] == [False, True]
    assert (seen["active"], status) == (True, 422)
    assert [one["active"] for one in after["recipients"]] == [True, True]


async def test_attempts_of_a_list_are_those_of_its_recipients(tmp_path: Path) -> None:
    """Who asks for what became of a list sees every recipient's; who asks for one sees theirs."""
    async with desk(tmp_path) as api:
        _, made = await api.call("POST", "/v1/subscriptions", MAIL)
        names = [one["id"] for one in made["recipients"]]
        for name in (*names, "other"):
            await api.office.log.publish(attempt(name))
        asked = (made["id"], names[0].replace("/", "%2F"))
        found = [(await api.call("GET", f"/v1/deliveries?subscription={name}"))[1]["items"] for name in asked]
    assert [len(items) for items in found] == [2, 1]


def attempt(to: str) -> DeliveryAttempted:
    return DeliveryAttempted(
        delivery_id=f"dlv-{to}", subscription_id=to, thread="t", alert_id="alt-1", attempt=1, outcome="sent",
        attempted_at=NOON,
    )  # fmt: skip
