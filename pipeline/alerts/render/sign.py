"""The signature of Standard Webhooks: who sent a body, and that nobody changed it on the way."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SYMMETRIC, ASYMMETRIC, PUBLIC = "whsec_", "whsk_", "whpk_"

Sign = Callable[[str, datetime, bytes], Mapping[str, str]]


def sign(secrets: Sequence[str], *, delivery_id: str, at: datetime, payload: bytes) -> dict[str, str]:
    """Return the headers that sign a payload with every secret given; during a rotation, the new and the old.

    A `whsec_` secret signs as v1 (HMAC-SHA256), a `whsk_` one as v1a (ed25519; needs the cryptography package).
    `at` is the time of the attempt; receivers refuse one that is five minutes off.
    """
    timestamp = str(int(at.timestamp()))
    content = b".".join((delivery_id.encode(), timestamp.encode(), payload))
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(secret, content) for secret in secrets),
    }


def signer(secrets: Sequence[str]) -> Sign:
    """Return a function that signs with these secrets and shows none; ValueError for an unusable one."""
    for secret in secrets:
        _signature(secret, b"")

    def signed(delivery_id: str, at: datetime, payload: bytes) -> dict[str, str]:
        return sign(secrets, delivery_id=delivery_id, at=at, payload=payload)

    return signed


def public_key(secret: str) -> str:
    """Return what a receiver verifies the signatures of a `whsk_` secret with (`whpk_`); nothing for another secret."""
    if not secret.startswith(ASYMMETRIC):
        return ""
    return PUBLIC + base64.b64encode(_private(secret).public_key().public_bytes_raw()).decode()


def _signature(secret: str, content: bytes) -> str:
    if secret.startswith(ASYMMETRIC):
        return f"v1a,{base64.b64encode(_ed25519(secret, content)).decode()}"
    digest = hmac.new(_key(secret.removeprefix(SYMMETRIC)), content, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def _key(secret: str) -> bytes:
    """Return the bytes of a base64 secret; the error does not repeat it."""
    try:
        key = base64.b64decode(secret, validate=True)
    except ValueError:
        key = b""
    if len(key) < 16:
        raise ValueError(
            "a webhook secret is whsec_ or whsk_ and the base64 of 24 to 64 random bytes"
        ) from None
    return key


def _ed25519(secret: str, content: bytes) -> bytes:
    return _private(secret).sign(content)


def _private(secret: str) -> Ed25519PrivateKey:
    """Return the key of a `whsk_` secret: 32 bytes, or 64 with the public key after them."""
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ModuleNotFoundError:
        raise ValueError("a whsk_ secret needs the package cryptography to sign with") from None
    key = _key(secret.removeprefix(ASYMMETRIC))
    if len(key) not in {32, 64}:
        raise ValueError("a whsk_ secret is the base64 of 32 bytes, or of 64 with the public key")
    return Ed25519PrivateKey.from_private_bytes(key[:32])
