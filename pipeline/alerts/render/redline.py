"""A redline cut to a size that a message can hold: whole spans first, context shortened, every cut told."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipeline.alerts.render.words import clean
from pipeline.events import Change, Value

Spans = tuple[tuple[str, str], ...]

CUT = "…"  # the op of what stands for words left out: (CUT, " … ") or (CUT, " … [12 more words] ")
MARK = 26  # characters that a mark of words left out takes, about
LEAST = 40  # characters of a changed span that are always shown
CONTEXT = 60  # characters of unchanged text kept beside a change when not all of it fits


class Clip(Value, frozen=True, kw_only=True):
    """What is shown of a redline; `words_left` counts the changed words that are not, `untold` those of them that
    no mark within speaks of."""

    spans: Spans
    words_left: int = 0
    untold: int = 0


def spans_of(change: Change) -> Spans:
    """Return the redline of a change in whole phrases: its own, or the old and the new text where it has none."""
    if change.redline:
        return joined(tuple((op, text) for op, text in change.redline if text))
    old = (("-", change.old.text),) if change.old and change.old.text else ()
    new = (("+", change.new.text),) if change.new and change.new.text else ()
    return old + new


def joined(spans: Spans) -> Spans:
    """Return a redline whose neighbouring changes are one: all that went, then all that came for it.

    "[-March-]{+May+} [-14-]{+23+}" becomes "[-March 14-]{+May 23+}", and what went and came back is not changed. Both
    texts read as before.
    """
    found: list[tuple[str, str]] = []
    old, new, held = "", "", ""  # what went, what came, and a blank that may lie between two changes
    for op, text in (*spans, ("", "")):
        if op in ("-", "+"):
            old, new, held = _with_blank(found, old, new, held)
            old, new = (old + text, new) if op == "-" else (old, new + text)
        elif op == "=" and not text.strip() and (old or new) and not held:
            held = text
        else:
            found += [*_sides(old, new), *([("=", held)] if held else []), (op, text)]
            old = new = held = ""
    return _flat(found[:-1])


def _with_blank(found: list[tuple[str, str]], old: str, new: str, held: str) -> tuple[str, str, str]:
    """Take a blank between two changes into both of their sides, or end the change before it where it has but one."""
    if not held:
        return old, new, ""
    if old.strip() and new.strip():
        return old + held, new + held, ""
    found += [*_sides(old, new), ("=", held)]
    return "", "", ""


def _sides(old: str, new: str) -> list[tuple[str, str]]:
    if old == new:
        return [("=", old)] if old else []
    return [(op, text) for op, text in (("-", old), ("+", new)) if text]


def _flat(spans: Iterable[tuple[str, str]]) -> Spans:
    """Return spans with neighbours that are unchanged as one."""
    flat: list[tuple[str, str]] = []
    for op, text in spans:
        if op == "=" and flat and flat[-1][0] == "=":
            flat[-1] = ("=", flat[-1][1] + text)
        else:
            flat.append((op, text))
    return tuple(flat)


def clip(spans: Spans, limit: int, *, per_span: int = 0) -> Clip:
    """Return as much of a redline as fits in `limit` characters, each span counting `per_span` more.

    Unchanged text gives way first, then later changes; a changed span is shortened, at a word's end and
    saying by how many words, only when it alone is too long. All is verbatim but what has the op CUT.
    """
    if _cost(spans, per_span) <= limit:
        return Clip(spans=spans)
    shown = _filled(_capped(_close(spans), limit, per_span), limit, per_span)
    left = max(_changed_words(spans) - _changed_words(shown), 0)
    return Clip(spans=shown, words_left=left, untold=max(left - _told(shown), 0))


def shown(change: Change, limit: int, *, per_span: int = 0) -> Clip:
    """Return the redline of a change as a message shows it: clean, and within `limit` characters."""
    spans = tuple((op, text) for op, raw in spans_of(change) if (text := clean(raw)))
    return clip(spans, limit, per_span=per_span)


def _changed_words(spans: Spans) -> int:
    return sum(words(text) for op, text in spans if op in "+-")


def words(text: str) -> int:
    """Return the number of words of a text."""
    return len(text.split())


def _cost(spans: Iterable[tuple[str, str]], per_span: int) -> int:
    return sum(len(text) + per_span for _, text in spans)


def _told(spans: Spans) -> int:
    """Return the number of words that the marks within a redline speak of."""
    found = (re.search(r"\[([\d,]+) more", text) for op, text in spans if op == CUT)
    return sum(int(mark[1].replace(",", "")) for mark in found if mark)


def _close(spans: Spans) -> Spans:
    """Return the redline with its unchanged text kept only beside changes."""
    last = len(spans) - 1
    shown: list[tuple[str, str]] = []
    for at, (op, text) in enumerate(spans):
        if op == "=":
            shown.extend(_context(text, before=at > 0, after=at < last))
        else:
            shown.append((op, text))
    return tuple(shown)


def _context(text: str, *, before: bool, after: bool) -> list[tuple[str, str]]:
    """Return the ends of an unchanged text that touch a change on either side, with a cut between them."""
    if len(text) <= CONTEXT * (before + after) + 3:
        return [("=", text)]
    left = [("=", head(text, CONTEXT))] if before else []
    right = [("=", _tail(text, CONTEXT))] if after else []
    return [*left, (CUT, " … "), *right]


def _capped(spans: Spans, limit: int, per_span: int) -> Spans:
    """Return the redline with its longest changed spans shortened so that each gets a fair share of the room."""
    unchanged = _cost(((op, text) for op, text in spans if op not in "+-"), per_span)
    extra = 2 * per_span + MARK
    lengths = [len(text) + extra for op, text in spans if op in "+-"]
    share = max(_share(lengths, limit - unchanged) - extra, LEAST)
    return tuple(piece for op, text in spans for piece in _shortened(op, text, share))


def _share(lengths: Iterable[int], room: int) -> int:
    """Return the size that, as a cap on each of the lengths, makes them fit in the room together."""
    left = sorted(lengths)
    while left and left[0] * len(left) <= room:
        room -= left.pop(0)
    return room // len(left) if left else room


def _shortened(op: str, text: str, room: int) -> list[tuple[str, str]]:
    if op not in "+-" or len(text) <= room:
        return [(op, text)]
    kept = head(text, room)
    left = words(text[len(kept) :])
    return [(op, kept), (CUT, f" … [{left:,} more {'word' if left == 1 else 'words'}] ")]


def _filled(spans: Spans, limit: int, per_span: int) -> Spans:
    """Return the spans that fit, in order, and a mark where they end early."""
    kept: list[tuple[str, str]] = []
    for op, text in spans:
        cost = len(text) + per_span
        if cost > limit and any(kind in "+-" for kind, _ in kept):
            return (*kept, (CUT, " …"))
        kept.append((op, text))
        limit -= cost
    return tuple(kept)


def head(text: str, size: int) -> str:
    """Return the beginning of a text, up to the last word's end within `size` characters."""
    if len(text) <= size:
        return text
    cut = max(text.rfind(" ", 0, size + 1), text.rfind("\n", 0, size + 1))
    return text[: cut if cut > size // 2 else _whole(text, size)]


def _tail(text: str, size: int) -> str:
    """Return the end of a text, from the first word's start within `size` characters."""
    if len(text) <= size:
        return text
    cut = text.find(" ", len(text) - size)
    start = cut + 1 if 0 <= cut < len(text) - size // 2 else len(text) - size
    return text[start:]


def _whole(text: str, size: int) -> int:
    """Return the nearest place at or before `size` that does not part a joined emoji or a combining mark."""
    while size > 1 and _joins(text[size - 1], text[size]):
        size -= 1
    return size


def _joins(left: str, right: str) -> bool:
    """Say whether two characters are parts of one: an accent, a skin tone, a joined emoji."""
    if right in "\u200d\ufe0f\u20e3" or left == "\u200d":
        return True
    return "\u0300" <= right <= "\u036f" or "\U0001f3fb" <= right <= "\U0001f3ff"
