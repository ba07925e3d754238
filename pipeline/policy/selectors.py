"""Selectors as people write them: CSS lists, and the declarations of Open Terms Archive with ranges and combine.

A range travels as a string too, its JSON object (`{"startBefore": "h1", "endBefore": "#toc"}`), so that selectors
are one tuple of strings wherever they are kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from pipeline.policy.css import SelectorError, select
from pipeline.policy.html import Node

_STARTS = {"startBefore": 0, "startAfter": 1}
_ENDS = {"endBefore": 0, "endAfter": 1}
_GENERATED = re.compile(
    r"\d{3,}|__|[a-z][A-Z][a-z][A-Z]|^(?:css|sc|jsx|jss|emotion|styled|framer|chakra|Mui)[-_]|[0-9][a-zA-Z][0-9]"
)


class Declared(Struct, frozen=True, kw_only=True):
    """One page of a declared document: where it is and how its text is selected."""

    service: str
    name: str
    url: str
    select: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    scripts: bool = False  # the page needs client scripts to show its text


def from_declaration(declaration: Mapping[str, Any], *, service: str = "", name: str = "") -> list[Declared]:
    """Read an Open Terms Archive declaration: a service's file, or the entry of one document in it.

    A combined document gives one entry per page, in order. Entries without a URL are left out.
    """
    documents = declaration.get("terms") or declaration.get("documents")
    if isinstance(documents, Mapping):
        service = str(declaration.get("name") or service)
        return [
            found
            for title, entry in documents.items()
            if isinstance(entry, Mapping)
            for found in from_declaration(entry, service=service, name=str(title))
        ]
    parts = declaration.get("combine") or [declaration]
    return [
        found
        for part in parts
        if isinstance(part, Mapping)
        for found in _declared(part, declaration, service, name)
    ]


def _declared(
    part: Mapping[str, Any], whole: Mapping[str, Any], service: str, name: str
) -> Iterator[Declared]:
    def held(key: str) -> Any:
        return part.get(key, whole.get(key))

    url = held("fetch")
    if isinstance(url, str) and url:
        yield Declared(
            service=service,
            name=name,
            url=url,
            select=strings(held("select")),
            remove=strings(held("remove")),
            scripts=bool(held("executeClientScripts")),
        )


def strings(value: Any) -> tuple[str, ...]:
    """Return selectors as a tuple of strings, whatever form they are declared in."""
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, Mapping):
        return (json.dumps(dict(value), sort_keys=True, ensure_ascii=False),)
    return tuple(text for entry in value for text in strings(entry))


def take(root: Node, selectors: Sequence[str], remove: Sequence[str]) -> tuple[Node, list[str]]:
    """Return a new root with what the selectors match, in their order, and what went wrong with any of them."""
    faults: list[str] = []
    for selector in remove:
        _remove(root, selector, faults)
    if not selectors:
        return root, faults
    found: list[Node] = []
    for selector in selectors:
        try:
            found += _ranged(root, selector) if selector.lstrip().startswith("{") else select(root, selector)
        except SelectorError as error:
            faults.append(str(error))
    chosen = {id(node) for node in found}
    result = Node("div", {}, None, 0)
    done: set[int] = set()
    for node in found:
        if id(node) not in done and not any(id(above) in chosen for above in node.above()):
            done.add(id(node))
            result.children.append(node)
    return result, faults


def _remove(root: Node, selector: str, faults: list[str]) -> None:
    try:
        if selector.lstrip().startswith("{"):
            span = _span(root, selector)
            if span is not None:
                root.children = _cut(root, span, inside=False).children
            return
        for node in select(root, selector):
            if node is not root:
                node.drop()
    except SelectorError as error:
        faults.append(str(error))


@dataclass(frozen=True, slots=True)
class _Span:
    """A stretch of a tree in document order: from one place to another, counted as nodes open and close."""

    start: int
    end: int
    places: dict[int, tuple[int, int]]


def _ranged(root: Node, selector: str) -> list[Node]:
    span = _span(root, selector)
    return [] if span is None else [_cut(root, span, inside=True)]


def _span(root: Node, selector: str) -> _Span | None:
    try:
        bounds = json.loads(selector)
    except ValueError:
        raise SelectorError(f"cannot read the range {selector!r}") from None
    places = _places(root)
    start = next(
        (_edge(root, bounds[key], places, side) for key, side in _STARTS.items() if key in bounds), -1
    )
    end = next((_edge(root, bounds[key], places, side) for key, side in _ENDS.items() if key in bounds), -1)
    if start is None or end is None or start < 0 or end <= start:
        return None
    return _Span(start, end, places)


def _edge(root: Node, selector: str, places: dict[int, tuple[int, int]], side: int) -> int | None:
    found = select(root, selector)
    return places[id(found[0])][side] if found else None


def _places(root: Node) -> dict[int, tuple[int, int]]:
    opened: dict[int, int] = {}
    places: dict[int, tuple[int, int]] = {}
    count = 0
    stack: list[tuple[Node | str, bool]] = [(root, False)]
    while stack:
        child, leaving = stack.pop()
        count += 1
        if isinstance(child, str):
            continue
        if leaving:
            places[id(child)] = (opened[id(child)], count)
            continue
        opened[id(child)] = count
        stack.append((child, True))
        stack.extend((inner, False) for inner in reversed(child.children))
    return places


def _cut(root: Node, span: _Span, *, inside: bool) -> Node:
    """Copy the tree with only what lies inside (or outside) the span; text counts by its parent's order."""
    copy = Node(root.tag, root.attrs, None, root.index)
    stack = [(root, copy)]
    while stack:
        node, twin = stack.pop()
        count = span.places[id(node)][0]
        for child in node.children:
            if isinstance(child, str):
                count += 1
                if (span.start < count < span.end) is inside:
                    twin.children.append(child)
                continue
            first, last = span.places[id(child)]
            count = last
            overlaps = last > span.start and first < span.end
            within = first >= span.start and last <= span.end
            if (overlaps and inside) or (not within and not inside):
                inner = Node(child.tag, child.attrs, twin, child.index)
                twin.children.append(inner)
                stack.append((child, inner))
    return copy


def propose(root: Node, node: Node) -> str:
    """Return a selector that finds exactly this node, by the names least likely to change; "" if there is none."""
    for candidate in _candidates(node):
        try:
            found = select(root, candidate)
        except SelectorError:
            continue
        if len(found) == 1 and found[0] is node:
            return candidate
    return ""


def _candidates(node: Node) -> Iterator[str]:
    identity = node.attrs.get("id", "")
    if identity and re.fullmatch(r"[A-Za-z][\w-]*", identity) and not _GENERATED.search(identity):
        yield f"#{identity}"
    if node.tag in {"main", "article"}:
        yield node.tag
    for name in ("role", "itemprop", "data-testid"):
        if node.attrs.get(name) and '"' not in node.attrs[name]:
            yield f'[{name}="{node.attrs[name]}"]'
    classes = [name for name in node.attrs.get("class", "").split() if re.fullmatch(r"[A-Za-z][\w-]*", name)]
    steady = [name for name in classes if not _GENERATED.search(name)]
    for name in steady:
        yield f".{name}"
        yield f"{node.tag}.{name}"
    if len(steady) > 1:
        yield "." + ".".join(steady)
    yield node.tag
    if node.parent is not None and node.parent.parent is not None:
        for above in _candidates(node.parent):
            yield f"{above} > {node.tag}"
            yield f"{above} > {node.tag}:nth-of-type({_nth(node)})"


def _nth(node: Node) -> int:
    peers = [peer for peer in node.parent.nodes if peer.tag == node.tag] if node.parent else [node]
    return next(index for index, peer in enumerate(peers) if peer is node) + 1
