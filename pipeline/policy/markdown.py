"""Markdown from a tree: one line per paragraph, so that a page that is re-flowed or re-marked reads the same.

Headings are ATX, items are `- `, tables are pipe tables with one row per line, definitions are `:   `. Links keep
their absolute targets; bold is kept, other emphasis is not. No recursion.
"""

from __future__ import annotations

import re
from urllib.parse import urljoin

from pipeline.policy.html import BLOCKS, Node

_ESCAPED = re.compile(r"([\\`*\[\]<]|(?<![^\W_])_|_(?![^\W_]))")
_LEADING = re.compile(r"^([#>+\-=:|~]|\d{1,9}(?=[.)](?:\s|$)))")
_SPECIAL = re.compile(r"[\\`*\[\]<_]")
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_DEEPEST = 12  # levels of list that are indented; deeper ones stand at the twelfth
_BREAK = "\x00"


def markdown(nodes: list[Node], base: str = "") -> str:
    """Return the Markdown of the nodes, in order, each a document fragment; ends with a newline."""
    writer = _Writer(base)
    for node in nodes:
        writer.write(node)
    writer.end_block()
    return "\n".join(writer.lines).strip("\n") + "\n" if any(writer.lines) else ""


class _Writer:
    """The lines so far, the inline text of the block at hand, and the containers it stands in."""

    def __init__(self, base: str) -> None:
        self.lines: list[str] = []
        self._base = base
        self._inline: list[str] = []
        self._prefix: list[str] = []  # one indent per open list item
        self._marker = ""  # of an item or a definition that has not begun its text
        self._heading = 0
        self._lists: list[int] = []  # next ordinal, or 0 in a bulleted list
        self._link: list[tuple[int, str]] = []
        self._bold = 0
        self._cells: list[str] | None = None
        self._row_count = 0
        self._tables = 0
        self._pre = 0

    def write(self, root: Node) -> None:
        stack: list[tuple[Node | str, bool]] = [(root, False)]
        while stack:
            child, leaving = stack.pop()
            if isinstance(child, str):
                self._text(child)
            elif leaving:
                self._leave(child)
            else:
                self._enter(child)
                stack.append((child, True))
                stack.extend((inner, False) for inner in reversed(child.children))

    # --- text ---

    def _text(self, text: str) -> None:
        if self._pre:
            text = text.strip("\n").replace("\n", _BREAK)
        words = " ".join(part for part in text.split(" ") if part) if self._pre else " ".join(text.split())
        if not words:
            self._inline.append(" " if text else "")
            return
        if _SPECIAL.search(words):
            words = _ESCAPED.sub(r"\\\1", words)
        self._inline.append(f"{' ' if text[0].isspace() else ''}{words}{' ' if text[-1].isspace() else ''}")

    def _enter(self, node: Node) -> None:
        tag = node.tag
        if tag in BLOCKS:
            self._open_block(node, tag)
        elif tag == "br":
            self._inline.append(_BREAK)
        elif tag == "a" and node.attrs.get("href"):
            self._link.append((len(self._inline), node.attrs["href"]))
            self._inline.append("")
        if tag in {"b", "strong", "summary"}:
            self._bold += 1
            if self._bold == 1 and not self._heading:
                self._inline.append("\x01")

    def _leave(self, node: Node) -> None:
        tag = node.tag
        if tag == "summary":
            self._thin()
        if tag in BLOCKS:
            self._close_block(tag)
        elif tag == "a" and self._link and node.attrs.get("href"):
            self._close_link(*self._link.pop())
        elif tag in {"b", "strong"}:
            self._thin()

    def _thin(self) -> None:
        self._bold -= 1
        if self._bold == 0 and not self._heading:
            self._inline.append("\x02")

    def _close_link(self, start: int, href: str) -> None:
        label = "".join(self._inline[start:])
        words = label.strip(" \x00")
        if not words or start > len(self._inline):
            return
        url = target(href, self._base)
        if url:
            left = label[: len(label) - len(label.lstrip(" \x00"))]
            right = label[len(label.rstrip(" \x00")) :]
            del self._inline[start:]
            self._inline.append(f"{left}[{words.replace(_BREAK, ' ')}]({url}){right}")

    # --- blocks ---

    def _open_block(self, node: Node, tag: str) -> None:
        if self._cells is not None and tag not in {"td", "th", "tr", "table"}:
            self._inline.append(_BREAK if tag in {"p", "li", "div", "ul", "ol"} else " ")
            return
        if tag not in {"td", "th"}:
            self.end_block()
        if tag in _HEADINGS:
            self._heading = _HEADINGS[tag]
        elif tag in {"ul", "ol", "menu", "dir"}:
            self._lists.append(_start(node) if tag == "ol" else 0)
        elif tag == "li":
            self._open_item(node)
        elif tag == "dd":
            self._marker = ":   "
        elif tag == "tr":
            self._open_row(node)
        elif tag == "table":
            self._tables += 1
            self._row_count = 0
        elif tag == "pre":
            self._pre += 1

    def _close_block(self, tag: str) -> None:
        if self._cells is not None and tag not in {"td", "th", "tr", "table"}:
            return
        if tag in {"td", "th"}:
            self._close_cell()
            return
        if tag == "tr":
            self._close_row()
            return
        self.end_block()
        if tag in _HEADINGS:
            self._heading = 0
        elif tag in {"ul", "ol", "menu", "dir"} and self._lists:
            self._lists.pop()
        elif tag == "li" and self._prefix:
            self._marker = ""
            self._prefix.pop()
        elif tag == "pre":
            self._pre -= 1

    def _open_item(self, node: Node) -> None:
        marker = "-   "
        if self._lists and self._lists[-1] > 0:
            value = node.attrs.get("value", "")
            if value.isdigit() and len(value) < 5:
                self._lists[-1] = int(value)
            marker = f"{self._lists[-1]}.".ljust(4)
            self._lists[-1] += 1
        self._marker = marker
        self._prefix.append("    ")

    def _open_row(self, node: Node) -> None:
        """A table that only lays out a page is read as its paragraphs, not as rows."""
        cells = [child for child in node.nodes if child.tag in {"td", "th"}]
        if len(cells) >= 2 and not any(inner.tag == "table" for cell in cells for inner in cell.walk()):
            self._cells = []

    def _close_cell(self) -> None:
        if self._cells is None:
            self.end_block()
            return
        words = self._take().replace(_BREAK, " ").replace("|", "\\|")
        self._cells.append(" ".join(words.split()))

    def _close_row(self) -> None:
        cells, self._cells = self._cells, None
        if cells is None:
            self.end_block()
            return
        if not any(cells):
            return
        if self._row_count == 0 and self.lines and self.lines[-1]:
            self.lines.append("")
        self.lines.append("| " + " | ".join(cells) + " |")
        if self._row_count == 0:
            self.lines.append("| " + " | ".join("---" for _ in cells) + " |")
        self._row_count += 1

    def end_block(self) -> None:
        """Write the inline text gathered so far as one block, or as several where two breaks part it."""
        for paragraph in re.split(r"(?: *\x00 *){2,}", self._take()):
            words = paragraph.strip(" \x00")
            if words:
                self._put(words)

    def _put(self, words: str) -> None:
        if self._row_count:
            self._row_count = 0
        if self.lines and self.lines[-1]:
            self.lines.append("")
        lines = [line.strip() for line in words.split(_BREAK) if line.strip()]
        if self._heading:
            self.lines.append("#" * self._heading + " " + " ".join(lines))
            return
        marker, self._marker = self._marker, ""
        indent = "".join(self._prefix[-_DEEPEST:])
        first = indent[:-4] + marker if marker and marker[0] != ":" else indent + marker
        if marker.startswith(":"):
            self.lines[-1:] = [] if self.lines and not self.lines[-1] and self._term() else self.lines[-1:]
        text = [
            _LEADING.sub(r"\\\1", line) if not line[:1].isdigit() else _LEADING.sub(r"\1\\", line)
            for line in lines
        ]
        self.lines.append(first + ("  \n" + indent).join(text))

    def _term(self) -> bool:
        return len(self.lines) > 1 and not self.lines[-2].startswith(("|", "#"))

    def _take(self) -> str:
        parts, self._inline = self._inline, []
        self._link = []
        if self._bold:
            parts.append("\x02")
            self._inline.append("\x01")
        text = "".join(parts)
        if self._heading:
            text = text.replace("\x01", "").replace("\x02", "")
        if "\x01" in text or "\x02" in text:
            text = _embolden(text)
        return re.sub(r" {2,}", " ", text)


def _embolden(text: str) -> str:
    """Turn bold marks into `**`: runs that touch are joined, no run crosses a line, white space stays outside."""
    text = re.sub("\x02([ \x00]*)\x01", "\\1", text)
    lines, is_open = [], False
    for line in text.split(_BREAK):
        started = "\x01" + line if is_open else line
        is_open = started.count("\x01") > started.count("\x02")
        lines.append(started + "\x02" if is_open else started)
    text = re.sub("\x01( *)", "\\1\x01", _BREAK.join(lines))
    text = re.sub("( *)\x02", "\x02\\1", text).replace("\x01\x02", "")
    return text.replace("\x01", "**").replace("\x02", "**")


def _start(node: Node) -> int:
    value = node.attrs.get("start", "1")
    return int(value) if value.isdigit() and len(value) < 5 else 1


def target(href: str, base: str) -> str:
    """Return the absolute target of a link, fit for Markdown; "" for scripts and empty ones."""
    href = "".join(href.split())
    if not href or href.lower().startswith(("javascript:", "data:", "vbscript:")):
        return ""
    try:
        url = urljoin(base, href) if base else href
    except ValueError:
        url = href
    return url.replace("(", "%28").replace(")", "%29").replace("<", "%3C").replace(">", "%3E")
