"""A document written anew is told when a second read says the same, and never kept silent."""

from __future__ import annotations

import pytest

from pipeline.events import Comparison, Verdict, Version
from pipeline.policy.clauses import segment
from pipeline.policy.rewritten import anew_headline, rewritten


def version(text: str) -> Version:
    return Version(text=text, clauses=segment(text), title="Terms")


OLD, NEW = version("# Terms\n\nThe old words of it."), version("# Terms\n\nQuite other words stand here.")


@pytest.mark.parametrize(
    ("reason", "words"), [("replaced", "writes its Terms anew"), ("truncated", "takes most of")]
)
def test_new_text_is_told(reason: str, words: str) -> None:
    """What a comparison calls broken becomes one grave change with the first words of both."""
    broken = Comparison(verdict=Verdict.BROKEN, reason=reason)
    told = rewritten(broken, OLD, NEW, service="Acme", name="Terms")
    assert told.verdict is Verdict.CHANGED
    assert words in told.summary
    assert words in anew_headline(told, service="Acme", name="Terms")
    assert told.changes[0].redline == (("-", "The old words of it."), ("+", "Quite other words stand here."))


@pytest.mark.parametrize(
    "found",
    [
        Comparison(verdict=Verdict.BROKEN, reason="language"),
        Comparison(verdict=Verdict.MINOR, reason="moved"),
    ],
)
def test_the_rest_stays_as_it_is(found: Comparison) -> None:
    """Another language is a variant, and a comparison that is no refusal is not touched."""
    assert rewritten(found, OLD, NEW, service="Acme", name="Terms") == found
