"""Fakes of what the pollers need: answers by the list, and a memory that can fail."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipeline.errors import FetchError
from pipeline.polling import Fetched, PollState, Validators
from tests.fakes import NOON, FixedClock


def answer(
    body: bytes | None = b"", *, status: int = 200, etag: str = "", retry_after_s: float | None = None
) -> Fetched:
    """Return an answer; the fetcher fills in URL and time."""
    return Fetched(
        url="",
        status=status,
        final_url="",
        fetched_at=NOON,
        elapsed_s=0.1,
        headers={"content-type": "text/html"} | ({"etag": etag} if etag else {}),
        body=body,
        sha256=hashlib.sha256(body).hexdigest() if body is not None else "",
        validators=Validators(url="", etag=etag) if etag else None,
        retry_after_s=retry_after_s,
    )


@dataclass
class ScriptedFetcher:
    """Fetches that give the next answer of a list, and remember what they were asked."""

    clock: FixedClock
    answers: list[Fetched | FetchError]
    asked: list[Validators | None] = field(default_factory=list)

    async def fetch(
        self,
        url: str,
        *,
        validators: Validators | None = None,
        respect_robots: bool = True,
        accept: str = "",
        language: str = "",
    ) -> Fetched:
        self.asked.append(validators)
        given = self.answers.pop(0)
        if isinstance(given, FetchError):
            raise given
        known = given.validators
        return Fetched(
            url=url,
            status=given.status,
            final_url=url,
            fetched_at=self.clock.now(),
            elapsed_s=given.elapsed_s,
            headers=given.headers,
            body=given.body,
            sha256=given.sha256,
            validators=Validators(url=url, etag=known.etag) if known else None,
            retry_after_s=given.retry_after_s,
        )


class DictMemory:
    """Poll states in a dict."""

    def __init__(self, states: Iterable[PollState] = ()) -> None:
        self.states = {state.source_id: state for state in states}

    async def load(self, source_id: str) -> PollState | None:
        return self.states.get(source_id)

    async def save(self, state: PollState) -> None:
        self.states[state.source_id] = state


def later(clock: FixedClock, **by: float) -> datetime:
    """Move a clock on by a timedelta's words."""
    clock.moment += timedelta(**by)
    return clock.moment
