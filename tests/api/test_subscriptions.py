"""Subscriptions over HTTP: what is made holds, what is secret is shown once, what is wrong is told."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks import Webhook
from structlog.testing import capture_logs

from pipeline.adapters.answers import Sent
from pipeline.events import SubscriptionDeclared
from tests.adapters.hooks import receiving
from tests.api.desk import desk
from tests.fakes import NOON, FixedClock

MAIL: dict[str, Any] = {"name": "Legal", "to": {"email": {"to": ["legal@example.org"]}}}


async def test_webhook_is_pinged_with_its_secret(tmp_path: Path) -> None:
    """A new webhook gets a ping that its secret verifies, and the secret is in the answer."""
    async with desk(tmp_path, clock=None) as api, receiving() as receiver:
        made = await api.hook(receiver.url())
    _, headers, body = receiver.got[-1]
    signed = Webhook(made["secret"]).sign(f"ping-{made['id']}", NOON, body.decode())
    assert (headers["webhook-id"], headers["webhook-signature"]) == (f"ping-{made['id']}", signed)
    assert made["consent"] == "ping"


async def test_endpoint_may_consent_by_handshake(tmp_path: Path) -> None:
    """An endpoint that allows our origin on OPTIONS is not pinged."""
    asked: list[str] = []

    async def options(request: web.Request) -> web.Response:
        asked.append(request.headers["WebHook-Request-Origin"])
        return web.Response(headers={"WebHook-Allowed-Origin": "*"})

    async with desk(tmp_path) as api, receiving_options(options) as url:
        made = await api.hook(url)
    assert (asked, made["consent"]) == (["clausewire"], "handshake")


@pytest.mark.parametrize("path", ["hang", "drop", "gone", "redirect", "echo"])
async def test_unwilling_endpoint_is_refused(tmp_path: Path, path: str) -> None:
    """An endpoint that does not answer the ping with 2xx makes no subscription."""
    async with desk(tmp_path) as api, receiving() as receiver:
        client = await api.office.channels.webhooks(private=True)
        client._timeout = client._timeout.__class__(total=0.5)  # type: ignore[attr-defined]
        body = {"name": "Hook", "to": {"webhook": {"url": receiver.url(path)}}}
        status, problem = await api.call("POST", "/v1/subscriptions", body)
        assert (status, problem["at"]) == (422, "to.webhook.url")
        assert [one.name for one in api.office.registry.all()] == ["Terminal"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/",
        "http://[::1]/",
        "http://169.254.169.254/latest",
        "http://user:pw@example.org/",
        "http://0x7f.1/",
        "http://[fe80::1%25eth0]/",
    ],
)
async def test_private_address_is_refused(tmp_path: Path, url: str) -> None:
    """Without the operator's leave no webhook leads to a private address."""
    async with desk(tmp_path, private=False) as api:
        status, problem = await api.call(
            "POST", "/v1/subscriptions", {"name": "Hook", "to": {"webhook": {"url": url}}}
        )
    assert status == 422, problem


async def test_no_secret_lies_in_clear(tmp_path: Path) -> None:
    """Neither a webhook's secret nor a Slack token stands in a topic, a log line, a later answer or a repr."""
    token = "xoxb-1234-very-secret"
    with capture_logs() as lines:
        told, secrets = await _everything(tmp_path, token)
    told += str(lines).encode()
    assert lines
    assert [word for word in secrets if word.encode() in told] == []


async def _everything(folder: Path, token: str) -> tuple[bytes, tuple[str, ...]]:
    """Return all that is told and stored while secrets are made, and the secrets."""
    async with desk(folder) as api, receiving() as receiver:
        made = await api.hook(receiver.url())
        _, slack = await api.call(
            "POST", "/v1/subscriptions", {"name": "S", "to": {"slack": {"channel": "#c", "token": token}}}
        )
        _, shown = await api.call("GET", "/v1/subscriptions")
        await api.call("POST", f"/v1/subscriptions/{made['id']}/test")
        told = f"{shown} {slack} {api.office!r} {api.office.registry.all()!r}".encode() + api.stored()
        return told, (made["secret"], token, api.key, api.office.key)


async def test_both_secrets_sign_for_a_day(tmp_path: Path) -> None:
    """After a rotation the old and the new secret sign, and a day later only the new one."""
    clock = FixedClock()
    async with desk(tmp_path, clock=clock) as api, receiving() as receiver:
        made = await api.hook(receiver.url())
        _, rotated = await api.call("POST", f"/v1/subscriptions/{made['id']}/rotate")
        counts = []
        for hours in (23, 25):
            clock.moment += timedelta(hours=hours)
            await api.call("POST", f"/v1/subscriptions/{made['id']}/test")
            counts.append(len(receiver.got[-1][1]["webhook-signature"].split()))
    assert rotated["secret"] != made["secret"]
    assert counts == [2, 1]


async def test_repeated_request_is_done_once(tmp_path: Path) -> None:
    """The same request with the same Idempotency-Key has the same answer and makes one subscription."""
    async with desk(tmp_path) as api:
        answers = [await api.call("POST", "/v1/subscriptions", MAIL, Idempotency_Key="a") for _ in range(2)]
        other = await api.call("POST", "/v1/subscriptions", {**MAIL, "name": "Else"}, Idempotency_Key="a")
        assert answers[0] == answers[1]
        assert other[0] == 422
        assert len(api.office.registry.by_id) == 2


async def test_subscription_lives_and_ends(tmp_path: Path) -> None:
    """A subscription is changed, paused, resumed and removed, and each shows at once."""
    async with desk(tmp_path) as api:
        _, made = await api.call("POST", "/v1/subscriptions", MAIL)
        one = f"/v1/subscriptions/{made['id']}"
        seen = [
            (await api.call("PATCH", one, {"only": {"services": ["Meta"], "min_severity": "high"}}))[1][
                "only"
            ],
            (await api.call("POST", one + "/pause"))[1]["active"],
            (await api.call("POST", one + "/resume"))[1]["active"],
            (await api.call("DELETE", one))[0],
            (await api.call("GET", one))[0],
        ]
    assert seen[0]["services"] == ["Meta", "meta"]
    assert seen[1:] == [False, True, 204, 404]


async def test_route_of_the_file_is_not_changed(tmp_path: Path) -> None:
    """A route of the configuration can be paused, but is changed and removed where it stands."""
    async with desk(tmp_path) as api:
        statuses = [
            (await api.call(method, "/v1/subscriptions/terminal" + path, body))[0]
            for method, path, body in (
                ("POST", "/pause", None),
                ("PATCH", "", {"name": "x"}),
                ("DELETE", "", None),
                ("POST", "/rotate", None),
            )
        ]
    assert statuses == [200, 422, 422, 422]


async def test_list_comes_in_pages(tmp_path: Path) -> None:
    """Every subscription stands on exactly one page."""
    async with desk(tmp_path) as api:
        for number in range(5):
            await api.call("POST", "/v1/subscriptions", {**MAIL, "name": f"n{number}"})
        names, cursor = [], ""
        while True:
            _, page = await api.call("GET", f"/v1/subscriptions?limit=2{cursor}")
            names += [one["name"] for one in page["items"]]
            if not page["next_cursor"]:
                break
            cursor = f"&cursor={page['next_cursor']}"
    assert sorted(names) == ["Terminal", "n0", "n1", "n2", "n3", "n4"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "x"}, 422),
        ({**MAIL, "colour": "red"}, 422),
        ({**MAIL, "to": {}}, 422),
        ({**MAIL, "to": {"email": {"to": []}}}, 422),
        ({**MAIL, "to": {"email": {"to": ["a\r\nBcc: b@c.d"]}}}, 422),
        ({**MAIL, "to": {"slack": {"webhook_url": "https://evil.example/x"}}}, 422),
        ({**MAIL, "to": {"slack": {"channel": "#c"}}}, 422),
        ({**MAIL, "to": {"webhook": {"url": "https://hooks.slack.com/services/T/B/x"}}}, 422),
        ({**MAIL, "to": {"webhook": {"url": "ftp://example.org"}}}, 422),
        ({**MAIL, "to": {"webhook": {"url": "http://[::1"}}}, 422),
        ({**MAIL, "to": {"webhook": {"url": "https://example.org", "signature": "v2"}}}, 422),
        ({**MAIL, "to": {"slack": {"webhook_url": "https://["}}}, 422),
        ({**MAIL, "contact": "a@b.example\r\nBcc: c@d.example"}, 422),
        ({**MAIL, "contact": "nobody"}, 422),
        ({**MAIL, "only": {"kinds": ["weather"]}}, 422),
        ({**MAIL, "only": {"min_severity": "dire"}}, 422),
        ({**MAIL, "hours": {"open": "08:00-18:00", "zone": "Mars/Olympus"}}, 422),
        ({**MAIL, "hours": {"open": "08:00-18:00", "zone": "../../etc/passwd"}}, 422),
        ({**MAIL, "hours": {"open": "always"}}, 422),
        ({**MAIL, "name": ""}, 422),
        ({**MAIL, "name": "n" * 300}, 422),
        ([], 422),
        ("x" * 70_000, 413),
    ],
)
async def test_unfit_body_is_told(tmp_path: Path, body: Any, status: int) -> None:
    """A body that does not fit is answered with a problem, and nothing is made."""
    async with desk(tmp_path) as api:
        answered, problem = await api.call("POST", "/v1/subscriptions", body)
        assert (answered, problem["status"]) == (status, status), problem
        assert len(api.office.registry.by_id) == 1


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"", "application/json", 400),
        (b"[" * 60_000, "application/json", 422),
        (b"a=b", "application/x-www-form-urlencoded", 415),
    ],
)
async def test_body_that_is_no_json_is_told(tmp_path: Path, data: bytes, kind: str, status: int) -> None:
    """What cannot be read is answered with a problem."""
    async with desk(tmp_path) as api:
        headers = {"Authorization": f"Bearer {api.key}", "Content-Type": kind}
        async with api.session.post("/v1/subscriptions", data=data, headers=headers) as response:
            assert (response.status, response.content_type) == (status, "application/problem+json")


async def test_missing_key_to_secrets_is_told(tmp_path: Path) -> None:
    """Without a key to seal secrets with, nothing is made, and the answer says what to set."""
    async with desk(tmp_path, key="") as api:
        status, problem = await api.call("POST", "/v1/subscriptions", MAIL)
    assert status == 503
    assert "CLAUSEWIRE_SECRET_KEY" in problem["remedy"]


class Refusing:
    """Channels whose every message fails."""

    async def notifier(self, subscription: SubscriptionDeclared) -> Any:
        raise RuntimeError(Sent)

    async def webhooks(self, *, private: bool) -> Any:
        raise RuntimeError("secret inside")


async def test_fault_of_ours_tells_nothing(tmp_path: Path) -> None:
    """What nobody foresaw is a 500 without its words."""
    async with desk(tmp_path, channels=Refusing()) as api:
        body = {"name": "Hook", "to": {"webhook": {"url": "https://example.org/"}}}
        status, problem = await api.call("POST", "/v1/subscriptions", body)
    assert (status, "secret" in str(problem)) == (500, False)


def receiving_options(handler: Any) -> Any:
    """Serve a handler of OPTIONS on loopback; gives its URL."""
    from contextlib import asynccontextmanager

    from aiohttp import test_utils

    @asynccontextmanager
    async def serving() -> Any:
        app = web.Application()
        app.router.add_route("OPTIONS", "/hook", handler)
        async with test_utils.TestServer(app, host="127.0.0.1") as server:
            yield str(server.make_url("/hook"))

    return serving()
