"""Extraction: from the tree of a page to the policy text in it, as Markdown.

Without selectors: furniture goes, then the smallest element that holds nearly all sentences of the page is the
document, with the headings that stand right before it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import urljoin

from msgspec import Struct, structs

from pipeline.policy import documents, furniture, selectors
from pipeline.policy.article import article
from pipeline.policy.embedded import embedded
from pipeline.policy.html import Node, Tree, parse
from pipeline.policy.markdown import markdown

EXTRACTOR = "clausewire-1"
_LEAST = 100  # characters: a selector that finds less is dead (as Open Terms Archive has it)
_SHELL = 400  # characters: a page that shows less may carry its text as data
_HEADING = re.compile(r"#{1,6} ")
_WORD = re.compile(r"\w+")
_TARGET = re.compile(r"\]\([^()]*\)")


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
    element: int = 0  # the place of the taken element among those of the page


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
    if select:
        tree = tree or parse(page)
        taken, faults = selectors.take(tree.root, select, remove)
        notes += [f"A selector was left out: {fault}." for fault in faults]
        furniture.strip_controls(taken)
        text = markdown([taken], _base(tree, base))
        if len(text) >= _LEAST:
            title = _title(tree, taken)
            return Extracted(
                text=text, title=title, language=tree.language, selected=True, notes=tuple(notes)
            )
        healed = extract(page, base=base, remove=remove, siblings=siblings, name=name)
        dead, proposal = _death(select, text), _proposal(page, healed.element)
        return structs.replace(healed, dead=dead, proposal=proposal, notes=(*notes, *healed.notes))
    tree = tree or parse(page)
    if remove:
        _, faults = selectors.take(tree.root, (), remove)
        notes += [f"A selector was left out: {fault}." for fault in faults]
    found = _automatic(tree, base, siblings, name)
    return structs.replace(found, language=tree.language, notes=tuple(dict.fromkeys((*notes, *found.notes))))


def _automatic(tree: Tree, base: str, siblings: Sequence[str], name: str) -> Extracted:
    body, main = article(tree)
    picked, note = documents.pick(body, main, name=name, fragment=base.partition("#")[2])
    roots = picked if note else [body]
    text = markdown(roots, _base(tree, base))
    if len(text) < _SHELL and (carried := embedded(tree.scripts)):
        inner = parse(carried).body
        told = markdown([inner], _base(tree, base))
        if len(told) > 2 * len(text):
            note = "The page shows its text by scripts; it was read from the data they carry."
            return Extracted(text=told, title=_title(tree, inner), notes=(note,))
    if siblings:
        text = without_furniture(text, siblings)
    notes = (note,) if note else ()
    return Extracted(text=text, title=_title(tree, roots[0]), notes=notes, element=picked[0].index)


def _death(select: Sequence[str], text: str) -> str:
    listed = ", ".join(select)
    return f"the selector {listed} finds {'only ' + str(len(text)) + ' characters' if text else 'nothing'}"


def _proposal(page: str, element: int) -> str:
    """Find the taken element again on the page as served, and name it."""
    root = parse(page).root
    twin = next((node for node in root.walk() if node.index == element), None)
    return selectors.propose(root, twin) if twin is not None else ""


def _base(tree: Tree, url: str) -> str:
    """Return what relative links are relative to."""
    stated = next(
        (link for link in (tree.base, tree.metas.get("canonical", ""), tree.metas.get("og:url", "")) if link),
        "",
    )
    if tree.base and url:
        with suppress(ValueError):  # a base that is no address
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
