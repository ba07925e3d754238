"""An alert as plain text."""

from typing import Any

import pytest

from pipeline.alerts.render import text, words
from pipeline.events import Change, ChangeType, Fact
from tests.alerts import samples
from tests.alerts.samples import alert, change, due, reworded, story, updated, withdrawn

WHOLE = """\
X — Privacy Policy  [HIGH]
X changes its Privacy Policy
X may now share your data with collaborators, who may train AI with it.

3. Sharing › 3.2 Third-party collaborators — new, high
    {+Depending on your settings, or if you decide to share your data, we may share or disclose your
    information with third parties.+}

▸ 4. Retention: retention: P90D → P18M

In force: 15 November 2024, 29 days after it was seen
First seen: 17 October 2024, 09:04 UTC
Compared with: the page of 25 July 2024, 09:04 UTC

In the news
  · X lets others train AI  (Example Times)
    https://news.example/1

4. Retention — reworded, medium
    We keep your data for [-90 days-]{+18 months+} after you leave.

1 more change in form only: 1 moved.

Page: https://x.example/privacy
Page SHA-256: abababababababababababababababababababababababababababababababab
Alert: alt-aaaa
"""


def test_whole_alert() -> None:
    """An alert reads from what matters to what proves it."""
    fact = Fact(kind="retention", old={"duration": "P90D"}, new={"duration": "P18M"}, direction=-1)
    counts = {"added": 1, "modified": 1, "moved": 1}
    told = alert(
        change(), reworded("90 days", "18 months", facts=(fact,)), counts=counts, coverage=(story(),)
    )
    assert text.alert(told) == WHOLE


@pytest.mark.parametrize("hostile", samples.HOSTILE)
def test_terminal_is_safe(hostile: str) -> None:
    """Whatever a page says, no control character reaches the terminal."""
    told = text.alert(samples.hostile(hostile))
    assert all(char.isprintable() or char in "\n\t\u200d\ufe0f" for char in told)
    told.encode()


@pytest.mark.parametrize(
    ("event", "says"),
    [
        (updated("in-force"), "In force since 17 October 2024"),
        (withdrawn(), "Withdrawn on 17 October 2024, 11:04 UTC"),
    ],
)
def test_updates_are_told(event: Any, says: str) -> None:
    """An update names the document and what became of the alert."""
    assert text.compose(due(event, alert=alert())).splitlines()[:2] == ["X — Privacy Policy", says]


@pytest.mark.parametrize(
    ("date", "told"),
    [
        ("2024-10-17", "17 October 2024, the day it was seen"),
        ("2024-10-18", "18 October 2024, 1 day after it was seen"),
        ("2024-10-01", "1 October 2024, 16 days before it was seen"),
        ("soon", "soon"),
        (None, ""),
    ],
)
def test_in_force(date: str | None, told: str) -> None:
    """When a change is in force is told as a date and as a distance."""
    assert words.effective(alert(effective_date=date)) == told


@pytest.mark.parametrize(
    ("path", "number", "told"),
    [
        (("A", "B", "C"), "", "B › C"),
        (("2. Sharing",), "2.1", "2. Sharing › 2.1"),
        (("With others.", "By law:"), "", "With others › By law"),
        (("2. Sharing", "2.1 Partners"), "2.1", "2. Sharing › 2.1 Partners"),
        ((), "7", "7"),
        ((), "", "Text before the first heading"),
    ],
)
def test_place(path: tuple[str, ...], number: str, told: str) -> None:
    """Where a change is, is told by its two innermost headings and its number."""
    assert words.place(Change(type=ChangeType.ADDED, clause_id="c", heading_path=path, number=number)) == told


def test_counts_that_do_not_add_up() -> None:
    """Where the counts by type do not add up to the rest, only the number is told."""
    told = alert(change(), counts={"added": 1, "changes": 40, "modified": 3})
    assert words.more(told, told.changes[:1]) == "3 more changes, all reworded"


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({"added": 2}, "1 more change: new"),
        ({"added": 4}, "3 more changes, all new"),
        ({"added": 2, "removed": 3}, "4 more changes: 1 new, 3 removed"),
        (
            {"added": 1, "modified": 2, "link-target": 3, "date-only": 1},
            "2 more changes, all reworded; in form only: 3 with another link target, 1 with another date",
        ),
        ({"added": 1, "moved": 1, "reformatted": 1}, "2 more changes in form only: 1 moved, 1 reformatted"),
        ({"added": 1}, ""),
    ],
)
def test_more(counts: dict[str, int], told: str) -> None:
    """What is not shown is counted in words that a person would write; changes of form apart, as titles have it."""
    about = alert(change(), counts=counts)
    assert words.more(about, about.changes) == told


def test_two_texts_are_said() -> None:
    """Where a page holds the coming and the current text, the count says that it is of both."""
    about = alert(change(), counts={"added": 3}, stacked=True)
    assert words.more(about, about.changes) == ("2 more changes, counted in both texts of the page, all new")


@pytest.mark.parametrize(
    ("date", "label", "told"),
    [
        ("2024-11-15", "In force", "15 November 2024, 29 days after it was seen"),
        ("2024-10-17", "In force", "17 October 2024, the day it was seen"),
        ("2024-11", "In force", "November 2024"),
        ("2023-11-01", "Dated", "1 November 2023, 351 days before it was seen"),
        ("2014-04-10", "Dated", "10 April 2014, 10 years before it was seen"),
        ("2020-01", "Dated", "January 2020"),
    ],
)
def test_old_date_is_not_coming(date: str, label: str, told: str) -> None:
    """A date long past is the document's own; only one that lies ahead says when it comes into force."""
    line = words.when(alert(effective_date=date))[0]
    assert (line.label, line.text) == (label, told)
    assert ("In force" in words.notice(alert(effective_date=date))) == (label == "In force")


@pytest.mark.parametrize(
    ("note", "told"),
    [
        ("15000 USD per 1000000 posts added", "15,000 USD per 1,000,000 posts added"),
        (
            "2024 words in 30 days, 10.5 GB, version 1.12345",
            "2024 words in 30 days, 10.5 GB, version 1.12345",
        ),
        ("1000000.5 and A12345", "1000000.5 and A12345"),
    ],
)
def test_long_numbers_are_grouped(note: str, told: str) -> None:
    """A number of five digits and more is told in groups of three; years, versions and names stay."""
    assert words.tell(Fact(kind="amount", note=note)) == told


def duty(old: str, was: str, new: str, now: str) -> Fact:
    sides = {"old": {"words": old, "modality": was}, "new": {"words": new, "modality": now}}
    return Fact(kind="modality", note=f"{was} → {now}", quote=new or old, **sides)


@pytest.mark.parametrize(
    ("fact", "told"),
    [
        (
            Fact(kind="age", note="age 13 added", quote="under the age of 13"),
            "age 13 added (“under the age of 13”)",
        ),
        (Fact(kind="duration", note="18 months removed", quote="18 months"), "18 months removed"),
        (Fact(kind="opt-in", new={"how": "link"}), "opt in: link (new)"),
        (Fact(kind="venue", old={"place": "Ireland"}), "venue: Ireland (gone)"),
        (Fact(kind="venue", note="Ireland added", quote="Ireland"), "venue: Ireland added"),
        (Fact(kind="jurisdiction", note="California → Texas"), "governing law: California → Texas"),
        (Fact(kind="age", note="age 13 → age 16 (×1.23)"), "age 13 → age 16"),
        (Fact(kind="deadline", note="1 day → 1 day (business) (×1)"), "deadline: 1 day → 1 day (business)"),
        (Fact(kind="duration", note="30 days → 18 months (×18)"), "30 days → 18 months (×18)"),
        (
            duty("may", "permission", "must", "obligation"),
            "“may” became “must”: a permission before, an obligation now",
        ),
        (duty("", "none", "may not", "prohibition"), "“may not” added: a prohibition"),
        (duty("must", "obligation", "", "none"), "“must” dropped: an obligation"),
        (Fact(kind="modality", note="permission → none", quote="may"), "permission → none (“may”)"),
        (
            Fact(kind="reversal", note="any → no", old={"words": "any"}, new={"words": "no"}),
            "“any” became “no”",
        ),
        (Fact(kind="reversal", note="nothing → not", old={"words": ""}, new={"words": "not"}), "“not” added"),
        (
            Fact(
                kind="opt_out",
                note="opt-out by unspecified removed",
                old={"default": "opt-out", "mechanism": "unspecified"},
                quote="turn off",
            ),
            "opt-out removed (“turn off”)",
        ),
        (
            Fact(kind="opt_out", note="n", new={"default": "opt-out", "mechanism": "link"}),
            "opt-out by link added",
        ),
        (
            Fact(
                kind="effective_date",
                note="2021-12 updated → 2022-05-01 updated",
                old={"date": "2021-12", "kind": "updated"},
                new={"date": "2022-05-01", "kind": "updated"},
                quote="May 1, 2022",
            ),
            "last updated: December 2021 → 1 May 2022",
        ),
        (Fact(kind="other"), ""),
    ],
)
def test_fact(fact: Fact, told: str) -> None:
    """A fact is told by its note and the words it rests on, or by its values."""
    assert words.tell(fact) == told


def test_facts_are_told_once() -> None:
    """The same fact of two clauses is told once, the document's own dates after all others."""
    off, dated = (
        Fact(kind="money", note="5 USD added", quote="$5"),
        Fact(kind="effective_date", note="n", new={"date": "2024-11-15", "kind": "in_force"}, direction=-1),
    )
    told = words.facts([change(facts=(dated, off)), reworded("a", "b", facts=(off,))])
    assert told == ["5 USD added (“$5”)", "in force: 15 November 2024 (new)"]
