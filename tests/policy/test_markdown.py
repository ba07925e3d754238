"""Markdown from a tree: one line per paragraph, the same for any markup that reads the same."""

from __future__ import annotations

import pytest

from pipeline.policy.clauses import segment
from pipeline.policy.html import parse
from pipeline.policy.markdown import markdown


def told(markup: str) -> str:
    return markdown([parse(markup).root]).strip()


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<h2>A <i>b</i></h2>", "## A b"),
        ("<p>a\n   b&nbsp;c</p>", "a b c"),
        ("<p>a<br>b</p>", "a  \nb"),
        ("<p>a<br><br>b</p>", "a\n\nb"),
        ("<ul><li>a<li>b</ul>", "-   a\n\n-   b"),
        ("<ol start=3><li>a<li value=7>b</ol>", "3.  a\n\n7.  b"),
        ("<ul><li>a<ul><li>b</ul></ul>", "-   a\n\n    -   b"),
        ("<ul><li><p>a</p><p>b</p></ul>", "-   a\n\n    b"),
        ("<table><tr><th>A<th>B<tr><td>x | y<td><ul><li>1<li>2</ul></table>", "| A | B |\n| --- | --- |\n| x \\| y | 1 2 |"),
        ("<table><tr><td><p>laid</p><p>out</p></table>", "laid\n\nout"),
        ("<dl><dt>T<dd>d<dd>e</dl>", "T\n:   d\n:   e"),
        ("<p><b>a</b><b>b</b> <strong>c </strong>d</p>", "**ab c** d"),
        ("<p><b>a<br>b</b></p>", "**a**  \n**b**"),
        ("<p>1. a</p>", "1\\. a"),
        ("<p># a</p>", "\\# a"),
        ("<p>- a</p>", "\\- a"),
        ("<p>a_b *c* [d] &lt;e&gt;</p>", "a_b \\*c\\* \\[d\\] \\<e>"),
        ("<p><a href='u'> a </a>b</p>", "[a](u) b"),
        ("<p><a href='javascript:void(0)'>a</a></p>", "a"),
        ("<p><a href='u'></a>a</p>", "a"),
        ("<pre>a\n b</pre>", "a  \nb"),
        ("<details><summary>Why?</summary><p>So.</p></details>", "**Why?**\n\nSo."),
        ("plain", "plain"),
        ("", ""),
    ],
)  # fmt: skip
def test_forms(markup: str, expected: str) -> None:
    """Each element has one form in Markdown."""
    assert told(markup) == expected


@pytest.mark.parametrize(
    "words",
    [
        "1. a",
        "- a",
        "# a",
        "| a",
        ": a",
        "> a",
        "a_b_c",
        "*a*",
        "[a](b)",
        "a \\ b",
        "`a`",
        "<a>",
        "===",
        "---",
        "2) b",
        "+ a",
        "[x]: y",
    ],
)
def test_words_survive(words: str) -> None:
    """What looks like Markdown but is text comes back as the same words."""
    (clause,) = segment(told(f"<p>{words.replace('<', '&lt;')} is told.</p>"))
    assert f"{clause.number} {clause.text}".replace(" ", "").replace(".", "") == f"{words} is told.".replace(
        " ", ""
    ).replace(".", "")
