"""Inline Markdown: from the words as written to the words as read, with links and printed numbers kept apart.

Linear in the length of the text: every pattern is possessive or stops at the first character it cannot use. What
must not stand before a mark is asked behind its first character, so that a search can skip to that character.
"""

from __future__ import annotations

import html
import re

from pipeline.events import Link

_MARKED = re.compile(r"[\\\[\]*_`<&]")
_IMAGE = re.compile(r"!\[((?:[^\[\]\\]|\\.)*+)\]\((?:[^()\n]|\([^()\n]*\))*+\)", re.S)
_LINK = re.compile(
    r"\[((?:[^\[\]\\]|\\.)*+)\]"
    r"(?:\(\s*+<?((?:[^()\s<>]|\([^()\s]*+\))*+)>?(?:\s++(?:\"(?:[^\"\\]|\\.)*+\"|'(?:[^'\\]|\\.)*+'))?\s*+\)|\[([^\[\]\n]{0,80}+)\])",
    re.S,
)
_AUTOLINK = re.compile(r"<((?:https?://|mailto:)[^<>\s]{1,2000})>")
_TAG = re.compile(r"<(?<!\\<)/?[a-zA-Z][^<>]{0,400}>|<!--[^<]{0,2000}-->", re.S)
_BREAK = re.compile(r"<br\s*/?>", re.I)
_STRONG = re.compile(r"\*(?<!\\\*)\*+|_(?<!\\_)(?:(?<![^\W_]_)_+|_+(?![^\W_]))")
_EMPHASIS = re.compile(r"_(?<!\\_)(?:(?<![^\W_]_)|(?![^\W_]))|\*(?<!\\\*)(?:(?=\S)|(?<=\S\*))|`(?<!\\`)`*")
_ESCAPE = re.compile(r"\\([\\`*_{}\[\]()#+\-.!~>|<=:&])")
_REFERENCE = re.compile(
    r"^ {0,3}\[([^\[\]\n]{1,80})\]:[ \t]+<?(\S{1,2000}?)>?(?:[ \t]+\"[^\"\n]*\")?[ \t]*$", re.M
)

# "1.5 million" and "2.5 GB" are quantities, not the number of a clause
_QUANTITY = re.compile(
    r"[a-z]|(?:[KMGTP]i?B|[MG]bps|[MG]Hz|USD|EUR|GBP|CHF|AUD|CAD|JPY|INR)\b|%|[€$£¥]|[MB]illion|[MG]bit"
)
_ROMAN = r"(?:x{0,3}(?:ix|iv|v?i{0,3}))"
_NUMBER = re.compile(
    r"""(?:
      (?:section|article|art\.|clause|part|chapter|schedule|annex|appendix|§§?|artikel|artículo|artigo|articolo|abschnitt
        |sección|seção|ziffer|раздел|статья|пункт)\s?(?=[\dIVXLC])(?:\d{1,4}(?:\.\d{1,4})*+[a-z]?|[IVXLC]{1,7})(?![^\W_])[.):]?
      |第\s?[\d一二三四五六七八九十百〇零]{1,5}\s?[条條章节節款项項]
      |제\s?\d{1,4}\s?[조장]
      |[（(][一二三四五六七八九十\d]{1,4}[）)]
      |[一二三四五六七八九十]{1,4}[、．]
      |\d{1,3}[、．]
      |\d{1,3}(?:\.\d{1,3})++(?:[.)](?=\s|$|[^\W\d_])|(?=\s|$))
      |\d{1,3}[.)](?=\s|$|[A-Z][a-z])
      |\(\d{1,3}\)(?=\s)
      |\((?:[a-z]{1,2}|ROMAN)\)(?=\s)
      |(?:[a-zA-Z]|ROMAN)[.)](?=\s)
      |[IVXL]{1,6}[.)](?=\s)
    )\s*+[-–—:.]?\s*+""".replace("ROMAN", _ROMAN),
    re.X | re.I,
)


def references(text: str) -> dict[str, str]:
    """Return the link reference definitions of a Markdown text, label in lower case to target."""
    if "]:" not in text:
        return {}
    return {label.casefold(): target for label, target in _REFERENCE.findall(text)}


def is_reference(line: str) -> bool:
    """Tell whether a line only defines a link's target."""
    return line.lstrip().startswith("[") and _REFERENCE.match(line) is not None


def plain(raw: str, refs: dict[str, str] | None = None) -> tuple[str, tuple[Link, ...]]:
    """Return the words of inline Markdown without its marks, white space collapsed, and the links inside."""
    if _MARKED.search(raw) is None:
        return " ".join(raw.split()), ()
    links: list[Link] = []
    if "[" in raw:
        raw = _unlinked(_IMAGE.sub(r"\1", raw) if "![" in raw else raw, refs or {}, links)
    if "<" in raw:
        raw = _AUTOLINK.sub(r"\1", _BREAK.sub(" ", raw))
        raw = _TAG.sub("", raw)
    if "*" in raw or "_" in raw or "`" in raw:
        raw = _EMPHASIS.sub("", _STRONG.sub("", raw))
    if "\\" in raw:
        raw = _ESCAPE.sub(r"\1", raw)
    if "&" in raw:
        raw = html.unescape(raw)
    return " ".join(raw.split()), tuple(links)


def _unlinked(raw: str, refs: dict[str, str], links: list[Link]) -> str:
    def words(match: re.Match[str]) -> str:
        label, url, ref = match.groups()
        if url is None:
            url = refs.get((ref or label).casefold(), "")
            if not url:
                return match.group()
        shown = plain(label)[0]
        if shown or url:
            links.append(Link(text=shown, url=_ESCAPE.sub(r"\1", url)))
        return label

    return _LINK.sub(words, raw)


def numbered(text: str) -> tuple[str, str]:
    """Split words as read into the printed number ("4", "1.2", "(a)", "Section 3") and the rest.

    A number is only that when words follow it, or it stands alone; "1.5 million" and "5 days" keep theirs.
    """
    match = _NUMBER.match(text)
    if match is None:
        return "", text
    number, rest = match.group().strip(" -–—:"), text[match.end() :]
    if not rest and not number.rstrip(".)").isdigit():
        return "", text
    if re.fullmatch(r"\d+\.\d+", number) and _QUANTITY.match(rest):
        return "", text
    return number.rstrip(".") if not number.casefold().startswith("art.") else number, rest


def is_bold(raw: str) -> bool:
    """Tell whether a whole paragraph is set in bold, as people write headings without saying so."""
    raw = raw.strip().rstrip(":")
    for mark in ("**", "__"):
        if raw.startswith(mark) and raw.endswith(mark) and len(raw) > 2 * len(mark):
            return mark not in raw[len(mark) : -len(mark)]
    return False
