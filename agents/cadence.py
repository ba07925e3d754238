"""How alerts are to be told together, as it is asked for by command or API: in groups, or as a digest."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import asdict

from agents.destination import Body, UnusableError
from pipeline.alerts.hours import DAYS, minute_of_day, zone_of
from pipeline.config.values import length
from pipeline.errors import ConfigError
from pipeline.events import Gather, Severity

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Length = Annotated[str, Meta(max_length=20)]
DIGEST = 'Write "daily 08:00" or "weekly mon 08:00"'
GROUP = 'Write "service" or "all", and how long to wait: "service 30s 5m"'
NEVER = "never"
LONGEST_S = 366 * 86_400.0


class GatherBody(Body, frozen=True, kw_only=True):
    """How alerts are told together: a `digest` (with `at`, `day` and `zone`), or groups (`by`, `wait`, `interval`).

    What reaches `urgent` is told at once.
    """

    digest: Literal["daily", "weekly"] | UnsetType = UNSET
    at: Annotated[str, Meta(max_length=5)] | UnsetType = UNSET
    day: Day | UnsetType = UNSET
    zone: Annotated[str, Meta(max_length=100)] | UnsetType = UNSET
    by: Literal["service", "all"] | UnsetType = UNSET
    wait: Length | UnsetType = UNSET
    interval: Length | UnsetType = UNSET
    urgent: Severity | None = None


GROUP_KEYS, DIGEST_KEYS = ("by", "wait", "interval"), ("digest", "at", "day", "zone")


def gather_of(asked: GatherBody | None) -> Gather | None:
    """Return how alerts are gathered as it is asked for; UnusableError with the part that is wrong."""
    if asked is None:
        return None
    given = {name: value for name, value in asdict(asked).items() if value is not UNSET}
    try:
        return _digest(asked, given) if asked.digest else _group(asked, given)
    except ConfigError as error:
        if isinstance(error, UnusableError):
            raise
        raise UnusableError(str(error.args[0]), key="gather", remedy=error.remedy) from None


def _digest(asked: GatherBody, given: dict[str, object]) -> Gather:
    _none_of(given, GROUP_KEYS, "a digest")
    if asked.digest == "daily" and asked.day:
        raise UnusableError("a daily digest has no day", key="gather.day", remedy="Ask for a weekly one")
    return Gather(
        how=asked.digest or "daily",
        at=minute_of_day(asked.at or "08:00"),
        day=DAYS.index(asked.day or "mon"),
        zone=zone_of(asked.zone or "UTC").key,
        urgent=asked.urgent,
    )


def _group(asked: GatherBody, given: dict[str, object]) -> Gather:
    _none_of(given, DIGEST_KEYS, "a group")
    if not any(name in given for name in GROUP_KEYS):
        raise UnusableError("this gathers nothing", key="gather", remedy="Write digest, or by: service")
    return Gather(
        how="group",
        by=asked.by or "service",
        wait_s=_seconds(asked.wait or "30s", "wait"),
        interval_s=_seconds(asked.interval or "5m", "interval"),
        urgent=asked.urgent,
    )


def _none_of(given: dict[str, object], names: tuple[str, ...], what: str) -> None:
    for name in names:
        if name in given:
            raise UnusableError(f'{what} has no "{name}"', key=f"gather.{name}", remedy="Leave it out")


def _seconds(written: str, name: str) -> float:
    seconds = length(written)
    if not 0 <= seconds <= LONGEST_S:
        raise UnusableError(
            f'"{written[:20]}" is no length of time', key=f"gather.{name}", remedy="Write 30s, 5m or 1d"
        )
    return seconds


def written(digest: str, group: str, *, zone: str, urgent: Severity | None) -> GatherBody | UnsetType | None:
    """Return what two options of the command line ask for: UNSET where nothing is said, None for each at once."""
    if NEVER in {digest, group}:
        return None
    if digest and group:
        raise UnusableError("a digest is one group of everything", key="digest", remedy="Give one of the two")
    if digest:
        return _asked({**_digest_of(digest.split()), "zone": zone, "urgent": urgent}, digest, DIGEST)
    return _asked({**_named(GROUP_KEYS, group.split()), "urgent": urgent}, group, GROUP) if group else UNSET


def _digest_of(words: list[str]) -> dict[str, str]:
    has_day = words[:1] == ["weekly"] and any(":" not in word for word in words[1:2])
    return _named(("digest", "day", "at") if has_day else ("digest", "at"), words)


def _named(names: tuple[str, ...], words: list[str]) -> dict[str, str]:
    return dict(zip(names, words, strict=False)) if len(words) <= len(names) else {}


def _asked(words: dict[str, Any], said: str, remedy: str) -> GatherBody:
    try:
        return msgspec.convert(words, GatherBody)
    except msgspec.ValidationError:
        raise UnusableError(f'"{said[:40]}" asks for nothing known', key="gather", remedy=remedy) from None
