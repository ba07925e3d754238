"""Documents edited by known steps: which clause became which is then known, and an aligner can be marked.

The kinds of edit and their rates are those behind the published figures: deletion, insertion of another
company's clause, light and heavy rewording, moves, moves with an edit, a moved block, splits, merges, cosmetics.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.events import Clause
from pipeline.policy.normalise import key

SWAPS = (
    ("may", "will"), ("will", "may"), ("must", "may"), ("shall", "may"), ("can", "cannot"), ("not ", ""),
    ("30", "14"), ("60", "90"), ("days", "hours"), ("any", "all"), ("we", "our affiliates and we"),
    ("only", "also"), ("consent", "notice"), ("18", "16"), ("13", "16"),
)  # fmt: skip
PHRASES = (
    "including through automated means", "except where prohibited by law", "and our service providers",
    "for a period of 90 days", "without further notice",
)  # fmt: skip
OPS = (
    "delete",
    "light",
    "light",
    "heavy",
    "heavy",
    "move",
    "move-edit",
    "split",
    "merge",
    "cosmetic",
    "cosmetic",
)
BODY = 40  # characters: shorter clauses and headings are left alone


@dataclass(slots=True)
class Piece:
    """A clause on its way into the edited document: the old clauses it comes from, its text, what was done."""

    origin: list[int]
    text: str
    label: str
    place: int = -1


@dataclass(frozen=True, slots=True)
class Case:
    """An edited document: both sides, the true links (old, new), a label per new clause, the deleted ones."""

    old: Sequence[Clause]
    new: Sequence[Clause]
    links: set[tuple[int, int]]
    labels: list[str]
    deleted: set[int]


@dataclass(slots=True)
class Editor:
    """Edits one document; `donors` are clauses of other companies' documents, `hard` rewrites more."""

    old: Sequence[Clause]
    donors: Sequence[Clause]
    rng: random.Random
    hard: bool = False
    pieces: list[Piece] = field(default_factory=list)

    def case(self, rate: float) -> Case:
        """Return the document with a share of its clauses edited."""
        old = self.old
        self.pieces = [Piece([at], clause.text, "same", at) for at, clause in enumerate(old)]
        body = [at for at, clause in enumerate(old) if clause.kind != "heading" and len(key(clause)) > BODY]
        count = max(4, int(len(body) * rate))
        for at in self.rng.sample(body, min(count, len(body) // 2)):
            if self.pieces[at].label == "same":
                self._edit(at)
        deleted = {piece.place for piece in self.pieces if piece.label == "deleted"}
        line = self._shuffled([part for piece in self.pieces for part in self._parts(piece)])
        for _ in range(max(1, int(count * 0.25))):
            line.insert(self.rng.randrange(len(line) + 1), Piece([], self._donor(), "inserted"))
        line = [piece for piece in line if key(_clause(piece.text))]
        return Case(
            old,
            [_clause(piece.text, old[piece.place].kind if piece.origin else "paragraph") for piece in line],
            {(i, j) for j, piece in enumerate(line) for i in piece.origin},
            [piece.label for piece in line],
            deleted,
        )

    def _donor(self) -> str:
        return self.rng.choice(self.donors).text

    def _edit(self, at: int) -> None:
        piece, op = self.pieces[at], self.rng.choice(OPS)
        same = key(_clause(piece.text))
        if op == "delete":
            piece.label = "deleted"
        elif op in ("light", "move-edit"):
            piece.text = light(piece.text, self.rng)
        elif op == "heavy":
            piece.text = (heavier if self.hard else heavy)(piece.text, self._donor(), self.rng)
        elif op == "cosmetic":
            text = cosmetic(piece.text, self.rng)
            piece.label, piece.text = ("cosmetic" if text != piece.text else "same"), text
        elif op == "split":
            self._mark_split(piece)
        elif op == "merge":
            self._merge(at)
        if op in ("light", "heavy", "move", "move-edit"):
            changed = key(_clause(piece.text)) != same
            piece.label = (
                ("moved-modified" if changed else "moved")
                if op.startswith("move")
                else ("modified" if changed else "same")
            )

    def _mark_split(self, piece: Piece) -> None:
        if _breaks(piece.text):
            piece.label = "split"

    def _merge(self, at: int) -> None:
        piece = self.pieces[at]
        if at + 1 < len(self.old) and self.old[at + 1].kind == self.old[at].kind:
            after = self.pieces[at + 1]
            if after.label == "same":
                piece.label, after.label = "merge", "absorbed"
                piece.text, piece.origin = f"{piece.text} {after.text}", [at, at + 1]

    def _parts(self, piece: Piece) -> list[Piece]:
        if piece.label in ("deleted", "absorbed"):
            return []
        if piece.label == "split":
            cut = self.rng.choice(_breaks(piece.text))
            texts = piece.text[:cut], piece.text[cut:]
            return [Piece(piece.origin, text, "split", piece.place) for text in texts]
        return [piece]

    def _shuffled(self, line: list[Piece]) -> list[Piece]:
        """Move the marked clauses, and in most long documents a block of three to eight."""
        block = range(0)
        if len(self.old) > 60 and self.rng.random() < 0.6:
            size = self.rng.randint(3, 8)
            start = self.rng.randrange(5, len(self.old) - size - 5)
            block = range(start, start + size)
            line = self._block_moved(line, block)
        for piece in [p for p in line if p.label.startswith("moved") and p.place not in block]:
            at = next(k for k, other in enumerate(line) if other is piece)
            line.pop(at)
            line.insert(self._far_from(at, 4, len(line) + 1), piece)
        return line

    def _block_moved(self, line: list[Piece], block: range) -> list[Piece]:
        moved = [piece for piece in line if piece.place in block]
        rest = [piece for piece in line if piece.place not in block]
        for piece in moved:
            piece.label = {"same": "moved", "modified": "moved-modified"}.get(piece.label, piece.label)
        at = self._far_from(block.start, 15 if len(rest) > 60 else 0, len(rest) + 1)
        return [*rest[:at], *moved, *rest[at:]]

    def _far_from(self, at: int, least: int, count: int) -> int:
        place = self.rng.randrange(count)
        for _ in range(20):
            if abs(place - at) >= least:
                break
            place = self.rng.randrange(count)
        return place


def light(text: str, rng: random.Random) -> str:
    """Swap one telling word, or put a short qualifier in."""
    swaps = [(a, b) for a, b in SWAPS if re.search(rf"\b{re.escape(a)}", text)]
    if swaps and rng.random() < 0.7:
        a, b = rng.choice(swaps)
        return re.sub(rf"\b{re.escape(a)}", b, text, count=1)
    words = text.split()
    at = rng.randrange(len(words) + 1)
    return " ".join([*words[:at], rng.choice(PHRASES), *words[at:]])


def heavy(text: str, donor: str, rng: random.Random) -> str:
    """Replace one run of a quarter to a half of the words by another clause's."""
    words, others = text.split(), donor.split()
    count = max(3, int(len(words) * rng.uniform(0.25, 0.5)))
    at = rng.randrange(max(1, len(words) - count + 1))
    return " ".join(
        [*words[:at], *others[: max(3, int(count * rng.uniform(0.6, 1.4)))], *words[at + count :]]
    )


def heavier(text: str, donor: str, rng: random.Random) -> str:
    """Replace 40 to 70 per cent of the words, in runs of two to six, by another clause's."""
    words, others = text.split(), donor.split()
    left = int(len(words) * rng.uniform(0.4, 0.7))
    out, at = list(words), 0
    while left > 0 and at < 200:
        at += 1
        size = min(rng.randint(2, 6), max(1, left))
        start, source = rng.randrange(max(1, len(out) - size + 1)), rng.randrange(max(1, len(others)))
        out[start : start + size] = others[source : source + size] or others[:size]
        left -= size
    return " ".join(out)


def cosmetic(text: str, rng: random.Random) -> str:
    """Change what nobody reads: quotes, link parameters, spaces, bold marks."""
    kind = rng.randrange(4)
    if kind == 0:
        return text.replace('"', "“").replace("'", "’")
    if kind == 1:
        return text.replace(" ", "\u00a0", 2)
    head, space, rest = text.partition(" ")
    return f"**{head}**{space}{rest}" if kind == 2 else text.replace(". ", ".  ")


def _breaks(text: str) -> list[int]:
    ends = [found.end() for found in re.finditer(r"[.;] ", text)]
    return [end for end in ends if BODY < end < len(text) - BODY]


def _clause(text: str, kind: str = "paragraph") -> Clause:
    return Clause(id="", text=text, start=0, end=len(text), kind=kind)
