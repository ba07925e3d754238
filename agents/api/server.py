"""The server: every operation behind its scope, the description, and nothing that listens unless it is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from agents.api import leave, openapi
from agents.api.access import SHOWN, allowed
from agents.api.office import Office
from agents.api.operations import OPERATIONS, Handler, Operation
from agents.api.pages import Pages
from agents.api.problems import problems
from agents.api.requests import LARGEST_BODY, Answers
from agents.api.slack import Interactions
from agents.api.subscriptions import answer
from pipeline.errors import ConfigError

SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
}

logger = structlog.get_logger(__name__)


def application(office: Office) -> web.Application:
    """Return the API as an aiohttp application."""
    app = web.Application(middlewares=[logged, problems], client_max_size=LARGEST_BODY)
    answers = Answers()
    for operation in OPERATIONS:
        app.router.add_route(operation.method, operation.path, guarded(office, operation, answers))
    described, page = openapi.document(OPERATIONS), openapi.page(OPERATIONS)
    app.router.add_get("/openapi.json", _given(lambda: answer(described)))
    app.router.add_get("/docs", _given(lambda: web.Response(text=page, content_type="text/html")))
    app.router.add_get(leave.PATH, _open(office, leave.ask))
    app.router.add_post(leave.PATH, _open(office, leave.leave))
    app.router.add_routes(Pages(office).routes())
    interactions = Interactions(office)
    app.router.add_post("/slack/interactions", interactions.take)
    app.on_shutdown.append(interactions.close)
    app.on_response_prepare.append(_safe)
    return app


def guarded(
    office: Office, operation: Operation, answers: Answers
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return a handler that lets in who holds the scope, and acts on a repeated POST once."""

    async def handle(request: web.Request) -> web.Response:
        keys = office.registry.keys.values()
        request[SHOWN] = allowed(request.headers.get("Authorization", ""), operation.scope, keys)
        if operation.method != "POST":
            return await operation.handler(office, request)
        return await answers.once(
            request, request[SHOWN].key_id, office.now(), lambda: operation.handler(office, request)
        )

    return handle


@web.middleware
async def logged(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Log one line per request: never a header, a query or a body, which may hold secrets."""
    response = await handler(request)
    resource = request.match_info.route.resource
    logger.info(
        "api.request",
        method=request.method,
        path=resource.canonical if resource else "?",
        status=response.status,
        key=request[SHOWN].key_id if SHOWN in request else "",
    )
    return response


def _open(office: Office, handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return a handler that asks for no key: what it is sent proves itself."""

    async def handle(request: web.Request) -> web.Response:
        return await handler(office, request)

    return handle


def _given(made: Callable[[], web.Response]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        return made()

    return handle


async def _safe(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in SAFE_HEADERS.items():
        response.headers.setdefault(name, value)


@asynccontextmanager
async def listening(office: Office, *, host: str, port: int) -> AsyncIterator[int]:
    """Serve the API inside the context; gives the port, which is chosen where 0 is asked for."""
    runner = web.AppRunner(application(office), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise ConfigError(
                f"the API cannot listen on {host}:{port}: {error.strerror}", remedy="Choose another --port"
            ) from None
        chosen = int(runner.addresses[0][1])
        logger.info("api.listening", host=host, port=chosen)
        yield chosen
    finally:
        await runner.cleanup()
