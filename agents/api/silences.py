"""Silences over HTTP: declared until a time, seen, ended. The rules are those of `clausewire silence`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from aiohttp import web
from msgspec import Struct

from agents import silence
from agents.api.access import SHOWN
from agents.api.office import Office
from agents.api.problems import ProblemError
from agents.api.requests import body, page, query
from agents.api.subscriptions import answer
from agents.silence import NewSilence
from pipeline.events import Matcher, SilenceDeclared

MOST = 1_000  # silences that hold at a time
STATES = ("active", "all")


class SilenceView(Struct, frozen=True, kw_only=True):
    """A silence as it is shown; `active` says whether it holds now, `state` is pending, active or over."""

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    declared_at: datetime
    subscriptions: tuple[str, ...]
    author: str
    comment: str
    state: str


class SilencePage(Struct, frozen=True, kw_only=True):
    """A part of the list of silences; `next_cursor` asks for the next, null at the end."""

    items: list[SilenceView]
    next_cursor: str | None


def view(one: SilenceDeclared, now: datetime) -> SilenceView:
    """Return a silence as it is shown at a time."""
    state = "over" if not silence.holds(one, now) else "pending" if one.starts_at > now else "active"
    return SilenceView(
        id=one.silence_id,
        matchers=one.matchers,
        starts_at=one.starts_at,
        ends_at=one.ends_at,
        declared_at=one.declared_at,
        subscriptions=one.subscriptions,
        author=one.author,
        comment=one.comment,
        state=state,
    )


async def create(office: Office, request: web.Request) -> web.Response:
    """Declare a silence; it ends by itself."""
    wanted, now = await body(request, NewSilence), office.now()
    query(request, ())
    name = _identity(request, now, wanted)
    if before := office.registry.silences.get(name):  # made before this process started
        return answer(view(before, now), 201, **{"Idempotent-Replayed": "true"})
    if sum(silence.holds(one, now) for one in office.registry.silences.values()) >= MOST:
        raise ProblemError(409, f"there are {MOST:,} silences already")
    known = office.registry.by_id
    author = f"{request[SHOWN].name or request[SHOWN].key_id} (API)"
    made = silence.made(wanted, silence_id=name, at=now, known=known, author=author[:200])
    await office.declare(made)
    return answer(view(office.registry.silences[name], now), 201, Location=f"/v1/silences/{name}")


def _identity(request: web.Request, now: datetime, wanted: NewSilence) -> str:
    """Return the identity of what is to be made: the same for the same Idempotency-Key, for ever."""
    given = request.headers.get("Idempotency-Key", "")
    return (
        silence.new_id(request[SHOWN].key_id, given)
        if given
        else silence.new_id(now, wanted, request[SHOWN].key_id)
    )


async def list_all(office: Office, request: web.Request) -> web.Response:
    """List the silences that are not over, or all that are remembered."""
    asked, now = query(request, ("limit", "cursor", "state")), office.now()
    if asked.get("state", STATES[0]) not in STATES:
        raise ProblemError(400, f"state is one of {', '.join(STATES)}")
    every = asked.get("state") == "all"
    kept: Sequence[SilenceDeclared] = [
        one for one in office.registry.silences.values() if every or silence.holds(one, now)
    ]
    views = sorted((view(one, now) for one in kept), key=_place)
    return answer(page(views, asked, key=_place))


def _place(one: SilenceView) -> str:
    return f"{one.ends_at.isoformat()} {one.id}"


async def show(office: Office, request: web.Request) -> web.Response:
    """Show a silence."""
    query(request, ())
    return answer(view(_known(office, request), office.now()))


async def end(office: Office, request: web.Request) -> web.Response:
    """End a silence now; one that is over is not there to be ended."""
    query(request, ())
    found, now = _known(office, request), office.now()
    if not silence.holds(found, now):
        raise ProblemError(404, "this silence is over")
    await office.declare(silence.ended(found, at=now))
    return web.Response(status=204)


def _known(office: Office, request: web.Request) -> SilenceDeclared:
    found = office.registry.silences.get(request.match_info["id"])
    if found is None:
        raise ProblemError(404, "there is no such silence")
    return found
