"""Whether a new text is a version of its document at all."""

from __future__ import annotations

import pytest

from pipeline.events import PageState, Version
from pipeline.policy.align import align
from pipeline.policy.guard import alike, broken
from pipeline.policy.normalise import keys_of
from tests.policy.versions import POLICY, paragraph, version, without

REWRITTEN = """# Example Terms

Last updated: May 5, 2025

## Account

To open an account with us you must have reached the age of 13; the password is yours to keep safe.

An account that breaks these terms may be suspended, and we say why wherever the law allows us to.

## Content

The content that you post stays yours, with all rights; our licence lets us host, store and display it.

Personal data is not sold to advertisers, only shared with processors under our instructions.

## Fees and disputes

Monthly fees are billed in advance, 12 dollars a seat, and cannot be refunded after 30 days.

The courts of your place decide a dispute about these terms; liability is limited to what you paid in twelve months.
"""


def judged(old: Version, new: Version) -> PageState:
    keys = keys_of(old.clauses), keys_of(new.clauses)
    return broken(old, new, align(old.clauses, new.clauses), keys)


@pytest.mark.parametrize(
    "new",
    [POLICY, REWRITTEN, without("Our liability"), POLICY + POLICY.replace("a", "e")],
    ids=["itself", "rewritten", "a clause less", "twice as long"],
)
def test_versions_pass(new: str) -> None:
    """A document may be rewritten, grow or shrink and still be itself."""
    assert judged(version(), version(new)) is PageState.OK


def test_first_text_passes() -> None:
    """After an empty version anything is welcome."""
    assert judged(version(""), version()) is PageState.OK


def test_tail_lost() -> None:
    """A text that stops where the old one went on for long is cut off."""
    assert judged(version(), version(POLICY[: POLICY.index("We use the following")])) is PageState.TRUNCATED


def test_most_lost() -> None:
    """A text of which one clause is left was not read whole."""
    assert judged(version(), version(paragraph("Fees are"))) is PageState.TRUNCATED


def test_small_tail_removed() -> None:
    """A last clause that goes is a removal, not a cut."""
    assert judged(version(), version(without("Our liability"))) is PageState.OK


def test_vocabularies() -> None:
    """Two wordings of one matter are more alike than two matters."""
    one, other = keys_of(version().clauses), keys_of(version(REWRITTEN).clauses)
    recipe = ["boil the potatoes in salted water", "mash them with butter and warm milk"]
    assert alike(one, other) > 0.45 > alike(one, recipe)
