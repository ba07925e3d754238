"""What a request says: its body, its query, the page of a list that it asks for, the answer it was given before."""

from __future__ import annotations

import binascii
import hashlib
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

import msgspec
from aiohttp import web

from agents.api.problems import ProblemError

T = TypeVar("T")

LARGEST_BODY = 64 * 1024
PAGE, LARGEST_PAGE = 50, 200
REMEMBERED = 10_000
REMEMBERED_FOR = timedelta(hours=24)


async def body(request: web.Request, kind: type[T]) -> T:
    """Return a request's JSON body; ProblemError 400, 413, 415 or 422 says what is wrong with it."""
    if request.content_type != "application/json":
        raise ProblemError(415, "a body of application/json is expected")
    data = await request.read()
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise ProblemError(422, f"the body does not fit: {error}", remedy="See /docs") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProblemError(400, f"the body is not JSON: {error}") from None


def query(request: web.Request, known: Iterable[str]) -> dict[str, str]:
    """Return the parameters of a query; ProblemError 400 for an unknown or repeated one."""
    names = set(known)
    for name in request.query:
        if name not in names:
            raise ProblemError(
                400,
                f"there is no parameter {name[:60]!r}",
                remedy=f"Known: {', '.join(sorted(names)) or 'none'}",
            )
        if len(request.query.getall(name)) > 1:
            raise ProblemError(400, f"the parameter {name} is given twice")
    return dict(request.query)


def page(items: Sequence[T], asked: dict[str, str], *, key: Callable[[T], str]) -> dict[str, Any]:
    """Return the page of a list that is asked for, and the cursor of the next; `items` are in the order of `key`."""
    limit = limit_of(asked)
    after = _after(asked["cursor"]) if "cursor" in asked else None
    rest = [item for item in items if after is None or key(item) > after]
    more = len(rest) > limit
    return {"items": rest[:limit], "next_cursor": _cursor(key(rest[limit - 1])) if more else None}


def limit_of(asked: Mapping[str, str]) -> int:
    """Return how many entries a page is to have; ProblemError 400 for what is no such number."""
    written = asked.get("limit", str(PAGE))
    if written.isascii() and written.isdecimal() and 1 <= int(written[:9]) <= LARGEST_PAGE:
        return int(written)
    raise ProblemError(400, f"limit is a number from 1 to {LARGEST_PAGE}")


def cursor(at: int, name: str) -> str:
    """Return the cursor that asks for what comes after an entry of a time and an identity."""
    return _cursor(f"{at} {name}")


def place_of(written: str) -> tuple[int, str]:
    """Return the entry that a cursor names; ProblemError 422 for one that is none of ours."""
    at, _, name = _after(written).partition(" ")
    if not (name and re.fullmatch(r"-?\d{1,18}", at, re.ASCII)):
        raise ProblemError(422, "this cursor is none of ours", remedy="Begin without one")
    return int(at), name


def _cursor(last: str) -> str:
    return urlsafe_b64encode(last.encode()).decode().rstrip("=")


def _after(cursor: str) -> str:
    try:
        return urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError):
        raise ProblemError(422, "this cursor is none of ours", remedy="Begin without one") from None


class Remembered(NamedTuple):
    """An answer that was given, and to what."""

    digest: bytes
    at: datetime
    status: int
    text: str


class Answers:
    """The answers to requests with an Idempotency-Key, kept for a day: the same request again has the same answer."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], Remembered] = OrderedDict()
        self._working: set[tuple[str, str]] = set()

    async def once(
        self, request: web.Request, key_id: str, now: datetime, act: Callable[[], Awaitable[web.Response]]
    ) -> web.Response:
        """Return the answer to a request, acting on it only the first time.

        ProblemError 422 where the key came with another request, 409 while the first is still at work.
        """
        given = request.headers.get("Idempotency-Key", "")
        if not given:
            return await act()
        if len(given) > 255 or not all("!" <= char <= "~" for char in given):
            raise ProblemError(
                400, "an Idempotency-Key has up to 255 printable ASCII characters and no blanks"
            )
        place = (key_id, given)
        digest = hashlib.sha256(f"{request.method} {request.path} ".encode() + await request.read()).digest()
        before = self._kept.get(place)
        if before and now - before.at < REMEMBERED_FOR:
            return _again(before, digest)
        return await self._first(place, digest, now, act)

    async def _first(
        self,
        place: tuple[str, str],
        digest: bytes,
        now: datetime,
        act: Callable[[], Awaitable[web.Response]],
    ) -> web.Response:
        if place in self._working:
            raise ProblemError(409, "the first request with this Idempotency-Key is still at work")
        self._working.add(place)
        try:
            answer = await act()
        finally:
            self._working.discard(place)
        self._kept[place] = Remembered(digest, now, answer.status, answer.text or "")
        while len(self._kept) > REMEMBERED:
            self._kept.popitem(last=False)
        return answer


def _again(before: Remembered, digest: bytes) -> web.Response:
    if before.digest != digest:
        raise ProblemError(422, "this Idempotency-Key came with another request")
    return web.Response(
        status=before.status,
        text=before.text,
        content_type="application/json",
        headers={"Idempotent-Replayed": "true"},
    )
