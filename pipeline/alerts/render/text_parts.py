"""A change as plain text, and a redline as text and as Markdown."""

from __future__ import annotations

import re
from textwrap import fill

from pipeline.alerts.render import words
from pipeline.alerts.render.redline import CUT, Spans, shown
from pipeline.events import Change

WIDTH = 100
EACH = 400
MARKS = {"-": ("[-", "-]"), "+": ("{+", "+}"), "=": ("", ""), CUT: ("", "")}
MARKDOWN = {"-": ("~~", "~~"), "+": ("**", "**"), "=": ("", ""), CUT: ("", "")}


def change(item: Change, limit: int = EACH, *, width: int = WIDTH) -> str:
    """Return one change as text: where, how, and its redline indented below."""
    clip = shown(item, limit)
    head = f"{words.place(item)} — {words.verb(item)}, {item.severity}"
    left = f"\n    ({clip.untold:,} more changed words are not shown here)" if clip.untold else ""
    return f"{head}\n{_indented(redline(clip.spans), width)}{left}"


def redline(spans: Spans) -> str:
    """Return a redline in text: [-removed-] and {+added+}, legible without colour."""
    return _joined(spans, MARKS)


def markdown(spans: Spans) -> str:
    """Return a redline in Markdown: ~~removed~~ and **added**, the words' own markup escaped."""
    escaped = tuple((op, piece if op == CUT else _literal(piece)) for op, piece in spans)
    return _joined(escaped, MARKDOWN)


def _joined(spans: Spans, marks: dict[str, tuple[str, str]]) -> str:
    return "".join(_marked(text, *marks[op]) for op, text in spans)


def _marked(text: str, opening: str, closing: str) -> str:
    """Return text between marks that touch its words, as Markdown needs; blanks stay outside."""
    if not opening or not text.strip():
        return text
    core = text.strip()
    before, _, after = text.partition(core)
    return f"{before}{opening}{core}{closing}{after}"


def _literal(text: str) -> str:
    """Return text that Markdown shows as it is."""
    return re.sub(r"([\\`*_{}\[\]<>#|~!])", r"\\\1", text)


def _indented(text: str, width: int) -> str:
    indent = "    "
    lines = (
        fill(line, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
        for line in text.splitlines()
    )
    return "\n".join(line for line in lines if line.strip())
