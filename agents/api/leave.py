"""Leaving a mailing list in one click (RFC 8058): an opaque, signed address per recipient; POST acts, GET asks."""

from __future__ import annotations

from html import escape

from aiohttp import web

from agents import subscribe
from agents.api.office import Office
from agents.api.problems import ProblemError
from agents.subscriptions import LEFT
from pipeline.adapters.vault import Vault
from pipeline.alerts import recipients
from pipeline.errors import ConfigError
from pipeline.events import SubscriptionDeclared

MARK = "leave|"
PATH = "/unsubscribe/{token}"


def address(public_url: str, locker: Vault, part_id: str) -> str:
    """Return where a recipient leaves: whom it names is sealed, so that nobody guesses another's."""
    return f"{public_url}/unsubscribe/{locker.seal(MARK + part_id)}"


async def leave(office: Office, request: web.Request) -> web.Response:
    """Tell a reader no more at their word, and only them. Needs no cookie and no key, and does not redirect."""
    one = _named(office, request.match_info["token"])
    if one.active:
        await office.declare(subscribe.paused(one, LEFT, at=office.now()))
    return _page("You are unsubscribed", f"No more alerts of “{one.name}” will be sent to you.")


async def ask(office: Office, request: web.Request) -> web.Response:
    """Ask whether the reader means it: scanners of mail follow links, and must not unsubscribe anybody."""
    one = _named(office, request.match_info["token"])
    if not one.active:
        return _page("You are unsubscribed", f"No alerts of “{one.name}” are sent.")
    form = '<form method="post"><button name="List-Unsubscribe" value="One-Click">Unsubscribe</button></form>'
    return _page("Unsubscribe?", f"Alerts of “{one.name}” would no longer be sent to you.", form)


def _named(office: Office, token: str) -> SubscriptionDeclared:
    """Return the recipient that an address names; ProblemError 404 for one that we never gave out, or no longer.

    An address from when the list had one reader names the list: it leads nowhere once there are others.
    """
    try:
        said = office.vault().open(token)
    except (ConfigError, UnicodeError):
        said = ""
    found = office.registry.find(said.removeprefix(MARK)) if said.startswith(MARK) else None
    if found is None or len(recipients.mailboxes(found)) > 1:
        raise ProblemError(
            404, "this address leads to no subscription", remedy="Use the link of a newer mail"
        )
    return found


def _page(title: str, words: str, form: str = "") -> web.Response:
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<style>:root{color-scheme:light dark}body{font:18px/1.5 system-ui,sans-serif;max-width:36rem;"
        "margin:4rem auto;padding:0 1rem}button{font:inherit;padding:.5rem 1rem}</style></head>"
        f"<body><h1>{escape(title)}</h1><p>{escape(words)}</p>{form}</body></html>"
    )
    return web.Response(text=text, content_type="text/html")
