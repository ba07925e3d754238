"""Pages that hold several documents: which one is meant, by the address's fragment or by the document's name.

A legal page may show its terms, its privacy policy and its addenda one under the other, or in tabs. Each is an
element that begins with its own heading and has neighbours of the same make. Where neither fragment nor name
points to one, the page is one document.
"""

from __future__ import annotations

import re

from pipeline.policy.html import Node

_TAGS = frozenset({"article", "section", "div", "details", "li"})
_HEADS = frozenset({"h1", "h2", "h3", "summary"})
_FILLERS = frozenset({"our", "the", "your", "and", "of", "for", "s", "a"})
_WORD = re.compile(r"[^\W_]+")
_SAME = {"notice": "policy", "statement": "policy", "use": "service", "conditions": "terms", "tos": "terms"}


def pick(body: Node, main: Node, *, name: str = "", fragment: str = "") -> tuple[Node, str]:
    """Return the element that holds the wanted document and a note, or `main` and "" where none is meant."""
    if not name and not fragment:
        return main, ""
    found = [node for node in main.walk() if _is_document(node, body.prose)]
    wanted = _by_fragment(found, main, fragment) if fragment else None
    if wanted is None and name:
        wanted = _by_name(found, name)
    if wanted is None:
        return main, ""
    return wanted, f"The page holds several documents; this one is called {_title(wanted)[:80]!r}."


def _is_document(node: Node, total: int) -> bool:
    """Tell whether a node has a title at its beginning, a share of the page, and a neighbour like it."""
    if node.tag not in _TAGS or not 0.02 * total <= node.prose <= 0.9 * total or not node.headings:
        return False
    if not _title(node) or node.parent is None:
        return False
    peers = [peer for peer in node.parent.nodes if peer is not node and peer.tag == node.tag]
    return any(peer.prose >= 0.02 * total and peer.headings and _title(peer) for peer in peers)


def _title(node: Node) -> str:
    """Return the heading that a node begins with, "" if it begins with anything else."""
    for steps, inner in enumerate(node.walk()):
        if inner.tag in _HEADS and inner.size:
            return inner.text()
        if steps > 25 or any(isinstance(child, str) and child.strip() for child in inner.children):
            return ""
    return ""


def _by_fragment(found: list[Node], main: Node, fragment: str) -> Node | None:
    target = next((node for node in main.walk() if node.attrs.get("id") == fragment), None)
    if target is None:
        return None
    around = [target, *target.above()]
    return next((node for node in around if any(node is one for one in found)), None)


def _by_name(found: list[Node], name: str) -> Node | None:
    wanted = _key(name)
    named = [node for node in found if _key(_title(node)) == wanted]
    outer = [node for node in named if not any(any(above is one for one in named) for above in node.above())]
    return outer[0] if len(outer) == 1 else None


def _key(title: str) -> frozenset[str]:
    words = (word for word in _WORD.findall(title.casefold()) if word not in _FILLERS)
    return frozenset(_SAME.get(word, word) for word in words)
