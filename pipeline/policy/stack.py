"""Pages that hold the coming and the current policy at once.

Such a page says so ("this version will go into effect on …", "effective until …") and holds most of its text
twice. Both signs are asked for: a page that repeats its text for two regions has the one, an ordinary policy
with a notice of its next version has the other.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from pipeline.events import Clause, Version
from pipeline.policy.normalise import DATE, keys_of

COMING = re.compile(
    r"\b(?:will|shall|to)\s+(?:go|come|enter)\s+into\s+(?:effect|force)"
    r"|\b(?:will|shall)\s+(?:take effect|be effective|become effective|apply (?:from|as of))"
    r"|\b(?:takes?|taking) effect (?:on|as of|from)|\beffective (?:as of|on|from|starting|beginning)\b"
    r"|\b(?:upcoming|coming|future|new|updated|revised) (?:version|terms|policy|agreement|notice)\b"
    r"|\b(?:tritt|treten)\b.{0,60}\bin kraft\b|\bgilt ab\b|entrer\w* en vigueur|entrar\w* en vigor"
    r"|entrar\w* em vigor|entrer\w* in vigore|生效|施行|시행",
    re.I,
)
CURRENT = re.compile(
    r"\b(?:effective|valid|in force|in effect|applicable|appl(?:y|ies)|remains?|stays?)\s+(?:until|through|till)\b"
    r"|\b(?:current|existing|present) (?:\w+ ){0,4}(?:is|are|can be found|continues?)\b.{0,40}\b(?:below|following)"
    r"|\bgültig bis\b|\bgilt bis\b|\ben vigueur jusqu|\bvigente hasta\b|\bin vigore fino\b|\bem vigor até\b",
    re.I,
)
FORMER = re.compile(
    r"\b(?:previous|prior|former|old|superseded|current) (?:\w+ ){0,2}(?:version|terms|policy|agreement|notice)\b",
    re.I,
)
HEAD = 6  # clauses at the top of a part among which its notice stands
NOTICE = 70  # words: a longer clause is no notice
LEAST = 0.25  # share of the page's text that each part must hold
TWICE = 0.5  # share of the page's text that stands on both sides of the cut
HINT = 0.05  # share of the page's text in clauses that repeat another, below which it cannot be stacked
TITLED = (
    0.75  # the same where nothing but the repeated title marks the cut: two regions' texts are less alike
)
PLACES = 24  # cuts that are tried at most
SHINGLE = 3  # words in a row that count as said again


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """The two parts of a stacked page, without their notices, which are kept apart."""

    coming: tuple[Clause, ...]
    current: tuple[Clause, ...]
    notices: tuple[Clause, ...]
    places: tuple[int, ...]  # where the coming clauses stand on the page
    text: Version  # the coming part with its notices, as a version of its own, offsets its own


def stack(version: Version, known: Sequence[str] = (), *, keys: Sequence[str] | None = None) -> Stack | None:
    """Return the parts of a page that holds two versions at once, None for any other page.

    `known` are the keys of the text in force before: the part closer to them is the current one. `keys` are
    the keys of the version's own clauses, where they are known.
    """
    clauses = version.clauses
    keys = keys or keys_of(clauses)
    if not _repeats(keys):
        return None
    cuts = _cuts(clauses, keys)
    if not cuts:
        return None
    shingles = [_shingles(text) for text in keys]
    shares = {cut: _repeated(shingles, cut) for cut in cuts}
    best = max(cuts, key=lambda cut: (shares[cut], -cut))
    if shares[best] < cuts[best]:
        return None
    first, second = range(best), range(best, len(clauses))
    swapped = _is_swapped(clauses, keys, best, known)
    ahead, behind = (second, first) if swapped else (first, second)
    coming, current = (tuple(clauses[at] for at in part) for part in (ahead, behind))
    notices = tuple(clause for part in (coming, current) for clause in part[:HEAD] if is_notice(clause))
    return Stack(
        coming=_without(coming, notices),
        current=_without(current, notices),
        notices=notices,
        places=tuple(at for at in ahead if clauses[at] not in notices),
        text=part_of(version, coming),
    )


def _repeats(keys: Sequence[str]) -> bool:
    """Tell whether enough text stands twice for the page to be worth a closer look."""
    counts = Counter(keys)
    return sum(len(text) * (n - 1) for text, n in counts.items()) > HINT * sum(map(len, keys))


def is_notice(clause: Clause) -> bool:
    """Tell whether a clause announces a coming version or marks the current one."""
    return _is_coming(clause) or _is_current(clause)


def _is_coming(clause: Clause) -> bool:
    return _is_brief(clause) and bool(COMING.search(clause.text) and DATE.search(clause.text))


def _is_current(clause: Clause) -> bool:
    return _is_former(clause) or (_is_brief(clause) and bool(CURRENT.search(clause.text)))


def _is_former(clause: Clause) -> bool:
    return clause.kind == "heading" and bool(FORMER.search(clause.text))


def _is_brief(clause: Clause) -> bool:
    return clause.kind in ("heading", "paragraph") and len(clause.text.split()) <= NOTICE


def part_of(version: Version, clauses: Sequence[Clause]) -> Version:
    """Return a part of a version as a version of its own, its offsets counted from the part's start."""
    start, end = clauses[0].start, clauses[-1].end
    shifted = tuple(
        msgspec.structs.replace(clause, start=clause.start - start, end=clause.end - start)
        for clause in clauses
    )
    return msgspec.structs.replace(version, text=version.text[start:end], clauses=shifted)


def _without(clauses: Sequence[Clause], notices: Sequence[Clause]) -> tuple[Clause, ...]:
    gone = {clause.start for clause in notices}
    return tuple(clause for clause in clauses if clause.start not in gone)


def _cuts(clauses: Sequence[Clause], keys: Sequence[str]) -> dict[int, float]:
    """Return where a second part may begin, with the likeness that the place asks of the two parts.

    That is at a notice, at the headings right above one, and, under a page that opens with the notice of a
    coming version, where its title stands again. Of very many places those nearest the middle are kept.
    """
    cuts: dict[int, float] = {}
    asked = 0.0  # by the notice below, while only headings and notices are passed on the way up
    for at in range(len(clauses) - 1, 0, -1):
        if is_notice(clauses[at]):
            asked = min(asked or 1.0, TITLED if _is_former(clauses[at]) else TWICE)
        elif clauses[at].kind != "heading":
            asked = 0.0
        if asked:
            cuts[at] = asked
    for at in _titles(clauses, keys):
        cuts.setdefault(at, TITLED)
    middle = len(clauses) / 2
    return {at: cuts[at] for at in sorted(cuts, key=lambda at: abs(at - middle))[:PLACES]}


def _titles(clauses: Sequence[Clause], keys: Sequence[str]) -> list[int]:
    """Return where the headings of a page's opening stand again, if it opens with a coming version's notice."""
    if not any(map(_is_coming, clauses[:HEAD])):
        return []
    opening = {keys[at] for at, clause in enumerate(clauses[:HEAD]) if clause.kind == "heading"}
    return [
        at
        for at, clause in enumerate(clauses)
        if at >= HEAD and clause.kind == "heading" and keys[at] in opening
    ]


def _repeated(shingles: Sequence[Counter[str]], cut: int) -> float:
    """Return how far the two sides of a cut say the same, 0 to 1 (Dice), 0 when one side is slight."""
    one, two = _sum(shingles[:cut]), _sum(shingles[cut:])
    sizes = one.total(), two.total()
    if min(sizes) < LEAST * sum(sizes):
        return 0.0
    return 2 * (one & two).total() / sum(sizes)


def _shingles(text: str) -> Counter[str]:
    words = text.split()
    return Counter(" ".join(words[at : at + SHINGLE]) for at in range(max(1, len(words) - SHINGLE + 1)))


def _sum(shingles: Sequence[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for counter in shingles:
        total.update(counter)
    return total


def _is_swapped(clauses: Sequence[Clause], keys: Sequence[str], cut: int, known: Sequence[str]) -> bool:
    """Tell whether the current text stands first: by what was known before, else by the notices."""
    if known:
        seen = Counter(known)
        one, two = _overlap(keys[:cut], seen), _overlap(keys[cut:], seen)
        if abs(one - two) > 0.01:
            return one > two
    return _lean(clauses[:cut][:HEAD]) < _lean(clauses[cut:][:HEAD])


def _lean(head: Sequence[Clause]) -> int:
    """Return how much the notices of a part speak for it being the coming one; negative for the current one."""
    coming = sum(1 for clause in head if _is_coming(clause) and not _is_current(clause))
    return coming - sum(1 for clause in head if _is_current(clause) and not _is_coming(clause))


def _overlap(part: Sequence[str], seen: Counter[str]) -> float:
    counts = Counter(part)
    total = sum(len(text) * n for text, n in counts.items())
    return sum(len(text) * n for text, n in (counts & seen).items()) / (total or 1)
