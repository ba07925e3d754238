"""Selectors: CSS over our tree, declarations of Open Terms Archive, and a proposal when one dies."""

from __future__ import annotations

import json

import pytest

from pipeline.policy.css import SelectorError, compile_selector, select
from pipeline.policy.html import parse
from pipeline.policy.selectors import from_declaration, propose, strings, take

PAGE = (
    "<body><main class='a b' id='m'><h1>T</h1><p class='x'>1<p data-k='Abc'>2<ul><li>a<li>b<li>c</ul></main>"
    "<footer><a href='/legal'>l</a></footer></body>"
)
RANGED = "<body><div id='a'><p>0<h1>T</h1>tail<p>1</div><div><p>2<h2 id='toc'>x</h2><p>3</div></body>"


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("main > p", ["1", "2"]),
        ("p + p", ["2"]),
        (".a.b p:first-of-type", ["1"]),
        ("#m ~ footer a[href='/legal']:first-child", ["l"]),
        ("[data-k^=ab i]", ["2"]),
        ('[data-k="Abc"]', ["2"]),
        ("[class^='a ']", ["T 1 2 a b c"]),
        ("[class~=b]", ["T 1 2 a b c"]),
        ("[href$=gal], [href*=nope]", ["l"]),
        ("li:nth-child(2n+1)", ["a", "c"]),
        ("li:nth-last-child(1)", ["c"]),
        ("li:nth-child(-n+2)", ["a", "b"]),
        ("p:not(.x)", ["2"]),
        ("main:has(> ul)", ["T 1 2 a b c"]),
        ("p:has(+ ul)", ["2"]),
        ("body > main + footer", ["l"]),
        ("h1, li:last-child", ["T", "c"]),
        (":is(h1, footer a)", ["T", "l"]),
        ("main:has(footer)", []),
        (".absent", []),
    ],
)
def test_css(selector: str, found: list[str]) -> None:
    """A selector finds what a browser would find, in document order."""
    assert [node.text() for node in select(parse(PAGE).root, selector)] == found


@pytest.mark.parametrize(
    "selector", ["", "p:hover", "p[", "p >> q", "li:nth-child(x)", "a,,b", ":not(p", "p:contains('x')"]
)
def test_css_refused(selector: str) -> None:
    """What is no selector of ours is refused with a message that shows it."""
    with pytest.raises(SelectorError):
        compile_selector(selector)


@pytest.mark.parametrize(
    ("bounds", "found"),
    [
        ({"startBefore": "h1", "endBefore": "#toc"}, "T tail 1 2"),
        ({"startAfter": "h1", "endBefore": "#toc"}, "tail 1 2"),
        ({"startAfter": "h1", "endAfter": "#toc"}, "tail 1 2 x"),
        ({"startBefore": "#a", "endAfter": "#a"}, "0 T tail 1"),
        ({"startBefore": ".gone", "endAfter": "#a"}, ""),
        ({"startBefore": "#toc", "endBefore": "h1"}, ""),
    ],
)
def test_ranges(bounds: dict[str, str], found: str) -> None:
    """A range takes what stands between its two places, and nothing where one of them is gone."""
    taken, faults = take(parse(RANGED).root, [json.dumps(bounds)], [])
    assert taken.text() == found
    assert faults == []


def test_range_removed() -> None:
    """A range in `remove` goes, the rest stays."""
    taken, _ = take(parse(RANGED).root, ["body"], ['{"startAfter": "h1", "endAfter": "#toc"}'])
    assert taken.text() == "0 T 3"


def test_nested_matches_once() -> None:
    """What stands inside another match is not taken twice."""
    assert take(parse(PAGE).root, ["ul", "main"], [])[0].text() == "T 1 2 a b c"


def test_bad_selector_told() -> None:
    """A selector that cannot be read is named, the others are used."""
    taken, faults = take(parse(PAGE).root, ["h1", "p:hover"], ["li:unknown"])
    assert taken.text() == "T"
    assert len(faults) == 2


def test_service_declaration() -> None:
    """A service's file gives one entry per document, with its selectors as strings."""
    found = from_declaration(
        {"name": "X", "terms": {"Privacy Policy": {"fetch": "https://x.org/p", "select": "main", "remove": [".nav", {"startBefore": "a", "endAfter": "b"}]}}}
    )  # fmt: skip
    assert [(one.service, one.name, one.url, one.select) for one in found] == [
        ("X", "Privacy Policy", "https://x.org/p", ("main",))
    ]
    assert found[0].remove == (".nav", '{"endAfter": "b", "startBefore": "a"}')


def test_combined_declaration() -> None:
    """A combined document gives one entry per page; what a page does not say, the document says."""
    found = from_declaration({"select": ["main"], "executeClientScripts": True, "combine": [{"fetch": "https://x.org/1"}, {"fetch": "https://x.org/2", "select": "article"}]})  # fmt: skip
    assert [(one.url, one.select, one.scripts) for one in found] == [
        ("https://x.org/1", ("main",), True),
        ("https://x.org/2", ("article",), True),
    ]


@pytest.mark.parametrize("entry", [{}, {"fetch": 3}, {"terms": []}, {"combine": ["x"]}])
def test_bad_declaration(entry: dict[str, object]) -> None:
    """A declaration without a page gives no entry."""
    assert from_declaration(entry) == []


@pytest.mark.parametrize(
    ("value", "expected"), [(None, ()), ("", ()), ("a", ("a",)), (["a", "b"], ("a", "b"))]
)
def test_strings(value: object, expected: tuple[str, ...]) -> None:
    """Selectors are one tuple of strings, however they are declared."""
    assert strings(value) == expected


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<div><div id='terms'>x</div></div>", "#terms"),
        ("<main id='x1234'>x</main>", "main"),
        ("<div><p>y</p></div><div class='css-1x9k legal-text'>x</div>", ".legal-text"),
        ("<div id='wrap'><div>y</div><div>x</div></div>", "#wrap > div:nth-of-type(2)"),
    ],
)
def test_proposal(markup: str, expected: str) -> None:
    """The proposed selector finds the element alone, by the name least likely to change."""
    root = parse(f"<body>{markup}</body>").root
    wanted = next(node for node in root.walk() if node.children == ["x"])
    assert propose(root, wanted) == expected
