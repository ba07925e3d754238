"""Secrets at rest: encrypted with a key that only the environment knows (Fernet: AES-128-CBC and HMAC-SHA256)."""

from __future__ import annotations

import secrets as random
from base64 import b64encode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipeline.errors import ConfigError

KEY = "CLAUSEWIRE_SECRET_KEY"
REMEDY = f"Set {KEY} in the environment or the secrets file; `clausewire secret-key` makes one"


class Vault:
    """Seals and opens secrets. Several keys may be given, separated by commas: the first seals, all open."""

    def __init__(self, keys: str) -> None:
        """ConfigError for a key that is none; the key is never repeated."""
        try:
            self._fernet = MultiFernet([Fernet(key.strip()) for key in keys.split(",")])
        except ValueError:
            raise ConfigError(
                f"{KEY} is no key",
                remedy="It is 32 random bytes in base64: `clausewire secret-key` makes one",
            ) from None

    def seal(self, secret: str) -> str:
        """Return a secret as it may lie in a topic."""
        return self._fernet.encrypt(secret.encode()).decode()

    def open(self, token: str) -> str:
        """Return the secret inside; ConfigError when it was sealed with a key that is not here."""
        try:
            return self._fernet.decrypt(token.encode()).decode()
        except InvalidToken:
            raise ConfigError(
                "a stored secret cannot be opened: it was sealed with another key",
                remedy=f"Add the earlier key to {KEY} (new,old), or rotate the subscription's secret",
            ) from None


def vault(keys: str) -> Vault:
    """Return the vault of a deployment; ConfigError with the remedy where there is no key."""
    if not keys:
        raise ConfigError("secrets cannot be stored or read: there is no key", remedy=REMEDY)
    return Vault(keys)


def new_key() -> str:
    """Return a new random key."""
    return Fernet.generate_key().decode()


def new_secret(signature: str = "v1") -> str:
    """Return a new webhook secret as Standard Webhooks has it.

    For v1 that is `whsec_` and the base64 of 32 random bytes, for v1a `whsk_` and that of an ed25519 key: 32 random
    bytes with the public key after them.
    """
    if signature != "v1a":
        return f"whsec_{b64encode(random.token_bytes(32)).decode()}"
    key = Ed25519PrivateKey.generate()
    return f"whsk_{b64encode(key.private_bytes_raw() + key.public_key().public_bytes_raw()).decode()}"
