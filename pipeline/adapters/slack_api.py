"""Calls to Slack: its Web API with a bot token, and incoming webhooks.

They go through aiohttp and not through slack_sdk, for two reasons: the SDK repeats a call by itself when a
connection breaks, which posts a message twice, and it waits out a Retry-After in memory, where ours goes into the
outbox, which outlives the process.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import aiohttp
import msgspec

from pipeline.adapters.answers import beginning, explained, shown
from pipeline.adapters.slack_errors import MAYBE_DONE, is_passing, remedy, told
from pipeline.errors import DeliveryError, PipelineError, RefusedError
from pipeline.polling import retry_after
from pipeline.ports import Clock
from pipeline.tenure import Tenure

API = "https://slack.com/api/"
JSON, FORM = "application/json; charset=utf-8", "application/x-www-form-urlencoded"
TIMEOUT_S = 15.0
ANSWER_BYTES = 8_000_000  # a page of a channel's history is large
SPACING = timedelta(seconds=1)  # between messages to one channel, as Slack asks
RULE = "Slack takes one message a second for a channel"
PATIENCE_S = 10.0  # of a message that waits for its turn
BOOKED, FORGOTTEN = 1_000, timedelta(hours=1)


class Pace:
    """Gives each channel's messages their turns, `spacing` apart (`rule` says so), in the order asked.

    A turn that is near is waited for. One that is far is booked, and the message sent back with the time to come
    again, so that a burst fills the outbox, which is durable, and not the messages under way.
    """

    def __init__(self, clock: Clock, *, spacing: timedelta = SPACING, rule: str = RULE) -> None:
        self._clock = clock
        self._spacing = spacing
        self._rule = rule
        self._free_at: dict[str, datetime] = {}
        self._booked: dict[str, datetime] = {}

    async def turn(self, channel: str, ticket: str) -> None:
        """Wait for a message's turn; DeliveryError, which costs nothing but time, where it is far."""
        now = self._clock.now()
        at = self._booked.pop(ticket, None) or self._next(channel, now)
        wait_s = (at - now).total_seconds()
        if wait_s > PATIENCE_S:
            self._book(ticket, at, now)
            raise DeliveryError(
                f"{self._rule}: this one's turn comes in {wait_s:.0f} s",
                retry_after_s=wait_s,
                ours=True,
            )
        if wait_s > 0:
            await self._clock.sleep(wait_s)

    def _next(self, channel: str, now: datetime) -> datetime:
        at = max(self._free_at.get(channel, now), now)
        self._free_at[channel] = at + self._spacing
        return at

    def _book(self, ticket: str, at: datetime, now: datetime) -> None:
        if len(self._booked) >= BOOKED:  # of those whose time is long past, nobody came
            self._booked = {old: due for old, due in self._booked.items() if now - due < FORGOTTEN}
        self._booked[ticket] = at


class SlackSaysNoError(Exception):
    """Slack answered with an error that the same call will always meet; `word` is Slack's own."""

    def __init__(self, method: str, word: str) -> None:
        super().__init__(told(method, word))
        self.word = word

    def as_ours(self) -> RefusedError:
        """Return what the outbox is told."""
        return RefusedError(str(self), remedy=remedy(self.word))


class _Session:
    """A connection pool, opened on first use inside the loop that uses it; an async context manager."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
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

    async def _post(
        self, url: str, body: bytes, headers: Mapping[str, str], kind: str = JSON
    ) -> tuple[int, bytes, Mapping[str, str]]:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=self._timeout_s)
            self._session = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        sent = {"Content-Type": kind, **headers}
        with explained("Slack", timeout_s=self._timeout_s):
            async with self._session.post(url, data=body, headers=sent, allow_redirects=False) as response:
                return response.status, await beginning(response, ANSWER_BYTES), response.headers


class SlackApi(_Session):
    """Slack's Web API for one bot token, which never shows in an error; an async context manager."""

    def __init__(
        self,
        *,
        token: str,
        clock: Clock,
        base_url: str = API,
        timeout_s: float = TIMEOUT_S,
        tenure: Tenure | None = None,
    ) -> None:
        super().__init__(timeout_s)
        self._token = token
        self._base_url = base_url.rstrip("/") + "/"
        self.clock = clock
        self.pace = Pace(clock)
        self.tenure = tenure or Tenure(clock.now())

    async def call(self, method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a method answers; DeliveryError to try again, SlackSaysNoError where Slack will not."""
        return await self._call(method, msgspec.json.encode(arguments), JSON)

    async def look(self, method: str, arguments: Mapping[str, str | int]) -> dict[str, Any]:
        """Return what a reading method answers; those take a form, where the writing ones take JSON."""
        return await self._call(method, urlencode(arguments).encode(), FORM)

    async def _call(self, method: str, sent: bytes, kind: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}"}
        status, body, answered = await self._post(self._base_url + method, sent, headers, kind)
        if status == 429 or status >= 500:
            raise self._busy(method, status, answered)
        answer = _decoded(body)
        if answer is None:
            said = shown(body[:200], (self._token,))
            raise DeliveryError(
                f"Slack answered {method} with no JSON: {said}", status=status, ambiguous=True
            )
        if answer.get("ok") is not True:
            raise self._refusal(method, str(answer.get("error", "no reason given")), status, answered)
        return answer

    def _busy(self, method: str, status: int, headers: Mapping[str, str]) -> DeliveryError:
        hint = retry_after(headers.get("Retry-After", ""), now=self.clock.now())
        fact = (
            f"Slack limits the rate of {method}"
            if status == 429
            else f"Slack answered {method} with {status}"
        )
        return DeliveryError(fact, status=status, retry_after_s=hint, ambiguous=status >= 500)

    def _refusal(
        self, method: str, word: str, status: int, headers: Mapping[str, str]
    ) -> DeliveryError | SlackSaysNoError:
        word = shown(word.encode()[:80], (self._token,))
        if not is_passing(word):
            return SlackSaysNoError(method, word)
        hint = retry_after(headers.get("Retry-After", ""), now=self.clock.now())
        return DeliveryError(
            told(method, word), status=status, retry_after_s=hint, ambiguous=word in MAYBE_DONE
        )


class SlackHook(_Session):
    """One incoming webhook, whose URL is a secret and never shows in an error; an async context manager."""

    def __init__(self, *, url: str, clock: Clock, timeout_s: float = TIMEOUT_S) -> None:
        super().__init__(timeout_s)
        self._url = url
        self._clock = clock
        self._pace = Pace(clock)

    async def post(self, message: Mapping[str, Any], *, ticket: str) -> str:
        """Return what Slack answers to a message; DeliveryError to try again, RefusedError to give up.

        `ticket` is the message's own, by which it is known when it comes back for its turn.
        """
        await self._pace.turn("", ticket)
        status, body, headers = await self._post(self._url, msgspec.json.encode(message), {})
        said = shown(body[:200], (self._url, self._url.rpartition("/")[2])).strip()
        if status == 200:
            return said
        raise self._error(status, said, headers)

    def _error(self, status: int, said: str, headers: Mapping[str, str]) -> PipelineError:
        if status == 429 or status >= 500 or is_passing(said):
            hint = retry_after(headers.get("Retry-After", ""), now=self._clock.now())
            return DeliveryError(
                f"the Slack webhook answered {status}: {said}", status=status, retry_after_s=hint
            )
        return RefusedError(
            f"the Slack webhook answered {status}: {said}",
            status=status,
            disable=status in {404, 410},
            remedy=remedy(said),
        )


def _decoded(body: bytes) -> dict[str, Any] | None:
    try:
        answer = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    return answer if isinstance(answer, dict) else None
