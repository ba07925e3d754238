"""What can be done to a silence, by command or API: declared until a time, ended before. All as values."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from agents.destination import UnusableError
from pipeline.alerts.silence import check
from pipeline.errors import ConfigError
from pipeline.events import Matcher, SilenceDeclared, derived_id

LONGEST = timedelta(days=366)
SOONEST = timedelta(minutes=1)
COMMENT = 500

Word = Annotated[str, Meta(min_length=1, max_length=200)]


class Asks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a silence asks of an alert: a trait that is one of some words; a word may hold `*`."""

    what: Annotated[str, Meta(max_length=30)]
    words: Annotated[tuple[Word, ...], Meta(min_length=1, max_length=50)]
    negated: bool = False


class NewSilence(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A silence to be declared: alerts that meet all matchers are not told until it ends.

    `starts_at` is now unless it is said; `subscriptions` are ids, none of them means everybody.
    """

    matchers: Annotated[tuple[Asks, ...], Meta(min_length=1, max_length=20)]
    ends_at: datetime
    starts_at: datetime | None = None
    subscriptions: Annotated[tuple[Word, ...], Meta(max_length=100)] = ()
    comment: Annotated[str, Meta(max_length=COMMENT)] = ""


def made(
    wanted: NewSilence, *, silence_id: str, at: datetime, known: Collection[str], author: str
) -> SilenceDeclared:
    """Return the silence that is asked for, in UTC; UnusableError with the part that is wrong.

    `known` are the ids of the subscriptions that there are.
    """
    starts = max(_aware("starts_at", wanted.starts_at), at) if wanted.starts_at else at
    ends = _aware("ends_at", wanted.ends_at)
    if not SOONEST <= ends - starts <= LONGEST:
        raise UnusableError(
            "a silence lasts from a minute to a year",
            key="ends_at",
            remedy="Give ends_at as a time to come, such as 2024-10-18T08:00:00Z",
        )
    for name in wanted.subscriptions:
        if name not in known:
            raise UnusableError("there is no such subscription", key="subscriptions", remedy="Give their ids")
    return SilenceDeclared(
        silence_id=silence_id,
        matchers=_matchers(wanted.matchers),
        starts_at=starts.astimezone(UTC),
        ends_at=ends.astimezone(UTC),
        declared_at=at,
        subscriptions=wanted.subscriptions,
        author=author,
        comment=wanted.comment,
    )


def ended(known: SilenceDeclared, *, at: datetime) -> SilenceDeclared:
    """Return a silence that is over; one that was not to begin yet never does."""
    return replace(known, starts_at=min(known.starts_at, at), ends_at=at, declared_at=at)


def holds(known: SilenceDeclared, at: datetime) -> bool:
    """Say whether a silence is not over."""
    return known.ends_at > at


def new_id(*parts: object) -> str:
    """Return the identity of a silence, short enough to be typed."""
    return derived_id("sil", *parts)[:16]


def _matchers(asked: Iterable[Asks]) -> tuple[Matcher, ...]:
    made_ = tuple(
        Matcher(what=one.what, words=tuple(word.strip() for word in one.words), negated=one.negated)
        for one in asked
    )
    try:
        check(made_)
    except ConfigError as error:
        raise UnusableError(str(error.args[0]), key="matchers", remedy=error.remedy) from None
    return made_


def _aware(name: str, moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise UnusableError(f"{name} has no time zone", key=name, remedy="Write 2024-10-18T08:00:00Z")
    return moment
