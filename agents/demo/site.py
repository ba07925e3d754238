"""Pages and feeds over HTTP on loopback, as of a day, with ETag, Last-Modified and conditional answers."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import datetime
from email.utils import format_datetime
from functools import partial
from types import TracebackType
from typing import Self

from aiohttp import web

from agents.demo import feeds
from agents.demo.dress import consent_wall, content, dressed, missing, reflowed, remarked
from agents.demo.story import Day, Document, Feed, Serving, Story

LOOPBACK = "127.0.0.1"
HTML = "text/html; charset=utf-8"


class Site:
    """The web of the demo: one server per service and one for the feeds, each on a free port of 127.0.0.1.

    `reads` counts the requests per source since the last `turn`.
    """

    def __init__(self, story: Story) -> None:
        self.story = story
        self.reads: Counter[str] = Counter()
        self._serving: dict[str, Serving] = {}
        self._bodies: dict[str, bytes] = {}
        self._day: Day | None = None
        self._answers = 0
        self._runners: list[web.AppRunner] = []
        self._roots: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        for service in dict.fromkeys(document.service for document in self.story.documents):
            self._roots[service] = await self._start(self._pages(service))
        self._roots["feeds"] = await self._start(self._feeds())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for runner in self._runners:
            await runner.cleanup()

    async def _start(self, app: web.Application) -> str:
        app.router.add_get("/robots.txt", _robots)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, LOOPBACK, 0).start()
        return f"http://{LOOPBACK}:{runner.addresses[0][1]}"

    def _pages(self, service: str) -> web.Application:
        app = web.Application()
        for document in self.story.documents:
            if document.service == service:
                app.router.add_get(document.path, partial(self._page, document))
        return app

    def _feeds(self) -> web.Application:
        app = web.Application()
        for feed in self.story.feeds:
            app.router.add_get(feed.path, partial(self._feed, feed))
        return app

    def url(self, source_id: str) -> str:
        """Return the address of a document or a feed."""
        for document in self.story.documents:
            if document.id == source_id:
                return self._roots[document.service] + document.path
        feed = next(feed for feed in self.story.feeds if feed.id == source_id)
        return self._roots["feeds"] + feed.path

    def turn(self, day: Day) -> None:
        """Serve from now on what stands on a day."""
        self._serving |= {serving.document: serving for serving in day.pages}
        self._bodies = {document.id: self._body(document, day) for document in self.story.documents}
        self._day = day
        self.reads.clear()

    def _body(self, document: Document, day: Day) -> bytes:
        serving = self._serving.get(document.id)
        if serving is None:
            return b""
        if serving not in day.pages:
            return self._bodies[document.id]  # unchanged to the byte
        return rendered(self.story, document, serving, day)

    async def _page(self, document: Document, request: web.Request) -> web.Response:
        self.reads[document.id] += 1
        serving, day = self._serving.get(document.id), self._day
        if serving is None or day is None:
            return web.Response(status=404, text="Not found")
        body = self._bodies[document.id]
        if serving.manner == "restless":
            self._answers += 1
            token = hashlib.sha256(f"{self._answers}".encode()).hexdigest()
            body = body.replace(b"<head>", f'<head>\n<meta name="csrf-token" content="{token}">'.encode(), 1)
        return answered(request, body, HTML, day.noon)

    async def _feed(self, feed: Feed, request: web.Request) -> web.Response:
        self.reads[feed.id] += 1
        if self._day is None:
            return web.Response(status=404, text="Not found")
        items = feeds.published(self.story, feed, by=self._day.end)
        body, media_type = feeds.written(feed, items, self._roots["feeds"])
        return answered(request, body, media_type, self._day.noon)


async def _robots(request: web.Request) -> web.Response:
    return web.Response(text="User-agent: *\nDisallow: /login\nAllow: /\n")


def rendered(story: Story, document: Document, serving: Serving, day: Day) -> bytes:
    """Return the bytes of a page as it stands on a day."""
    if serving.manner == "soft-404":
        return missing(document, day.date).encode()
    if serving.manner == "consent-wall":
        return consent_wall(document).encode()
    capture = story.page(serving)
    if serving.page.endswith(".html.gz"):
        return capture  # served as it was captured, furniture and all
    html = content(capture.decode())
    if serving.manner == "reflowed":
        html = reflowed(html)
    if serving.manner == "remarked":
        html = remarked(html)
    return dressed(html, document, serving.dress, day.date).encode()


def answered(request: web.Request, body: bytes, media_type: str, at: datetime) -> web.Response:
    """Return the body with its validators, or 304 when the client has it."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
    headers = {"ETag": etag, "Last-Modified": format_datetime(at, usegmt=True), "Cache-Control": "no-cache"}
    if request.headers.get("If-None-Match") == etag:
        return web.Response(status=304, headers=headers)
    response = web.Response(body=body, headers=headers | {"Content-Type": media_type})
    response.enable_compression()
    return response
