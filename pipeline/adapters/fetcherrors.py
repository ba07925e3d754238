"""Foreign failures of a fetch, told in our words: what happened, of which kind, and what to do."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import httpx

from pipeline.errors import FetchError

_RETRIED = "It is tried again by itself; if it stays, check that the address opens in a browser"


def fetch_error(error: BaseException, url: str) -> FetchError:
    """Return what an exception from the HTTP library or the system means for this URL.

    Kinds: url, dns, tls, connect, timeout, reset, protocol.
    """
    host = _host(url)
    for cause in _chain(error):
        told = _system_error(cause, host)
        if told is not None:
            return told
    return _library_error(error, url, host)


def _system_error(cause: BaseException, host: str) -> FetchError | None:
    if isinstance(cause, socket.gaierror):
        return FetchError(
            f"the name {host} does not resolve",
            kind="dns",
            remedy="Check the host's spelling in the source's URL, and this machine's name server",
        )
    if isinstance(cause, ssl.SSLError):
        why = getattr(cause, "verify_message", "") or cause.reason or str(cause)
        return FetchError(
            f"no trusted TLS connection to {host}: {why}",
            kind="tls",
            remedy="Check the site's certificate and this machine's clock and CA certificates",
        )
    if isinstance(cause, ConnectionRefusedError):
        return FetchError(f"{host} refuses connections", kind="connect", remedy=_RETRIED)
    if isinstance(cause, httpx.InvalidURL):  # the client looks at redirects even if it does not follow them
        return bad_redirect(host)
    return None


def _library_error(error: BaseException, url: str, host: str) -> FetchError:
    if isinstance(error, (httpx.UnsupportedProtocol, UnicodeError)):
        return bad_url(url)
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return FetchError(f"{host} does not take connections in time", kind="timeout", remedy=_RETRIED)
    if isinstance(error, httpx.TimeoutException):
        return FetchError(f"{host} stopped answering", kind="timeout", remedy=_RETRIED)
    if isinstance(error, httpx.ProxyError):
        return FetchError(
            f"the proxy refuses: {error}", kind="connect", remedy="Check HTTP_PROXY and HTTPS_PROXY"
        )
    if isinstance(error, httpx.ConnectError):
        return FetchError(f"{host} cannot be reached: {error}", kind="connect", remedy=_RETRIED)
    if isinstance(error, httpx.RemoteProtocolError | httpx.NetworkError | OSError):
        return FetchError(f"{host} broke off before the page was whole", kind="reset", remedy=_RETRIED)
    return FetchError(f"{host} does not speak HTTP as we know it: {error}", kind="protocol", remedy=_RETRIED)


def bad_url(url: str) -> FetchError:
    """Return the error for something that is no http(s) address."""
    return FetchError(
        f"{url!r} is not an http or https address",
        kind="url",
        remedy="Write the source's URL in full, such as https://example.com/privacy",
    )


def bad_redirect(host: str) -> FetchError:
    """Return the error for a redirect to no address at all."""
    return FetchError(
        f"{host} redirects to something that is no address",
        kind="url",
        remedy="Open the address in a browser and watch the one that it ends at",
    )


def too_large(host: str, limit: int) -> FetchError:
    """Return the error for a body past the limit."""
    return FetchError(
        f"the page of {host} is larger than {limit:,} bytes",
        kind="size",
        remedy="Watch a smaller page of the document, or raise the fetch limit",
    )


def too_slow(host: str, total_s: float) -> FetchError:
    """Return the error for an answer that did not end in time."""
    return FetchError(
        f"{host} did not send the whole page within {total_s:g} s",
        kind="timeout",
        remedy="It is tried again by itself; raise the fetch limit if the page is always so slow",
    )


def too_many_hops(url: str, hops: list[str]) -> FetchError:
    """Return the error for a chain of redirects without end; each hop is "301 https://…"."""
    return FetchError(
        f"{url} redirects more than {len(hops) - 1} times, last to {hops[-1].partition(' ')[2]}",
        kind="redirects",
        remedy="Open the address in a browser and watch the one that it ends at",
    )


def held_back(host: str, seconds: float) -> FetchError:
    """Return the error for a host that told us to wait; no request was made."""
    return FetchError(
        f"{host} asked us to wait another {seconds:.0f} s",
        kind="held",
        retry_after_s=seconds,
        remedy="It is polled again after that by itself",
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Walk an exception, its causes and the members of groups among them, each once."""
    queue: list[BaseException] = [error]
    seen: set[int] = set()
    while queue:
        cause = queue.pop()
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        if isinstance(cause, BaseExceptionGroup):
            queue.extend(cause.exceptions)
        queue.extend(nearer for nearer in (cause.__context__, cause.__cause__) if nearer is not None)


def _host(url: str) -> str:
    try:
        return httpx.URL(url).host or url
    except (httpx.InvalidURL, UnicodeError):
        return url
