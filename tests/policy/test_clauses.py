"""Clauses: Markdown and plain text, from turndown, from us and from people, segment into the same pieces."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.events import Clause
from pipeline.policy.clauses import segment


def told(text: str) -> list[tuple[str, str, str]]:
    """Return kind, number and words of each clause."""
    return [(clause.kind, clause.number, clause.text) for clause in segment(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Terms\n=====\n\nOne.", [("heading", "", "Terms"), ("paragraph", "", "One.")]),
        ("## 4\\. Data\n\nTwo.", [("heading", "4", "Data"), ("paragraph", "", "Two.")]),
        ("4\\. Data Retention\n------------------\n\nX.", [("heading", "4", "Data Retention"), ("paragraph", "", "X.")]),
        ("*   one\n*   two", [("item", "", "one"), ("item", "", "two")]),
        ("* one\n    \n* two", [("item", "", "one"), ("item", "", "two")]),
        ("1.  first\n2.  second", [("item", "1", "first"), ("item", "2", "second")]),
        ("1. Introduction\n    ------------\n    \n    We are.", [("heading", "1", "Introduction"), ("paragraph", "", "We are.")]),
        ("(a) alpha\n\n(b) beta", [("paragraph", "(a)", "alpha"), ("paragraph", "(b)", "beta")]),
        ("| A | B |\n| --- | --- |\n| x | y |", [("row", "", "A | B"), ("row", "", "x | y")]),
        ("Term\n:   What it means.", [("definition", "", "Term: What it means.")]),
        ("“Content” means anything you post.", [("definition", "", "“Content” means anything you post.")]),
        ("A **bold** [link](https://x.org/a_(b)?c=d) and `code`.", [("paragraph", "", "A bold link and code.")]),
        ("**Liability**\n\nWe are not liable.", [("heading", "", "Liability"), ("paragraph", "", "We are not liable.")]),
        ("snake\\_case and 2 \\* 3", [("paragraph", "", "snake_case and 2 * 3")]),
        ("We keep 2.5 GB\nof it.", [("paragraph", "", "We keep 2.5 GB of it.")]),
        ("1.5 million users agreed.", [("paragraph", "", "1.5 million users agreed.")]),
        ("13.1.Acts that harm.", [("paragraph", "13.1", "Acts that harm.")]),
        ("* * *", []),
        ("", []),
        (" \n\t\n", []),
        ("第十条 隐私\n\n我们收集您的信息。", [("heading", "第十条", "隐私"), ("paragraph", "", "我们收集您的信息。")]),
        ("Artículo 5.- Pagos\n\nLas tarifas se facturan cada mes y no se reembolsan nunca.", [("heading", "Artículo 5", "Pagos"), ("paragraph", "", "Las tarifas se facturan cada mes y no se reembolsan nunca.")]),
        ("> Quoted words.\n> And more.", [("paragraph", "", "Quoted words. And more.")]),
        ("[1]: https://x.org/a\n\nSee [here][1].", [("paragraph", "", "See here.")]),
    ],
)  # fmt: skip
def test_forms(text: str, expected: list[tuple[str, str, str]]) -> None:
    """Each form of writing a clause gives its kind, its number and its words."""
    assert told(text) == expected


def test_path_of_headings() -> None:
    """A clause stands under its headings, outermost first, without their numbers."""
    clause = segment("# Terms\n\n## 2. Data\n\n### 2.1 Retention\n\nWe keep it.")[-1]
    assert clause.path == ("Terms", "Data", "Retention")
    assert clause.heading == "Retention"


def test_lead_in() -> None:
    """An item knows the sentence that leads into its list, and a nested one that of its own."""
    clauses = segment("We are brief. You must not:\n\n- lie\n- cheat, by:\n    - cards\n    - dice")
    assert [clause.lead for clause in clauses[1:]] == ["You must not:"] * 2 + ["cheat, by:"] * 2


def test_row_header() -> None:
    """A row knows the header of its table."""
    assert segment("| Data | Use |\n|---|---|\n| Name | Billing |")[1].lead == "Data | Use"


def test_links_kept() -> None:
    """Links are kept apart from the words."""
    (clause,) = segment("See [our *policy*](https://x.org/p?id=1 'P') or <mailto:a@x.org>.")[0:1]
    assert clause.text.startswith("See our policy")


def test_paragraph_per_line() -> None:
    """Plain text with one long paragraph per line gives one clause per line."""
    long = "This is a long sentence of a policy that nobody wrapped by hand. " * 4
    assert len(segment(f"Privacy\n{long}\n{long}\n{long}")) == 4


def test_wrapped_paragraph() -> None:
    """A paragraph wrapped by hand is one clause."""
    text = "We collect the information that you give us when you\ncreate an account, and we keep it for as long as the law\nasks us to keep it."
    assert len(segment(text)) == 1


def test_equal_clauses() -> None:
    """Two identical clauses have two identities, the same in every run."""
    first, second = segment("Same words.\n\nSame words.")
    assert first.id != second.id
    assert (first.id, second.id) == tuple(clause.id for clause in segment("Same words.\n\nSame words."))


def test_markup_keeps_identity() -> None:
    """Markup does not change a clause's identity, a word does."""
    assert segment("We **may** [sell](u) it.")[0].id == segment("We may sell it.")[0].id
    assert segment("We may not sell it.")[0].id != segment("We may sell it.")[0].id


@pytest.mark.parametrize(
    "piece", ["[", "*", "_", "<", "\\", "`", "|", "> ", "1.", "* ", "[a](", "<!-- ", "&amp;", "]: "]
)
def test_hostile_text(piece: str) -> None:
    """Text made to confuse a Markdown reader takes time in proportion to its length."""
    started = time.process_time()
    segment(piece * 30_000 + " words")
    assert time.process_time() - started < 1.0


@pytest.mark.parametrize(
    "text",
    ["word " * 100_000, "\n\n".join(f"Clause {n} says so." for n in range(50_000))],
    ids=["one", "many"],
)
def test_great_texts(text: str) -> None:
    """A clause of 500 KB and a text of 50,000 clauses take a few seconds of a slow machine at most."""
    started = time.process_time()
    assert len(segment(text)) in {1, 50_000}
    assert time.process_time() - started < 4.0


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from("ab 1.-*#|>_[]()\\\n\t:=`é你"), max_size=120))
def test_offsets_hold(text: str) -> None:
    """Clauses stand in order, apart from each other, and where they say they stand."""
    clauses = segment(text)
    assert all(held.end <= following.start for held, following in pairwise(clauses))
    assert all(
        0 <= clause.start < clause.end <= len(text) and _raw(clause) in text[clause.start : clause.end]
        for clause in clauses
    )


def _raw(clause: Clause) -> str:
    return clause.raw or clause.text
