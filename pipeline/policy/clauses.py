"""Clauses: from the Markdown (or plain) text of a version to its paragraphs, items, rows and definitions.

A clause knows its printed number, its path of headings, the sentence that leads into its list, its links, and
where it stands: `text[start:end]` is its raw Markdown, marker included. Headings are clauses of kind "heading"
too, so that a reworded heading is seen; `heading` and `path` hold the words of the headings above, without their
numbers, so that renumbering a section does not touch the clauses in it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from pipeline.events import Clause, derived_id
from pipeline.policy import marks
from pipeline.policy.blocks import Block, blocks

_WORD = re.compile(r"\w+")
_WORDS_ONLY = "".join(chr(at) if _WORD.match(chr(at)) else " " for at in range(128))  # by ASCII code
_TYPOGRAPHIC = dict.fromkeys(map(ord, "“”‘’„«»–—…•·\u00a0™®©§"), " ")
_ENDS = (".", "!", "?", "。", "！", "？", "…", ";", "؛", "।", ",", "、")
_STOPS = re.compile(r"[.!?。！？](?=[\s\"'”’)]|$)|[。！？]")
_DEFINES = re.compile(
    r"[\"“«„'‘]([^\"”»“’]{1,80})[\"”»“'’],?\s+(?:\([^()]{0,80}\)\s+)?(?:means?|refers? to|includes?|is|are|shall mean|"
    r"has the meaning|bedeutet|désigne|signifie|significa|oznacza)\b"
)
_BOLD_LEVEL = 10


def segment(text: str) -> tuple[Clause, ...]:
    """Return the clauses of a Markdown or plain text, in order; linear in its length."""
    refs = marks.references(text)
    found = [_Draft(block, text, refs) for block in blocks(text)]
    found = [draft for draft in found if draft.text or draft.number]
    _promote(found)
    return tuple(_clauses(found))


class _Draft:
    """A block on its way to a clause: words, number and links read, place in the document not yet known."""

    __slots__ = ("block", "level", "links", "number", "raw", "text")

    def __init__(self, block: Block, text: str, refs: dict[str, str]) -> None:
        self.block = block
        self.level = block.level
        self.raw = text[block.start : block.end]
        words, self.links = marks.plain(_cells(self.raw) if block.kind == "row" else block.content, refs)
        if block.kind == "row" or block.number:
            self.number, self.text = block.number, words
        else:
            self.number, self.text = marks.numbered(words)
        if block.term:
            term = marks.plain(block.term, refs)[0]
            self.text = f"{term}: {self.text}" if self.text else term


def _cells(raw: str) -> str:
    """Return a table row as its cells, joined so that they stay apart."""
    inner = raw.strip().removeprefix("|").removesuffix("|")
    return " | ".join(cell.strip() for cell in re.split(r"(?<!\\)\|", inner) if cell.strip())


def _promote(drafts: list[_Draft]) -> None:
    """Give headings that carry no mark of one the level they have for a reader."""
    marked = any(draft.level for draft in drafts)
    following: _Draft | None = None
    for draft in reversed(drafts):
        if not draft.level and _looks_like_heading(draft, following, marked):
            draft.level = 6 + _depth(draft.number) if draft.number else _BOLD_LEVEL
        following = draft


def _looks_like_heading(draft: _Draft, following: _Draft | None, marked: bool) -> bool:
    if draft.block.kind not in {"paragraph", "item"} or not 2 <= len(draft.text) <= 100 or following is None:
        return False
    if draft.block.kind == "item" and (not draft.number or following.block.kind == "item"):
        return False
    if marks.is_bold(draft.block.content):
        return following.block.kind != "row"
    if draft.text.endswith((*_ENDS, ":", "：")) or draft.links or following.level:
        return False
    apart = following.block.kind in {"paragraph", "item"} and _is_longer(following.text, draft.text)
    return apart and (bool(draft.number) or (not marked and draft.block.depth == 0 and len(draft.text) <= 70))


def _is_longer(text: str, title: str) -> bool:
    """Tell whether a text reads as what stands under a title: longer, and of some length or a whole sentence."""
    return len(text) > len(title) and (len(text) > 40 or text.endswith((".", "。", "．", "।", "؟", "!", "?")))


def _depth(number: str) -> int:
    return min(3, number.count(".") + 1)


def _clauses(drafts: list[_Draft]) -> Iterator[Clause]:
    seen: Counter[str] = Counter()
    path: list[tuple[int, str]] = []
    words: tuple[str, ...] = ()
    leads = _Leads()
    for draft in drafts:
        if draft.level:
            while path and path[-1][0] >= draft.level:
                path.pop()
            words = tuple(title for _, title in path)
        lead = leads.above(draft)
        norm = _norm(draft.text) or draft.text or draft.number
        yield Clause(
            id=derived_id("c", norm, seen[norm]),
            text=draft.text,
            start=draft.block.start,
            end=draft.block.end,
            number=draft.number,
            heading=words[-1] if words else "",
            path=words,
            kind=_kind(draft),
            lead=lead,
            links=draft.links,
            raw=draft.raw if draft.raw != draft.text else "",
        )
        seen[norm] += 1
        if draft.level and draft.text:
            path.append((draft.level, draft.text))
            words = (*words, draft.text)


def _norm(text: str) -> str:
    """Return the words of a text in lower case, one space between them."""
    folded = text.casefold()
    if not folded.isascii():
        plain = folded.translate(_TYPOGRAPHIC)
        if not plain.isascii():
            return " ".join(_WORD.findall(folded))
        folded = plain
    return " ".join(folded.translate(_WORDS_ONLY).split())


def _kind(draft: _Draft) -> str:
    if draft.level:
        return "heading"
    if draft.block.kind == "paragraph" and _DEFINES.match(draft.text):
        return "definition"
    return draft.block.kind


class _Leads:
    """Remembers, per depth of list, the sentence that leads into it; for table rows, the header row."""

    def __init__(self) -> None:
        self._open: list[tuple[int, str]] = []
        self._header = ""
        self._in_table = False

    def above(self, draft: _Draft) -> str:
        """Return what leads into this clause, and remember what this clause may lead into."""
        block = draft.block
        if block.kind == "row":
            return self._row(draft)
        self._in_table = False
        while self._open and self._open[-1][0] >= block.depth:
            self._open.pop()
        lead = self._open[-1][1] if self._open and block.kind == "item" else ""
        if draft.level:
            self._open.clear()
        elif not draft.text.endswith(_ENDS):
            self._open.append((block.depth, _last_sentence(draft.text)))
        return lead

    def _row(self, draft: _Draft) -> str:
        lead = self._header if self._in_table else ""
        if not self._in_table:
            self._header, self._in_table = draft.text, True
        return lead


def _last_sentence(text: str) -> str:
    """Return the last sentence of a lead-in, at most 400 characters of it."""
    start = 0
    for stop in _STOPS.finditer(text[-2000:]):
        start = stop.end()
    return text[-2000:][start:].strip()[-400:]
