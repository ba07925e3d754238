"""The check of a summary that something else reworded: it may say less and in another order, and nothing more.

Beyond the grounding that every summary passes, its words outside of quotations have to be those of the summary by
rule or plain connectives, so that neither a model's fancy nor an instruction inside a clause can add a claim: the
words of a clause are welcome within quotation marks only.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime

from pipeline.events import Comparison
from pipeline.policy.grounding import grounded
from pipeline.policy.summary import MOST

_QUOTED = re.compile(r"“([^“”]*)”")
_STRAIGHT = re.compile(r'"([^"“”]*)"')
_WORD = re.compile(r"[^\W\d_]+(?:[’'][^\W\d_]+)*")
_NUMBER = re.compile(r"\d[\d,.:/-]*\d|\d")
_ODD = re.compile(r"[<>{}\[\]|`*_~\\@#^=\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]|://")
_ENDING = re.compile(r"(?:ing|ed|es|s|e|d)$")
CONNECTIVES = frozenset(
    (
        *(
            "a",
            "an",
            "the",
            "and",
            "of",
            "in",
            "on",
            "at",
            "by",
            "for",
            "with",
            "as",
            "is",
            "are",
            "it",
            "its",
        ),
        *(
            "this",
            "that",
            "these",
            "those",
            "which",
            "who",
            "whose",
            "where",
            "while",
            "also",
            "here",
            "there",
        ),
    )
)  # none of them says what was and what is, so that no pair can be turned round
_PAIR = re.compile(r"(?=(“[^“”]*”[^“”.:]{1,30}“[^“”]*”))")
_ACTS = re.compile(r"\b(?:add|remov|chang|reword|mov|split|merg)(?:ed|es|ing|s)?\b", re.IGNORECASE)
_COUNT = re.compile(r"(\d[\d,.:/-]*\d|\d)\s+(?:clauses?\s+)?([^\W\d_]*)")


def tidied(text: str) -> str:
    """Return a reworded summary on one line, its straight double quotes in pairs made typographic."""
    return _STRAIGHT.sub(r"“\1”", " ".join(text.split()))


def unfit(
    text: str,
    comparison: Comparison,
    *,
    service: str = "",
    document: str = "",
    seen_at: datetime | None = None,
) -> str:
    """Return why a tidied rewording of a comparison's summary must be dropped, "" when it may stand."""
    if not text:
        return "it is empty"
    if len(text.split()) > MOST:
        return f"it has {len(text.split())} words, {MOST} at most are told"
    rest, own = _QUOTED.sub(" ", text), _QUOTED.sub(" ", comparison.summary)
    if odd := _ODD.search(rest):
        return f"it holds the character {odd[0]!r}"
    if re.search(r"[“”\"]", rest):
        return "a quotation is left open"
    loose = grounded(text, comparison, service=service, document=document, seen_at=seen_at)
    if loose:
        return f"nothing vouches for {_listed(loose)}"
    if new := sorted(_stems(rest) - _stems(f"{own} {service} {document}") - _STEMS):
        return f"it brings in words: {_listed(new)}"
    return _incomplete(text, rest, own, comparison.summary)


def _incomplete(text: str, rest: str, own: str, summary: str) -> str:
    """Return what a rewording left out or altered that a reader must have: quotation, numbers, denials."""
    if "“" in summary and "“" not in text:
        return "it quotes nothing"
    if Counter(_NUMBER.findall(rest)) != Counter(_NUMBER.findall(own)) or _counts(rest) != _counts(own):
        return "its numbers and days are not those of the summary"
    if any(pair not in text for pair in _PAIR.findall(summary)):
        return "it takes an old and a new wording apart"
    if _acts(text) != _acts(summary):
        return "it tells another act"
    if _denials(rest) != _denials(own):
        return "it denies what the summary does not, or the other way round"
    return ""


def _counts(text: str) -> Counter[tuple[str, str]]:
    """Return each number with what it counts."""
    return Counter((number, _stem(word.lower())) for number, word in _COUNT.findall(text))


def _acts(text: str) -> set[str]:
    """Return what is said to have been done to the clause that is quoted first."""
    return {_stem(verb.lower()) for verb in _ACTS.findall(text.partition("“")[0])}


def _denials(text: str) -> int:
    return len(
        re.findall(r"\b(?:no|not|never|none|nothing|without|no longer)\b|n[’']t\b", text, re.IGNORECASE)
    )


def _stems(text: str) -> set[str]:
    return {_stem(word) for word in _WORD.findall(text.lower())}


def _stem(word: str) -> str:
    word = re.sub(r"[’']s?$", "", word)
    return _ENDING.sub("", word) if len(word) > 4 else word


_STEMS = frozenset(map(_stem, CONNECTIVES))


def _listed(words: list[str]) -> str:
    return ", ".join(repr(word[:40]) for word in words[:5])
