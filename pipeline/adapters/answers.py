"""What an HTTP endpoint answered, read within bounds, and what it means when it did not."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import aiohttp

from pipeline.errors import DeliveryError, RefusedError

RESPONSE_BYTES = 2_000  # of an answer that are kept
REDACTED = "[redacted]"


@dataclass(frozen=True, slots=True)
class Sent:
    """What a channel gave back for a message that it took."""

    status: int | None = None
    response: str = ""
    receipt: dict[str, str] = field(default_factory=dict)


class AddressRefusedError(Exception):
    """A host has an address that must not be connected to; raised by the resolver, inside aiohttp."""


async def beginning(response: aiohttp.ClientResponse, limit: int = RESPONSE_BYTES) -> bytes:
    """Return the first bytes of an answer, fewer when it breaks off; an endless one is not waited for."""
    kept = b""
    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
        while len(kept) < limit and (piece := await response.content.read(limit - len(kept))):
            kept += piece
    return kept


def shown(body: bytes, secrets: Iterable[str] = ()) -> str:
    """Return an answer as text for the record: printable, at most 2,000 characters, without our secrets."""
    text = body[:RESPONSE_BYTES].decode("utf-8", "replace")
    return redacted("".join(char if char.isprintable() else " " for char in text), secrets)


def redacted(text: str, secrets: Iterable[str]) -> str:
    """Return text with every secret in it, or what a cut left of one at its end, replaced."""
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, REDACTED)
            text = _without_head(text, secret)
    return text


@contextlib.contextmanager
def explained(where: str, *, timeout_s: float) -> Iterator[None]:
    """Turn what aiohttp raises into our errors; their words name the host, never the URL or a header.

    The cause is left out of the chain on purpose: aiohttp's errors may repeat a URL, and a URL may be a secret.
    """
    try:
        yield
    except AddressRefusedError as error:
        raise RefusedError(
            str(error), remedy="Use a public address, or put the host on the allow-list"
        ) from None
    except aiohttp.ClientConnectorDNSError:
        raise DeliveryError(f"{where} does not resolve", remedy="Check the host's name") from None
    except aiohttp.ClientConnectorCertificateError as error:
        raise DeliveryError(
            f"the certificate of {where} is not valid: {_certificate(error)}",
            remedy="Renew the certificate, or send its whole chain",
        ) from None
    except aiohttp.ClientConnectorSSLError:
        raise DeliveryError(f"{where} does not speak TLS as we do", remedy="Offer TLS 1.2 or later") from None
    except aiohttp.ClientConnectorError as error:
        raise DeliveryError(
            f"cannot connect to {where}: {error.os_error.strerror or 'no reason given'}"
        ) from None
    except aiohttp.ConnectionTimeoutError:
        raise DeliveryError(f"cannot connect to {where}: no answer in time") from None
    except TimeoutError:
        raise DeliveryError(f"{where} did not answer within {timeout_s:g} s", ambiguous=True) from None
    except (aiohttp.InvalidURL, ValueError):
        raise RefusedError(f"the URL at {where} cannot be used", remedy="Correct the URL") from None
    except aiohttp.ClientError as error:
        raise DeliveryError(
            f"the connection to {where} broke: {type(error).__name__}", ambiguous=True
        ) from None


def _certificate(error: aiohttp.ClientConnectorCertificateError) -> str:
    return str(getattr(error.certificate_error, "verify_message", "") or "it does not verify")


def _without_head(text: str, secret: str) -> str:
    """Return text without a beginning of the secret at its very end, where a cut may have left one."""
    for size in range(min(len(secret) - 1, len(text)), 7, -1):
        if text.endswith(secret[:size]):
            return text[:-size] + REDACTED
    return text
