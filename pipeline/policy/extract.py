"""Extraction: from the tree of a page to the policy text in it, as Markdown.

Without selectors: furniture goes, then the smallest element that holds nearly all sentences of the page is the
document, with the headings that stand right before it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from urllib.parse import urljoin, urlsplit

from msgspec import Struct

from pipeline.policy import documents, furniture, selectors
from pipeline.policy.embedded import embedded
from pipeline.policy.html import Node, Tree, parse
from pipeline.policy.markdown import markdown
from pipeline.policy.names import words

EXTRACTOR = "clausewire-1"
_SHARE = 0.96  # of the sentences of a page: what the document's element holds at least
_MAIN = 0.7  # of the sentences of a page: what an element that calls itself its main part must hold
_BANNER = 300  # characters of sentences beside the document that are taken for a banner
_SOME = 200  # characters without sentences that are still more than a row of labels
_LEAST = 100  # characters: a selector that finds less is dead (as Open Terms Archive has it)
_SHELL = 400  # characters: a page that shows less may carry its text as data
_HEADING = re.compile(r"#{1,6} ")
_WORD = re.compile(r"\w+")
_TARGET = re.compile(r"\]\([^()]*\)")
_TEXTUAL = words("p ul ol li dl blockquote pre h1 h2 h3 h4 h5 h6")
_LEAVES = words("p div span time em small strong b i h2 h3 h4 h5 h6 li td address")
_CONTACT = re.compile(r"\S@\S|\+?\d[\d().-]* ?[\d().-]+ ?\d{3}|\bP\.?O\.? Box\b", re.I)
_UPDATED = re.compile(
    r"(?:last |date of (?:last )?)?(?:updated?|effective|modified|revised|revision|version|in force|published|stand|"
    r"dernière mise à jour|zuletzt|última actualización|ultimo aggiornamento|effective date)\b.*\d",
    re.I,
)
_STRUCTURE = words("h1 h2 h3 h4 h5 h6 p ul ol table dl blockquote pre address")
_DATED = re.compile(r"\b(?:19|20)\d\d\b|\b(?:updated|effective|modified|revised|version)\b", re.I)


class Extracted(Struct, frozen=True, kw_only=True):
    """The text of a page as Markdown, its title, and how it was come by.

    `selected` is true where people's selectors gave it, `dead` says why they did not, `proposal` is a selector that
    finds the element that was taken instead.
    """

    text: str
    title: str = ""
    language: str = ""  # as the page says of itself
    selected: bool = False
    dead: str = ""
    proposal: str = ""
    notes: tuple[str, ...] = ()


def extract(
    page: str,
    *,
    tree: Tree | None = None,
    base: str = "",
    select: Sequence[str] = (),
    remove: Sequence[str] = (),
    siblings: Sequence[str] = (),
    name: str = "",
) -> Extracted:
    """Return the policy text of an HTML page: by selectors while they live, else by itself.

    `tree` is the parsed page if the caller has it; it is used up. `name` is what the document is called.
    """
    notes: list[str] = []
    dead = ""
    if select:
        tree = tree or parse(page)
        taken, faults = selectors.take(tree.root, select, remove)
        notes += [f"A selector was left out: {fault}." for fault in faults]
        furniture.strip_controls(taken)
        text = markdown([taken], _base(tree, base))
        if len(text) >= _LEAST:
            return Extracted(
                text=text,
                title=_title(tree, taken),
                language=tree.language,
                selected=True,
                notes=tuple(notes),
            )
        dead, tree = _death(select, text), None
    tree = tree or parse(page)
    if remove:
        _, faults = selectors.take(tree.root, (), remove)
        notes += [] if dead else [f"A selector was left out: {fault}." for fault in faults]
    found = _automatic(tree, base, siblings, name or "")
    proposal = _proposal(page, found[1]) if dead else ""
    return Extracted(
        text=found[0].text,
        title=found[0].title,
        language=tree.language,
        dead=dead,
        proposal=proposal,
        notes=(*notes, *found[0].notes),
    )


def _automatic(tree: Tree, base: str, siblings: Sequence[str], name: str) -> tuple[Extracted, Node]:
    body, main = article(tree)
    main, note = documents.pick(body, main, name=name, fragment=urlsplit(base).fragment)
    root = main if note else body
    text = markdown([root], _base(tree, base))
    if len(text) < _SHELL and (carried := embedded(tree.scripts)):
        inner = parse(carried).body
        told = markdown([inner], _base(tree, base))
        if len(told) > 2 * len(text):
            note = "The page shows its text by scripts; it was read from the data they carry."
            return Extracted(text=told, title=_title(tree, inner), notes=(note,)), main
    if siblings:
        text = without_furniture(text, siblings)
    return Extracted(text=text, title=_title(tree, root), notes=(note,) if note else ()), main


def _death(select: Sequence[str], text: str) -> str:
    listed = ", ".join(select)
    return f"the selector {listed} finds {'only ' + str(len(text)) + ' characters' if text else 'nothing'}"


def _proposal(page: str, main: Node) -> str:
    """Find the taken element again on the page as served, and name it."""
    root = parse(page).root
    twin = next((node for node in root.walk() if node.index == main.index), None)
    return selectors.propose(root, twin) if twin is not None else ""


def _base(tree: Tree, url: str) -> str:
    """Return what relative links are relative to."""
    stated = next(
        (link for link in (tree.base, tree.metas.get("canonical", ""), tree.metas.get("og:url", "")) if link),
        "",
    )
    if tree.base and url:
        return urljoin(url, tree.base)
    return url or (stated if stated.startswith(("http://", "https://")) else "")


def _title(tree: Tree, root: Node) -> str:
    heading = next((node.text() for node in root.walk() if node.tag == "h1" and node.text()), "")
    return heading[:300] or tree.title[:300]


def without_furniture(text: str, siblings: Sequence[str]) -> str:
    """Take out lines that stand on the other pages of the host too: at either end, and short ones anywhere."""
    shared = _shared(text, siblings)
    if not shared:
        return text
    paragraphs = text.split("\n\n")
    kept = [
        part
        for part in paragraphs
        if not (len(part) < 80 and _key(part) in shared and not _HEADING.match(part))
    ]
    while kept and _key(kept[-1]) in shared:
        kept.pop()
    first = next((at for at, part in enumerate(kept) if _key(part) not in shared), len(kept))
    return "\n\n".join(kept[first:]).strip("\n") + "\n" if kept[first:] else text


def _shared(text: str, siblings: Sequence[str]) -> set[str]:
    """Return the lines that stand on at least two siblings (or on the only one) that are other documents."""
    own = {_key(part) for part in text.split("\n\n")} - {""}
    counts: Counter[str] = Counter()
    others = 0
    for sibling in siblings[:12]:
        lines = {_key(part) for part in markdown([parse(sibling).body]).split("\n\n")} & own
        if sum(map(len, lines)) < 0.5 * sum(map(len, own)):
            others += 1
            counts.update(lines)
    return {line for line, count in counts.items() if count >= min(2, others)}


def _key(part: str) -> str:
    """Return a paragraph's words; a heading is only the same as a heading."""
    words = " ".join(_WORD.findall(_TARGET.sub("]", part).casefold()))
    return f"# {words}" if words and _HEADING.match(part) else words


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
