"""Furniture: what stands around a policy on a page (navigation, banners, pickers, footers) and is no part of it.

Nothing here knows a site. An element goes because of what it is (its tag, its role), what it is called (a closed
list of words in id, class and label) and what it holds (links and controls instead of sentences), and never when
it holds a good part of the page's sentences: a clause too many is noise, a clause too few is a missed change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipeline.policy import names
from pipeline.policy.html import BLOCKS, Node

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_TITLED = names.HEADINGS | {"summary", "dt"}
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)


def measure(root: Node) -> list[Node]:
    """Write into each node what it holds; return the nodes in document order."""
    order = list(root.walk())
    for node in reversed(order):
        _weigh(node)
    return order


def _weigh(node: Node) -> None:
    """Sum up a node whose children are summed up: figures of its blocks, and of its own run of inline text."""
    inline = inline_links = size = links = inner = loose = below = headings = titles = hrefs = anchors = (
        controls
    ) = 0
    for child in node.children:
        if isinstance(child, str):
            inline += sum(map(len, child.split()))
            continue
        size, links, below = size + child.size, links + child.links, below + 1 + child.nodes_below
        headings, titles, controls = (
            headings + child.headings,
            titles + child.titles,
            controls + child.controls,
        )
        hrefs, anchors = hrefs + child.hrefs, anchors + child.anchors
        if child.tag in BLOCKS:
            inner += child.prose
        else:
            inline, inline_links, loose = inline + child.size, inline_links + child.links, loose + child.prose
            size -= child.size
    tag, whole = node.tag, size + inline
    node.size, node.links, node.nodes_below = whole, links, below
    node.headings, node.titles, node.controls = headings, titles, controls + (tag == "button")
    node.hrefs, node.anchors = hrefs, anchors
    if tag in names.HEADINGS and whole:
        node.headings, node.titles = headings + 1, titles + (tag == "h1")
    if tag == "a" and "href" in node.attrs:
        node.links, node.prose = whole, 0
        node.hrefs, node.anchors = hrefs + (whole > 0), anchors + (whole > 0 and _is_anchor(node))
    elif tag in BLOCKS and not loose:
        node.prose = inner + (inline - inline_links if _reads(node, inline, inline_links) else 0)
    else:
        node.prose = inner + loose


def _reads(node: Node, size: int, links: int) -> bool:
    """Tell whether a run of text reads like a sentence: it is long, or it ends like one, and is not mostly links."""
    if links * 2 >= size or size < 18:
        return False
    if size >= 50 or node.tag in names.HEADINGS:
        return size >= 50
    last = node.children[-1] if node.children else ""
    return isinstance(last, str) and last.rstrip().endswith((".", "!", "?", ";", "。", "؟", "।"))


def _is_anchor(node: Node) -> bool:
    href = node.attrs["href"]
    return len(href) > 1 and href[0] == "#"


def clear(root: Node) -> None:
    """Take the furniture out of a measured tree; measure it anew afterwards."""
    total = max(1, root.prose)
    stack = [root]
    while stack:
        node = stack.pop()
        kept: list[Node | str] = []
        for child in node.children:
            if isinstance(child, Node):
                if _goes(child, total):
                    continue
                stack.append(child)
            kept.append(child)
        node.children = kept


def strip_controls(root: Node) -> None:
    """Take only controls and pictures out of what people's selectors chose."""
    measure(root)
    for node in list(root.walk()):
        if node.tag in names.NEVER and not _titles(node):
            node.drop()


def _goes(node: Node, total: int) -> bool:
    if node.tag in names.NEVER:
        return not _titles(node)
    if node.prose > 0.3 * total:
        return _asks_consent(node) if node.prose < 0.9 * total else _is_vendors(node)
    if node.tag == "aside":
        return node.links * 2 >= node.size or (is_called_furniture(node) and node.prose < 200)
    if node.tag in names.TAGS or node.attrs.get("role", "") in names.ROLES:
        return not _titles(node)
    if is_hidden(node) and (not _speaks(node) or is_called_furniture(node)):
        return True
    if is_called_furniture(node):
        return (node.prose < 120 or _asks_consent(node)) and not is_contents(node)
    return _asks_consent(node) or _says_furniture(node)


def _is_vendors(node: Node) -> bool:
    """Tell a consent dialog by the name of its maker."""
    if not node.name or node.titles or node.size > 12_000 or not names.VENDORS.search(_spaced(node.name)):
        return False
    return node.controls > 0 or "dialog" in node.attrs.get("role", "") or node.prose < 1000


def _asks_consent(node: Node) -> bool:
    """Tell whether a node bears a name that consent banners bear, has their size and speaks as they do."""
    if _is_vendors(node):
        return True
    if not node.name or node.titles or node.size > 6000 or node.headings > 3:
        return False
    if not names.CONSENT.search(_spaced(node.name)):
        return False
    return node.controls > 0 or names.BANNER.search(node.text()[:600]) is not None


def _speaks(node: Node) -> bool:
    """Tell whether something hidden holds words of the document: a closed panel, the definition behind a term."""
    return bool(node.prose) or (node.attrs.get("role") == "tooltip" and node.size >= 20)


def is_contents(node: Node) -> bool:
    """Tell whether nearly all links inside lead to places on the same page, as a table of contents does."""
    return node.hrefs >= 2 and node.anchors * 10 >= node.hrefs * 9


def is_link_list(node: Node) -> bool:
    """Tell whether a node is mostly links to elsewhere."""
    return node.links * 10 > node.size * 6 and not is_contents(node)


def is_colophon(node: Node) -> bool:
    """Tell whether a node is the foot of a site: a notice of copyright, links to elsewhere, and little else."""
    if node.size > 600 or node.prose > 200 or (node.headings and node.hrefs < 6):
        return False
    if node.hrefs >= 3 and node.links * 10 >= node.size * 3:
        return not is_contents(node)
    return node.size < 150 and names.COPYRIGHT.search(node.text()) is not None


def _says_furniture(node: Node) -> bool:
    """Tell furniture by its words: a consent banner with its buttons, a question whether this was helpful."""
    if node.tag not in BLOCKS or node.size > 1500 or node.nodes_below > 150:
        return False
    if node.headings == 1 and node.prose < 200 and names.TITLES.match(node.text()):
        return not is_contents(node) and node.tag not in names.HEADINGS
    if node.size <= 90:
        whole = any(isinstance(child, Node) and child.size == node.size for child in node.children)
        return not whole and node.tag not in names.HEADINGS and names.LINES.match(node.text()) is not None
    if node.headings > 2:
        return False
    text = node.text()
    if names.BANNER.search(text[:400]) and (
        _has_assent(node) or (not node.headings and names.ASSENT_LAST.search(text))
    ):
        return True
    return node.controls > 0 and node.size < 400 and names.NEWSLETTER.search(text) is not None


def _has_assent(node: Node) -> bool:
    return node.controls > 0 and any(
        inner.tag == "button" and names.ASSENT.match(inner.text()) for inner in node.walk()
    )


def _titles(node: Node) -> bool:
    """Tell whether a control is the heading of an accordion's panel."""
    if node.tag not in {"button", "a", "div", "span"} or not 2 <= node.size <= 160:
        return False
    if any(above.tag in _TITLED for above in _near(node)):
        return True
    return "aria-expanded" in node.attrs and "aria-haspopup" not in node.attrs


def _near(node: Node) -> Iterable[Node]:
    for count, above in enumerate(node.above()):
        if count == 3:
            return
        yield above


def is_hidden(node: Node) -> bool:
    """Tell whether an element is not shown as served."""
    attrs = node.attrs
    if "hidden" in attrs or attrs.get("aria-hidden") == "true":
        return True
    style = attrs.get("style", "")
    return bool(style) and _HIDDEN.search(style) is not None


def is_called_furniture(node: Node) -> bool:
    """Tell whether id, class or label name a piece of furniture."""
    if node.tag not in names.CONTAINERS:
        return False
    label = f"{node.attrs.get('class', '')} {node.attrs.get('aria-label', '')}".strip()
    name = f"{node.attrs.get('id', '')} {label}".strip()
    if not name:
        return False
    if names.ALWAYS.search(_spaced(name)):
        return True
    if node.tag not in BLOCKS or node.tag in {"li", "p"}:
        return False
    return bool(label) and not node.headings and names.OFTEN.search(_spaced(label)) is not None


def _spaced(name: str) -> str:
    return _CAMEL.sub("-", name).lower()
