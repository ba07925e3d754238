"""One verdict per pair of versions, and every difference listed under its type."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pipeline.events import ChangeType, Verdict, Version
from pipeline.policy.compare import compare
from tests.bench.verdicts import coverage
from tests.policy.versions import POLICY, edited, moved, paragraph, stacked, version, without

RENUMBERED = (("2. Your", "3. Your"), ("3. Fees", "4. Fees"), ("4. Disputes", "5. Disputes"))

CASES = {
    "a clause is reworded": (edited(("may suspend", "will suspend")), "changed", ["modified"]),
    "a number moves": (edited(("12 dollars", "15 dollars")), "changed", ["modified"]),
    "a negation goes": (edited(("do not sell", "do sell")), "changed", ["modified"]),
    "a clause is added": (
        version(POLICY + "\nWe may train models on the content that you post, unless you opt out.\n"),
        "changed",
        ["added"],
    ),
    "a clause is removed": (version(without("Our liability")), "changed", ["removed"]),
    "a heading is reworded": (edited(("3. Fees", "3. Prices and fees")), "changed", ["modified"]),
    "a lead-in is reworded": (
        edited(("We use the following", "We may sell the following")),
        "changed",
        ["modified"],
    ),
    "a clause moves": (version(moved("Fees are", "We may suspend")), "minor", ["moved"]),
    "a clause moves and changes": (
        edited(("cost 12 dollars", "cost 19 dollars"), text=moved("Fees are", "We may suspend")),
        "changed",
        ["moved-and-modified"],
    ),
    "the date line changes": (edited(("March 1, 2024", "April 2, 2025")), "minor", ["date-only"]),
    "sections are renumbered": (edited(*reversed(RENUMBERED)), "minor", ["renumbered"] * 3),
    "a paragraph is split": (
        edited((" We will tell you why", "\n\nWe will tell you why")),
        "minor",
        ["split"],
    ),
    "two paragraphs are merged": (
        edited(("password safe.\n\nWe may suspend", "password safe. We may suspend")),
        "minor",
        ["merged"],
    ),
    "words turn bold": (edited(("do not sell", "**do not** sell")), "minor", ["reformatted"]),
    "a comma comes": (edited(("store and display", "store, and display")), "minor", ["reformatted"]),
    "a link goes elsewhere": (
        edited(("example.com/privacy?", "example.org/notice?")),
        "minor",
        ["link-target"],
    ),
    "a link's session changes": (edited(("session=1", "session=2")), "unchanged", []),
    "spaces do not break": (edited(("personal data", "personal\u00a0data")), "unchanged", []),
    "nothing changes": (version(), "unchanged", []),
}


@pytest.mark.parametrize(("new", "verdict", "types"), CASES.values(), ids=CASES.keys())
def test_verdict_and_types(new: Version, verdict: str, types: list[str]) -> None:
    """What happened is named by its type, and alerts only where the wording changed."""
    found = compare(version(), new)
    assert (found.verdict, [change.type for change in found.changes]) == (verdict, types)


@pytest.mark.parametrize("new", [case[0] for case in CASES.values()], ids=CASES.keys())
def test_quotes_are_found(new: Version) -> None:
    """The offsets of every quote lead back to its words in the version it is from."""
    for change in compare(version(), new).changes:
        if change.new is not None:
            shown = new.text[change.new.start : change.new.end].replace("*", "").replace("\u00a0", " ")
            assert change.new.text.split()[0] in shown


def test_lead_in_names_its_items() -> None:
    """A reworded lead-in is one change that names the items it governs."""
    (change,) = compare(version(), edited(("We use the following", "We may sell the following"))).changes
    assert any(reason.startswith("leads into 3 items: the name") for reason in change.reasons)


LISTS = "# Notice\n\nWe collect:\n\n- your name\n- your address\n\nWe sell to advertisers:\n\n- {}nothing else at all\n"


def test_item_under_another_lead() -> None:
    """An item that goes from what is collected to what is sold is told, though its words are the same."""
    new = LISTS.format("your address\n- ").replace("- your name\n- your address", "- your name", 1)
    found = compare(version(LISTS.format("")), version(new))
    assert [change.type for change in found.changes] == [ChangeType.MOVED_AND_MODIFIED]


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ("Version 2.3, updated May 1, 2024", "Version 2.4, updated June 2, 2024", Verdict.MINOR),
        ("Updated: May 1, 2024", "Last updated on June 2, 2024", Verdict.MINOR),
        ("Effective in Norway: May 1, 2024", "Effective in Norway and Iceland: May 1, 2024", Verdict.CHANGED),
        ("Refunds until May 1, 2024", "No refunds until May 1, 2024", Verdict.CHANGED),
        ("Opt out by May 1, 2024", "Opt out by April 1, 2024", Verdict.CHANGED),
        ("© 2023 Example, Inc.", "© 2024 Example, Inc.", Verdict.MINOR),
        (
            "May 1, 2024. Earlier versions are kept.",
            "June 2, 2024. Earlier versions are kept.",
            Verdict.MINOR,
        ),
        ("Help updated 3 days ago", "Help updated 2 weeks ago", Verdict.MINOR),
        (
            "If your work was published 24 hours ago",
            "If your work was published 72 hours ago",
            Verdict.CHANGED,
        ),
        (
            "Who joined before May 1, 2023 may refuse the updated terms.",
            "Who joined before May 1, 2024 may refuse the updated terms.",
            Verdict.CHANGED,
        ),
    ],
)
def test_short_lines_with_dates(old: str, new: str, verdict: Verdict) -> None:
    """A date line may say it otherwise; a deadline that moves, or a negation beside a date, is told."""
    assert compare(version(f"{POLICY}\n{old}\n"), version(f"{POLICY}\n{new}\n")).verdict is verdict


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Children of 16+ may join us.", "Children of 16 may join us."),
        ("We keep logs for ≤ 30 days.", "We keep logs for ≥ 30 days."),
        ("The fee is ₺50 a year.", "The fee is ₫50 a year."),
        ("Shared with advertisers: ✗", "Shared with advertisers: ✓"),
    ],
)
def test_signs_that_turn_a_rule(old: str, new: str) -> None:
    """A sign that turns a rule round is a word, not punctuation."""
    assert compare(version(f"{POLICY}\n{old}\n"), version(f"{POLICY}\n{new}\n")).verdict is Verdict.CHANGED


INTRO = (
    "Thank you for reading what follows with care, for it says in plain words what the company does with all that it "
    "learns about the people who use its many products every day. It was last updated on {}. It was written by people."
)
CLAIM = "A claim that arose before {} is decided by the courts of the place where you lived when you bought the product."


@pytest.mark.parametrize(("text", "verdict"), [(INTRO, Verdict.MINOR), (CLAIM, Verdict.CHANGED)])
def test_dates_in_clauses(text: str, verdict: Verdict) -> None:
    """A date that tells of the document is a footnote wherever it stands; a date that tells of rights is not."""
    old, new = (version(POLICY + text.format(day)) for day in ("May 1, 2023", "June 2, 2024"))
    assert compare(old, new).verdict is verdict


REFERRING = "# Terms\n\n## 1. One\n\nThis is the first, as Section 2 says.\n\n## 2. Two\n\nThis is the second of all.\n"
SHIFTED = (
    REFERRING.replace("## 2. Two", "## 3. Two")
    .replace("Section 2", "Section 3")
    .replace("## 3. Two", "## 2. New\n\nA clause that never stood here before.\n\n## 3. Two")
)


def test_references_follow() -> None:
    """A reference that follows the renumbering of what it points at is no change of wording."""
    found = compare(version(REFERRING), version(SHIFTED))
    assert Counter(change.type for change in found.changes) == {ChangeType.RENUMBERED: 2, ChangeType.ADDED: 1}


def test_reference_elsewhere_is_told() -> None:
    """A reference that points at another clause than before is a change of wording."""
    found = compare(version(REFERRING), version(REFERRING.replace("Section 2", "Section 1")))
    assert found.verdict is Verdict.CHANGED


BROKEN = {
    "empty": version(""),
    "truncated": version(POLICY[: POLICY.index("We do not sell") + 40]),
    "language": version(
        "# Bedingungen\n\nSie müssen mindestens 13 Jahre alt sein, um bei uns ein Konto zu eröffnen.\n\nWir verkaufen "
        "Ihre Daten nicht an Dritte und geben sie nur an Auftragsverarbeiter weiter, die für uns tätig sind.\n\n"
        "Die Gebühren werden monatlich im Voraus berechnet und sind nach 30 Tagen nicht erstattungsfähig."
    ),
    "replaced": version(
        "# Welcome to the shop\n\nBuy red shoes and blue hats at half price this weekend only in every store.\n\n"
        "New arrivals: summer dresses, sandals, sunglasses and straw bags for the whole family.\n\n"
        "Subscribe to the newsletter and get a voucher worth ten per cent off the next order."
    ),
}


@pytest.mark.parametrize(("reason", "new"), BROKEN.items(), ids=BROKEN.keys())
def test_broken_page(reason: str, new: Version) -> None:
    """A page that is no version of the document is told as that, without a change."""
    found = compare(version(), new)
    assert (found.verdict, found.reason, found.changes) == (Verdict.BROKEN, reason, ())


def test_extractor_changed() -> None:
    """Texts of two extractors never alert, whatever differs."""
    found = compare(version(), edited(("may suspend", "will suspend")), extractor_changed=True)
    assert found.verdict is Verdict.MINOR
    assert "extractor" in found.reason


def test_exact_return() -> None:
    """A page that goes back to an earlier version is unchanged, with the reason."""
    other = edited(("may suspend", "will suspend"), ("12 dollars", "15 dollars"))
    found = compare(other, version(), history=[version(), other])
    assert (found.verdict, found.reason) == (
        Verdict.UNCHANGED,
        "returned to the version of 2 versions before",
    )


def test_edit_of_returning_variant() -> None:
    """When a variant comes back with one clause edited, that clause alone is told."""
    variant = version(POLICY.replace("We ", "The company ").replace(" us ", " the company "))
    found = compare(variant, edited(("12 dollars", "15 dollars")), history=[version(), variant])
    assert (found.verdict, len(found.changes)) == (Verdict.CHANGED, 1)


COMING = edited(("12 dollars", "15 dollars"), ("may suspend", "will suspend")).text


def test_stacked_page() -> None:
    """Of a page with the coming and the current terms the coming ones are compared, and their day is told."""
    found = compare(version(), version(stacked(COMING)))
    worded = [change for change in found.changes if change.type is ChangeType.MODIFIED]
    assert (found.stacked, found.effective_date, len(worded)) == (True, "2024-11-15", 2)


def test_older_text_dropped() -> None:
    """When the coming terms are in force and the older text goes, nothing changed."""
    assert compare(version(stacked(COMING)), version(COMING)).verdict is not Verdict.CHANGED


def test_coming_terms_change_again() -> None:
    """An edit of the coming terms on a stacked page is the only thing told."""
    again = COMING.replace("15 dollars", "18 dollars")
    found = compare(version(stacked(COMING)), version(stacked(again)))
    assert [change.type for change in found.changes if change.level == "words"] == ["modified"]


def test_text_for_two_regions_is_not_stacked() -> None:
    """A page that holds its text once for each of two regions holds one version."""
    twice = POLICY + "\n# Terms for the European Union\n\n" + POLICY.partition("\n\n")[2]
    assert not compare(version(), version(twice)).stacked


def test_pdf_lines_are_no_change() -> None:
    """The same words broken into other lines and pages, hyphens and all, change no wording."""
    whole = paragraph("You keep all rights")
    broken = whole.replace("You grant us a licence", "You grant us a li-\ncence").replace(". You", ".\n\nYou")
    assert compare(version(), edited((whole, broken))).verdict is not Verdict.CHANGED


def test_text_without_structure() -> None:
    """A page that lost its paragraphs is compared by words: one edited number is one change."""
    flat = " ".join(POLICY.replace("12 dollars", "15 dollars").replace("#", "").replace("\n- ", " ").split())
    found = compare(version(), version(flat))
    assert [
        op for change in found.changes if change.level == "words" for op in change.redline if op[0] != "="
    ] == [
        ("-", "12"),
        ("+", "15"),
    ]


def test_ids_are_kept() -> None:
    """A change carries the identity that its clause had before."""
    old = version()
    named = replace(old, clauses=tuple(replace(c, id=f"c-{at}") for at, c in enumerate(old.clauses)))
    assert compare(named, edited(("12 dollars", "15 dollars"))).changes[0].clause_id in {
        clause.id for clause in named.clauses
    }


ODD = {
    "nothing before": (version(""), version()),
    "nothing at all": (version(""), version("")),
    "identical clauses": (version("Learn more.\n\n" * 50), version("Learn more.\n\n" * 49)),
    "nine tenths lost": (
        version("\n\n".join(f"Clause {n} says {n * n}." for n in range(300))),
        version("Clause 7 says 49."),
    ),
    "right to left": (
        version("لا نبيع بياناتك الشخصية لأي طرف ثالث."),
        version("نبيع بياناتك الشخصية لأي طرف ثالث."),
    ),
    "no spaces": (version("我们不会出售您的个人信息。"), version("我们会出售您的个人信息。")),
    "brackets": (version("[" * 50_000), version("](" * 50_000)),
    "one giant clause": (version("word " * 100_000), version("word " * 99_000 + "other " * 900)),
    "thousands of clauses": (
        version("\n\n".join(f"Clause {n} says {n * n}." for n in range(6_000))),
        version("\n\n".join(f"Clause {n} says {n * n}." for n in range(0, 6_000, 2))),
    ),
}


@pytest.mark.parametrize(("old", "new"), ODD.values(), ids=ODD.keys())
def test_odd_input_gets_verdict(old: Version, new: Version) -> None:
    """Whatever the texts are, a verdict comes in bounded time."""
    start = time.process_time()
    assert compare(old, new).verdict in Verdict
    assert time.process_time() - start < 30


def test_negation_in_chinese() -> None:
    """A negation that goes is a change in scripts without spaces too."""
    assert compare(*ODD["no spaces"]).verdict is Verdict.CHANGED


def test_same_input_same_output() -> None:
    """Comparing twice gives the same value, so that a replay gives the same ids."""
    new = edited(("may suspend", "will suspend"), ("12 dollars", "15 dollars"))
    assert compare(version(), new) == compare(version(), new)


PARAGRAPHS = POLICY.split("\n\n")
SWAPS = st.sampled_from(
    [(" may ", " will "), (" not ", " "), ("30", "90"), ("We ", "They "), ("data", "records")]
)


@settings(deadline=None, max_examples=150)
@given(
    order=st.lists(st.sampled_from(range(len(PARAGRAPHS))), min_size=3),
    swaps=st.lists(SWAPS, max_size=2),
)
def test_every_word_is_covered(order: list[int], swaps: list[tuple[str, str]]) -> None:
    """Whatever goes, comes, moves or is reworded, every word that stands on one side only is marked."""
    text = "\n\n".join(PARAGRAPHS[at] for at in order)
    for old, new in swaps:
        text = text.replace(old, new)
    before, after = version(), version(text)
    found = compare(before, after)
    covered, total = coverage(found.changes, before, after)
    assert covered == total or found.verdict is Verdict.BROKEN
