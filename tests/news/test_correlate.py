"""Stories are linked to the changes they report, and to no others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from pipeline.events import Change, ChangeType, ClausesChanged, Entry, StoryUpdated
from pipeline.news.correlate import Ledger, add_change, add_story, link
from pipeline.news.names import ServiceName, mentions
from pipeline.news.novelty import TOTAL, novelty
from pipeline.news.story import StoryBook, add

from .conftest import Item

Reported = Callable[..., StoryUpdated]
PRIVACY, TERMS = "X Privacy Policy", "X Terms of Service"
ITEMS = range(22)


def linked(item: Item, changes: dict[str, ClausesChanged], reported: Reported) -> set[str]:
    """Return the documents whose change an item alone is linked to."""
    return {name for name, change in changes.items() if link(change, reported(item.entry))}


@pytest.mark.parametrize("n", ITEMS)
def test_no_false_link(
    n: int, items: list[Item], changes: dict[str, ClausesChanged], reported: Reported
) -> None:
    """No item is linked to a change that it does not report: blocking, other services, the other document."""
    assert linked(items[n], changes, reported) <= items[n].expected


@pytest.mark.parametrize("n", ITEMS)
def test_found_link(
    n: int, items: list[Item], changes: dict[str, ClausesChanged], reported: Reported
) -> None:
    """Every item that reports a change is linked to it: to the privacy policy's, or else to that of the terms."""
    expected = items[n].expected
    first = {PRIVACY} if PRIVACY in expected else expected
    assert first <= linked(items[n], changes, reported)


def test_damages_by_their_words(
    items: list[Item], changes: dict[str, ClausesChanged], reported: Reported
) -> None:
    """The items whose own words tell of the damages are linked to the terms, though one blames the other document."""
    outlets = {item.entry.outlet for item in items if TERMS in linked(item, changes, reported)}
    assert {"AIbase", "YBX", "BOOM"} <= outlets


def test_whole_story(items: list[Item], changes: dict[str, ClausesChanged], reported: Reported) -> None:
    """A story of many entries covers both changes: the best entry is told, the other outlets counted."""
    story = reported(*(item.entry for item in items if item.story == "x-third-party-ai-training"))
    found = {name: link(change, story) for name, change in changes.items()}
    assert {name: held and (held.clause, held.more_outlets) for name, held in found.items()} == {
        PRIVACY: ("Third-party collaborators", 7),
        TERMS: ("Liquidated Damages", 2),
    }


@pytest.mark.parametrize(
    ("outlet", "document", "clause", "told"),
    [
        ("Part of Style", PRIVACY, "Third-party collaborators", "quotes “collaborators”"),
        ("NewzChain", PRIVACY, "Third-party collaborators", "names 15 November 2024"),
        ("AIbase", TERMS, "Liquidated Damages", "names USD 15,000"),
        ("YBX", TERMS, "Liquidated Damages", "quotes “liquidated damages”"),
        ("YBX", TERMS, "Liquidated Damages", "names 1,000,000"),
        ("ABA Journal", TERMS, "General", "names the Terms of Service"),
        ("ABA Journal", TERMS, "General", "says “federal court for the Northern District of Texas”"),
        ("log.ng", PRIVACY, "How Long We Keep Information", "names 18 months"),
        ("TechInCheck", PRIVACY, "Third-party collaborators", "says “information for AI model training”"),
    ],
)
def test_evidence(
    outlet: str,
    document: str,
    clause: str,
    told: str,
    items: list[Item],
    changes: dict[str, ClausesChanged],
    reported: Reported,
) -> None:
    """Coverage names the clause and what ties the two together, in words."""
    entry = next(item.entry for item in items if item.entry.outlet == outlet)
    coverage = link(changes[document], reported(entry))
    assert coverage is not None
    assert (coverage.clause, told in coverage.shared) == (clause, True), coverage.shared


def reporting(items: list[Item], outlet: str) -> Entry:
    return next(item.entry for item in items if item.entry.outlet == outlet)


@pytest.mark.parametrize(("days", "covered"), [(-70, False), (-50, True), (40, True), (60, False)])
def test_window(
    days: int, covered: bool, items: list[Item], changes: dict[str, ClausesChanged], reported: Reported
) -> None:
    """Only what is told from two months before a change to six weeks after it reports the change."""
    change = replace(changes[TERMS], effective_date=None)
    entry = replace(reporting(items, "ABA Journal"), published_at=change.at + timedelta(days=days))
    assert bool(link(change, reported(entry))) is covered


def test_other_service(items: list[Item], changes: dict[str, ClausesChanged], reported: Reported) -> None:
    """The very words of a clause are no link when the story does not name the service."""
    story = replace(reported(reporting(items, "YBX")), services=("reddit",))
    assert link(changes[TERMS], story) is None


@pytest.mark.parametrize("effective", ["2024-11", "soon", "", None])
def test_vague_date(
    effective: str | None, items: list[Item], changes: dict[str, ClausesChanged], reported: Reported
) -> None:
    """A change that comes into force in a month, or who knows when, is linked all the same."""
    change = replace(changes[TERMS], effective_date=effective)
    assert link(change, reported(reporting(items, "YBX"))) is not None


def test_no_changes(items: list[Item], changes: dict[str, ClausesChanged], reported: Reported) -> None:
    """A change set without new words, or with none at all, is linked to nothing."""
    moved = (Change(type=ChangeType.MOVED, clause_id="c"),)
    empty = [replace(changes[TERMS], changes=held) for held in ((), moved)]
    assert [link(change, reported(reporting(items, "YBX"))) for change in empty] == [None, None]


def test_either_order(items: list[Item], changes: dict[str, ClausesChanged], reported: Reported) -> None:
    """Change and story find each other whichever comes first."""
    change, story = changes[TERMS], reported(reporting(items, "YBX"))
    _, later_story = add_story(add_change(Ledger(), change)[0], story)
    _, later_change = add_change(add_story(Ledger(), story)[0], change)
    assert [coverage for _, coverage in later_story] == later_change == [link(change, story)]


def test_repeats(items: list[Item], changes: dict[str, ClausesChanged], reported: Reported) -> None:
    """The same event again gives the same links and leaves the ledger as it is."""
    change, story = changes[TERMS], reported(reporting(items, "YBX"))
    ledger, first = add_story(add_change(Ledger(), change)[0], story)
    assert (add_story(ledger, story), add_change(ledger, change)[0]) == ((ledger, first), ledger)


def test_outlet_gained(items: list[Item], changes: dict[str, ClausesChanged], reported: Reported) -> None:
    """A story that gains an outlet which reports the change is told again with one more outlet."""
    one, two = reporting(items, "YBX"), reporting(items, "BOOM")
    ledger, _ = add_story(add_change(Ledger(), changes[TERMS])[0], reported(one))
    _, found = add_story(ledger, reported(one, two))
    assert [coverage.more_outlets for _, coverage in found] == [1]


def test_silent_growth(items: list[Item], changes: dict[str, ClausesChanged], reported: Reported) -> None:
    """A story that gains an entry which reports nothing of the change is not told again."""
    one, two = reporting(items, "YBX"), reporting(items, "Daily Dot")
    ledger, _ = add_story(add_change(Ledger(), changes[TERMS])[0], reported(one))
    assert add_story(ledger, reported(one, two))[1] == []


def test_late_redelivery(items: list[Item], changes: dict[str, ClausesChanged], reported: Reported) -> None:
    """An earlier state of a story, met again after a later one, gives what it gave and changes nothing."""
    one, two = reporting(items, "YBX"), reporting(items, "BOOM")
    ledger, first = add_story(add_change(Ledger(), changes[TERMS])[0], reported(one))
    ledger, _ = add_story(ledger, reported(one, two))
    assert add_story(ledger, reported(one)) == (ledger, first)


def test_ledger_bounded(changes: dict[str, ClausesChanged]) -> None:
    """What is kept of a change is bounded, however large the change."""
    large = tuple(
        Change(
            type=ChangeType.ADDED,
            clause_id=str(n),
            redline=(("+", " ".join(f"w{n}x{m}" for m in range(900))),),
        )
        for n in range(300)
    )
    kept = msgspec.json.encode(novelty(replace(changes[TERMS], changes=large)))
    assert len(kept) < 2 * TOTAL


def test_ledger_as_json(items: list[Item], changes: dict[str, ClausesChanged], reported: Reported) -> None:
    """The ledger survives being kept as JSON."""
    ledger, _ = add_story(add_change(Ledger(), changes[TERMS])[0], reported(items[0].entry))
    assert msgspec.json.decode(msgspec.json.encode(ledger), type=Ledger) == ledger


def test_old_leaves(items: list[Item], changes: dict[str, ClausesChanged], reported: Reported) -> None:
    """A change past its time as news leaves the ledger when another event comes."""
    ledger, _ = add_change(Ledger(), changes[TERMS])
    entry = replace(items[0].entry, published_at=changes[TERMS].at + timedelta(days=200))
    assert add_story(ledger, reported(entry))[0].changes == ()


@pytest.mark.parametrize(
    ("title", "summary"),
    [
        (
            "X hides likes from public view",
            "The platform says the change protects users who like edgy posts.",
        ),
        (
            "X raises the price of Premium to $22 a month",
            "Subscribers will see the new price on November 15.",
        ),
        (
            "X must face lawsuit over unpaid severance",
            "A federal judge in Delaware refused to dismiss the case.",
        ),
        (
            "X sues advertisers over boycott",
            "Elon Musk's X filed the antitrust lawsuit in federal court in Texas.",
        ),
        (
            "Brazil lifts ban on X after it pays fines",
            "The platform paid $5 million and named a representative.",
        ),
        ("X rolls out Grok image generation", "The AI chatbot can now be trained on posts, Musk said."),
        ("X closes its San Francisco office", "Musk said the platform will move to Bastrop, Texas."),
        ("How to download your X archive", "You can request a copy of your data in your account settings."),
        ("X explains its job search feature", "Employers can now find candidates on the platform."),
        ("X removes the block button", "Blocked users will be able to see public posts on X."),
    ],
)
def test_other_news_of_service(
    title: str, summary: str, items: list[Item], changes: dict[str, ClausesChanged], reported: Reported
) -> None:
    """News of the same service in the same days that is about something else is linked to no change."""
    entry = replace(items[2].entry, title=title, summary=summary)
    assert [link(change, reported(entry)) for change in changes.values()] == [None, None]


def test_autumn_as_it_came(
    items: list[Item], changes: dict[str, ClausesChanged], services: list[ServiceName]
) -> None:
    """Entry by entry through stories to links: training covers both, courts the terms, blocking by one sentence."""
    ledger, book, told = Ledger(), StoryBook(), {}
    for change in changes.values():
        ledger, _ = add_change(ledger, change)
    label = {}
    for item in items:
        at = item.entry.published_at or changes[TERMS].at
        named = mentions(f"{item.entry.title}\n{item.entry.summary}", services, at=at)
        book, story = add(book, item.entry, named, (), at)
        if story and "x" in story.services:
            label[story.story_id] = item.story
            ledger, found = add_story(ledger, story)
            told |= {(story.story_id, change.document): coverage.more_outlets for change, coverage in found}
    assert sorted((label[story], document, outlets) for (story, document), outlets in told.items()) == [
        ("x-block-feature-bluesky", "Privacy Policy", 0),
        ("x-terms-texas-venue", "Terms of Service", 2),
        ("x-terms-texas-venue", "Terms of Service", 3),
        ("x-third-party-ai-training", "Privacy Policy", 7),
        ("x-third-party-ai-training", "Terms of Service", 2),
    ]
