"""Pages that hold several documents: which one is meant, by the address's fragment or by the document's name.

A legal page may show its terms, its privacy policy and its addenda one under the other, or in tabs. Each is an
element that begins with its own heading and has neighbours of the same make. Where neither fragment nor name
points to one, the page is one document. What a privacy policy says beside itself (a notice for one state, for one
law, for transfers, how long data is kept) is read with it: who watches the one must hear of the others.
"""

from __future__ import annotations

import re

from pipeline.policy.html import Node

_TAGS = frozenset({"article", "section", "div", "details", "li"})
_HEADS = frozenset({"h1", "h2", "h3", "summary"})
_FILLERS = frozenset({"our", "the", "your", "and", "of", "for", "s", "a"})
_WORD = re.compile(r"[^\W_]+")
_SAME = {"notice": "policy", "statement": "policy", "use": "service", "conditions": "terms", "tos": "terms"}


_PRIVACY = re.compile(
    r"\b(?:privacy|gdpr|ccpa|cpra|lgpd|dsgvo)\b|\bdata (?:retention|subject)|datenschutz|confidentialit|privacidad",
    re.I,
)
_APART = re.compile(r"\b(?:agreement|addendum|terms|archived?|previous|former|prior)\b", re.I)


def pick(body: Node, main: Node, *, name: str = "", fragment: str = "") -> tuple[list[Node], str]:
    """Return the elements that hold the wanted document and a note, or `main` and "" where none is meant."""
    if not name and not fragment:
        return [main], ""
    found = [node for node in main.walk() if _is_document(node, body.prose)]
    wanted = _by_fragment(found, main, fragment) if fragment else None
    if wanted is None and name:
        wanted = _by_name(found, name)
    if wanted is None:
        return [main], ""
    taken = _with_supplements(wanted)
    with_them = f", with {len(taken) - 1} that supplement it" if len(taken) > 1 else ""
    return taken, f"The page holds several documents; this one is called {_title(wanted)[:80]!r}{with_them}."


def _with_supplements(wanted: Node) -> list[Node]:
    """Return a privacy policy with its neighbours that are about privacy too, in order; else the document alone."""
    if wanted.parent is None or not _PRIVACY.search(_title(wanted)):
        return [wanted]
    peers = [node for node in wanted.parent.nodes if node.tag == wanted.tag]
    return [node for node in peers if node is wanted or _is_supplement(_title(node))]


def _is_supplement(title: str) -> bool:
    return bool(_PRIVACY.search(title)) and not _APART.search(title)


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
