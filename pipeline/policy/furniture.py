"""Furniture: what stands around a policy on a page (navigation, banners, pickers, footers) and is no part of it.

Nothing here knows a site. An element goes because of what it is (its tag, its role), what it is called (a closed
list of words in id, class and label) and what it holds (links and controls instead of sentences), and never when
it holds a good part of the page's sentences: a clause too many is noise, a clause too few is a missed change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipeline.policy.html import BLOCKS, Node

_NEVER = frozenset(
    ["head", "title", "svg", "math", "canvas", "iframe", "object", "embed", "audio", "video", "map", "noframes", "button", "select", "input", "textarea", "datalist", "option", "optgroup", "progress", "meter", "dialog", "template", "applet", "img", "picture", "source", "track", "param"]
)
_ROLES = frozenset(
    ["navigation", "banner", "contentinfo", "search", "dialog", "alertdialog", "menu", "menubar", "menuitem", "toolbar", "tablist", "tooltip", "status", "button", "combobox", "listbox", "option", "switch", "slider", "progressbar"]
)
_TAGS = frozenset({"nav", "footer", "aside", "form", "search", "menu", "noscript"})
_NAMES = re.compile(
    r"(?:^|[\s_-])(?:"
    r"nav|navbar|navigation|topnav|subnav|sidenav|menu|megamenu|submenu|breadcrumbs?|crumbs|pagination|pager|skip(?:-?(?:to|link|nav))?|"
    r"site-?footer|footer|site-?header|masthead|topbar|sidebar|side-?bar|toc|table-?of-?contents|"
    r"share|sharing|social|addthis|sharethis|related|recommend(?:ed|ations)?|more-?articles|read-?(?:next|more)|promo|advert(?:s|isement|ising)?|ads?|banner|"
    r"newsletter|subscribe|signup|sign-?up|login|feedback|helpful|rating|vote|survey|csat|"
    r"cookie(?:s|-?(?:banner|bar|notice|consent|popup|modal|law|dialog|message|disclaimer|wrapper|container))?|consent|onetrust|truste|cookiebot|didomi|"
    r"usercentrics|osano|cmp|gdpr|"
    r"lang(?:uage)?s?-?(?:picker|selector|select|switch(?:er)?|menu|list|wrapper)?|locale-?(?:picker|selector|switch(?:er)?)?|country-?(?:picker|selector)|"
    r"popup|modal|overlay|lightbox|toast|drawer|offcanvas|tooltip|dropdown|cta|search|chat(?:bot)?|intercom|avatar|author|byline|back-?to-?top|sr-?only|visually-?hidden|screen-?reader(?:-text)?|"
    r"copyright|comments?|print"
    r")(?=$|[\s_-])"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ENDS = re.compile(r"[.!?:;。！？：；،؛।]['\"”’)]?$")


def measure(root: Node) -> list[Node]:
    """Write into each node how much text, link text and prose it holds; return the nodes in document order."""
    order = list(root.walk())
    for node in reversed(order):
        own = sum(len("".join(child.split())) for child in node.children if isinstance(child, str))
        size = own + sum(child.size for child in node.nodes)
        links = size if node.tag == "a" else sum(child.links for child in node.nodes)
        node.size, node.links = size, links
        inner = sum(child.prose for child in node.nodes if child.tag in BLOCKS)
        inline = size - sum(child.size for child in node.nodes if child.tag in BLOCKS)
        inline_links = links - sum(child.links for child in node.nodes if child.tag in BLOCKS)
        if node.tag in BLOCKS and not _has_inline_blocks(node):
            node.prose = inner + (inline - inline_links if _reads(inline, inline_links) else 0)
        else:
            node.prose = sum(child.prose for child in node.nodes)
    return order


def _has_inline_blocks(node: Node) -> bool:
    return any(child.tag not in BLOCKS and child.prose for child in node.nodes)


def _reads(size: int, links: int) -> bool:
    return size >= 50 and links * 2 < size


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


def _goes(node: Node, total: int) -> bool:
    if node.tag in _NEVER:
        return not _titles(node)
    share = node.prose / total
    if share > 0.3:
        return False
    if node.tag in _TAGS or node.attrs.get("role", "") in _ROLES:
        return not _titles(node)
    if is_hidden(node):
        return node.prose < 1 or share < 0.02
    return is_called_furniture(node) and node.prose < 120


def _titles(node: Node) -> bool:
    """Tell whether a control is the heading of an accordion's panel."""
    if node.tag not in {"button", "a", "div", "span"} or not 2 <= node.size <= 160:
        return False
    if any(above.tag in {"h1", "h2", "h3", "h4", "h5", "h6", "summary", "dt"} for above in _near(node)):
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
    return bool(style) and re.search(r"display\s*:\s*none|visibility\s*:\s*hidden", style, re.I) is not None


def is_called_furniture(node: Node) -> bool:
    """Tell whether id, class or label name a piece of furniture."""
    name = f"{node.name} {node.attrs.get('aria-label', '')} {node.attrs.get('data-testid', '')}"
    return len(name) > 3 and _NAMES.search(_CAMEL.sub("-", name).lower()) is not None
