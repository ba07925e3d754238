"""Text that a page carries as data for its scripts, read where the markup itself shows none.

Pages built by client scripts often ship their words as JSON (`__NEXT_DATA__`, `application/json`, state objects,
streamed chunks). Reading it is second best to rendering, so a version made of it says so in a note.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from pipeline.policy.names import words

_STRING = re.compile(r'"((?:[^"\\]|\\.)*+)"', re.S)
_MARKUP = re.compile(r"<(?:p|h[1-6]|li|div|section|table|br)\b", re.I)
_KEYS = words(
    "value text html body content children description markdown copy richtext title heading subtitle paragraph "
    "answer question articlebody rendered bodytext"
)
_HEADS = re.compile(r"^(?:heading-?|h)([1-6])$", re.I)
_STOP = re.compile(r"[^\W\d_]{2,}[.!?;:](?=[\s<\"'”’)]|$)|[。！？]")
_CODE = re.compile(r"[{}]|=>|\bfunction\b|https?:")
_LIMIT = 8_000_000


def embedded(scripts: Iterable[tuple[dict[str, str], str]]) -> str:
    """Return HTML made of the longest document that the scripts carry as data, "" if they carry none."""
    best = ""
    for attrs, text in scripts:
        if 400 <= len(text) <= _LIMIT and (found := _document(attrs, text)) and len(found) > len(best):
            best = found
    return best if len(_STOP.findall(best[:200_000])) >= 4 else ""


def _document(attrs: dict[str, str], text: str) -> str:
    kind = attrs.get("type", "").lower()
    data = _data(text) if "json" in kind or attrs.get("id") == "__NEXT_DATA__" or "{" in text[:200] else None
    pieces = _dedupe(_pieces(data) if data is not None else _strings(text))
    return "\n".join(pieces)


def _data(text: str) -> Any:
    """Return the JSON of a script that is JSON, or that assigns one object to a name."""
    start = min((at for at in (text.find("{"), text.find("[")) if at >= 0), default=-1)
    if start < 0 or start > 200:
        return None
    try:
        value, _ = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return value


def _pieces(data: Any) -> Iterator[str]:
    """Yield the texts in a JSON value as HTML, in order, without recursion."""
    stack: list[tuple[str, Any, str]] = [("", data, "p")]
    while stack:
        key, value, tag = stack.pop()
        if isinstance(value, dict):
            tag = _tag(value, tag)
            stack.extend((str(name), inner, tag) for name, inner in reversed(value.items()))
        elif isinstance(value, list):
            stack.extend((key, inner, tag) for inner in reversed(value))
        elif isinstance(value, str) and key.lower().replace("_", "") in _KEYS and _reads(value):
            yield _piece(value, tag)


def _tag(value: dict[str, Any], tag: str) -> str:
    for name in ("nodeType", "type", "tag", "style", "_type"):
        kind = value.get(name)
        if isinstance(kind, str) and (match := _HEADS.match(kind)):
            return f"h{match[1]}"
        if isinstance(kind, str) and kind in {"paragraph", "list-item", "listItem", "p", "li"}:
            return "p"
    return tag


def _strings(text: str) -> Iterator[str]:
    """Yield long texts from the string literals of a script that is no plain JSON."""
    for match in _STRING.finditer(text):
        if len(match[1]) < 60:
            continue
        try:
            value = json.loads(f'"{match[1]}"', strict=False)
        except ValueError:
            continue
        if _MARKUP.search(value):
            yield value
        elif value.count(" ") >= 7 and _STOP.search(value) and not _CODE.search(value):
            yield _piece(value, "p")
        elif '"' in value:  # a string of data inside a string
            yield from (_piece(inner, "p") for inner in _inner(value))


def _inner(value: str) -> Iterator[str]:
    for match in _STRING.finditer(value):
        words = match[1]
        if len(words) >= 25 and words.count(" ") >= 4 and not _CODE.search(words):
            yield words


def _reads(value: str) -> bool:
    words = value.strip()
    return (
        len(words) >= 2
        and re.search(r"[^\W\d_]{2}", words) is not None
        and not re.match(r"(?:https?:)?/|[\w-]+$", words)
    )


def _piece(value: str, tag: str) -> str:
    if _MARKUP.search(value):
        return value
    return "\n".join(
        f"<{tag}>{html.escape(part)}</{tag}>" for part in re.split(r"\n{2,}", value) if part.strip()
    )


def _dedupe(pieces: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(pieces))
