"""Signatures by key pair (v1a), as Standard Webhooks has them: a published one, new ones, unusable ones."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from pipeline.adapters.vault import new_secret
from pipeline.alerts.render.sign import public_key, sign, signer

# The pair and the signature by which Svix's own libraries are tested.
PRIVATE = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
PUBLIC = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
SIGNATURE = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
AT = datetime.fromtimestamp(1614265330, UTC)
ID, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}'


def test_published_signature_is_ours() -> None:
    """A published pair of keys signs a published message as published, and its public part derives."""
    assert sign([PRIVATE], delivery_id=ID, at=AT, payload=BODY)["webhook-signature"] == SIGNATURE
    assert public_key(PRIVATE) == PUBLIC


def test_new_pair_verifies() -> None:
    """A new key signs what its public part verifies; no two are the same."""
    secret = new_secret("v1a")
    signature = sign([secret], delivery_id=ID, at=AT, payload=BODY)["webhook-signature"]
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key(secret).removeprefix("whpk_")))
    public.verify(base64.b64decode(signature.removeprefix("v1a,")), f"{ID}.1614265330.".encode() + BODY)
    assert secret != new_secret("v1a")


def test_shared_secret_has_no_public_part() -> None:
    """A shared secret shows nothing."""
    assert (new_secret()[:6], public_key(new_secret())) == ("whsec_", "")


@pytest.mark.parametrize("size", [24, 31, 33, 48, 65])
def test_key_of_another_size_is_refused(size: int) -> None:
    """What is no ed25519 key is told so, and not repeated."""
    secret = "whsk_" + base64.b64encode(b"k" * size).decode()
    with pytest.raises(ValueError, match="32 bytes") as caught:
        signer([secret])
    assert secret not in str(caught.value)
