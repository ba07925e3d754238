"""Pages and feeds from the web: one pooled HTTP/2 client, polite to hosts, bounded in time and size."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.metadata import PackageNotFoundError, version
from ipaddress import ip_address
from types import TracebackType
from urllib.parse import urldefrag, urljoin

import httpx

from pipeline.adapters.exchange import Answer, Ask, exchange
from pipeline.adapters.fetcherrors import bad_redirect, bad_url, held_back, too_many_hops
from pipeline.adapters.inflate import ACCEPTED
from pipeline.adapters.politeness import Politeness
from pipeline.adapters.robots import MAX_BYTES, PRODUCT, Robots, RobotsAnswer
from pipeline.polling import Fetched, Validators
from pipeline.ports import Clock

HELD = frozenset({429, 503})
ROBOTS_HOPS = 5
IDLE_CONNECTIONS = 8
IDLE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """Bounds of a fetch (seconds, decoded bytes) and of our traffic; `spacing_s` parts starts at a host."""

    connect_s: float = 10.0
    read_s: float = 20.0
    total_s: float = 60.0
    max_bytes: int = 10 * 1024 * 1024
    max_redirects: int = 10
    spacing_s: float = 1.0
    per_host: int = 2
    concurrency: int = 32


def user_agent(contact: str = "") -> str:
    """Return the honest name we go by: product, version, and an address (URL or mailbox) to complain to."""
    try:
        release = version("clausewire")
    except PackageNotFoundError:  # run from a bare source tree
        release = "0"
    about = f"+{contact}" if contact else "watches policies and news for changes"
    return f"{PRODUCT}/{release} ({about})"


class Fetcher:
    """Fetches URLs; an `async with` opens and closes its shared, pooled client.

    `trust_env` honours HTTP_PROXY and its kin (loopback is never proxied); `verify` takes an SSL context of
    the caller's, for a private CA.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        limits: FetchLimits | None = None,
        agent: str = "",
        trust_env: bool = True,
        verify: ssl.SSLContext | None = None,
    ) -> None:
        self._clock = clock
        self._limits = limits or FetchLimits()
        self._agent = agent or user_agent()
        self._trust_env = trust_env
        self._verify = verify
        self._turns = Politeness(
            spacing_s=self._limits.spacing_s,
            per_host=self._limits.per_host,
            concurrency=self._limits.concurrency,
        )
        self._robots = Robots(self._ask_robots, clock=clock)
        self._client: httpx.AsyncClient | None = None
        self._local: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Fetcher:
        verify = self._verify or httpx.create_ssl_context()
        self._local = _client(self._limits, self._agent, verify, trust_env=False)
        self._client = (
            _client(self._limits, self._agent, verify, trust_env=True) if self._trust_env else self._local
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in (self._client, self._local):
            if client is not None:
                await client.aclose()
        self._client = self._local = None

    async def fetch(
        self,
        url: str,
        *,
        validators: Validators | None = None,
        respect_robots: bool = True,
        accept: str = "",
        language: str = "",
    ) -> Fetched:
        """Return the answer at the end of the URL's redirects, whatever its status.

        `validators` make the request conditional at the URL that gave them. FetchError kinds: url, dns, tls,
        connect, timeout, reset, protocol, encoding, size, redirects, robots, and held, when the host asked us
        to wait and no request was made.
        """
        started, hops, cookies = time.monotonic(), list[str](), httpx.Cookies()
        target = _target(url)
        while True:
            ask = Ask(target, validators, accept, language, cookies)
            answer = await self._ask(ask, respect_robots=respect_robots)
            if not answer.location:
                return _fetched(url, str(target), answer, hops, time.monotonic() - started)
            target = _onward(target, answer.location)
            hops.append(f"{answer.status} {target}")
            if len(hops) > self._limits.max_redirects:
                raise too_many_hops(url, hops)

    async def _ask(self, ask: Ask, *, respect_robots: bool) -> Answer:
        host, spacing = ask.url.host, self._limits.spacing_s
        self._refuse_held(host)
        if respect_robots:
            delay = await self._robots.check(_origin(ask.url), str(ask.url))
            spacing = max(spacing, delay) if spacing else 0.0
        async with self._turns.turn(host, spacing_s=spacing):
            self._refuse_held(host)
            return await self._exchange(ask, max_bytes=self._limits.max_bytes)

    async def _ask_robots(self, url: str) -> RobotsAnswer:
        """Get robots.txt, following redirects (RFC 9309, 2.3.1.2), outside the spacing of its host."""
        target = _target(url)
        for _ in range(ROBOTS_HOPS + 1):
            async with self._turns.turn(target.host, spacing_s=0.0):
                answer = await self._exchange(
                    Ask(target, accept="text/plain, */*"), max_bytes=MAX_BYTES, cut=True
                )
            if not answer.location:
                return RobotsAnswer(answer.status, answer.body or b"")
            target = _onward(target, answer.location)
        return RobotsAnswer(404)

    async def _exchange(self, ask: Ask, *, max_bytes: int, cut: bool = False) -> Answer:
        client = self._local if _is_loopback(ask.url.host) else self._client
        assert client is not None, "a Fetcher fetches inside its `async with`"
        answer = await exchange(
            client, ask, clock=self._clock, total_s=self._limits.total_s, max_bytes=max_bytes, cut=cut
        )
        if answer.status in HELD and answer.retry_after_s:
            self._turns.hold(ask.url.host, answer.retry_after_s)
        return answer

    def _refuse_held(self, host: str) -> None:
        held = self._turns.held_s(host)
        if held > 0:
            raise held_back(host, held)


def _client(limits: FetchLimits, agent: str, verify: ssl.SSLContext, *, trust_env: bool) -> httpx.AsyncClient:
    """Return a client: few idle connections, since the pool looks at each for every request."""
    return httpx.AsyncClient(
        http2=True,
        verify=verify,
        trust_env=trust_env,
        headers={"user-agent": agent, "accept-encoding": ACCEPTED},
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        timeout=httpx.Timeout(limits.read_s, connect=limits.connect_s, pool=limits.total_s),
        limits=httpx.Limits(
            max_connections=limits.concurrency + IDLE_CONNECTIONS,
            max_keepalive_connections=IDLE_CONNECTIONS,
            keepalive_expiry=IDLE_S,
        ),
    )


def _fetched(url: str, final: str, answer: Answer, hops: list[str], elapsed_s: float) -> Fetched:
    etag, modified = answer.headers.get("etag", ""), answer.headers.get("last-modified", "")
    return Fetched(
        url=url,
        status=answer.status,
        final_url=final,
        fetched_at=answer.at,
        elapsed_s=elapsed_s,
        redirects=tuple(hops),
        headers=dict(answer.headers),
        body=answer.body,
        sha256=answer.sha256,
        validators=Validators(url=final, etag=etag, last_modified=modified) if etag or modified else None,
        retry_after_s=answer.retry_after_s,
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _target(url: str) -> httpx.URL:
    """Return the URL to ask, without its fragment; FetchError(kind="url") unless it is http or https."""
    try:
        target = httpx.URL(urldefrag(url.strip()).url)
    except (httpx.InvalidURL, ValueError) as error:
        raise bad_url(url) from error
    if target.scheme not in ("http", "https") or not target.host or "%" in target.host:
        raise bad_url(url)
    return target


def _onward(asked: httpx.URL, location: str) -> httpx.URL:
    try:
        return _target(urljoin(str(asked), location))
    except ValueError as error:
        raise bad_redirect(asked.host) from error


def _origin(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode('ascii')}"
