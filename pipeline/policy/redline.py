"""A redline: what to strike and what to insert to turn one clause into another, by words.

Minimal in what it marks, readable in how: no word is cut, edits are joined over one or two unchanged words
when more changed on both sides, and modal verbs, negations and numbers stand in marks of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from rapidfuzz.distance import Indel

from pipeline.policy.lexis import MODAL, NEGATION

Op = tuple[str, str]

_TOKEN = re.compile(
    r"\d+(?:[.,:]\d+)*"
    r"|[\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]"
    r"|[\w\u0300-\u036f\u0591-\u05c7\u0610-\u06ed\u0900-\u0dff]+(?:['’\-][\w\u0300-\u036f]+)*"
    r"|\s+|[^\w\s]",
)
_JOIN = 2  # unchanged words between two edits that are joined into one
_CELLS = 400_000_000  # size of an exact comparison, in token pairs, above which rare words anchor it first


def redline(old: str, new: str) -> tuple[Op, ...]:
    """Return (op, text), op one of = - +; the texts of = and - spell `old`, those of = and + `new`."""
    if old == new:
        return (("=", old),) if old else ()
    if not old or not new:
        return (("+", new),) if new else (("-", old),)
    left, right = tokens(old), tokens(new)
    ops = [op for block in _joined(_blocks(left, right)) for op in _written(block)]
    return tuple(_merged(ops))


def tokens(text: str) -> list[str]:
    """Cut a text into words, numbers, single marks and runs of white space; joined they spell the text."""
    return _TOKEN.findall(text)


def is_guarded(token: str) -> bool:
    """Tell whether a token is a number, a modal verb or a negation, whose change must never be blurred."""
    return token[0].isdigit() or _class(token) in ("modal", "negation")


def _class(token: str) -> str:
    if token[0].isdigit():
        return "number"
    folded = token.replace("’", "'").casefold()
    if folded in MODAL:
        return "modal"
    return "negation" if folded in NEGATION or folded.endswith("n't") else ""


class Block:
    """A run of tokens that stayed (`old` is `new`), or a run that was replaced by another."""

    __slots__ = ("new", "old", "same")

    def __init__(self, old: Sequence[str], new: Sequence[str], *, same: bool) -> None:
        self.old, self.new, self.same = list(old), list(new), same

    def weight(self) -> int:
        return sum(map(len, self.old)) + sum(map(len, self.new))

    def words(self) -> int:
        return sum(1 for token in self.old if token[0].isalnum())

    def is_guarded(self) -> bool:
        return any(is_guarded(token) for token in (*self.old, *self.new))


def _blocks(left: list[str], right: list[str]) -> list[Block]:
    """Return the blocks, same and replaced in turn, of two token lists."""
    blocks: list[Block] = []
    for i0, i1, j0, j1 in _matches(left, right):
        if blocks and blocks[-1].same and i0 == i1 == j0 == j1:
            continue
        blocks.append(Block(left[i0:i1], right[j0:j1], same=left[i0:i1] == right[j0:j1]))
    return blocks


def _matches(left: list[str], right: list[str]) -> list[tuple[int, int, int, int]]:
    """Return spans (i0, i1, j0, j1) that tile both lists: equal ones, and the replaced ones between them."""
    start = 0
    while start < min(len(left), len(right)) and left[start] == right[start]:
        start += 1
    end = 0
    while end < min(len(left), len(right)) - start and left[-1 - end] == right[-1 - end]:
        end += 1
    spans = [(0, start, 0, start)] if start else []
    spans += _middle(left, right, (start, len(left) - end, start, len(right) - end))
    if end:
        spans.append((len(left) - end, len(left), len(right) - end, len(right)))
    return spans


def _middle(
    left: list[str], right: list[str], span: tuple[int, int, int, int]
) -> list[tuple[int, int, int, int]]:
    i0, i1, j0, j1 = span
    if (i1 - i0) * (j1 - j0) > _CELLS:
        return _coarse(left, right, span)
    codes: dict[str, str] = {}
    one = "".join(codes.setdefault(token, chr(len(codes) + 0x100)) for token in left[i0:i1])
    two = "".join(codes.setdefault(token, chr(len(codes) + 0x100)) for token in right[j0:j1])
    return [
        (i0 + op.src_start, i0 + op.src_end, j0 + op.dest_start, j0 + op.dest_end)
        for op in Indel.opcodes(one, two)
    ]


def _coarse(
    left: list[str], right: list[str], span: tuple[int, int, int, int]
) -> list[tuple[int, int, int, int]]:
    """Cut an oversized comparison at tokens that stand once on each side; what has none is replaced."""
    i0, i1, j0, j1 = span
    anchors = _rare_anchors(left, right, span)
    if not anchors:
        return [span]
    spans = []
    i, j = i0, j0
    for a, b in [*anchors, (i1, j1)]:
        if i < a or j < b:
            spans += _middle(left, right, (i, a, j, b)) if (a - i) * (b - j) <= _CELLS else [(i, a, j, b)]
        if a < i1:
            spans.append((a, a + 1, b, b + 1))
        i, j = a + 1, b + 1
    return spans


def _rare_anchors(
    left: list[str], right: list[str], span: tuple[int, int, int, int]
) -> list[tuple[int, int]]:
    i0, i1, j0, j1 = span
    here, there = _once(left, i0, i1), _once(right, j0, j1)
    anchors: list[tuple[int, int]] = []
    for token, i in sorted(here.items(), key=lambda item: item[1]):
        j = there.get(token)
        if j is not None and (not anchors or j > anchors[-1][1]):
            anchors.append((i, j))
    return anchors


def _once(items: list[str], start: int, end: int) -> dict[str, int]:
    seen: dict[str, int] = {}
    for index in range(start, end):
        seen[items[index]] = -1 if items[index] in seen else index
    return {token: index for token, index in seen.items() if index >= 0}


def _joined(blocks: list[Block]) -> list[Block]:
    """Join edits over unchanged runs too short to help, unless something guarded would be blurred."""
    out: list[Block] = []
    for block in _alternating(blocks):
        while len(out) >= 2 and not block.same and _hides(out[-2], out[-1], block):
            between, before = out.pop(), out.pop()
            block = Block(
                [*before.old, *between.old, *block.old], [*before.new, *between.new, *block.new], same=False
            )
        out.append(block)
    return out


def _alternating(blocks: Iterable[Block]) -> list[Block]:
    """Merge neighbouring blocks of one kind."""
    out: list[Block] = []
    for block in blocks:
        if out and out[-1].same == block.same:
            out[-1] = Block([*out[-1].old, *block.old], [*out[-1].new, *block.new], same=block.same)
        else:
            out.append(block)
    return out


def _hides(before: Block, between: Block, after: Block) -> bool:
    if any(is_guarded(token) for token in between.old):
        return False
    words = between.words()
    if words == 0:
        return not (before.is_guarded() or after.is_guarded()) or not "".join(between.old).strip()
    if before.is_guarded() or after.is_guarded() or words > _JOIN:
        return False
    return min(before.weight(), after.weight()) > 2 * between.weight()


def _written(block: Block) -> list[Op]:
    """Return the operations of a block; guarded tokens in a replaced one get operations of their own."""
    if block.same:
        return [("=", "".join(block.old))]
    old = [list(run) for _, run in groupby(block.old, key=lambda t: is_guarded(t) and t)]
    new = [list(run) for _, run in groupby(block.new, key=lambda t: is_guarded(t) and t)]
    ops: list[Op] = []
    i = j = 0
    for a, b in _partners(old, new):
        ops += _replaced(old[i:a], new[j:b])
        ops += [("-", "".join(old[a])), ("+", "".join(new[b]))]
        i, j = a + 1, b + 1
    return ops + _replaced(old[i:], new[j:])


def _partners(old: list[list[str]], new: list[list[str]]) -> list[tuple[int, int]]:
    """Pair guarded runs of the same class in order: a modal verb with a modal verb, a number with a number."""
    found = []
    j = 0
    for i, run in enumerate(old):
        kind = _class(run[0])
        match = next((k for k in range(j, len(new)) if kind and _class(new[k][0]) == kind), None)
        if match is not None:
            found.append((i, match))
            j = match + 1
    return found


def _replaced(old: list[list[str]], new: list[list[str]]) -> list[Op]:
    """Return strikes, then insertions, with the white space that both begin or end with left standing."""
    gone, come = "".join(t for run in old for t in run), "".join(t for run in new for t in run)
    head = _space(gone, come, 1)
    gone, come = gone[len(head) :], come[len(head) :]
    tail = _space(gone, come, -1)
    if tail:
        gone, come = gone[: -len(tail)], come[: -len(tail)]
    return [op for op in (("=", head), ("-", gone), ("+", come), ("=", tail)) if op[1]]


def _space(one: str, two: str, step: int) -> str:
    """Return the white space that both texts begin (step 1) or end (step -1) with."""
    found = ""
    for left, right in zip(one[::step], two[::step], strict=False):
        if left != right or not left.isspace():
            break
        found += left
    return found


def _merged(ops: list[Op]) -> list[Op]:
    """Join neighbouring operations of one kind, but keep guarded words in operations of their own."""
    out: list[Op] = []
    for op, text in ops:
        if not text:
            continue
        if out and out[-1][0] == op and (op == "=" or not (is_guarded(text) or is_guarded(out[-1][1]))):
            out[-1] = (op, out[-1][1] + text)
        else:
            out.append((op, text))
    return out
