"""The pages that a message links: the full redline of an alert and its evidence, by an address that nobody guesses.

Read only, without a login or a cookie. Bodies are handed out as attachments and never shown: what a server sent us
is not to run here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from aiohttp import web

from agents import bundle
from agents.api import links, pages_html
from agents.api.office import Office
from agents.api.pages_html import Doors
from agents.api.pages_proof import file_name
from agents.dossier import NEW, OLD, Dossier, dossier, exhibits
from agents.told import IndexingError
from pipeline.adapters.blobs import BlobValues
from pipeline.errors import RejectError, RetryError

AT_ONCE = 4  # pages made at the same time: each may hold two bodies of up to the fetch limit
AGAIN_S = 5
LONGEST = 200  # characters of an id
SIDES = "{side:old|new}"
ATTACHED = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
UNSEEN = {
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "X-Frame-Options": "DENY",
    "Cache-Control": "private, no-store",
}

logger = structlog.get_logger(__name__)

Made = Callable[["Request", Dossier], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class Request:
    """What a page is made for: the alert's id, the tag that opened it, and the office."""

    office: Office
    alert_id: str
    tag: str
    side: str = ""


class Pages:
    """Serves the pages of alerts, a few at a time."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._room = asyncio.Semaphore(AT_ONCE)

    def routes(self) -> list[web.RouteDef]:
        """Return where the pages lie."""
        return [
            web.get(links.REDLINE, self._serving(redline)),
            web.get(links.EVIDENCE, self._serving(evidence)),
            web.get(links.BUNDLE, self._serving(zipped)),
            web.get(links.PAGE.replace("{side}", SIDES), self._serving(page)),
            web.get(links.TEXT.replace("{side}", SIDES), self._serving(text)),
        ]

    def _serving(self, make: Made) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            named = request.match_info
            asked = Request(self._office, named["id"], named["tag"], named.get("side", ""))
            answer = await self._answer(asked, make)
            answer.headers.update(UNSEEN)
            answer.headers.setdefault(
                "Content-Security-Policy", f"{pages_html.policy()}; frame-ancestors 'none'"
            )
            if answer.content_type == "text/html":
                answer.enable_compression()
            return answer

        return handle

    async def _answer(self, asked: Request, make: Made) -> web.Response:
        """Return a page, or one that says why there is none."""
        if len(asked.alert_id) > LONGEST or not links.is_ours(self._office.key, asked.alert_id, asked.tag):
            return _said(404, "There is no such page", "Use the link of a message as it stands there.")
        try:
            async with self._room:
                found = await dossier(self._office.told, BlobValues(self._office.blobs), asked.alert_id)
                if found is None:
                    return _said(
                        404, "This alert is no longer kept", "The log of the deployment holds it no more."
                    )
                return await make(asked, found)
        except (IndexingError, RetryError) as error:
            logger.warning("page.waiting", alert_id=asked.alert_id, reason=str(error))
            said = _said(
                503, "One moment", "The index of alerts is being made. This page asks again by itself."
            )
            said.headers.update({"Retry-After": str(AGAIN_S), "Refresh": str(AGAIN_S)})
            return said


async def redline(asked: Request, found: Dossier) -> web.Response:
    """Show every change of an alert."""
    return _html(await asyncio.to_thread(pages_html.redline, found, doors=_beside_redline(asked)))


async def evidence(asked: Request, found: Dossier) -> web.Response:
    """Show what an alert rests on, looked at again now."""
    shown = await exhibits(found, asked.office.blobs)
    now = asked.office.now()
    return _html(
        await asyncio.to_thread(pages_html.evidence, found, shown, now, doors=_beside_evidence(asked))
    )


async def zipped(asked: Request, found: Dossier) -> web.Response:
    """Hand out everything as one file."""
    shown, now = await exhibits(found, asked.office.blobs), asked.office.now()
    made = await asyncio.to_thread(bundle.files, found, shown, now)
    name = f"{found.alert.alert_id}-evidence"
    return _attached(await asyncio.to_thread(bundle.zipped, made, name, now), f"{name}.zip")


async def page(asked: Request, found: Dossier) -> web.Response:
    """Hand out the bytes of one of the two pages as they were served."""
    side = found.side(asked.side)
    if side is None:
        return _said(404, "There is no such page", "This alert rests on one page only.")
    try:
        body = await asked.office.blobs.get(side.page.body)
    except RejectError as error:
        return _said(404, "These bytes are gone", str(error))
    return _attached(body, file_name(found, side, "page"))


async def text(asked: Request, found: Dossier) -> web.Response:
    """Hand out the text that was extracted from one of the two pages, which offsets count in."""
    side = found.side(asked.side)
    if side is None or side.version is None:
        return _said(
            404, "There is no such text", side.fault if side else "This alert rests on one page only."
        )
    return _attached(bundle.text_of(side.version), file_name(found, side, "text"))


def _beside_redline(asked: Request) -> Doors:
    """Return where the other pages lie, seen from the redline; relative, so that a proxy may put us anywhere."""
    return Doors(evidence=f"{asked.tag}/evidence")


def _beside_evidence(asked: Request) -> Doors:
    """Return where the other pages and the files lie, seen from the evidence."""
    files = {side: {"page": f"{side}/page", "text": f"{side}/text"} for side in (OLD, NEW)}
    return Doors(redline=f"../{asked.tag}", bundle="evidence.zip", pages=files)


def _html(text_: str, status: int = 200) -> web.Response:
    return web.Response(
        status=status, body=text_.encode("utf-8", "replace"), content_type="text/html", charset="utf-8"
    )


def _said(status: int, title: str, told: str) -> web.Response:
    return _html(pages_html.message(title, told), status)


def _attached(body: bytes, name: str) -> web.Response:
    disposition = {"Content-Disposition": f'attachment; filename="{name}"', **ATTACHED}
    return web.Response(body=body, content_type="application/octet-stream", headers=disposition)
