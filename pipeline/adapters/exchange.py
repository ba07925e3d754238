"""One request and its answer, bounded in time and size; every foreign failure becomes a FetchError."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import httpx

from pipeline.adapters.fetcherrors import fetch_error, too_large, too_slow
from pipeline.adapters.inflate import PIECE, Decoder, decoder_for
from pipeline.errors import FetchError
from pipeline.polling import Validators, http_date, retry_after
from pipeline.ports import Clock

PAGES = "text/html, application/xhtml+xml, text/plain;q=0.8, text/markdown;q=0.8, */*;q=0.5"
REDIRECTS = frozenset({301, 302, 303, 307, 308})
KEPT_HEADERS = frozenset(
    {
        b"age",
        b"cache-control",
        b"cf-mitigated",
        b"content-disposition",
        b"content-encoding",
        b"content-language",
        b"content-length",
        b"content-type",
        b"date",
        b"etag",
        b"last-modified",
        b"link",
        b"location",
        b"retry-after",
        b"server",
        b"x-amzn-waf-action",
        b"x-robots-tag",
    }
)


@dataclass(frozen=True, slots=True)
class Ask:
    """What to ask for, on what condition; `cookies` live as long as one fetch."""

    url: httpx.URL
    validators: Validators | None = None
    accept: str = ""
    language: str = ""
    cookies: httpx.Cookies | None = None

    def request(self, client: httpx.AsyncClient) -> httpx.Request:
        """Return the request, validators byte-exact, and only at the URL that gave them."""
        headers = [(b"accept", (self.accept or PAGES).encode())]
        if self.language:
            headers.append((b"accept-language", f"{self.language}, *;q=0.1".encode()))
        known = self.validators
        if known is not None and known.url == str(self.url):
            if known.etag:
                headers.append((b"if-none-match", known.etag.encode("latin-1")))
            if known.last_modified:
                headers.append((b"if-modified-since", known.last_modified.encode("latin-1")))
        request = client.build_request("GET", self.url, headers=headers)
        if self.cookies:
            self.cookies.set_cookie_header(request)
        return request

    def remember(self, response: httpx.Response) -> None:
        """Keep a redirect's cookies for the rest of this fetch: some sites turn in circles without."""
        if (
            self.cookies is not None
            and response.status_code in REDIRECTS
            and "set-cookie" in response.headers
        ):
            self.cookies.extract_cookies(response)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one request brought; `body` is decoded, None unless the status is 2xx."""

    status: int
    headers: Mapping[str, str]
    body: bytes | None
    sha256: str
    at: datetime
    retry_after_s: float | None

    @property
    def location(self) -> str:
        """Where a redirect points, as written; empty for any other answer."""
        return self.headers.get("location", "").strip() if self.status in REDIRECTS else ""


async def exchange(
    client: httpx.AsyncClient, ask: Ask, *, clock: Clock, total_s: float, max_bytes: int, cut: bool = False
) -> Answer:
    """Send one request and read its answer; a body past `max_bytes` is refused, or cut short if it may be."""
    try:
        async with asyncio.timeout(total_s):
            response = await client.send(ask.request(client), stream=True, auth=None)
            try:
                ask.remember(response)
                return await _answer(response, clock.now(), max_bytes=max_bytes, cut=cut)
            finally:
                await response.aclose()
    except FetchError:
        raise
    except TimeoutError as error:
        raise too_slow(ask.url.host, total_s) from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
        raise fetch_error(error, str(ask.url)) from error


async def _answer(response: httpx.Response, now: datetime, *, max_bytes: int, cut: bool) -> Answer:
    headers = _headers(response)
    body, digest = None, ""
    if response.is_success:
        body, digest = await _body(response, headers, max_bytes=max_bytes, cut=cut)
    return Answer(
        status=response.status_code,
        headers=headers,
        body=body,
        sha256=digest,
        at=now,
        retry_after_s=retry_after(
            headers.get("retry-after", ""), now=http_date(headers.get("date", "")) or now
        ),
    )


def _headers(response: httpx.Response) -> dict[str, str]:
    """Return the headers worth keeping, names in lower case, values byte-exact (as Latin-1)."""
    kept: dict[str, str] = {}
    for raw_name, raw_value in response.headers.raw:
        if (raw := raw_name.lower()) in KEPT_HEADERS:
            name, value = raw.decode(), raw_value.decode("latin-1")
            kept[name] = f"{kept[name]}, {value}" if name in kept else value
    return kept


async def _body(
    response: httpx.Response, headers: Mapping[str, str], *, max_bytes: int, cut: bool
) -> tuple[bytes, str]:
    """Read a body piece by piece, and hash it on the way."""
    declared = headers.get("content-length", "")
    if declared.isdigit() and int(declared) > max_bytes and not cut:
        raise too_large(response.url.host, max_bytes)
    pieces: list[bytes] = []
    digest, size = hashlib.sha256(), 0
    async for piece in _pieces(response, decoder_for(headers.get("content-encoding", ""))):
        size += len(piece)
        if size > max_bytes and not cut:
            raise too_large(response.url.host, max_bytes)
        pieces.append(piece)
        digest.update(piece)
        if size > max_bytes:
            break
    return b"".join(pieces), digest.hexdigest()


async def _pieces(response: httpx.Response, decoder: Decoder) -> AsyncIterator[bytes]:
    """Decode a body in bounded pieces, letting others run between large ones."""
    async for chunk in response.aiter_raw():
        for piece in decoder.feed(chunk):
            yield piece
            if len(piece) >= PIECE:
                await asyncio.sleep(0)
    decoder.finish()
