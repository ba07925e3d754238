"""What went wrong, as RFC 9457 has it: a type, a title, a status, a detail, and what to do."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from aiohttp import web

from agents.destination import UnusableError
from pipeline.errors import ConfigError, PipelineError, RetryError

MEDIA = "application/problem+json"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

logger = structlog.get_logger(__name__)


class ProblemError(Exception):
    """A request that is answered with a problem. `more` are further members of the answer."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        remedy: str = "",
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.remedy = remedy
        self.headers = headers or {}
        self.more = more

    def answer(self) -> web.Response:
        """Return the problem as an answer."""
        return problem(self.status, str(self), remedy=self.remedy, headers=self.headers, **self.more)


def problem(
    status: int, detail: str, *, remedy: str = "", headers: dict[str, str] | None = None, **more: Any
) -> web.Response:
    """Return an answer of application/problem+json."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **({"remedy": remedy} if remedy else {}),
        **more,
    }
    return web.Response(status=status, text=json.dumps(body), content_type=MEDIA, headers=headers)


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every failure with a problem; what nobody foresaw is logged and not told."""
    try:
        return await handler(request)
    except ProblemError as error:
        return error.answer()
    except web.HTTPException as error:
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
        return problem(error.status, _words(error), headers=headers)
    except msgspec.MsgspecError as error:
        return problem(422, f"the body does not fit: {error}", remedy="See /docs for what is expected")
    except PipelineError as error:
        return _foreseen(error)
    except Exception:
        resource = request.match_info.route.resource  # its pattern: a path itself may open something
        logger.exception("api.broken", path=resource.canonical if resource else "?")
        return problem(500, "this is a fault of ours; the log says more")


def _words(error: web.HTTPException) -> str:
    if error.status == 404:
        return "there is nothing at this address"
    if error.status == 413:
        return "the body is too large"
    return error.reason


def _foreseen(error: PipelineError) -> web.Response:
    """Return what a foreseen failure comes to: the caller's (422), ours to set up (503) or of the moment (503)."""
    if isinstance(error, UnusableError):
        more: dict[str, Any] = {"at": error.key} if error.key else {}
        return problem(422, str(error.args[0]), remedy=error.remedy, **more)
    if isinstance(error, ConfigError | RetryError):
        return problem(503, str(error.args[0]), remedy=error.remedy)
    return problem(422, str(error.args[0]), remedy=error.remedy)
