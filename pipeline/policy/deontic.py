"""Who must, may or must not do what: modality per actor, and where an edit turns it around.

The actor is the nearest subject before the modal: the company (we), the reader (you) or a third party. A flip is
found in the words that an edit touches, so that a one-word "may" for "will" in a long clause is never missed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from rapidfuzz.distance import Indel

from pipeline.events import Fact
from pipeline.policy.tables import table

_FORMS = (
    (
        "prohibition",
        (
            r"(?:must|may|shall|can|could|should|might)\s+(?:not|never)\b|cannot\b|can['’]t\b|(?:will|"
            r"would)\s+(?:not|never)\b|won['’]t\b|shan['’]t\b|mustn['’]t\b|agrees? not to\b|(?:is|"
            r"are) (?:prohibited from|not (?:allowed|permitted) to|forbidden)"
        ),
    ),
    (
        "no_obligation",
        (
            r"(?:is|are|am) (?:not|under no) (?:obligated|obliged|required|obligation)(?: to)?\b|(?:do|"
            r"does) not (?:have|need) to\b|need not\b|(?:have|has|assume[s]?) no (?:obligation|duty)\b|"
            r"without (?:any )?obligation\b|not responsible for\b"
        ),
    ),
    (
        "no_entitlement",
        (r"(?:is|are) not entitled to\b|(?:have|has) no right\b|waives?\b|giv(?:e|es|ing) up\b"),
    ),
    ("entitlement", r"(?:is|are) entitled to\b|(?:have|has|reserves?|retains?) the right\b"),
    (
        "obligation",
        (
            r"(?:must|shall|should|ought to)\b|(?:is|are) (?:obligated|obliged|required|responsible) (?:to|"
            r"for)\b|(?:have|has|need|needs) to\b|(?:will|would)\b|agrees? to\b|undertakes? to\b|"
            r"commits? to\b"
        ),
    ),
    ("permission", r"(?:may|might|can|could)\b|(?:is|are) (?:allowed|permitted|free) to\b"),
    ("refrains", r"(?:do|does|did)\s+(?:not|never)\b|(?:do|does|did)n['’]t\b|\bnever\b|no longer\b"),
)
_MODAL = re.compile(
    r"\b(?:" + "|".join(f"(?P<{name}>{pattern})" for name, pattern in _FORMS) + ")", re.IGNORECASE
)
_ACTORS = re.compile(
    r"(?P<third>\b(?:third[- ]part(?:y|ies)|partners?|advertisers?|service providers?|vendors?|"
    r"affiliates?|collaborators?|recipients?|they)\b)"
    r"|(?P<you>\b(?:you|users?|customers?|members?|subscribers?|account holders?|anyone|creators?|"
    r"developers?)\b)"
    r"|(?P<we>\b(?:we|us|our|ours|the company|the service|company|inc|llc|gmbh)\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Duty:
    """A modal in a text: whose it is (we, you, third_party, other), what it says, the verb it governs, its span."""

    actor: str
    modality: str
    verb: str
    start: int
    end: int


def duties(text: str) -> Iterator[Duty]:
    """Yield every modal of a text with its actor, in order."""
    for match in _MODAL.finditer(text):
        if match[0] == "May" and re.match(r"\s+\d", text[match.end() :]):
            continue  # the month
        verb = re.match(
            r"\W*(?:(?:also|only|be|not|to|then|at any time|from time to time|and|or|have)\W+)*([^\W\d_]+)",
            text[match.end() : match.end() + 60],
        )
        assert match.lastgroup is not None, "one form always matches"
        yield Duty(
            _actor(text, match.start()),
            match.lastgroup,
            verb[1].lower() if verb else "",
            match.start(),
            match.end(),
        )


def _actor(text: str, start: int) -> str:
    """Return whose a modal is: the last subject before it in its sentence, passing over objects of prepositions."""
    lead = re.split(r"(?<=[.!?;:])\s", text[max(0, start - 160) : start])[-1]
    names = [match for match in _ACTORS.finditer(lead) if not _is_object(lead, match)]
    group = names[-1].lastgroup if names else None
    return {"third": "third_party", None: "other"}.get(group, group or "other")


def _is_object(lead: str, match: re.Match[str]) -> bool:
    before = lead[max(0, match.start() - 12) : match.start()].lower()
    word = match[0].lower()
    return word in ("us", "our", "ours") or (
        bool(
            re.search(
                r"\b(?:with|to|from|by|of|for|about|your|our)\s+(?:the |any |other |certain )?$", before
            )
        )
        and word not in ("we", "they")
    )


STRENGTH = {
    "prohibition": -2,
    "refrains": -2,
    "no_entitlement": -1,
    "no_obligation": 0,
    "none": 0,
    "permission": 1,
    "entitlement": 1,
    "obligation": 2,
}


def facts(text: str) -> Iterator[Fact]:
    """Yield the modality of each actor in a text as facts."""
    for duty in duties(text):
        value = {"actor": duty.actor, "modality": duty.modality, "verb": duty.verb}
        yield Fact(
            kind="modality", new=value, quote=text[duty.start : duty.end], start=duty.start, end=duty.end
        )


SMALL = 6  # words that an edit inside a sentence has at most; more is a sentence that came or went


def flips(old: str, new: str) -> tuple[Fact, ...]:
    """Return the modals that an edit turned: may to will, will not to may, a negation added or taken away.

    Offsets are in the new text where a modal stands there, else in the old one.
    """
    words_old, words_new = words(old), words(new)
    before, after = list(duties(old)), list(duties(new))
    found: dict[tuple[int, int], Fact] = {}
    for tag, a0, a1, b0, b1 in hunks(words_old, words_new):
        left, right = _touching(before, words_old, a0, a1), _touching(after, words_new, b0, b1)
        if tag == "replace" or (left and right) or (a1 - a0) + (b1 - b0) <= SMALL:
            for pair in _paired(left, right):
                fact = _flip(old, new, *pair)
                if fact is not None:
                    found.setdefault((fact.start, hash(fact.quote)), fact)
    return tuple(found.values())


Hunk = tuple[str, int, int, int, int]  # what happened, then the words from and to in the old and the new text
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?|[^\w\s]")


def words(text: str) -> list[re.Match[str]]:
    """Return the words and marks of a text with their places."""
    return list(_WORD.finditer(text))


def hunks(old: list[re.Match[str]], new: list[re.Match[str]]) -> list[Hunk]:
    """Return the differing stretches of two word lists, a deletion beside an insertion as one replacement."""
    merged: list[Hunk] = []
    for code in Indel.opcodes([word[0].lower() for word in old], [word[0].lower() for word in new]):
        if code.tag == "equal":
            continue
        hunk = (code.tag, code.src_start, code.src_end, code.dest_start, code.dest_end)
        if merged and merged[-1][2] == hunk[1] and merged[-1][4] == hunk[3]:
            last = merged.pop()
            hunk = ("replace", last[1], hunk[2], last[3], hunk[4])
        merged.append(hunk)
    return merged


def _touching(found: list[Duty], words: list[re.Match[str]], start: int, end: int) -> list[Duty]:
    """Return the modals that share a word with a stretch, or that an empty stretch cuts into or abuts."""
    if not words:
        return []
    left = words[start].start() if start < len(words) else words[-1].end()
    right = words[end - 1].end() if end > start else left
    if end == start:
        left = words[start - 1].start() if start else left
        right = words[start].end() if start < len(words) else right
    return [duty for duty in found if duty.start < right and left < duty.end]


def _paired(left: list[Duty], right: list[Duty]) -> Iterator[tuple[Duty | None, Duty | None]]:
    for index in range(max(len(left), len(right))):
        yield left[index] if index < len(left) else None, right[index] if index < len(right) else None


def _flip(old: str, new: str, before: Duty | None, after: Duty | None) -> Fact | None:
    was, now = before.modality if before else "none", after.modality if after else "none"
    if was == now or (before and after and before.actor != after.actor and _is_moved(before, after)):
        return None
    place, text = (after, new) if after else (before, old)
    assert place is not None, "a flip has at least one side"
    return Fact(
        kind="modality",
        old=_value(before, old, place),
        new=_value(after, new, place),
        quote=text[place.start : place.end],
        start=place.start,
        end=place.end,
        direction=direction(place.actor, STRENGTH[was], STRENGTH[now], place.verb),
        note=f"{was} → {now}",
    )


def _is_moved(before: Duty, after: Duty) -> bool:
    """Tell two modals of different sentences from one whose actor changed."""
    return before.verb != after.verb


def _value(duty: Duty | None, text: str, place: Duty) -> dict[str, str]:
    words = text[duty.start : duty.end] if duty else ""
    return {
        "actor": place.actor,
        "modality": duty.modality if duty else "none",
        "verb": place.verb,
        "words": words,
    }


@cache
def _stems(kind: str) -> tuple[str, ...]:
    return tuple(table("verbs")[kind])


def direction(actor: str, was: int, now: int, verb: str) -> int:
    """Return who gains by a modal's turn from the reader's side: -1 worse, +1 better, 0 unclear.

    For the company, more of what harms (share, keep, suspend) or less of what helps (notify, delete) is worse;
    a verb of neither kind counts as worse where a promise or a ban became a licence. For the reader, a new duty
    or ban is worse and a new freedom better.
    """
    if was == now:
        return 0
    if actor == "you":
        return _sign(_freedom(now) - _freedom(was))
    if actor == "other":
        return _passive(was, now, verb)
    if verb.startswith(_stems("helps")):
        return _sign(now - was)
    if verb.startswith(_stems("harms")) or actor == "third_party":
        return _sign(was - now)
    return -1 if now == 1 and was != 0 else 0


def _passive(was: int, now: int, verb: str) -> int:
    """Return who gains where nobody is named ("data will be sold"): only a known verb tells, in a form of its own."""
    if not verb.endswith(("ed", "en", "ld", "nt", "pt", "de")):
        return 0
    if verb.startswith(_stems("helps")):
        return _sign(now - was)
    return _sign(was - now) if verb.startswith(_stems("harms")) else 0


def _freedom(strength: int) -> int:
    return {1: 2, 0: 1}.get(strength, 0)


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)
