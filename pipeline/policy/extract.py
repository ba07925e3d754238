"""Extraction: from the tree of a page to the policy text in it, as Markdown.

Without selectors: furniture goes, then the smallest element that holds nearly all sentences of the page is the
document, with the headings that stand right before it.
"""

from __future__ import annotations

from pipeline.policy import furniture
from pipeline.policy.html import Node, Tree, parse
from pipeline.policy.markdown import markdown

EXTRACTOR = "clausewire-1"
_SHARE = 0.96


def article(tree: Tree) -> list[Node]:
    """Return the elements that hold the document, in order."""
    body = tree.body
    furniture.measure(body)
    furniture.clear(body)
    furniture.measure(body)
    found = body
    while True:
        inner = max(found.nodes, key=lambda node: node.prose, default=None)
        if (
            inner is None
            or inner.prose < _SHARE * body.prose
            or inner.tag in {"p", "ul", "ol", "table", "dl"}
        ):
            break
        found = inner
    return [*_titles(found, body), found]


def _titles(found: Node, body: Node) -> list[Node]:
    return []


def extract(text: str, base: str = "") -> str:
    tree = parse(text)
    return markdown(article(tree), base)
