"""Severity is of the change: direction, money, rights given up and novelty, with the arithmetic told."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.events import Change, ChangeType, Severity, Span, Version
from pipeline.policy.assess import assess
from pipeline.policy.redline import redline

SEEN = datetime(2024, 10, 17, tzinfo=UTC)
DAMAGES = (
    "You agree that if you break these Terms you will be jointly and severally liable to us for liquidated damages "
    "for viewing more than 1,000,000 posts in any 24-hour period - $15,000 USD per 1,000,000 posts."
)
COLLABORATORS = (
    "Third-party collaborators. Depending on your settings we may share or disclose your information with third "
    "parties. If you do not opt out, the recipients may use it for their own independent purposes, for example to "
    "train their artificial intelligence models, whether generative or otherwise."
)
ARBITRATION = (
    "You and we agree to resolve any dispute by binding arbitration before the American Arbitration Association, "
    "and you waive your right to a jury trial and to take part in a class action."
)
COURIERS = "We store the name of the courier that brings your parcel, so that you know whom to thank for it."


def _change(kind: ChangeType, old: str = "", new: str = "", path: tuple[str, ...] = ("Terms",)) -> Change:
    spans = [Span(text=text, start=0, end=len(text)) if text else None for text in (old, new)]
    return Change(
        type=kind, clause_id="c-1", heading_path=path, old=spans[0], new=spans[1], redline=redline(old, new)
    )


def _assess(*changes: Change, effective: str | None = "2024-11-15") -> tuple[Change, ...]:
    old = Version(text="Terms. You may use the service. We store your name and your posts.", clauses=())
    new = Version(text=" ".join(change.new.text for change in changes if change.new), clauses=())
    return assess(changes, old=old, new=new, seen_at=SEEN, effective_date=effective)


@pytest.mark.parametrize(
    ("text", "category", "floor"),
    [
        (DAMAGES, {"scraping_api_limits", "liability_cap"}, Severity.HIGH),
        (COLLABORATORS, {"third_party_sharing", "ai_training"}, Severity.HIGH),
        (ARBITRATION, {"arbitration_class_waiver"}, Severity.CRITICAL),
    ],
)
def test_weighty_clause(text: str, category: set[str], floor: Severity) -> None:
    """A clause that takes a right away or costs money is severe where it is new."""
    change = _assess(_change(ChangeType.ADDED, new=text))[0]
    assert change.category in category
    assert change.severity.rank >= floor.rank


def test_typo_in_arbitration() -> None:
    """A slip of spelling in a critical clause is at most low."""
    slip = ARBITRATION.replace("agree to resolve", "agre to resolve")
    change = _assess(_change(ChangeType.MODIFIED, slip, ARBITRATION))[0]
    assert change.severity.rank <= Severity.LOW.rank


@pytest.mark.parametrize(
    "kind", [ChangeType.MOVED, ChangeType.RENUMBERED, ChangeType.REFORMATTED, ChangeType.DATE_ONLY]
)
def test_form_only(kind: ChangeType) -> None:
    """A change of form is at most low, whatever its clause is about."""
    assert _assess(_change(kind, ARBITRATION, ARBITRATION))[0].severity.rank <= Severity.LOW.rank


def test_most_important_first() -> None:
    """Changes are told most important first, whatever their order in the document."""
    plain, weighty = _change(ChangeType.ADDED, new=COURIERS), _change(ChangeType.ADDED, new=DAMAGES)
    assert [change.new.text for change in _assess(plain, weighty) if change.new] == [DAMAGES, COURIERS]


def test_direction_counts() -> None:
    """The same value moved against the reader weighs more than one moved in the reader's favour."""
    short, long = "We keep your messages for 30 days.", "We keep your messages for 90 days."
    worse = _assess(_change(ChangeType.MODIFIED, short, long))[0]
    better = _assess(_change(ChangeType.MODIFIED, long, short))[0]
    assert worse.score > better.score


def test_one_turned_word() -> None:
    """A reversal of one word weighs more than a rewording of many."""
    turned = _change(
        ChangeType.MODIFIED, "We will not sell your personal data.", "We will sell your personal data."
    )
    reworded = _change(
        ChangeType.MODIFIED, "We store the name you give.", "We save the names that you provide to us."
    )
    assert _assess(turned)[0].score > _assess(reworded)[0].score


def test_arithmetic_is_told() -> None:
    """The reasons end with the sum that the severity stands for."""
    change = _assess(_change(ChangeType.ADDED, new=DAMAGES))[0]
    assert change.reasons[-1] == f"sum {change.score:.1f} → {change.severity.value}"
    assert any("money" in reason for reason in change.reasons)


def test_short_notice() -> None:
    """Less than thirty days from reading to force counts, and is told."""
    assert any(
        "days of notice" in reason
        for reason in _assess(_change(ChangeType.ADDED, new=ARBITRATION))[0].reasons
    )


def test_assessed_twice() -> None:
    """Assessing again changes nothing."""
    once = _assess(_change(ChangeType.ADDED, new=DAMAGES))
    assert _assess(*once) == once


def test_bad_date() -> None:
    """A date that is only a month, or no date at all, does no harm."""
    assert _assess(_change(ChangeType.ADDED, new=DAMAGES), effective="2024-11")[0].score > 0


def test_no_changes() -> None:
    """Nothing in, nothing out."""
    assert _assess() == ()
