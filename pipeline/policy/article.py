"""The article of a page: the smallest element that holds nearly all its sentences, furniture taken out.

Completeness comes first: what reads like a sentence beside the article stays, unless it has the marks of a banner,
of the foot of a site or of a list of links.
"""

from __future__ import annotations

import re

from pipeline.policy import furniture
from pipeline.policy.html import Node, Tree
from pipeline.policy.names import words

_SHARE = 0.96  # of the sentences of a page: what the document's element holds at least
_MAIN = 0.7  # of the sentences of a page: what an element that calls itself its main part must hold
_BANNER = 300  # characters of sentences beside the document that are taken for a banner
_SOME = 200  # characters without sentences that are still more than a row of labels
_TEXTUAL = words("p ul ol li dl blockquote pre h1 h2 h3 h4 h5 h6")
_STRUCTURE = words("h1 h2 h3 h4 h5 h6 p ul ol table dl blockquote pre address")
_LEAVES = words("p div span time em small strong b i h2 h3 h4 h5 h6 li td address")
_CONTACT = re.compile(r"\S@\S|\+?\d[\d().-]* ?[\d().-]+ ?\d{3}|\bP\.?O\.? Box\b", re.I)
_UPDATED = re.compile(
    r"(?:last |date of (?:last )?)?(?:updated?|effective|modified|revised|revision|version|in force|published|stand|"
    r"dernière mise à jour|zuletzt|última actualización|ultimo aggiornamento|effective date)\b.*\d",
    re.I,
)
_DATED = re.compile(r"\b(?:19|20)\d\d\b|\b(?:updated|effective|modified|revised|version)\b", re.I)


def article(tree: Tree) -> tuple[Node, Node]:
    """Return the body with everything but the document taken out of it, and the element that holds its sentences."""
    body = tree.body
    furniture.measure(body)
    furniture.clear(body)
    furniture.measure(body)
    return _narrow(body)


def _narrow(body: Node) -> tuple[Node, Node]:
    """Walk down to the smallest element with nearly all sentences; on the way keep only what belongs to them.

    Above the page's `main`, and in the body itself, only titles and dates are kept.
    """
    mains, total = _mains(body)
    found, outside = body, bool(mains)
    while True:
        outside = outside and id(found) not in mains
        inner = max(found.nodes, key=lambda node: node.prose, default=None)
        if (
            inner is None
            or inner.tag in _TEXTUAL
            or not _holds(inner, total, strict=outside or found is body)
        ):
            _trim(found)
            return body, found
        found.children = _kept(found, inner, strict=outside or found is body)
        found = inner


def _holds(inner: Node, total: int, *, strict: bool) -> bool:
    """Tell whether an element holds the document: nearly all sentences, or all but a banner beside a titled one."""
    if inner.prose >= _SHARE * total:
        return True
    return strict and inner.titles > 0 and total - inner.prose <= _BANNER and inner.prose >= 0.6 * total


def _kept(found: Node, inner: Node, *, strict: bool) -> list[Node | str]:
    """Return the children of a node that belong to its main child, and that child."""
    kept: list[Node | str] = []
    before = True
    for child in found.children:
        if child is inner:
            before = False
            kept.append(child)
        elif isinstance(child, str):
            continue
        elif strict:
            kept += _heads(child, titled=bool(inner.titles)) if before else []
        elif _belongs(child, titled=bool(inner.titles)):
            kept.append(child)
    return kept


def _mains(body: Node) -> tuple[set[int], int]:
    """Return the elements that say of themselves that they are the page's main part, and their sentences."""
    found = [
        node
        for node in body.walk()
        if (
            node.tag == "main"
            or node.attrs.get("role") == "main"
            or node.attrs.get("itemprop") == "articleBody"
        )
        and node.prose >= _MAIN * body.prose
    ]
    total = found[0].prose if found else body.prose
    return {id(node) for node in found if node.prose >= _SHARE * total}, total


def _heads(node: Node, *, titled: bool) -> list[Node]:
    """Return the title and the date that stand in something above the document."""
    if not node.size or node.nodes_below > 400:
        return []
    found: list[Node] = []
    for inner in node.walk():
        if (inner.tag == "h1" and inner.size and not titled) or (
            _is_dated(inner) and not any(above in found for above in inner.above())
        ):
            found.append(inner)
    return found


def _is_dated(node: Node) -> bool:
    """Tell whether a node is the line that dates a document."""
    if node.tag not in _LEAVES or not 8 < node.size < 140 or node.hrefs:
        return False
    return _UPDATED.match(node.text()) is not None


def _belongs(node: Node, *, titled: bool) -> bool:
    """Tell whether what stands beside the document's sentences is part of it."""
    if not node.size:
        return False
    if titled and furniture.is_colophon(node):
        return False
    if node.prose or _CONTACT.search(head := node.text()[:300]):
        return True
    if furniture.is_link_list(node):
        return False
    if furniture.is_contents(node) or _DATED.search(head):
        return True
    if titled:
        return node.size - node.links > _SOME or (node.headings > 0 and not node.hrefs)
    return node.tag in _STRUCTURE or any(inner.tag in _STRUCTURE for inner in node.walk())


def _trim(found: Node) -> int:
    """Take lists of links and the foot of the site off both ends of the document; return the sentences lost."""
    lost = 0
    for step in (1, -1):
        for child in found.children[::step]:
            if isinstance(child, str):
                if child.strip():
                    break
                continue
            if child.size and not _is_edge(child, titled=found.titles > child.titles):
                break
            if child.size:
                lost += child.prose
                child.drop()
    return lost


def _is_edge(node: Node, *, titled: bool) -> bool:
    """Tell whether a node at either end of the document is no part of it."""
    if titled and furniture.is_colophon(node):
        return True
    return furniture.is_link_list(node) and not node.prose and node.hrefs >= 3
