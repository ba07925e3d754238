"""One line for a comparison, after Open Terms Archive's rules for memo titles.

At most 140 characters, the service as subject, present tense, active, no full stop at the end.
"""

from __future__ import annotations

import re

from pipeline.events import Change, ChangeType, Comparison, Fact, Verdict
from pipeline.policy.favour import shown as value_shown
from pipeline.policy.taxonomy import taxonomy
from pipeline.policy.wording import VERBS, heading, is_english, shown, subject, title

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
    lead, others = changes[0], len(changes) - 1
    verb, what, preposition = _act(lead)
    more = f" and {others} other change{'' if others == 1 else 's'}" if others else ""
    for words in (what, *_shorter(what)):
        line = f"{who} {verb} {words}{more} {'to' if others and preposition == 'to' else preposition} {its}"
        if len(line) <= MOST:
            return line
    return _cut(f"{who} makes {len(changes)} changes to {its}")


def _shorter(what: str) -> list[str]:
    """Return ever shorter forms of what changed: without its effect, then only its last resort."""
    return [what.split(" allowing ", maxsplit=1)[0], what.split(" from “", maxsplit=1)[0], "a clause"]


def _act(change: Change) -> tuple[str, str, str]:
    """Return the verb, what it is done to, and the preposition before the document."""
    fact = _moved(change)
    if fact is not None:
        verb, what = _fact_words(fact, change)
        return verb, what, "in"
    name = _name(change)
    if change.type is ChangeType.ADDED:
        return "adds", f"{name} clause{_effect(change, name)}", "to"
    if change.type is ChangeType.REMOVED:
        return "removes", f"{name} clause", "from"
    return (
        VERBS[change.type][0] if change.type is not ChangeType.MODIFIED else "rewords",
        f"{name} clause",
        "in",
    )


def _name(change: Change) -> str:
    """Return what to call a clause: its own title, else its category, else the heading above it in quotes."""
    own = title(change) or (heading(change) if change.type is ChangeType.ADDED else "")
    if (
        own
        and (len(own.split()) in (2, 3, 4) or own == title(change))
        and own.lower() not in _VAGUE
        and is_english(f"{own} {shown(change)}")
    ):
        return _lowered(own)
    short = subject(change) if is_english(shown(change)) else ""
    above = heading(change)
    return short or (f"“{above}”" if above and len(above) <= 45 else "a")


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


def _effect(change: Change, name: str) -> str:
    """Return what a clause with a name of its own is about besides, where that is weighty and its name is silent."""
    told = [one for one, p in change.categories.items() if one in _TELLING and p >= 0.6]
    fresh = next((one for one in _TELLING if one in told and not _overlap(taxonomy()[one].short, name)), None)
    return f" {_TELLING[fresh]} {taxonomy()[fresh].short}" if fresh and name != subject(change) else ""


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
