"""Text as it may be shown: clean, on one line where that is asked, and numbers with their nouns."""

from __future__ import annotations

import re

# C0 and C1 controls but tab and newline; bidirectional overrides, embeddings and isolates; lone surrogates;
# line and paragraph separators; the byte order mark
_UNSHOWN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff\ud800-\udfff\ufff9-\ufffb]"
)


def clean(text: str) -> str:
    """Return text that displays as what it says: no control characters, no reordering marks, no halves."""
    return _UNSHOWN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str, limit: int = 300) -> str:
    """Return clean text on one line, cut at a word's end with an ellipsis past `limit` characters."""
    text = " ".join(clean(text).split())
    if len(text) <= limit:
        return text
    cut = text.rfind(" ", 0, limit)
    return text[: cut if cut > limit // 2 else limit - 1].rstrip(" ,;:") + "…"


def count(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: "1 change", "1,204 changes"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def is_web(url: str) -> bool:
    """Say whether a URL is one that a message may link to."""
    return re.fullmatch(r"https?://[^\s<>\"|\\^`{}\x00-\x1f]{1,2900}", url, re.IGNORECASE) is not None


def heading(text: str, limit: int) -> str:
    """Return a heading as part of a line: without the point or colon that it ends on."""
    return one_line(text, limit).rstrip(" .:;")


def sentence(text: str, limit: int = 600) -> str:
    """Return words that stand alone as a sentence: a capital to begin with, a point at the end."""
    said = one_line(text, limit)
    return f"{said[:1].upper()}{said[1:]}{'' if said[-1:] in '.!?…”’)' else '.'}" if said else ""
