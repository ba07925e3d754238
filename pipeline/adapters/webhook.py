"""Signed posts to people's endpoints: guarded addresses, bounded time, one slow endpoint delaying no other.

The client is aiohttp: at fifty posts at a time one shared httpx client fell to a fifteenth of its rate (connection
pool, encode/httpx issue 3215), and a client per host reached a seventh of aiohttp's.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from pipeline import trace
from pipeline.adapters import ssrf
from pipeline.adapters.answers import AddressRefusedError, Sent, beginning, explained, shown
from pipeline.adapters.slack_api import Pace
from pipeline.adapters.ssrf import Allow, Refused, Resolve
from pipeline.errors import DeliveryError, RefusedError
from pipeline.events import DeliveryDue
from pipeline.polling import retry_after
from pipeline.ports import Clock

TIMEOUT_S = 15.0  # of a whole exchange, as Standard Webhooks recommend at least
CONNECT_S = 5.0
PER_ENDPOINT = 4  # posts under way to one host and port
USER_AGENT = "Clausewire-Webhook/1"
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"

Compose = Callable[[DeliveryDue], bytes]
Sign = Callable[[str, datetime, bytes], Mapping[str, str]]


class GuardedResolver(AbstractResolver):
    """Resolves a host once per connection, and gives out only addresses that were checked."""

    def __init__(self, resolve: Resolve, allow: Allow) -> None:
        self._resolve = resolve
        self._allow = allow

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses to connect to; AddressRefusedError where one must not be, OSError where none is."""
        addresses = await ssrf.addresses_of(host, port, resolve=self._resolve)
        verdict = ssrf.judged(host, host, addresses, self._allow)
        if isinstance(verdict, Refused):
            raise AddressRefusedError(verdict.reason)
        if not verdict.addresses:
            raise OSError(f"{host} has no address")
        return [_pinned(host, address, port) for address in verdict.addresses]

    async def close(self) -> None:
        """Nothing is held."""


class WebhookClient:
    """Posts to many endpoints over kept connections; use as an async context manager.

    No redirect is followed, no proxy taken from the environment, no cookie kept, no compressed answer unpacked.
    `allow` names hosts and networks that may be private; `tls` trusts other authorities than the system's.
    """

    def __init__(
        self,
        *,
        resolve: Resolve = ssrf.system_resolve,
        allow: Allow = ssrf.NOTHING,
        timeout_s: float = TIMEOUT_S,
        connect_s: float = CONNECT_S,
        per_endpoint: int = PER_ENDPOINT,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._allow = allow
        self._resolver = GuardedResolver(resolve, allow)
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=connect_s)
        self._timeout_s = timeout_s
        self._per_endpoint = per_endpoint
        self._tls = tls
        self._places: dict[tuple[str, int], asyncio.Semaphore] = {}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, bytes, Mapping[str, str]]:
        """Return status, first bytes and headers of the answer to a post.

        Raises DeliveryError where none came in time, RefusedError where the address must not be posted to.
        """
        return await self._guarded("POST", url, body, headers)

    async def ask(self, url: str, headers: Mapping[str, str]) -> tuple[int, bytes, Mapping[str, str]]:
        """Return the answer to OPTIONS, by which an endpoint may say that it wants our posts. Raises as `post` does."""
        return await self._guarded("OPTIONS", url, None, headers)

    async def _guarded(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes, Mapping[str, str]]:
        host, port = self._target(url)
        async with self._place(host, port):
            with explained(f"{host}:{port}", timeout_s=self._timeout_s):
                return await self._exchange(method, URL(url).with_host(host), body, headers)

    async def _exchange(
        self, method: str, url: URL, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes, Mapping[str, str]]:
        async with self._open().request(
            method, url, data=body, headers=headers, allow_redirects=False
        ) as response:
            kept = await beginning(response)
            if not response.content.at_eof():
                response.close()  # an answer longer than what is kept is not read to its end
            return response.status, kept, response.headers

    def _target(self, url: str) -> tuple[str, int]:
        """Return where a URL leads; what can be refused without looking a name up is refused here."""
        target = ssrf.parse_url(url)
        if not isinstance(target, Refused):
            verdict = ssrf.judged(url, target[0], _literal(target[0]), self._allow)
            if not isinstance(verdict, Refused):
                return target
            target = verdict
        raise RefusedError(
            target.reason, remedy="Use a public http(s) URL, or put the host on the allow-list"
        )

    def _place(self, host: str, port: int) -> asyncio.Semaphore:
        return self._places.setdefault((host, port), asyncio.Semaphore(self._per_endpoint))

    def _open(self) -> aiohttp.ClientSession:
        """Return the session, opened on first use, inside the loop that uses it."""
        if self._session is None:
            connector = aiohttp.TCPConnector(
                resolver=self._resolver,
                use_dns_cache=False,
                limit=0,
                ssl=self._tls or True,
                keepalive_timeout=30,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=("Accept-Encoding",),
                headers={"User-Agent": USER_AGENT},
                trust_env=False,
            )
        return self._session


class WebhookNotifier:
    """Posts each delivery, signed, to one endpoint.

    `compose` makes the body, `sign` its headers with the time of the attempt, which `clock` must tell truly:
    receivers refuse one that is five minutes off. `headers` go along (an Authorization, for instance); their
    values never show in a record. `rate` bounds the posts a minute, for an endpoint that takes no more.
    """

    def __init__(
        self,
        client: WebhookClient,
        *,
        url: str,
        compose: Compose,
        sign: Sign,
        clock: Clock,
        headers: Mapping[str, str] | None = None,
        rate: int | None = None,
    ) -> None:
        self._client = client
        self._url = url
        rule = f"this endpoint takes {rate} posts a minute"
        self._pace = Pace(clock, spacing=timedelta(minutes=1) / rate, rule=rule) if rate else None
        self._compose = compose
        self._sign = sign
        self._clock = clock
        self._headers = dict(headers or {})

    async def send(self, due: DeliveryDue, *, parent: dict[str, str] | None) -> Sent:
        """Post a delivery; DeliveryError to try again, RefusedError to give up."""
        if self._pace:
            await self._pace.turn(self._url, due.delivery_id)
        body = self._compose(due)
        signed = self._sign(due.delivery_id, self._clock.now(), body)
        known = trace.current()
        traced = known.headers if known else {}
        headers = {**self._headers, "Content-Type": CONTENT_TYPE, **traced, **signed}
        status, answer, answered = await self._client.post(self._url, body, headers)
        if 200 <= status < 300:
            return Sent(status=status, response=shown(answer, self._secrets()))
        raise self._error(status, answer, answered)

    def _error(self, status: int, answer: bytes, headers: Mapping[str, str]) -> DeliveryError | RefusedError:
        if status == 410:
            return RefusedError(
                "the endpoint is gone (410) and wants no more",
                status=status,
                disable=True,
                remedy="The subscription is switched off; switch it on again when the endpoint is back",
            )
        said = shown(answer, self._secrets())[:200].strip()
        return DeliveryError(
            f"the endpoint answered {status}{f': {said}' if said else ''}",
            status=status,
            retry_after_s=retry_after(headers.get("Retry-After", ""), now=self._clock.now()),
            remedy=_remedy(status),
        )

    def _secrets(self) -> Iterable[str]:
        return (*self._headers.values(), self._url, URL(self._url).raw_path_qs)


def _remedy(status: int) -> str:
    if 300 <= status < 400:
        return "Redirects are not followed: give the URL that it leads to"
    if status in {401, 403}:
        return "Check the secret, or what guards the endpoint"
    return ""


def _literal(host: str) -> tuple[str, ...]:
    """Return the host where it is an address; a name's addresses are judged when it is resolved."""
    try:
        return (str(ipaddress.ip_address(host)),)
    except ValueError:
        return ()


def _pinned(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(
        hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST
    )
