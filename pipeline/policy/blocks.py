"""Blocks: Markdown or plain text read line by line into headings, paragraphs, items, rows and definitions.

One pass, no recursion, no backtracking over lines, so that 50,000 clauses or one of 500 KB cost what their
length says. Reads what turndown writes (setext headings, `*   ` bullets, escapes), what we write, CommonMark
as people type it, and plain text with one paragraph per line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from pipeline.policy import marks

_LINE = re.compile(r"[^\n]*\n|[^\n]+\Z")
_BULLET = re.compile(r"(?:[*+-]|[•·▪●○◦‣■□–➢✓►])[ \t]+(?=\S)|[*+-][ \t]*$|[•●▪◦‣■](?=\S)")
_ORDINAL = re.compile(r"(\d{1,3})[.)](?:[ \t]+|$)")
_ATX = re.compile(r"(#{1,6})(?:[ \t]+|$)(.*?)(?:[ \t]+#+)?[ \t]*$")
_UNDERLINE = re.compile(r"(?:=+|-+)[ \t]*$")
_RULE = re.compile(r"(?:(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|(?:-[ \t]*){3,}|(?:=[ \t]*){3,})$")
_TABLE_RULE = re.compile(r"\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t:|-]*)?$")
_DEFINITION = re.compile(r":[ \t]+(?=\S)")
_SENTENCE_END = (".", "!", "?", ":", ";", "。", "！", "？", "：", "।")
_WRAP = 160  # nobody wraps text by hand at lines this long


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A piece of text between two breaks. `level` is a heading's (1-6) or 0; `depth` that of the list it is in."""

    kind: str
    start: int
    end: int
    content: str
    level: int = 0
    number: str = ""
    depth: int = 0
    term: str = ""


@dataclass(slots=True)
class _Line:
    start: int  # of the first character that is not blank
    end: int
    indent: int
    words: str
    hard: bool = False


def blocks(text: str) -> Iterator[Block]:
    """Yield the blocks of a text in order."""
    reader = _Reader()
    for match in _LINE.finditer(text):
        yield from reader.read(match.group(), match.start())
    yield from reader.flush()


class _Reader:
    """The lines of the block at hand and the lists it stands in."""

    def __init__(self) -> None:
        self._lines: list[_Line] = []
        self._kind = "paragraph"
        self._number = ""
        self._term = ""
        self._last_term = ""
        self._start = -1
        self._lists: list[int] = []
        self._fenced = False

    def read(self, raw: str, offset: int) -> Iterator[Block]:
        """Take one line and yield the blocks that it ends."""
        words = raw.strip()
        if words.startswith(">") and not self._fenced:
            words = words.lstrip("> \t")
        if not words:
            if self._lines or self._kind != "item":
                yield from self.flush()
            return
        start = offset + raw.index(words)
        hard = raw.rstrip("\r\n").endswith(("  ", "\\"))
        line = _Line(start, start + len(words), _indent(raw, start - offset), words, hard)
        if words.startswith(("```", "~~~")):
            yield from self.flush()
            self._fenced = not self._fenced
        elif self._fenced:
            self._lines.append(line)
        else:
            yield from self._read_line(line)

    def _read_line(self, line: _Line) -> Iterator[Block]:
        first = line.words[0]
        if first in "=-" and self._lines and _UNDERLINE.match(line.words):
            yield from self._underlined(1 if first == "=" else 2)
        elif first in "*_-=" and _RULE.match(line.words):
            yield from self.flush()
        elif first == "#" and (match := _ATX.match(line.words)):
            yield from self.flush()
            yield Block(
                kind="paragraph", start=line.start, end=line.end, content=match[2], level=len(match[1]),
            )  # fmt: skip
            self._lists.clear()
        elif first == "|" or (first in ":-" and "|" in line.words and _TABLE_RULE.match(line.words)):
            yield from self._row(line)
        elif first == ":" and (match := _DEFINITION.match(line.words)):
            yield from self._definition(line, match.end())
        elif first == "[" and marks.is_reference(line.words):
            yield from self.flush()
        elif self._opens_item(line):
            yield from self._item(line)
        else:
            self._prose(line)

    def _underlined(self, level: int) -> Iterator[Block]:
        if len(self._lines) > 2 and sum(len(line.words) for line in self._lines) > 300:
            heading = self._lines.pop()
            yield from self.flush()
            self._lines = [heading]
        start = self._start if self._start >= 0 else self._lines[0].start
        content = " ".join(line.words for line in self._lines)
        yield Block(
            kind="paragraph", start=start, end=self._lines[-1].end, content=content, level=level, number=self._number,
        )  # fmt: skip
        self._reset()
        self._lists.clear()

    def _row(self, line: _Line) -> Iterator[Block]:
        yield from self.flush()
        if not _TABLE_RULE.match(line.words) and line.words.strip("| \t"):
            yield Block(
                kind="row", start=line.start, end=line.end, content=line.words, depth=len(self._lists)
            )

    def _definition(self, line: _Line, skip: int) -> Iterator[Block]:
        term, start = self._last_term, line.start
        if self._lines and self._kind == "paragraph":
            start = self._lines[0].start
            term = self._last_term = " ".join(held.words for held in self._lines)
            self._reset()
        else:
            yield from self.flush()
        self._kind, self._term, self._start = "definition", term, start
        self._lines.append(_shifted(line, skip))

    def _opens_item(self, line: _Line) -> bool:
        if _BULLET.match(line.words):
            return True
        match = _ORDINAL.match(line.words)
        if match is None:
            return False
        return not self._lines or self._kind == "item" or match[1] == "1" or self._lines[-1].hard

    def _item(self, line: _Line) -> Iterator[Block]:
        yield from self.flush()
        while self._lists and self._lists[-1] >= line.indent + 1:
            self._lists.pop()
        number, skip = "", 0
        while match := _BULLET.match(line.words, skip) or _ORDINAL.match(line.words, skip):
            number = match[1] if match.re is _ORDINAL else number
            self._lists.append(line.indent + skip + 1)
            skip = match.end()
            if match.end() == match.start() or number:
                break
        self._kind, self._number, self._start = "item", number, line.start
        if skip < len(line.words):
            self._lines.append(_shifted(line, skip))
            if _RULE.match(line.words, skip):
                self._reset()

    def _prose(self, line: _Line) -> None:
        if not self._lines and self._start < 0:
            while self._lists and line.indent < self._lists[-1]:
                self._lists.pop()
        self._lines.append(line)

    def flush(self) -> Iterator[Block]:
        """Yield what is held as one block, or as several where its lines are paragraphs of their own."""
        if not self._lines:
            self._reset()
            return
        lines, kind, number, term, start = self._lines, self._kind, self._number, self._term, self._start
        depth = len(self._lists)
        self._reset()
        for part in _parts(lines):
            yield Block(
                kind=kind,
                start=start if start >= 0 else part[0].start,
                end=part[-1].end,
                content=" ".join(line.words for line in part),
                number=number,
                depth=depth,
                term=term,
            )
            start, number, term = -1, "", ""
            kind = "paragraph" if kind == "item" else kind

    def _reset(self) -> None:
        self._lines, self._kind, self._number, self._term, self._start = [], "paragraph", "", "", -1


def _indent(raw: str, width: int) -> int:
    head = raw[:width]
    return len(head.expandtabs(4)) if "\t" in head else width


def _shifted(line: _Line, skip: int) -> _Line:
    return _Line(line.start + skip, line.end, line.indent + skip, line.words[skip:], line.hard)


def _parts(lines: list[_Line]) -> Iterator[list[_Line]]:
    """Split lines that stand together without a blank line between them into paragraphs."""
    if len(lines) < 2:
        if lines:
            yield lines
        return
    width = max(len(line.words) for line in lines)
    part = [lines[0]]
    for above, line in pairwise(lines):
        if _is_break(above, line, width):
            yield part
            part = []
        part.append(line)
    yield part


def _is_break(above: _Line, line: _Line, width: int) -> bool:
    """Tell whether a line break was meant as the end of a paragraph, not as a wrap or a line of an address."""
    ended = above.words.endswith(_SENTENCE_END)
    if above.hard:
        long = len(above.words) > 80 and len(line.words) > 80
        return ended and (long or bool(marks.numbered(line.words.replace("\\", ""))[0]))
    if line.words[:1].islower() and not ended:
        return False
    if width > _WRAP:
        return True
    room = width - len(above.words) - 1 - len(line.words.split(None, 1)[0])
    return room > 5 and (ended or line.words[:1].isupper() or line.words[:1].isdigit())
