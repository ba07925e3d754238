"""HTML as a small tree of our own: whatever the markup, no recursion, no limit of depth, no exception.

libxml2 repairs the markup and calls a builder; its own tree would stop at 2,048 levels. Nodes are listed in
document order, so that every pass over the tree is a loop, upwards from the end or downwards from the start.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from lxml import etree

_RAW = frozenset({"script", "style", "template", "noscript"})
_IN_HEAD = frozenset(
    {"head", "title", "noscript", "noframes", "template"}
)  # all else ends it (HTML 13.2.6.4.4)
_UNSEEN = (*map(chr, {*range(32)} - {9, 10, 13}), "\ufeff", "\u200b", "\u2060", "\u00ad")  # part of no word
BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "caption",
        "center",
        "dd",
        "details",
        "dialog",
        "dir",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "frameset",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hgroup",
        "hr",
        "html",
        "legend",
        "li",
        "main",
        "menu",
        "nav",
        "ol",
        "option",
        "optgroup",
        "p",
        "pre",
        "search",
        "section",
        "select",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
    ]
)


class Node:
    """An element: lower-case tag, attributes, children in order (nodes and text), parent."""

    __slots__ = (
        "anchors", "attrs", "children", "controls", "headings", "hrefs", "index", "links", "nodes_below", "parent",
        "prose", "size", "tag", "titles",
    )  # fmt: skip

    def __init__(self, tag: str, attrs: dict[str, str], parent: Node | None, index: int) -> None:
        self.tag = tag
        self.attrs = attrs
        self.parent = parent
        self.index = index
        self.children: list[Node | str] = []
        self.size = 0  # characters of text inside, without white space; all figures here by furniture.measure
        self.links = 0  # of these, inside links
        self.prose = 0  # of these, in blocks that read like sentences, outside links
        self.nodes_below = 0
        self.headings = 0
        self.titles = 0  # headings of the first rank
        self.hrefs = 0  # links with words
        self.anchors = 0  # of these, to places on the same page
        self.controls = 0  # buttons

    def __repr__(self) -> str:
        return f"<{self.tag} {self.name} size={self.size} prose={self.prose}>"

    @property
    def name(self) -> str:
        """Id and classes, as written."""
        return f"{self.attrs.get('id', '')} {self.attrs.get('class', '')}".strip()

    @property
    def nodes(self) -> list[Node]:
        return [child for child in self.children if isinstance(child, Node)]

    def walk(self) -> Iterator[Node]:
        """Yield this node and all below it, in document order."""
        stack: list[Node] = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(child for child in reversed(node.children) if isinstance(child, Node))

    def above(self) -> Iterator[Node]:
        """Yield the parents of this node, nearest first."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent

    def text(self) -> str:
        """Return all text inside, white space collapsed."""
        parts: list[str] = []
        stack: list[Node | str] = [self]
        while stack:
            child = stack.pop()
            if isinstance(child, str):
                parts.append(child)
                continue
            if child.tag in BLOCKS or child.tag == "br":
                parts.append(" ")
                stack.append(" ")
            stack.extend(reversed(child.children))
        return " ".join("".join(parts).split())

    def drop(self) -> None:
        """Take this node out of its parent."""
        if self.parent is not None:
            self.parent.children = [child for child in self.parent.children if child is not self]
            self.parent = None


class Tree:
    """A parsed page: root, title, language, head facts, and the scripts that carry data."""

    def __init__(self, root: Node, builder: _Builder) -> None:
        self.root = root
        self.title = " ".join("".join(builder.title).split())
        self.language = root.attrs.get("lang") or root.attrs.get("xml:lang") or ""
        self.metas: dict[str, str] = builder.metas
        self.base = builder.base
        self.scripts: list[tuple[dict[str, str], str]] = builder.scripts
        self.script_size = builder.script_size
        self.closed = builder.closed

    @property
    def body(self) -> Node:
        for node in self.root.nodes:
            if node.tag in {"body", "frameset"}:
                return node
        return self.root


class _Builder:
    """Receives what libxml2 reads."""

    def __init__(self) -> None:
        self.root = Node("html", {}, None, 0)
        self.here = self.root
        self.count = 0
        self.raw: list[str] | None = None
        self.raw_tag = ""
        self.title: list[str] = []
        self.in_title = False
        self.metas: dict[str, str] = {}
        self.base = ""
        self.scripts: list[tuple[dict[str, str], str]] = []
        self.script_size = 0
        self.closed = False
        self._held: list[tuple[Node | None, dict[str, str]]] = []

    def start(self, tag: str, attrib: Any) -> None:
        if self.raw is not None:
            return
        attrs = dict(attrib)
        if tag in {"script", "style"}:
            self.raw, self.raw_tag = [], tag
            self._held.append((None, attrs))
            return
        if tag == "html":
            self.root.attrs.update(attrs)
            return
        if tag in {"meta", "link", "base"}:
            self._head(tag, attrs)
            return
        if tag == "body" and self._has_body():
            return  # one body; libxml2 opens it late where it did not know that the head was over
        if tag == "title" and not self.title:
            self.in_title = True
        if self.here.tag == "head" and tag not in _IN_HEAD:
            self._put("body", {}, self.root)
        self._put(tag, attrs, self.here)

    def _put(self, tag: str, attrs: dict[str, str], parent: Node) -> None:
        self.count += 1
        self.here = Node(tag, attrs, parent, self.count)
        parent.children.append(self.here)

    def _has_body(self) -> bool:
        return any(node.tag == "body" for node in self.root.nodes)

    def end(self, tag: str) -> None:
        if self.raw is not None:
            if tag == self.raw_tag:
                self._script()
            return
        if tag == "title":
            self.in_title = False
        if tag in {"html", "meta", "link", "base"}:
            return
        if self.here.tag == tag and self.here.parent is not None:
            self.here = self.here.parent

    def _script(self) -> None:
        text = "".join(self.raw or ())
        _, attrs = self._held.pop()
        if self.raw_tag == "script":
            self.script_size += len(text) + (200 if attrs.get("src") else 0)
            self.scripts.append((attrs, text))
        self.raw = None

    def _head(self, tag: str, attrs: dict[str, str]) -> None:
        if tag == "base" and attrs.get("href") and not self.base:
            self.base = attrs["href"]
        elif tag == "meta":
            key = attrs.get("property") or attrs.get("name") or attrs.get("http-equiv") or ""
            self.metas.setdefault(key.lower(), attrs.get("content", ""))
        elif "canonical" in attrs.get("rel", "").lower().split():
            self.metas.setdefault("canonical", attrs.get("href", ""))

    def data(self, data: str) -> None:
        if self.raw is not None:
            self.raw.append(data)
        elif self.in_title:
            self.title.append(data)
        else:
            self.here.children.append(data)

    def comment(self, data: str) -> None:
        """Comments are not text."""

    def pi(self, target: str, data: str | None = None) -> None:
        """Nor are processing instructions."""

    def close(self) -> Node:
        return self.root


def parse(text: str) -> Tree:
    """Return the tree of an HTML page; any text gives one."""
    for char in _UNSEEN:
        if char in text:
            text = text.replace(char, "\n" if char == "\f" else "")
    builder = _Builder()
    builder.closed = "</html>" in text[-2000:].lower() or "</body>" in text[-2000:].lower()
    if text.strip():
        parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, target=builder)
        with suppress(etree.LxmlError):  # what was read up to here stands
            etree.fromstring(text.encode("utf-8", "replace"), parser)
    return Tree(builder.root, builder)
