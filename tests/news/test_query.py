"""The language of watches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.news.query import MAX_LENGTH, QueryError, parse


@pytest.mark.parametrize(
    ("query", "column", "told"),
    [
        ('"never closed', 1, "never closed"),
        ("privacy OR", 11, "ends too early"),
        ("OR privacy", 1, "a word is missing"),
        ("(privacy", 1, "parenthesis is never closed"),
        ("privacy)", 8, "stands alone"),
        ("a AND AND b", 7, "a word is missing"),
        ("privacy &&&", 9, "no letter or digit"),
        ("tr*in", 1, "only end a word"),
        ("x t*", 3, "match too much"),
        ("intitle:", 1, "needs a word"),
        ("", 1, "ends too early"),
        ('""', 1, "no letter or digit"),
    ],
)
def test_error_places(query: str, column: int, told: str) -> None:
    """A query that cannot be read says what is wrong, at which column, and what to type instead."""
    with pytest.raises(QueryError, match=told) as caught:
        parse(query)
    assert (caught.value.column, bool(caught.value.remedy)) == (column, True)


@pytest.mark.parametrize("query", ["-spam", "NOT spam", "privacy OR -spam", "(-a) AND (-b)"])
def test_negation_alone(query: str) -> None:
    """A query that any text without a word would satisfy is refused."""
    with pytest.raises(QueryError, match="every story"):
        parse(query)


@pytest.mark.parametrize("query", ["(" * 60 + "a" + ")" * 60, "a " * MAX_LENGTH])
def test_bounded_size(query: str) -> None:
    """A query that is too deep or too long is refused and does not exhaust the stack."""
    with pytest.raises(QueryError):
        parse(query)


@given(st.text(alphabet='ab"()-*~5: ORNDAT intle', max_size=60))
def test_any_input(query: str) -> None:
    """Whatever is typed either parses or is refused with a place inside the text."""
    assert 1 <= refused_at(query) <= len(query) + 1


def refused_at(query: str) -> int:
    """Return the column at which a query is refused, 1 when it is not."""
    try:
        parse(query)
    except QueryError as error:
        return error.column
    return 1
