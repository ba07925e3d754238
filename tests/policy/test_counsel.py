"""Readers are told what a counsel would tell them: who pays, which way it turns, in whole words, each thing once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.events import Change, Comparison, Severity, Version
from pipeline.policy.classify import categories
from pipeline.policy.clauses import segment
from pipeline.policy.compare import compare
from pipeline.policy.facts import changed_facts
from pipeline.policy.headline import headline
from pipeline.policy.summary import grounded, summarise

SEEN = datetime(2024, 10, 17, tzinfo=UTC)
FRAME = (
    "# Terms\n\n## Use of the site\n\nThe first paragraph stays the same in both of the versions.\n\n{}\n\n"
    "The last paragraph stays as it is for everyone.\n"
)
DAMAGES = (
    "You agree that if you break these Terms you will be jointly and severally liable to us for liquidated damages "
    "for viewing more than 1,000,000 posts in any 24-hour period - {} per 1,000,000 posts."
)
CAP = (
    "In no event will our total liability to you for liquidated damages or any other loss exceed 100 dollars."
)
RECOURSE = (
    "If you have an unresolved complaint under the Privacy Shield, contact our dispute resolution provider JAMS. "
    "Under certain conditions you may be entitled to invoke binding arbitration."
)
WAIVER = (
    "You and we agree to binding arbitration and you waive any class action, also under the Privacy Shield."
)


def _version(text: str) -> Version:
    return Version(text=text, clauses=segment(text))


def _compared(old: str, new: str) -> Comparison:
    texts = (FRAME.format(text) for text in (old, new))
    return compare(*map(_version, texts), service="Example", document="Terms", seen_at=SEEN)


def _told(found: Comparison) -> str:
    return summarise(found, service="Example", document="Terms", seen_at=SEEN)


def _line(found: Comparison) -> str:
    return headline(found, service="Example", document="Terms")


def _first(old: str, new: str) -> Change:
    return _compared(old, new).changes[0]


def test_reader_pays() -> None:
    """Damages that the reader owes are no limit of the company's liability, and are told as owed."""
    found = _compared("", DAMAGES.format("$15,000"))
    assert found.changes[0].category == "scraping_api_limits"
    assert "owes the company money" in _told(found)
    assert "answers for less" not in _told(found)


@pytest.mark.parametrize(
    ("text", "named", "silent"),
    [
        (CAP, "liability_cap", "indemnity"),
        (DAMAGES.format("$15,000"), "indemnity", "liability_cap"),
        (RECOURSE, "", "arbitration_class_waiver"),
        (WAIVER, "arbitration_class_waiver", ""),
    ],
    ids=["company limited", "reader liable", "recourse", "waiver"],
)
def test_words_of_another_kind(text: str, named: str, silent: str) -> None:
    """A clause that uses the words of a category for its reverse is not put there; one that means it is."""
    told = categories(text)
    assert not named or named in told
    assert silent not in told


@pytest.mark.parametrize(
    ("old", "new", "least"),
    [
        ("Fees are monthly and are not refundable.", "Fees are monthly and are refundable.", Severity.MEDIUM),
        ("The licence is revocable at any time.", "The licence is irrevocable at any time.", Severity.MEDIUM),
        ("Joining in is optional for members.", "Joining in is mandatory for members.", Severity.MEDIUM),
        (
            "All courts, including yours, may hear it.",
            "All courts, excluding yours, may hear it.",
            Severity.MEDIUM,
        ),
        ("We may tell you about the garden.", "We will tell you about the garden.", Severity.MEDIUM),
        ("We will not sell your personal data.", "We will sell your personal data.", Severity.HIGH),
        ("Your data will not be sold to anyone.", "Your data will be sold to anyone.", Severity.HIGH),
        ("We never share your messages with firms.", "We share your messages with firms.", Severity.HIGH),
        ("We keep logs for 30 days after use.", "We keep logs for 90 days after use.", Severity.MEDIUM),
        ("You can get a refund within 30 days.", "You can get a refund within 14 days.", Severity.MEDIUM),
        (
            "You must be at least 13 years old to join.",
            "You must be at least 16 years old to join.",
            Severity.LOW,
        ),
    ],
)
def test_turned_meaning(old: str, new: str, least: Severity) -> None:
    """A few words that turn a meaning, or a number moved against the reader, weigh in however harmless a clause."""
    assert _first(old, new).severity.rank >= least.rank


def test_turned_in_a_long_clause() -> None:
    """A promise taken back in a clause of thousands of characters is as grave as in a short one."""
    around = (
        "We describe here how the service works and what it is for, with examples that help people. " * 17
    )
    told = _first(
        f"{around}We will not sell your data to anyone. {around}",
        f"{around}We will sell your data to anyone. {around}",
    )
    assert told.severity.rank >= Severity.HIGH.rank


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("The logo of the firm is blue.", "The logo of the firm is green."),
        ("We store the name you give.", "We store the name that you give."),
        ("We log visits whether or not you agree.", "We log visits whether you agree."),
        ("It is not known when the shop opens.", "It is not yet known when the shop opens."),
    ],
)
def test_no_turn(old: str, new: str) -> None:
    """A word exchanged for another turns nothing by itself."""
    assert not [fact for fact in changed_facts(old, new) if fact.kind == "reversal"]
    assert _first(old, new).severity.rank <= Severity.LOW.rank


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("Fees are not refundable by card.", "Fees are refundable by card.", "drops “not” from a clause"),
        (
            "We will not sell your data.",
            "We will sell your data.",
            "changes “will not” to “will” in a clause",
        ),
        (
            "Joining in is optional here.",
            "Joining in is mandatory here.",
            "changes “optional” to “mandatory”",
        ),
    ],
)
def test_turn_in_headline(old: str, new: str, line: str) -> None:
    """A headline names the words that turned, and they are grounded."""
    found = _compared(old, new)
    assert line in _line(found)
    assert grounded(_line(found), found, service="Example", document="Terms") == []


def test_whole_words_of_both_sides() -> None:
    """Both wordings are quoted from the same word on, each to the end of its sentence."""
    told = _told(_compared("Write to us and we answer within ten days.", "Write to us and we answer soon."))
    assert "“Write to us and we answer within ten days” became “Write to us and we answer soon”" in told


def test_inserted_sentence() -> None:
    """A sentence that came is quoted itself, without the full stop before it."""
    told = _told(_compared("We use cookies.", "We use cookies. Our partners read them as well as we do."))
    assert "it now says “Our partners read them as well as we do”" in told


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (
            "You can opt out in your account settings at any time.",
            "To act: “You can opt out in your account settings",
        ),
        ("You can opt out whenever you like to do so.", ""),
    ],
)
def test_where_to_act(text: str, part: str) -> None:
    """What to do is told with where to do it, or not at all."""
    clause = (
        f"We share your data with partners, who use it for their own purposes such as ads for shoes. {text}"
    )
    told = _told(_compared("", clause))
    assert (part in told) if part else ("To act" not in told)


def test_copies_are_told_once() -> None:
    """A clause that stands twice is told once, its copies side by side."""
    old = "# Terms\n\n## Europe\n\nWelcome, Europe, to this place.\n\n## Elsewhere\n\nWelcome, all others, too.\n"
    new = (
        old.replace("this place.", f"this place.\n\n{DAMAGES.format('€15,000')}")
        + f"\n{DAMAGES.format('$15,000')}\n"
    )
    found = compare(_version(old), _version(new), service="Example", document="Terms")
    assert len(found.changes) == 2
    assert "It stands there twice." in _told(found)
    assert "Also" not in _told(found)
    assert "other change" not in _line(found)


def test_heading_is_not_quoted() -> None:
    """A clause that came under its own heading is called by it and quoted by its words."""
    clause = "## Publicity\n\nYou grant us the right to name you as our customer on this site."
    told = _told(_compared("", clause))
    assert "under “Publicity”" in told
    assert "“You grant us the right to name you as our customer on this site”" in told


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "Don't abuse this. Using robots to read our pages at scale is a breach of these terms.",
            "adds “Don't abuse this” clause",
        ),
        ("We do not use your posts to train AI models, now or at any time later.", "adds a clause on"),
        (
            "Update November 2031. The way in which we tell you of changes has a page of its own.",
            "“Update November 2031”",
        ),
    ],
)
def test_plain_headline(text: str, line: str) -> None:
    """A headline calls a clause by its subject; a title that reads ill in lower case stays in quotation marks."""
    found = _compared("", text)
    assert line in _line(found)
    assert "allowing" not in _line(found)
    assert grounded(_line(found), found, service="Example", document="Terms") == []


def test_protective_clause() -> None:
    """A new clause that says what the company does not do is not told as taking something away."""
    told = _told(
        _compared("", "We process your fingerprint on your device without collecting your fingerprint.")
    )
    assert "widens" not in told


def test_quiet_rewording() -> None:
    """An edit without a number, modal or denial is said to leave them as they were."""
    told = _told(_compared("The two partners get that information.", "The two partners get the information."))
    assert "Its numbers and duties stay as they were." in told
