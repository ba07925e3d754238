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
    "head title svg math canvas iframe object embed audio video map noframes button select input textarea datalist "
    "option optgroup progress meter dialog template applet img picture source track param".split()  # noqa: SIM905
)
_ROLES = frozenset(
    "navigation banner contentinfo search dialog alertdialog menu menubar menuitem toolbar tablist status "
    "button combobox listbox option switch slider progressbar".split()  # noqa: SIM905
)
_TAGS = frozenset({"nav", "footer", "form", "search", "menu", "noscript"})
_CONTAINERS = frozenset(
    "div section ul ol span header a aside article table center fieldset figure address summary details p li i em small".split()
)
_HEADINGS = frozenset("h1 h2 h3 h4 h5 h6".split())
_ALWAYS = (  # what only furniture is called
    "nav navbar navigation topnav subnav sidenav menu megamenu submenu breadcrumbs? crumbs pagination pager "
    "skip(?:to|link|nav|content)? (?:site-?)?footer site-?header masthead topbar side-?bar share-?(?:bar|buttons?|links?|icons?|"
    "this) social-?(?:bar|buttons?|links?|icons?|media|share) addthis sharethis related-?(?:articles?|posts?|links?|content|topics?) "
    "more-?articles read-?next adverts? advertisement newsletter cookie-?(?:banner|bar|notice|consent|popup|modal|law|dialog|"
    "message|disclaimer|wall|settings) consent-?(?:banner|manager|popup|modal|dialog|bar) onetrust truste cookiebot didomi usercentrics "
    "osano cmp (?:lang(?:uage)?s?|locale|country|region)-?(?:picker|selector|select|switch(?:er)?|menu|list|wrapper|dropdown|nav) "
    "popup lightbox toast offcanvas chatbot? back-?to-?top sr-?only visually-?hidden screen-?reader(?:-text)? "
    "article-?(?:feedback|votes?|rating) feedback-?(?:form|widget|bar) csat reaction-?(?:picker|prompt) was-?this-?helpful helpful"
)
_OFTEN = (  # what a part of a policy may be called too: counts in a class or label, and where no heading stands inside
    "share sharing social related recommended promo ads? banner subscribe sign-?up login feedback rating votes? survey cookies? "
    "consent gdpr modal overlay drawer dropdown cta search avatar author byline comments? print toc-?toggle lang(?:uage)?s?"
)
_NAMES = re.compile(rf"(?:^|[\s_-])(?:{'|'.join(_ALWAYS.split())})(?=$|[\s_-])")
_MAYBE = re.compile(rf"(?:^|[\s_-])(?:{'|'.join(_OFTEN.split())})(?=$|[\s_-])")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LINES = re.compile(
    r"(?:skip to (?:the )?(?:main )?content|back to (?:the )?top|(?:share|print|e-?mail|save) this(?: page| article)?|"
    r"(?:was|is) this (?:page|article|information|answer|content)? ?helpful|did (?:this|we) (?:answer|help)|"
    r"(?:show|read|learn|see|view) (?:more|less|all)|loading|close(?: menu| dialog)?|open menu|menu|search|print|share|"
    r"[\d,.]+[km]? (?:views?|shares?|comments?|likes?|reactions?)|\d+ min(?:ute)?s? read|[\d,.]+ (?:people|users) (?:found|viewed|read)\b.*|"
    r"[\d,.]+ out of [\d,.]+ found this helpful|war (?:dies|dieser artikel) hilfreich|cet article (?:vous )?a-t-il été utile)"
    r"[\s?!.…:]*(?:yes|no|ja|nein|oui|non|👍|👎|/|\s)*$",
    re.I,
)
_BANNER = re.compile(
    r"\b(?:uses? (?:\w+ ){0,3}cookies|cookies (?:to|help|are|on|and)|verwende\w* (?:\w+ ){0,3}cookies|utilis\w+ (?:\w+ ){0,3}cookies|"
    r"utiliza\w* (?:\w+ ){0,3}cookies|gebruik\w* (?:\w+ ){0,3}cookies|value your privacy)",
    re.I,
)
_ASSENT = re.compile(
    r"(?:i )?(?:accept|agree|reject|allow|decline|deny|got it|ok(?:ay)?|understand|dismiss|manage|akzeptieren|alle |ablehnen|zustimmen|accepter|"
    r"tout |refuser|aceptar|rechazar|accetta|rifiuta|aceitar|accepteren)\b",
    re.I,
)
_ASSENT_LAST = re.compile(
    r"\b(?:accept(?: all)?(?: cookies)?|got it|ok(?:ay)?|(?:i )?agree|dismiss|allow(?: all)?(?: cookies)?|(?:i )?understand|close|×|✕)[!.]?$",
    re.I,
)
_NEWSLETTER = re.compile(r"\b(?:sign up|subscribe|join)\b.{0,60}\b(?:newsletter|mailing list|latest news|updates)\b", re.I | re.S)
_CONSENT_NAMES = re.compile(
    r"(?:^|[\s_-])(?:onetrust|truste|cookiebot|cybot|didomi|usercentrics|osano|qc-?cmp|iubenda|klaro|termly|cookieyes|cky|cmplz|"
    r"cc-(?:window|banner|revoke)|cookie-?(?:banner|bar|notice|consent|popup|modal|law|dialog|wall)|consent-?(?:banner|popup|modal|dialog|bar))(?=$|[\s_-])"
)


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
    if tag in _HEADINGS and whole:
        node.headings, node.titles = headings + 1, titles + (tag == "h1")
    if tag == "a" and "href" in node.attrs:
        node.links, node.prose = whole, 0
        node.hrefs, node.anchors = hrefs + (whole > 0), anchors + (whole > 0 and _is_anchor(node))
    elif tag in BLOCKS and not loose:
        node.prose = inner + (inline - inline_links if inline >= 50 and inline_links * 2 < inline else 0)
    else:
        node.prose = inner + loose


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
        if node.tag in _NEVER and not _titles(node):
            node.drop()


def _goes(node: Node, total: int) -> bool:
    if node.tag in _NEVER:
        return not _titles(node)
    if node.prose > 0.3 * total:
        return False
    if node.tag == "aside":
        return node.links * 2 >= node.size or is_called_furniture(node) and node.prose < 200
    if node.tag in _TAGS or node.attrs.get("role", "") in _ROLES:
        return not _titles(node)
    if is_hidden(node) and (not _speaks(node) or is_called_furniture(node)):
        return True
    if is_called_furniture(node):
        return (node.prose < 120 or _asks_consent(node)) and not is_contents(node)
    return _asks_consent(node) or _says_furniture(node)


def _asks_consent(node: Node) -> bool:
    """Tell whether a node bears a name that consent banners alone bear, and has their size."""
    return node.size < 6000 and node.headings < 12 and _CONSENT_NAMES.search(_spaced(node.name)) is not None


def _speaks(node: Node) -> bool:
    """Tell whether something hidden holds words of the document: a closed panel, the definition behind a term."""
    return bool(node.prose) or (node.attrs.get("role") == "tooltip" and node.size >= 20)


def is_contents(node: Node) -> bool:
    """Tell whether nearly all links inside lead to places on the same page, as a table of contents does."""
    return node.hrefs >= 2 and node.anchors * 10 >= node.hrefs * 9


def is_link_list(node: Node) -> bool:
    """Tell whether a node is mostly links to elsewhere."""
    return node.links * 10 > node.size * 6 and not is_contents(node)


def _says_furniture(node: Node) -> bool:
    """Tell furniture by its words: a consent banner with its buttons, a question whether this was helpful."""
    if node.tag not in BLOCKS or node.size > 1500 or node.nodes_below > 150:
        return False
    if node.size <= 90:
        whole = any(isinstance(child, Node) and child.size == node.size for child in node.children)
        return not whole and node.tag not in _HEADINGS and _LINES.match(node.text()) is not None
    if node.headings > 2:
        return False
    text = node.text()
    if _BANNER.search(text[:400]) and (_ASSENT_LAST.search(text) or _has_assent(node)):
        return True
    return node.controls > 0 and node.size < 400 and _NEWSLETTER.search(text) is not None


def _has_assent(node: Node) -> bool:
    return node.controls > 0 and any(
        inner.tag == "button" and _ASSENT.match(inner.text()) for inner in node.walk()
    )


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
    if node.tag not in _CONTAINERS:
        return False
    label = f"{node.attrs.get('class', '')} {node.attrs.get('aria-label', '')}".strip()
    name = f"{node.attrs.get('id', '')} {label}".strip()
    if not name:
        return False
    if _NAMES.search(_spaced(name)):
        return True
    if node.tag not in BLOCKS or node.tag in {"li", "p"}:
        return False
    return bool(label) and not node.headings and _MAYBE.search(_spaced(label)) is not None


def _spaced(name: str) -> str:
    return _CAMEL.sub("-", name).lower()
