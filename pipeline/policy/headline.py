"""One line for a comparison, after Open Terms Archive's rules for memo titles.

At most 140 characters, the service as subject, present tense, active, no full stop at the end.
"""

from __future__ import annotations

import re

from pipeline.events import Change, ChangeType, Comparison, Fact, Verdict
from pipeline.policy.copies import groups
from pipeline.policy.favour import shown as value_shown
from pipeline.policy.lean import spares
from pipeline.policy.severity import FORMAL, is_small
from pipeline.policy.taxonomy import taxonomy
from pipeline.policy.wording import VERBS, heading, is_english, is_heading, shown, subject, title

MOST = 140  # characters


def headline(comparison: Comparison, *, service: str, document: str) -> str:
    """Return the title of a comparison, such as "X adds third-party collaborators clause … to its Privacy Policy"."""
    who, its = service or "The company", f"its {document}" if document else "its policy"
    if comparison.verdict is Verdict.BROKEN:
        return _cut(f"{who} serves a page without a readable version of {its}")
    if not comparison.changes:
        return _cut(f"{who} leaves {its} as it was")
    if comparison.verdict is not Verdict.CHANGED:
        return _cut(f"{who} edits the form of {its} without changing what it says")
    return _of(comparison.changes, who, its)


def _of(changes: tuple[Change, ...], who: str, its: str) -> str:
    first, *rest = groups(changes)
    others = sum(group[0].type not in FORMAL for group in rest)
    verb, what, preposition = _act(first[0])
    more = f"{others} other change{'' if others == 1 else 's'}"
    for words in (what, *_shorter(what)):
        if not others:
            line = f"{who} {verb} {words} {preposition} {its}"
        elif preposition == "to":
            line = f"{who} {verb} {words} and {more} to {its}"
        else:
            line = f"{who} {verb} {words} and makes {more} {'to' if preposition == 'from' else preposition} {its}"
        if len(line) <= MOST:
            return line
    return _cut(f"{who} makes {others + 1} change{'s' if others else ''} to {its}")


def _shorter(what: str) -> list[str]:
    """Return ever shorter forms of what changed: without its effect, then only its last resort."""
    return [what.split(" allowing ", maxsplit=1)[0], what.split(" from “", maxsplit=1)[0], "a clause"]


def _act(change: Change) -> tuple[str, str, str]:
    """Return the verb, what it is done to, and the preposition before the document."""
    fact = _moved(change)
    if fact is not None:
        return *_fact_words(fact, change), "in"
    if change.type is ChangeType.ADDED:
        return "adds", f"{_name(change)}{_effect(change)}", "to"
    if change.type is ChangeType.REMOVED:
        return "removes", _name(change), "from"
    turned = _turned(change)
    if turned:
        return *turned, "in"
    verb = VERBS[change.type][0] if change.type is not ChangeType.MODIFIED else "rewords"
    return verb, _name(change), "in"


def _turned(change: Change) -> tuple[str, str] | None:
    """Return the words by which an edit turned a meaning: a modal for another, a denial that came or went."""
    facts = [
        fact for fact in change.facts if fact.kind in ("modality", "reversal") and is_small(change, fact)
    ]
    fact = min(facts, key=lambda fact: (fact.direction, fact.kind), default=None)
    if fact is None:
        return None
    was, now = (str((side or {}).get("words", "")) for side in (fact.old, fact.new))
    about = f"a clause{_on(change)}"
    if was and now:
        return "changes", f"“{was}” to “{now}” in {about}"
    return ("drops", f"“{was}” from {about}") if was else ("inserts", f"“{now}” into {about}")


def _name(change: Change) -> str:
    """Return what to call a clause: by its own title, else by its subject, else by the heading above it."""
    own = title(change)
    if is_heading(change):
        return f"the entry “{own}”" if own else "an entry"
    if own and own.lower() not in _VAGUE and is_english(f"{own} {shown(change)}"):
        return f"{_lowered(own)} clause" if _is_noun(own) else f"“{own}” clause"
    return f"a clause{_on(change)}"


def _on(change: Change) -> str:
    short = subject(change) if is_english(shown(change)) else ""
    above = heading(change)
    return f" on {short}" if short else f" under “{above}”" if above and len(above) <= 45 else ""


_PLAIN_NAME = re.compile(
    r"\d|[’',&:/]|\b(?:I|we|our|us|you|your|how|what|when|where|who|why|if|don|inc|january|february|march|april|june|"
    r"july|august|september|october|november|december)\b",
    re.IGNORECASE,
)


def _is_noun(name: str) -> bool:
    """Tell a name that reads well in lower case: not an address to the reader, a question, a date or a firm."""
    return not _PLAIN_NAME.search(name) and len(name.split()) <= 4


_VAGUE = frozenset(
    {
        "general",
        "note",
        "notes",
        "other",
        "overview",
        "introduction",
        "privacy",
        "purpose",
        "terms",
        "scope",
        "miscellaneous",
        "summary",
        "definitions",
        "contact",
    }
)


def _lowered(words: str) -> str:
    """Return a title in lower case but for acronyms and names with capitals inside."""
    return re.sub(
        r"[^\W\d_]+", lambda match: match[0] if re.search(r"\w[A-Z]", match[0]) else match[0].lower(), words
    )


def _effect(change: Change) -> str:
    """Return what a clause with a name of its own is about besides, where that is weighty and its name is silent."""
    name = title(change)
    if not name or spares(shown(change)):
        return ""
    told = [one for one, p in change.categories.items() if one in _TELLING and p >= 0.6]
    fresh = next((one for one in _TELLING if one in told and not _overlap(taxonomy()[one].short, name)), None)
    return f" {_TELLING[fresh]} {taxonomy()[fresh].short}" if fresh else ""


_TELLING = {"ai_training": "allowing", "arbitration_class_waiver": "on", "third_party_sharing": "on"}


def _overlap(short: str, name: str) -> bool:
    return bool(
        {word for word in short.lower().split() if len(word) > 3}
        & set(name.lower().replace("-", " ").split())
    )


def _moved(change: Change) -> Fact | None:
    both = [
        fact for fact in change.facts if fact.old and fact.new and (fact.kind in _FACTS or _switches(fact))
    ]
    return min(both, key=lambda fact: fact.direction, default=None)


def _switches(fact: Fact) -> bool:
    """Tell a choice that turned from asking first to leaving it to the reader, or back."""
    return fact.kind == "opt_out" and (fact.old or {}).get("default") != (fact.new or {}).get("default")


_FACTS = {
    "retention": "retention",
    "notice_period": "notice period",
    "money": "amount",
    "limit": "limit",
    "age": "minimum age",
    "venue": "venue",
    "jurisdiction": "governing law",
    "deadline": "deadline",
    "percent": "rate",
}


def _fact_words(fact: Fact, change: Change) -> tuple[str, str]:
    if fact.kind == "opt_out":
        was, now = ((side or {}).get("default", "") for side in (fact.old, fact.new))
        return "switches", f"{_choice(change)} from {was} to {now}"
    verb = "moves" if fact.kind in ("venue", "jurisdiction") else "changes"
    was, now = (value_shown(fact.kind, side).removeprefix("age ") for side in (fact.old, fact.new))
    return verb, f"{_FACTS[fact.kind]} from {was} to {now}"


def _choice(change: Change) -> str:
    """Return what a choice is about: the surest category besides consent itself."""
    others = [name for name in change.categories if name != "consent_optout"]
    return taxonomy()[others[0]].short if others else "a choice"


def _cut(line: str) -> str:
    return line if len(line) <= MOST else line[: MOST - 1].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"
