"""What is silenced, and why."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from msgspec.structs import replace

from pipeline.alerts.silence import matcher, meets, silenced, traits
from pipeline.errors import ConfigError
from pipeline.events import AlertRaised, Matcher, Severity, SilenceDeclared
from tests.alerts.samples import DOCUMENT, SEEN, change

ALERT = AlertRaised(
    alert_id="alt-1",
    kind="change",
    raised_at=SEEN,
    title="X changes",
    summary="",
    severity=Severity.LOW,
    service="X",
    document=DOCUMENT,
    categories=("sharing",),
    changes=(change(),),
    language="en",
)


def silence(*written: str, **also: object) -> SilenceDeclared:
    given = {"starts_at": SEEN, "ends_at": SEEN + timedelta(hours=2), "declared_at": SEEN, **also}
    return SilenceDeclared(silence_id="sil-1", matchers=tuple(map(matcher, written)), **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "met"),
    [
        ("service=X", True),
        ("service=x,Meta", True),
        ("service!=X", False),
        ("service=Y", False),
        ("service!=Y", True),
        ("document=x-*", True),
        ("document=*privacy*", True),
        ("category=sharing", True),
        ("severity=low,info", True),
        ("severity!=critical", True),
        ("kind=story", False),
        ("watch=anything", False),
        ("watch!=anything", True),
        ("clause=clause-1", True),
        ("clause=clause-2", False),
        ("alert=alt-1", True),
        ("thread=x-privacy", True),
        ("language=e*", True),
    ],
)
def test_matcher_meets_traits(written: str, met: bool) -> None:
    """A matcher asks for one of its words, any case, with stars; negated for none of them."""
    assert meets(matcher(written), traits(ALERT)) is met


def test_every_matcher_must_meet() -> None:
    """A silence holds only for what meets all its matchers."""
    assert silenced(ALERT, "me", [silence("service=X", "severity=low")], at=SEEN)
    assert not silenced(ALERT, "me", [silence("service=X", "severity=high")], at=SEEN)


@pytest.mark.parametrize(("minutes", "holds"), [(-1, False), (0, True), (119, True), (120, False)])
def test_silence_holds_for_its_time(minutes: int, holds: bool) -> None:
    """A silence holds from its beginning until before its end."""
    at = SEEN + timedelta(minutes=minutes)
    assert bool(silenced(ALERT, "me", [silence("service=X")], at=at)) is holds


def test_silence_concerns_whom_it_names() -> None:
    """A silence of one subscription leaves the others told."""
    one = silence("service=X", subscriptions=("me",))
    assert silenced(ALERT, "me", [one], at=SEEN)
    assert not silenced(ALERT, "you", [one], at=SEEN)


def test_alert_with_another_clause_is_told() -> None:
    """A muted clause does not hide another one that changes at the same time."""
    both = replace(ALERT, changes=(*ALERT.changes, change(clause_id="clause-2")))
    assert not silenced(both, "me", [silence("clause=clause-1")], at=SEEN)


def test_reason_names_author_and_end() -> None:
    """Who asks why hears which silence, whose, and until when."""
    told = silenced(ALERT, "me", [silence("service=X", author="dana", comment="relaunch")], at=SEEN)
    assert "sil-1" in told
    assert "dana" in told
    assert "relaunch" in told


@pytest.mark.parametrize(
    "written", ["", "X", "colour=red", "service=", "service=,", "service~X", "=X", "service= , "]
)
def test_matcher_that_asks_nothing_is_refused(written: str) -> None:
    """What is no matcher is told with an example."""
    with pytest.raises(ConfigError):
        matcher(written)


def test_hostile_word_costs_little() -> None:
    """A word full of stars, against a long name that almost fits, is answered at once."""
    word = Matcher(what="service", words=("*a" * 90 + "*b",))
    started = time.process_time()
    meets(word, {"service": frozenset({"a" * 200})})
    assert time.process_time() - started < 1.0
