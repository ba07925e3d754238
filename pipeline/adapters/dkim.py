"""DKIM (RFC 6376): a mail signed for a domain, so that receivers can tell it from a false one."""

from __future__ import annotations

from base64 import b64encode
from importlib import import_module
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from pipeline.errors import ConfigError, DeliveryError

SIGNED = (
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "list-id",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "mime-version",
    "content-type",
)
ALONE = ("from", "to", "subject", "date")  # signed once more, so that a second one breaks the seal (8.15)
LEAST_BITS = 1024  # of an RSA key; RFC 8301, 3.2: verifiers must not take a shorter one
KEY_REMEDY = "Make one with: openssl genrsa -out dkim.pem 2048, and name the file in {name}_FILE"


class Dkim:
    """Signs mails for a domain, relaxed/relaxed, by the key's kind; the key shows in no error and no repr.

    `key` is an unencrypted PEM of an RSA or Ed25519 private key, its lines apart by line ends or by \\n spelled out;
    `name` is what its secret is called. Raises ConfigError where it cannot be used.
    """

    __slots__ = ("_algorithm", "_dkim", "_domain", "_key", "_selector")

    def __init__(self, *, domain: str, selector: str, key: str, name: str = "DKIM_KEY") -> None:
        self._domain, self._selector = domain.encode("ascii"), selector.encode("ascii")
        self._algorithm, self._key = _prepared(key, name)
        self._dkim = _library(ed25519=self._algorithm == b"ed25519-sha256")

    def sign(self, mail: bytes) -> bytes:
        """Return a mail with its signature on top; DeliveryError where it cannot be signed."""
        try:
            made = self._dkim.DKIM(mail, signature_algorithm=self._algorithm)
            names = {name.lower().decode("ascii") for name, _ in made.headers}
            header: bytes = made.sign(
                self._selector,
                self._domain,
                self._key,
                canonicalize=(b"relaxed", b"relaxed"),
                include_headers=[name for name in (*SIGNED, *ALONE) if name in names],
            )
        except (self._dkim.DKIMException, ValueError) as error:
            raise DeliveryError(f"the mail cannot be signed: {type(error).__name__}") from None
        return header + mail


def record(pem: str, *, name: str = "DKIM_KEY") -> str:
    """Return the TXT record to publish at `selector._domainkey.domain` (RFC 6376, 3.6.1; RFC 8463); ConfigError as
    `Dkim` has it."""
    algorithm, _ = _prepared(pem, name)
    public = _loaded(pem).public_key()
    if algorithm == b"ed25519-sha256":
        return (
            f"v=DKIM1; k=ed25519; p={b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()}"
        )
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; p={b64encode(der).decode()}"


def _loaded(pem: str) -> Any:
    return load_pem_private_key(pem.replace("\\n", "\n").strip().encode(), password=None)


def _library(*, ed25519: bool) -> Any:
    try:
        if ed25519:
            import_module("nacl.signing")
        return import_module("dkim")
    except ImportError:
        raise ConfigError(
            "mails are to be signed and dkimpy is not installed",
            key="smtp.dkim",
            remedy="pip install 'clausewire[dkim]'",
        ) from None


def _prepared(pem: str, name: str) -> tuple[bytes, bytes]:
    """Return the algorithm and the key in the form that dkimpy reads: PKCS#1 with bare line ends, or a seed."""
    try:
        key = _loaded(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _unusable(name, _reason(pem, error)) from None
    if isinstance(key, Ed25519PrivateKey):
        return b"ed25519-sha256", b64encode(key.private_bytes_raw())
    if not isinstance(key, RSAPrivateKey):
        raise _unusable(name, "is neither an RSA nor an Ed25519 key")
    if key.key_size < LEAST_BITS:
        raise _unusable(name, f"has {key.key_size} bits, which receivers do not accept")
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return b"rsa-sha256", plain.replace(b"\r\n", b"\n")


def _reason(pem: str, error: Exception) -> str:
    if isinstance(error, TypeError):  # what cryptography raises for a missing password
        return "is encrypted with a password"
    if "BEGIN PUBLIC KEY" in pem or "BEGIN CERTIFICATE" in pem:
        return "is the public half"
    return "is no private key in PEM form"


def _unusable(name: str, fact: str) -> ConfigError:
    return ConfigError(
        f"the DKIM key {name} {fact}", key="smtp.dkim.key_env", remedy=KEY_REMEDY.format(name=name)
    )
