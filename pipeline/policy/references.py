"""References to clauses by number: "see Section 7" is no new wording when section 7 became section 8."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pipeline.events import Clause
from pipeline.policy.align import Alignment

REFERENCE = re.compile(
    r"(?P<word>\b(?:sections?|clauses?|articles?|paragraphs?|abschnitt|ziffer|artikel|clause|article|"
    r"sección|cláusula|artículo|sezione|articolo|seção|artigo)|§{1,2})(?P<space>\s*)(?P<number>\d+(?:\.\d+)*)",
    re.I,
)


def renumbered(old: Sequence[Clause], new: Sequence[Clause], found: Alignment) -> dict[str, str]:
    """Return which printed number became which, of clauses whose number changed and was theirs alone."""
    numbers: dict[str, str] = {}
    unsure: set[str] = set()
    for i, j in found.pairs.items():
        before, after = bare(old[i].number), bare(new[j].number)
        if before and after and numbers.setdefault(before, after) != after:
            unsure.add(before)
    return {before: after for before, after in numbers.items() if before != after and before not in unsure}


def bare(number: str) -> str:
    """Return a printed number without its full stop and brackets."""
    return number.strip(" .()")


def followed(text: str, numbers: Mapping[str, str]) -> str:
    """Return a text with its references as they must read after the renumbering."""
    return REFERENCE.sub(lambda found: found["word"] + found["space"] + _new(found["number"], numbers), text)


def _new(number: str, numbers: Mapping[str, str]) -> str:
    """Return the new number: the clause's own, or its section's with the rest kept."""
    if number in numbers:
        return numbers[number]
    head, dot, rest = number.rpartition(".")
    return _new(head, numbers) + dot + rest if dot else number
