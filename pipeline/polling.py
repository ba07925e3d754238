"""What a poller knows about a source and what it decides: pure values and rules, no clock and no network.

Both pollers share them: when a source is read next, how long a failing one waits, when people are told
that it fails, which validators go with a request, and what an answer means.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

from msgspec import field, structs

from pipeline.errors import FetchError
from pipeline.events import BodyRef, FetchOutcome, Value

DAY_S = 86_400.0
FIRST_RETRY_S = 60.0
JITTER = 0.1  # a poll comes up to this share of its interval early or late

Jitter = Callable[[], float]
"""Gives a number from 0 up to 1, as `random.random` does."""


class Health(StrEnum):
    """How a source is doing, as an operator would say it."""

    NEW = "new"
    OK = "ok"
    FAILING = "failing"
    BLOCKED = "blocked"
    GONE = "gone"


class Validators(Value, frozen=True, kw_only=True):
    """What a server gave to ask "changed since?" with: byte-exact, and only for the URL that gave them."""

    url: str
    etag: str = ""
    last_modified: str = ""


class Fetched(Value, frozen=True, kw_only=True):
    """One answer to one fetch, redirects followed. `body` is the decoded bytes, None unless it is a 2xx.

    `redirects` holds "301 https://…" for each hop that sent us on; `sha256` is the body's (hex).
    """

    url: str
    status: int
    final_url: str
    fetched_at: datetime
    elapsed_s: float
    redirects: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    sha256: str = ""
    validators: Validators | None = None
    retry_after_s: float | None = None

    @property
    def media_type(self) -> str:
        """The media type as the server declared it, without parameters."""
        declared = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return declared or "application/octet-stream"


class Reading(Value, frozen=True, kw_only=True):
    """What an answer, or the lack of one, means for its source."""

    outcome: FetchOutcome
    health: Health = Health.OK
    reason: str = ""
    remedy: str = ""
    status: int = 0
    retry_after_s: float | None = None

    @property
    def is_good(self) -> bool:
        """Whether the source was read well."""
        return self.health is Health.OK

    @property
    def told(self) -> str:
        """The reason and what to do about it, in one line."""
        return f"{self.reason}. {self.remedy}" if self.remedy else self.reason


UNASKED_304 = Reading(
    outcome=FetchOutcome.FAILED,
    health=Health.FAILING,
    reason="status 304: the server says unchanged, and we had not asked",
    remedy="Tell the site; the page is asked for in full again by itself",
    status=304,
)


class PollState(Value, frozen=True, kw_only=True):
    """What a poller remembers of one source across restarts.

    `body` is the last page read and `confirmed` says whether a later read saw the same bytes; `seen` holds a
    feed's known entries, newest first. `told_at` is when people last heard of the present trouble. `moved_to`
    is where permanent redirects end; the source's own URL goes on being asked until somebody changes it.
    `selection` stands for the selectors that the last page was published with.
    """

    source_id: str
    url: str = ""
    health: Health = Health.NEW
    reason: str = ""
    remedy: str = ""
    status: int = 0
    failures: int = 0
    failing_since: datetime | None = None
    told_at: datetime | None = None
    attempted_at: datetime | None = None
    read_at: datetime | None = None
    full_read_at: datetime | None = None
    due_at: datetime | None = None
    validators: Validators | None = None
    body: BodyRef | None = None
    confirmed: bool = False
    seen: tuple[str, ...] = ()
    moved_to: str = ""
    selection: str = ""


def fresh_state(state: PollState | None, source_id: str, url: str) -> PollState:
    """Return the state to poll with: a source that now lies elsewhere keeps its health but no validators."""
    if state is None:
        return PollState(source_id=source_id, url=url)
    if state.url == url:
        return state
    return structs.replace(state, url=url, validators=None, full_read_at=None, due_at=None)


def usable_validators(state: PollState, now: datetime) -> Validators | None:
    """Return what to send with a conditional request; once a day none, since some servers' ETags lie."""
    if state.full_read_at is None or (now - state.full_read_at).total_seconds() >= DAY_S:
        return None
    return state.validators


def read_answer(fetched: Fetched) -> Reading:
    """Say what an answer means for its source, by status and by the marks that bot protections leave."""
    guard = _guard(fetched)
    if guard:
        return Reading(
            outcome=FetchOutcome.BLOCKED,
            health=Health.BLOCKED,
            reason=guard,
            remedy="Ask the site for access, or watch an address of the document that it serves to programs",
            status=fetched.status,
            retry_after_s=fetched.retry_after_s,
        )
    if fetched.status == 304:
        return Reading(outcome=FetchOutcome.UNCHANGED, status=304)
    if 200 <= fetched.status < 300 and fetched.status != 206:
        return Reading(outcome=FetchOutcome.OK, status=fetched.status)
    return _refusal(fetched)


def _guard(fetched: Fetched) -> str:
    if fetched.headers.get("cf-mitigated", "").lower() == "challenge":
        return "blocked by bot protection (Cloudflare challenge)"
    if fetched.headers.get("x-amzn-waf-action", "").lower() in {"challenge", "captcha"}:
        return "blocked by bot protection (AWS WAF challenge)"
    return ""


_REFUSALS: dict[int, tuple[Health, str, str]] = {
    401: (Health.BLOCKED, "the server wants a login", "Watch a public address of the document"),
    403: (Health.BLOCKED, "the server refuses us", "Ask the site for access, or watch another address"),
    404: (
        Health.GONE,
        "the page is not there",
        "Look up the document's new address and put it in its source",
    ),
    410: (
        Health.GONE,
        "the page is gone for good",
        "Look up the document's new address and put it in its source",
    ),
    429: (
        Health.BLOCKED,
        "the server says that we ask too often",
        "Raise the interval of this host's sources",
    ),
    451: (Health.BLOCKED, "withheld for legal reasons", "Watch it from a place where it is served"),
}


def _refusal(fetched: Fetched) -> Reading:
    health, words, remedy = _REFUSALS.get(
        fetched.status,
        (Health.FAILING, "the server fails" if fetched.status >= 500 else "not an answer we can use", ""),
    )
    return Reading(
        outcome=FetchOutcome.BLOCKED if health is Health.BLOCKED else FetchOutcome.FAILED,
        health=health,
        reason=f"status {fetched.status}: {words}",
        remedy=remedy,
        status=fetched.status,
        retry_after_s=fetched.retry_after_s,
    )


def read_error(error: FetchError) -> Reading:
    """Say what a failed fetch means for its source."""
    blocked = error.kind == "robots"
    return Reading(
        outcome=FetchOutcome.BLOCKED if blocked else FetchOutcome.FAILED,
        health=Health.BLOCKED if blocked else Health.FAILING,
        reason=str(error),
        remedy=error.remedy,
        retry_after_s=error.retry_after_s,
    )


def retry_after(value: str, *, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for (RFC 9110, 10.2.3), a day at most, or None.

    A date counts from `now`, which should be the answer's own Date where it has one.
    """
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value), DAY_S)
    when = http_date(value)
    return None if when is None else min(max(0.0, (when - now).total_seconds()), DAY_S)


def http_date(value: str) -> datetime | None:
    """Return the time an HTTP date names, aware UTC, or None."""
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def backoff_s(interval_s: float, failures: int, *, blocked: bool = False) -> float:
    """Return how long a source waits after its nth failure in a row: doubling, a day at most, never for ever.

    An ordinary failure is retried sooner than the next poll (the world heals); who refused us is not hurried.
    """
    first = interval_s if blocked else min(interval_s, FIRST_RETRY_S)
    return max(first, min(first * 2.0 ** min(failures - 1, 40), DAY_S))


def next_due(now: datetime, delay_s: float, *, jitter: float, at_least_s: float = 0.0) -> datetime:
    """Return when to poll next: the delay, a tenth more or less by `jitter`, not before `at_least_s`."""
    spread = delay_s * (1 - JITTER + 2 * JITTER * jitter)
    floor = at_least_s + min(at_least_s * JITTER, 60.0) * jitter
    return now + timedelta(seconds=max(spread, floor))


def is_news(state: PollState, reading: Reading, now: datetime) -> bool:
    """Say whether people should hear of this failure: the first, the third, a new kind, then once a day."""
    failures = state.failures + 1
    if failures in (1, 3) or state.told_at is None or reading.health is not state.health:
        return True
    return (now - state.told_at).total_seconds() >= DAY_S


def after_failure(
    state: PollState, reading: Reading, *, now: datetime, interval_s: float, jitter: float, told: bool
) -> PollState:
    """Return the state after a read that failed or was refused; what was last read well stays known."""
    failures = state.failures + 1
    delay = backoff_s(interval_s, failures, blocked=reading.health is Health.BLOCKED)
    return structs.replace(
        state,
        health=reading.health,
        reason=reading.reason,
        remedy=reading.remedy,
        status=reading.status,
        failures=failures,
        failing_since=state.failing_since or now,
        told_at=now if told else state.told_at,
        attempted_at=now,
        due_at=next_due(now, delay, jitter=jitter, at_least_s=reading.retry_after_s or 0.0),
    )


def after_hold(state: PollState, error: FetchError, *, now: datetime, jitter: float) -> PollState:
    """Return the state of a source whose host asked us to wait: no request was made, so nothing failed."""
    wait = error.retry_after_s or FIRST_RETRY_S
    return structs.replace(state, due_at=next_due(now, 0.0, jitter=jitter, at_least_s=wait))


def after_success(
    state: PollState, fetched: Fetched, *, now: datetime, interval_s: float, jitter: float
) -> PollState:
    """Return the state after a read that worked; body and entries are the caller's to add."""
    full = fetched.status != 304
    return structs.replace(
        state,
        health=Health.OK,
        reason="",
        remedy="",
        status=fetched.status,
        failures=0,
        failing_since=None,
        told_at=None,
        attempted_at=now,
        read_at=now,
        full_read_at=now if full else state.full_read_at,
        due_at=next_due(now, interval_s, jitter=jitter),
        validators=fetched.validators if full or fetched.validators else state.validators,
        moved_to=_moved_to(fetched),
    )


def _moved_to(fetched: Fetched) -> str:
    """Return the end of a chain of permanent redirects; one temporary hop, and the old address stands."""
    permanent = all(hop.startswith(("301 ", "308 ")) for hop in fetched.redirects)
    return fetched.final_url if fetched.redirects and permanent else ""
