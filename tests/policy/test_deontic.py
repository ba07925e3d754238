"""Whose a modal is, what it says, and where an edit turns it around."""

from __future__ import annotations

import pytest

from pipeline.policy.deontic import duties, flips

DUTIES = [
    ("We may share your data.", "we", "permission", "share"),
    ("You must not scrape the Services.", "you", "prohibition", "scrape"),
    ("Third parties may use the data.", "third_party", "permission", "use"),
    ("You have the right to object.", "you", "entitlement", "object"),
    ("We are not obligated to reply.", "we", "no_obligation", "reply"),
    ("You agree to pay the fee.", "you", "obligation", "pay"),
    ("We do not sell data.", "we", "refrains", "sell"),
]
FLIPS = [
    ("We may keep it.", "We must keep it.", "permission → obligation"),
    ("You can appeal.", "You cannot appeal.", "permission → prohibition"),
    ("We never share it.", "We share it.", "refrains → none"),
    (
        "We will not use it for ads, as before.",
        "We will use it for ads, as before.",
        "prohibition → obligation",
    ),
    ("We are required to ask you.", "We are not required to ask you.", "obligation → no_obligation"),
]


@pytest.mark.parametrize(("text", "actor", "modality", "verb"), DUTIES)
def test_duty(text: str, actor: str, modality: str, verb: str) -> None:
    """A modal is told with its actor, its force and its verb."""
    duty = next(duties(text))
    assert (duty.actor, duty.modality, duty.verb) == (actor, modality, verb)


@pytest.mark.parametrize(("old", "new", "note"), FLIPS)
def test_flip(old: str, new: str, note: str) -> None:
    """A turned modal is found however small the edit."""
    assert note in [fact.note for fact in flips(old, new)]


def test_long_clause() -> None:
    """One turned word in a long clause is found, and found once."""
    long = "It depends on many things, such as the law. " * 40
    found = flips(f"{long}We may share it. {long}", f"{long}We will share it. {long}")
    assert [fact.note for fact in found] == ["permission → obligation"]


def test_month_of_may() -> None:
    """The month of May is no modal."""
    assert list(duties("In force since May 2024 and dated May 3.")) == []


def test_reworded_without_turn() -> None:
    """An edit that leaves the modals alone is no flip."""
    assert flips("We may share your data.", "We may share your personal data.") == ()
