"""A redline: what to strike and what to insert to turn one clause into another, by words.

Minimal in what it marks, readable in how: no word is cut, edits are joined over one or two unchanged words
when more changed on both sides, and modal verbs, negations and numbers stand in marks of their own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate

from pipeline.policy.lexis import MODAL, NEGATION
from pipeline.policy.wordrun import Span, spans

Op = tuple[str, str]

_TOKEN = re.compile(
    r"\d+(?:[.,:]\d+)*[^\W\d_]*"
    r"|[\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]"
    r"|[\w\u0300-\u036f\u0591-\u05c7\u0610-\u06ed\u0900-\u0dff]+(?:['’\-][\w\u0300-\u036f]+)*"
    r"|\s+|[^\w\s]",
)
_JOIN = 2  # unchanged words between two edits, at most, over which they are joined


def redline(old: str, new: str) -> tuple[Op, ...]:
    """Return (op, text), op one of = - +; the texts of = and - spell `old`, those of = and + spell `new`."""
    if old == new:
        return (("=", old),) if old else ()
    if not old or not new:
        return (("+", new),) if new else (("-", old),)
    left, right = tokens(old), tokens(new)
    start, end = _same_ends(left, right)
    ops = _middle(left[start : len(left) - end], right[start : len(right) - end])
    head, tail = "".join(left[:start]), "".join(left[len(left) - end :])
    return tuple(_merged([("=", head), *ops, ("=", tail)]))


def _middle(left: Sequence[str], right: Sequence[str]) -> list[Op]:
    ops: list[Op] = []
    for span in _joined(spans(left, right), _Side(left), _Side(right)):
        one, two = left[span.i0 : span.i1], right[span.j0 : span.j1]
        ops += [("=", "".join(one))] if span.same else _written(one, two)
    return ops


def tokens(text: str) -> list[str]:
    """Cut a text into words, numbers, single marks and runs of white space; joined they spell the text."""
    return _TOKEN.findall(text)


def is_guarded(token: str) -> bool:
    """Tell whether a token is a number, a modal verb or a negation, whose change must never be blurred."""
    return bool(_class(token))


def _class(token: str) -> str:
    """Return number, modal or negation, or nothing for any other token."""
    if not token[0].isalnum():
        return ""
    if token[0].isdigit():
        return "number"
    folded = token.replace("’", "'").casefold()
    if folded in MODAL:
        return "modal"
    return "negation" if folded in NEGATION or folded.endswith("n't") else ""


def _same_ends(left: Sequence[str], right: Sequence[str]) -> tuple[int, int]:
    """Return how many tokens two lists have in common at their start, and after that at their end."""
    short = min(len(left), len(right))
    start = 0
    while start < short and left[start] == right[start]:
        start += 1
    end = 0
    while end < short - start and left[-1 - end] == right[-1 - end]:
        end += 1
    return start, end


# --- joining --------------------------------------------------------------------------------------------------


class _Side:
    """Running totals of one side's tokens: characters, words, guarded words."""

    __slots__ = ("guarded", "size", "words")

    def __init__(self, items: Sequence[str]) -> None:
        guarded = {token for token in set(items) if is_guarded(token)}
        self.size = [0, *accumulate(map(len, items))]
        self.words = [0, *accumulate(int(token[0].isalnum()) for token in items)]
        self.guarded = [0, *accumulate(int(token in guarded) for token in items)]


def _joined(found: Sequence[Span], old: _Side, new: _Side) -> list[Span]:
    """Join edits over unchanged runs too short to help, unless something guarded would be blurred."""
    out: list[Span] = []
    for span in found:
        if span.i0 == span.i1 and span.j0 == span.j1:
            continue
        if out and out[-1].same == span.same:
            span = _over(out.pop(), span)
        while len(out) >= 2 and not span.same and _hides(out[-2], out[-1], span, old, new):
            out.pop()
            span = _over(out.pop(), span)
        out.append(span)
    return out


def _over(first: Span, last: Span) -> Span:
    return Span(first.i0, last.i1, first.j0, last.j1, first.same and last.same)


def _hides(before: Span, between: Span, after: Span, old: _Side, new: _Side) -> bool:
    """Tell whether an unchanged run is better marked than left standing between two edits."""
    if old.guarded[between.i1] > old.guarded[between.i0]:
        return False
    words = old.words[between.i1] - old.words[between.i0]
    if words == 0:
        return True
    if words > _JOIN or _has_guarded(before, old, new) or _has_guarded(after, old, new):
        return False
    size = old.size[between.i1] - old.size[between.i0]
    return min(_weight(before, old, new), _weight(after, old, new)) > 2 * size


def _has_guarded(span: Span, old: _Side, new: _Side) -> bool:
    return old.guarded[span.i1] > old.guarded[span.i0] or new.guarded[span.j1] > new.guarded[span.j0]


def _weight(span: Span, old: _Side, new: _Side) -> int:
    return old.size[span.i1] - old.size[span.i0] + new.size[span.j1] - new.size[span.j0]


# --- writing --------------------------------------------------------------------------------------------------


def _written(old: Sequence[str], new: Sequence[str]) -> list[Op]:
    """Return the operations of a replaced run; guarded words get operations of their own."""
    left, right = _runs(old), _runs(new)
    ops: list[Op] = []
    i = j = 0
    for a, b in _partners(left, right):
        ops += _replaced(left[i:a], right[j:b])
        ops += [("-", left[a]), ("+", right[b])] if left[a] != right[b] else [("=", left[a])]
        i, j = a + 1, b + 1
    return ops + _replaced(left[i:], right[j:])


def _runs(items: Sequence[str]) -> list[str]:
    """Return the text between guarded words, and each guarded word, as runs."""
    runs: list[str] = []
    alone = True
    for token in items:
        guarded = is_guarded(token)
        if guarded or alone:
            runs.append(token)
        else:
            runs[-1] += token
        alone = guarded
    return runs


def _partners(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Pair guarded words of one class in order: a modal verb with a modal verb, a number with a number."""
    places: dict[str, list[int]] = {}
    for k in range(len(new) - 1, -1, -1):
        places.setdefault(_class(new[k]), []).append(k)
    found: list[tuple[int, int]] = []
    j = -1
    for i, run in enumerate(old):
        waiting = places.get(_class(run) or "none", [])
        while waiting and waiting[-1] <= j:
            waiting.pop()
        if waiting:
            j = waiting.pop()
            found.append((i, j))
    return found


def _replaced(old: Sequence[str], new: Sequence[str]) -> list[Op]:
    """Return strikes, then insertions; white space that both begin or end with is left standing."""
    gone, come = "".join(old), "".join(new)
    head = _space(gone, come, 1)
    tail = _space(gone[len(head) :], come[len(head) :], -1)
    inner = [
        (op, text)
        for op, runs, whole in (("-", old, gone), ("+", new, come))
        for text in _trimmed(runs, len(head), len(whole) - len(tail))
    ]
    return [op for op in (("=", head), *inner, ("=", tail)) if op[1]]


def _trimmed(runs: Sequence[str], start: int, end: int) -> list[str]:
    """Return the parts of runs between two offsets of their joined text."""
    out: list[str] = []
    at = 0
    for run in runs:
        out.append(run[max(0, start - at) : max(0, end - at)])
        at += len(run)
    return out


def _space(one: str, two: str, step: int) -> str:
    """Return the white space that both texts begin (step 1) or end (step -1) with."""
    count = 0
    for left, right in zip(one[::step], two[::step], strict=False):
        if left != right or not left.isspace():
            break
        count += 1
    return (one[:count] if step > 0 else one[len(one) - count :]) if count else ""


def _merged(ops: list[Op]) -> list[Op]:
    """Join neighbouring operations of one kind, but keep guarded words in operations of their own."""
    out: list[Op] = []
    for op, text in ops:
        if not text:
            continue
        if out and out[-1][0] == op and (op == "=" or text.isspace() or not _stands_alone(out[-1][1], text)):
            out[-1] = (op, out[-1][1] + text)
        else:
            out.append((op, text))
    return out


def _stands_alone(before: str, text: str) -> bool:
    return is_guarded(text) or is_guarded(before.rstrip() or before)
