"""PDF policies: text with headings, by pdfminer.six (the extra `pdf`).

A line set larger than the body text, or short and in bold, is a heading; lines that stand on many pages at the
same place are running heads and page numbers, and go; paragraphs that a page break cut are joined.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.errors import PageError

MAX_PAGES = 400
_MARKER = re.compile(r"^(?:[•●▪■◦○‣–-]|\uf0b7)\s+|^\(?(?:\d{1,2}|[a-z]|[ivx]{1,5})[.)]\s")
_PAGE = re.compile(r"(?:page |- ?)?\d{1,3}(?: ?(?:of|/) ?\d{1,3}| ?-)?", re.I)
_MARGIN = 30.0  # points: how far running heads may stand from the outermost line
_NUMBER = re.compile(r"\d+")
_END = re.compile(r"[.!?:;。！？]['\"”)]?$")


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    size: float
    bold: bool
    page: int
    x: float
    y: float
    gap: float  # to the line above, in line heights


def markdown(body: bytes) -> tuple[str, str]:
    """Return a PDF's text as Markdown and its title; PageError (state error) where it cannot be read."""
    try:
        from pdfminer.high_level import extract_pages
        from pdfminer.layout import LAParams
        from pdfminer.pdfdocument import PDFPasswordIncorrect
    except ImportError:
        raise PageError(
            "The page is a PDF, and reading PDF is not installed.",
            state="error",
            remedy="Install clausewire[pdf].",
        ) from None
    try:
        lines = list(_lines(extract_pages(io.BytesIO(body), maxpages=MAX_PAGES, laparams=LAParams())))
    except PDFPasswordIncorrect:
        raise PageError("The page is a PDF that asks for a password.", state="error") from None
    except Exception as error:  # pdfminer raises whatever its parser met
        raise PageError(
            f"The page is a PDF that cannot be read ({type(error).__name__}).", state="error"
        ) from error
    kept = _without_running(lines)
    return "\n\n".join(_paragraphs(kept)) + "\n" if kept else "", ""


def _lines(pages: Any) -> Iterator[_Line]:
    from pdfminer.layout import LTChar, LTTextContainer, LTTextLine

    for number, page in enumerate(pages):
        above = None
        for box in (item for item in page if isinstance(item, LTTextContainer)):
            for line in (item for item in box if isinstance(item, LTTextLine)):
                text = " ".join(line.get_text().split())
                chars = [char for char in line if isinstance(char, LTChar)]
                if not text or not chars:
                    continue
                size = Counter(round(char.size, 1) for char in chars).most_common(1)[0][0]
                bold = sum("bold" in char.fontname.lower() for char in chars) * 2 > len(chars)
                gap = 9.0 if above is None else (above - line.y1) / max(1.0, size)
                above = line.y0
                yield _Line(text, size, bold, number, line.x0, line.y0, gap)


def _without_running(lines: list[_Line]) -> list[_Line]:
    """Leave out page numbers, and what stands in the margins of most pages at one height, numbers read as equal."""
    pages = len({line.page for line in lines})
    if pages < 3:
        return [line for line in lines if not _PAGE.fullmatch(line.text)]
    tops: dict[int, list[float]] = {}
    for line in lines:
        tops.setdefault(line.page, []).append(line.y)
    margins = {page: (min(places) + _MARGIN, max(places) - _MARGIN) for page, places in tops.items()}
    outer = [line for line in lines if not margins[line.page][0] < line.y < margins[line.page][1]]
    seen: dict[tuple[str, int], set[int]] = {}
    for line in outer:
        seen.setdefault(_place(line), set()).add(line.page)
    running = {place for place, found in seen.items() if len(found) * 2 >= max(4, pages)}
    edge = {id(line) for line in outer}
    return [
        line
        for line in lines
        if id(line) not in edge or not (_place(line) in running or _PAGE.fullmatch(line.text))
    ]


def _place(line: _Line) -> tuple[str, int]:
    return _NUMBER.sub("#", line.text), round(line.y / 4)


def _paragraphs(lines: list[_Line]) -> Iterator[str]:
    body = Counter({line.size: 0 for line in lines})
    for line in lines:
        body[line.size] += len(line.text)
    normal = body.most_common(1)[0][0]
    sizes = sorted({line.size for line in lines if line.size > normal * 1.08}, reverse=True)
    held: list[str] = []
    above: _Line | None = None
    for line in lines:
        level = _level(line, normal, sizes)
        if held and above is not None and (level or _breaks(above, line, level)):
            yield _joined(held)
            held = []
        if level:
            yield "#" * level + " " + line.text
            above = None
            continue
        held.append(line.text)
        above = line
    if held:
        yield _joined(held)


def _level(line: _Line, normal: float, sizes: list[float]) -> int:
    if len(line.text) > 120:
        return 0
    if line.size in sizes:
        return min(4, sizes.index(line.size) + 1)
    heading = line.bold and line.gap > 0.5 and not _END.search(line.text) and len(line.text) < 90
    return min(5, len(sizes[:4]) + 1) if heading else 0


def _breaks(above: _Line, line: _Line, level: int) -> bool:
    if _MARKER.match(line.text):
        return True
    if line.page != above.page:
        return bool(_END.search(above.text))
    return line.gap > 0.6 or (line.gap > 0.35 and bool(_END.search(above.text)))


def _joined(parts: list[str]) -> str:
    text = ""
    for part in parts:
        text = text[:-1] + part if text.endswith("-") and part[:1].islower() else f"{text} {part}".strip()
    marker = re.match(r"[•●▪■◦○‣–\uf0b7]\s+", text)
    return f"-   {text[marker.end() :]}" if marker else text
