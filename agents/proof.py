"""Whether quotes stand where they are said to stand: looked up anew in a version's text and in the page as served.

A quote is what a reader is shown of a clause; `text[start:end]` of its version is the Markdown that it was read from.
Two checks, told apart: the Markdown at the offsets reads as the quote; the quote's words stand in the page's bytes,
in their order, spacing, punctuation and markup aside. The second does not go through our extraction (but for PDF).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cached_property

import lxml.html
from lxml import etree
from msgspec import Struct

from pipeline.errors import PageError
from pipeline.events import PageRef, Span, Version
from pipeline.policy import media, pdf
from pipeline.policy.clauses import segment
from pipeline.policy.html import BLOCKS

_NO_WORD = re.compile(r"(?<=\d)([.,])(?=\d)|[\W_]+")  # the point of a number is part of it
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
_TARGET = re.compile(r"\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s+\"[^\"]*\")?\)|<[^<>]{1,500}>")
BREAKS = (*BLOCKS, "br")  # what a browser begins anew: "4.<br>30" is no number
UNSEEN = "//script|//style|//noscript|//template|//comment()"


class Proof(Struct, frozen=True, kw_only=True):
    """What looking a quote up came to: the characters at its offsets, and whether they and the page bear it out.

    `served` is None where the page's bytes could not be read; `within` says where in the page the words stand.
    """

    span: Span
    verbatim: str = ""
    stands: bool = False
    served: bool | None = None
    within: str = ""

    @property
    def holds(self) -> bool:
        """Whether both checks found the quote."""
        return self.stands and self.served is True


class Served:
    """The words of a page's bytes, as a browser shows them or as any other program would read them."""

    def __init__(self, body: bytes, page: PageRef) -> None:
        kind = next((value for name, value in page.headers.items() if name.lower() == "content-type"), "")
        self._content = media.read(body, content_type=kind, url=page.final_url or page.url)

    def within(self, quote: str) -> str | None:
        """Return where in the page a quote's words stand, empty where nowhere; None for a page without text."""
        if self._shown is None:
            return None
        lines = [words for line in quote.splitlines() if (words := squeezed(line))]
        if _in_order(lines, self._shown):
            return "its text, as our reader of PDF sees it" if self._content.kind == "pdf" else "its text"
        return "its scripts or attributes" if _in_order(lines, self._whole) else ""

    @cached_property
    def _shown(self) -> str | None:
        content = self._content
        if content.kind == "binary":
            return None
        if content.kind == "pdf":
            try:
                return squeezed(pdf.markdown(content.body)[0])
            except PageError:
                return None
        return squeezed(_seen(content.text) if content.kind == "html" else _TARGET.sub("]", content.text))

    @cached_property
    def _whole(self) -> str:
        return squeezed(_ESCAPED.sub(lambda found: chr(int(found[1], 16)), self._content.text))


def proofs(spans: Sequence[Span], version: Version | None, served: Served | None) -> Iterator[Proof]:
    """Yield what looking up each quote came to, in a version's text and in the page that it was extracted from."""
    for span in spans:
        verbatim = version.text[span.start : span.end] if version else ""
        within = served.within(span.text) if served else None
        yield Proof(
            span=span,
            verbatim=verbatim,
            stands=bool(verbatim) and _reads_as(verbatim, span.text),
            served=None if within is None else bool(within),
            within=within or "",
        )


def _in_order(lines: Sequence[str], text: str) -> bool:
    """Say whether a text holds lines one after the other; a clause's printed number may stand between."""
    place = 0
    for line in lines:
        found = text.find(line, place)
        if found < 0:
            return False
        place = found + len(line)
    return bool(lines)


def _reads_as(verbatim: str, quote: str) -> bool:
    words = squeezed(quote)
    return squeezed(_read(verbatim)) == words if words else quote.strip() in verbatim


def squeezed(text: str) -> str:
    """Return the letters and digits of a text, and the points inside numbers, compatibility forms folded."""
    return _NO_WORD.sub(r"\1", unicodedata.normalize("NFKC", text))


def _read(markdown: str) -> str:
    """Return the words of Markdown, without its marks, the numbers of its clauses and the targets of its links."""
    return "\n".join(clause.text for clause in segment(markdown))


def _seen(markup: str) -> str:
    """Return the text of HTML that a browser would show, hidden parts included; empty where there is none."""
    parser = lxml.html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        root = lxml.html.document_fromstring(markup.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError):
        return ""
    for element in root.xpath(UNSEEN):
        element.drop_tree()
    for element in root.iter(*BREAKS):
        element.text, element.tail = f" {element.text or ''}", f" {element.tail or ''}"
    return str(root.text_content())
