"""Extraction: from the tree of a page to the policy text in it, as Markdown.

Without selectors: furniture goes, then the smallest element that holds nearly all sentences of the page is the
document, with the headings that stand right before it.
"""

from __future__ import annotations

import re

from pipeline.policy import furniture
from pipeline.policy.html import Node, Tree, parse
from pipeline.policy.markdown import markdown

EXTRACTOR = "clausewire-1"
_SHARE = 0.96
_TEXTUAL = frozenset("p ul ol li table tbody tr dl blockquote pre h1 h2 h3 h4 h5 h6".split())
_STRUCTURE = frozenset("h1 h2 h3 h4 h5 h6 p ul ol table dl blockquote pre address".split())
_DATED = re.compile(r"\b(?:19|20)\d\d\b|\b(?:updated|effective|modified|revised|version)\b", re.I)


def article(tree: Tree) -> Node:
    """Return the element that holds the document, everything else taken out of it."""
    body = tree.body
    furniture.measure(body)
    furniture.clear(body)
    furniture.measure(body)
    return _narrow(body)


def _narrow(body: Node) -> Node:
    """Walk down to the smallest element with nearly all sentences; on the way keep only what belongs to them.

    Above the page's `main` only headings of the first rank and dates are kept, below it whatever reads like text.
    """
    mains = _mains(body)
    found, outside = body, bool(mains)
    while True:
        if found in mains:
            outside = False
        inner = max(found.nodes, key=lambda node: node.prose, default=None)
        if inner is None or inner.prose < _SHARE * body.prose or inner.tag in _TEXTUAL:
            return body
        keep = _belongs_outside if outside or found is body else _belongs
        found.children = [
            child for child in found.children if child is inner or (isinstance(child, Node) and keep(child))
        ]
        found = inner


def _mains(body: Node) -> list[Node]:
    """Return the elements that say of themselves that they are the page's main part."""
    return [
        node
        for node in body.walk()
        if (node.tag == "main" or node.attrs.get("role") == "main" or node.attrs.get("itemprop") == "articleBody")
        and node.prose >= _SHARE * body.prose
    ]


def _belongs_outside(node: Node) -> bool:
    return node.tag == "h1" and node.links * 2 < node.size


def _belongs(node: Node) -> bool:
    """Tell whether what stands beside the document's sentences is part of it."""
    if not node.size:
        return False
    if node.prose:
        return True
    if node.links * 10 > node.size * 6:
        return furniture.is_contents(node)
    if any(inner.tag in _STRUCTURE for inner in node.walk()):
        return True
    return _DATED.search(node.text()[:300]) is not None


def extract(text: str, base: str = "") -> str:
    tree = parse(text)
    return markdown([article(tree)], base)
