"""Which watches a text satisfies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.news.watch import QueryError, Watch, WatchIndex, compile, matches

TITLE = "X opens user posts to third-party AI training"
SUMMARY = "Unless users opt out, X's privacy policy lets collaborators train models. Café Zürich disagrees."


def found(query: str, title: str = TITLE, summary: str = SUMMARY) -> list[str] | None:
    """Return the words that satisfied a query."""
    text = f"{title}\n{summary}"
    spans = matches(compile(Watch(id="w", name="w", query=query)), title, summary)
    return None if spans is None else [text[start:end] for start, end in spans]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("collaborators", ["collaborators"]),
        ("COLLABORATORS", ["collaborators"]),
        ("cafe", ["Café"]),
        ("ZURICH", ["Zürich"]),
        ("X policy", ["X", "X", "policy"]),
        ('"privacy policy"', ["privacy policy"]),
        ("opt-out", ["opt out"]),
        ("third-party", ["third-party"]),
        ("train*", ["training", "train"]),
        ("intitle:train*", ["training"]),
        ('"models collaborators"~1', ["collaborators train models"]),
        ("bluesky OR collaborators", ["collaborators"]),
        ("collaborators -bluesky", ["collaborators"]),
        ("collaborators NOT (bluesky OR mastodon)", ["collaborators"]),
        ("policy (bluesky OR posts) AND AI", ["posts", "AI", "policy"]),
        ("bluesky OR policy posts", ["posts", "policy"]),
    ],
)
def test_satisfied_spans(query: str, expected: list[str]) -> None:
    """A watch that holds returns the words of title and summary that satisfied it, in order."""
    assert found(query) == expected


@pytest.mark.parametrize(
    "query",
    [
        "rain",
        "polic",
        "collaborators -privacy",
        "intitle:collaborators",
        '"policy privacy"',
        '"AI train"~1',
        '"collaborators models"~0',
        '"training unless"',
        "bluesky OR mastodon",
        "policy AND bluesky",
        "trainx*",
    ],
)
def test_not_satisfied(query: str) -> None:
    """A part of a word, a wrong order, a forbidden word, or a phrase across title and summary is no match."""
    assert found(query) is None


def test_unspaced_script() -> None:
    """A word of a script without blanks is found inside a run of letters."""
    assert found("隐私政策", title="平台更新隐私政策公告", summary="") == ["隐私政策"]


def test_repeated_near() -> None:
    """A word asked for twice nearby must stand there twice."""
    assert found('"x x"~3', title="X sues", summary="") is None


def test_index_order() -> None:
    """An index returns every watch that holds with its spans, in the order the watches were given."""
    queries = ["train*", "bluesky", '"privacy policy" -bluesky', "intitle:posts OR nothing"]
    index = WatchIndex(Watch(id=str(n), name=f"watch {n}", query=query) for n, query in enumerate(queries))
    assert [(match.watch_id, len(match.spans)) for match in index.match(TITLE, SUMMARY)] == [
        ("0", 2),
        ("2", 1),
        ("3", 1),
    ]


def test_bad_watch() -> None:
    """An index is not built from a watch that cannot be read."""
    with pytest.raises(QueryError):
        WatchIndex([Watch(id="w", name="w", query="(")])


WORDS = st.sampled_from(["ab", "abc", "cd", "ef", "abd"])
LEAVES = st.one_of(
    WORDS,
    WORDS.map(lambda word: f"{word}*"),
    WORDS.map(lambda word: f"intitle:{word}"),
    st.tuples(WORDS, WORDS).map(lambda pair: f'"{pair[0]} {pair[1]}"'),
    st.tuples(WORDS, WORDS).map(lambda pair: f'"{pair[0]} {pair[1]}"~2'),
)
QUERIES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} OR {pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} {pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} -{pair[1]})"),
    ),
    max_leaves=6,
)
TEXTS = st.lists(WORDS, max_size=8).map(" ".join)


@given(st.lists(QUERIES, min_size=1, max_size=5), TEXTS, TEXTS)
def test_index_agrees(queries: list[str], title: str, summary: str) -> None:
    """The index finds exactly the watches that hold when each is asked alone, with the same spans."""
    watches = [Watch(id=str(n), name="w", query=query) for n, query in enumerate(queries)]
    alone = {watch.id: spans for watch in watches if (spans := matches(compile(watch), title, summary))}
    assert {match.watch_id: match.spans for match in WatchIndex(watches).match(title, summary)} == alone
