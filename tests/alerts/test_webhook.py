"""An alert as a webhook: a CloudEvent that Standard Webhooks' own library verifies."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, Phase, given, settings
from standardwebhooks import Webhook, WebhookVerificationError

from pipeline.alerts.render import webhook
from pipeline.alerts.render.words import Links
from pipeline.events import AlertRaised
from tests.alerts import samples
from tests.alerts.samples import alert, change, due, reworded, story, updated, withdrawn

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + base64.b64encode(b"another secret of 32 bytes, sure").decode()


def data(body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(body)["data"]
    return found


def test_published_vector() -> None:
    """The signature of the specification's own example comes out."""
    headers = webhook.sign(
        [SECRET],
        delivery_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        at=datetime.fromtimestamp(1_614_265_330, UTC),
        payload=b'{"test": 2432232314}',
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", [SECRET, OTHER])
def test_rotation_verifies_with_both(secret: str) -> None:
    """While secrets rotate, a receiver that knows either accepts the post."""
    body = webhook.body(alert())
    headers = webhook.sign([SECRET, OTHER], delivery_id="dlv-1", at=datetime.now(UTC), payload=body)
    assert Webhook(secret).verify(body, headers) == json.loads(body)


@pytest.mark.parametrize("late_s", [-400, 400])
def test_old_timestamp_fails(late_s: int) -> None:
    """A post replayed after five minutes does not verify."""
    at = datetime.now(UTC) + timedelta(seconds=late_s)
    headers = webhook.sign([SECRET], delivery_id="dlv-1", at=at, payload=b"{}")
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(b"{}", headers)


def test_tampered_body_fails() -> None:
    """A post changed on its way does not verify."""
    headers = webhook.sign([SECRET], delivery_id="dlv-1", at=datetime.now(UTC), payload=b'{"a":1}')
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(b'{"a":2}', headers)


def test_asymmetric_signature() -> None:
    """An ed25519 key signs as v1a, after the symmetric one."""
    key = Ed25519PrivateKey.generate()
    secret = "whsk_" + base64.b64encode(key.private_bytes_raw()).decode()
    headers = webhook.sign([SECRET, secret], delivery_id="dlv-1", at=samples.SEEN, payload=b"{}")
    first, second = headers["webhook-signature"].split()
    key.public_key().verify(base64.b64decode(second.removeprefix("v1a,")), b"dlv-1.1729155840.{}")
    assert first.startswith("v1,")


@pytest.mark.parametrize("secret", ["", "whsec_", "password", "whsec_dG9vIHNob3J0", "whsk_%%%"])
def test_bad_secret_is_refused(secret: str) -> None:
    """A secret that is none is refused when it is given, and not repeated in the error."""
    with pytest.raises(ValueError, match="a webhook secret is") as caught:
        webhook.signer([secret])
    assert len(secret) < 8 or secret not in str(caught.value)


def test_cloud_event_and_webhook_at_once() -> None:
    """The body has CloudEvents' required attributes, and Standard Webhooks' type, timestamp and data."""
    event = json.loads(webhook.body(alert()))
    assert {name: event[name] for name in ("specversion", "id", "source", "type", "subject")} == {
        "specversion": "1.0",
        "id": "alt-aaaa",
        "source": "urn:clausewire",
        "type": "clausewire.alert.raised",
        "subject": "x-privacy",
    }
    assert event["time"] == event["timestamp"] == "2024-10-17T09:04:00Z"


def test_data_holds_evidence() -> None:
    """The body leads back to both pages, and says which clause changed in which words."""
    found = data(webhook.body(alert(), links=Links(evidence="https://cw.example/e/1")))
    assert found["evidence"]["new"]["sha256"] == "ab" * 32
    assert found["changes"][0]["redline"] == [["+", samples.COLLABORATORS]]
    assert found["links"] == {"page": samples.DOCUMENT.url, "evidence": "https://cw.example/e/1"}


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (updated("coverage", coverage=(story(),)), "clausewire.alert.updated"),
        (withdrawn(), "clausewire.alert.withdrawn"),
    ],
)
def test_updates_name_their_alert(told: Any, kind: str) -> None:
    """An update and a withdrawal say which alert of which document they are about."""
    event = json.loads(webhook.compose(due(told, alert=alert())))
    assert event["type"] == kind
    assert (event["data"]["alert_id"], event["data"]["document"]["id"]) == ("alt-aaaa", "x-privacy")


def test_many_changes_fit() -> None:
    """Of more changes than fit in 20 kB the gravest are told, the rest counted exactly."""
    told = alert(*(reworded("old " * 60, "new " * 60) for _ in range(300)), change())
    body = webhook.body(told)
    found = data(body)
    assert len(body) <= 20_000
    assert found["changes"][0]["clause_id"] == "clause-1"
    assert len(found["changes"]) > 5
    assert len(found["changes"]) + found["changes_left_out"] == found["changes_total"] == 301


def test_long_clause_is_cut_and_says_so() -> None:
    """A clause of 60 KB is cut at a word's end, with its length and the number of words left out."""
    found = data(webhook.body(alert(change("word " * 12_000))))["changes"][0]
    assert found["new"]["cut"] is True
    assert found["new"]["characters"] == 60_000
    assert found["redline_words_left_out"] > 10_000


@pytest.mark.parametrize("text", samples.HOSTILE)
def test_hostile_fits(text: str) -> None:
    """Whatever a page says, the body is JSON under 20 kB."""
    body = webhook.body(samples.hostile(text))
    assert len(body) <= 20_000
    json.loads(body)


@settings(
    suppress_health_check=list(HealthCheck),
    deadline=None,
    max_examples=40,
    phases=(Phase.explicit, Phase.generate),
)
@given(samples.alerts)
def test_every_body_verifies(told: AlertRaised) -> None:
    """The body of every alert stays under 20 kB, and verifies with Standard Webhooks' library."""
    body = webhook.body(told)
    headers = webhook.signer([SECRET])("dlv-1", datetime.now(UTC), body)
    assert len(body) <= 20_000
    assert Webhook(SECRET).verify(body, dict(headers))["data"]["alert_id"] == told.alert_id
