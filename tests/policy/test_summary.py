"""A summary is short, plain and says nothing that the texts do not say."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from pipeline.events import Change, ChangeType, Comparison, Severity, Span, Verdict, Version
from pipeline.policy.clauses import segment
from pipeline.policy.compare import compare
from pipeline.policy.summary import grounded, headline, summarise
from tests.policy import versions

SEEN = datetime(2024, 10, 17, tzinfo=UTC)
EDITS = [
    ("at least 13 years old", "at least 16 years old"),
    ("We do not sell your personal data", "We may sell your personal data"),
    ("not refundable after 30 days", "not refundable after 7 days"),
    ("keeping its data for 90 days", "keeping its data for 2 years"),
    ("We will tell you why", "We may tell you why"),
    ("12 dollars per seat", "15 dollars per seat"),
    ("You may not be made to arbitrate.", "You agree to binding arbitration and waive any class action."),
    ("You keep all rights", "You keep no rights"),
    ("March 1, 2024", "October 1, 2024"),
]


def _version(text: str) -> Version:
    return Version(text=text, clauses=segment(text))


def _compared(old: str, new: str) -> Comparison:
    return compare(_version(old), _version(new), service="Example", document="Terms of Service", seen_at=SEEN)


@pytest.mark.parametrize(("old", "new"), EDITS)
def test_grounded_summary(old: str, new: str) -> None:
    """Every number, date, name and modal of summary and headline is vouched for, within their limits."""
    found = _compared(versions.POLICY, versions.POLICY.replace(old, new))
    told = summarise(found, service="Example", document="Terms of Service", seen_at=SEEN)
    line = headline(found, service="Example", document="Terms of Service")
    assert grounded(told, found, service="Example", document="Terms of Service", seen_at=SEEN) == []
    assert len(told.split()) <= 90
    assert len(line) <= 140


@pytest.mark.parametrize(("old", "new"), EDITS[:8])
def test_names_both_sides(old: str, new: str) -> None:
    """A summary says who, and quotes what changed."""
    found = _compared(versions.POLICY, versions.POLICY.replace(old, new))
    told = summarise(found, service="Example", document="Terms of Service", seen_at=SEEN)
    assert told.startswith("Example changed")
    assert "“" in told
    assert "Seen 17 October 2024" in told


def test_new_clause_headline() -> None:
    """A headline has the service as subject, the clause's own name, and no full stop."""
    clause = "\n## 5. Mandatory arbitration\n\nYou agree to binding arbitration before JAMS and waive any class action.\n"
    line = headline(
        _compared(versions.POLICY, versions.POLICY + clause), service="Example", document="Terms of Service"
    )
    assert line.startswith("Example adds mandatory arbitration clause")
    assert not line.endswith(".")


@pytest.mark.parametrize(
    "text",
    [
        "Example adds 77 clauses.",
        "It is in force 1 May 2031.",
        "Users must pay.",
        "The plan of Acme grows.",
        "“never written”",
    ],
)
def test_ungrounded_words(text: str) -> None:
    """A number, date, modal, name or quotation that nothing vouches for is found."""
    found = _compared(versions.POLICY, versions.POLICY.replace("13", "16"))
    assert grounded(text, found, service="Example", document="Terms of Service", seen_at=SEEN)


def test_nothing_changed() -> None:
    """An equal text is said to read as before."""
    found = _compared(versions.POLICY, versions.POLICY)
    assert summarise(found, service="Example", document="Terms") == "Example’s Terms reads as before."


def test_broken_page() -> None:
    """A broken page is told as one, without a change."""
    told = summarise(Comparison(verdict=Verdict.BROKEN), service="Example", document="Terms", seen_at=SEEN)
    assert "last good one is kept" in told


def test_minor_change() -> None:
    """A change of form is said to be only that."""
    change = Change(type=ChangeType.RENUMBERED, clause_id="c", new=Span(text="Fees.", start=0, end=5))
    told = summarise(
        Comparison(verdict=Verdict.MINOR, changes=(change,)), service="Example", document="Terms"
    )
    assert "in form only" in told


@pytest.mark.parametrize(
    "text",
    [
        "Wir speichern Ihre Daten für 90 Tage und geben sie an Dritte weiter, wenn Sie nicht widersprechen.",
        "我们会将你的个人信息提供给第三方用于训练人工智能模型。如不同意，请在设置中关闭。",
        "نحتفظ ببياناتك لمدة تسعين يومًا ونشاركها مع أطراف ثالثة.",
        "(an opening bracket that never closes, and “a quotation inside that does not close either",
        "x" * 5000,
    ],
)
def test_other_texts(text: str) -> None:
    """A text in another language, or a strange one, gives a short, quoted and grounded summary."""
    change = Change(
        type=ChangeType.ADDED,
        clause_id="c",
        new=Span(text=text, start=0, end=len(text)),
        severity=Severity.LOW,
    )
    found = Comparison(verdict=Verdict.CHANGED, changes=(change,))
    told = summarise(found, service="Example", document="Terms", seen_at=SEEN)
    assert grounded(told, found, service="Example", document="Terms", seen_at=SEEN) == []
    assert len(told.split()) <= 90


def test_many_changes() -> None:
    """A large set is led by its first change and counts the others."""
    found = _compared(versions.POLICY, versions.POLICY.replace("13", "16"))
    texts = [f"Rule {'x' * (place + 1)} of the house" for place in range(33)]
    spans = [Span(text=text, start=0, end=len(text)) for text in texts]
    others = [msgspec.structs.replace(found.changes[0], old=span, new=span) for span in spans]
    many = msgspec.structs.replace(found, changes=(*found.changes, *others))
    assert "and makes 33 other changes" in headline(many, service="Example", document="Terms of Service")
    assert (
        "33 reworded" in (told := summarise(many, service="Example", document="Terms"))
        or "33 clauses reworded" in told
    )
