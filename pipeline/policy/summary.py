"""The plain-English account of a comparison, in at most ninety words, every one of them checkable.

Each number, date, name and modal stands in a quotation that is verbatim in the old or the new text, or is given
(service, document, days, counts). `grounded` returns the ones that are not, and tests hold it empty.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from pipeline.events import Change, ChangeType, Comparison, Fact, Verdict
from pipeline.policy.classify import UNCLASSIFIED
from pipeline.policy.facts import facts
from pipeline.policy.grounding import grounded
from pipeline.policy.headline import headline
from pipeline.policy.lean import lean
from pipeline.policy.severity import FORMAL, emphasis
from pipeline.policy.taxonomy import taxonomy
from pipeline.policy.wording import VERBS, day, is_english, longest, quote, shown, subject, title, topic

__all__ = ["grounded", "headline", "summarise"]
MOST = 90  # words


def summarise(
    comparison: Comparison, *, service: str = "", document: str = "", seen_at: datetime | None = None
) -> str:
    """Return what changed, from what to what, since when, for whom, and what is left to do: 90 words at most."""
    who, what = service or "The company", document or "policy"
    if comparison.verdict is Verdict.BROKEN:
        told = f"The page of {who}’s {what} does not hold a readable version; the last good one is kept."
        return f"{told} {_seen(seen_at)}".strip()
    if not comparison.changes:
        return f"{who}’s {what} reads as before. {_seen(seen_at)}".strip()
    lead = comparison.changes[0]
    if comparison.verdict is not Verdict.CHANGED:
        return _minor(comparison, who, what, seen_at)
    fixed = [*_meaning(lead), _when(comparison, seen_at), _sure(lead)]
    return _fitted(lead, comparison.changes, fixed, who, what)


def _fitted(lead: Change, changes: tuple[Change, ...], fixed: list[str], who: str, what: str) -> str:
    """Return the account within the limit: the others told shorter first, then the quotation, then the rest."""
    for words, full in (
        (26, True),
        (26, False),
        (22, True),
        (22, False),
        (18, False),
        (14, False),
        (8, False),
    ):
        told = [_account(lead, who, what, words=words), *fixed[:-2], _rest(changes, full=full), *fixed[-2:]]
        if _length(told) <= MOST:
            return _joined_up(told)
    while _length(told) > MOST and len(told) > 1:
        told.pop(1)
    return _joined_up(told)


def _length(sentences: list[str]) -> int:
    return sum(len(sentence.split()) for sentence in sentences)


def _joined_up(sentences: list[str]) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def _minor(comparison: Comparison, who: str, what: str, seen_at: datetime | None) -> str:
    kinds = _counted(comparison.changes)
    return f"{who}’s {what} changed in form only, not in what it says: {kinds}. {_when(comparison, seen_at)}".strip()


def _account(change: Change, who: str, what: str, *, words: int = 22) -> str:
    """Return the leading sentence: who changed what, from what to what."""
    where = topic(change)
    place = f" under “{where}”" if where and where in shown(change) + " ".join(change.heading_path) else ""
    about = _about(change)
    if change.type is ChangeType.ADDED:
        return f"{who} added {about or 'a clause'}{place} to its {what}: “{_quoted(change, words)}”."
    if change.type is ChangeType.REMOVED:
        return f"{who} removed {about or 'a clause'}{place} from its {what}: “{_quoted(change, words)}”."
    pair = _pair(change, words)
    told = f"{who} changed {about.removeprefix('a clause on ') or 'a clause'}{place} in its {what}"
    return f"{told}: {pair}." if pair else f"{told}: “{_quoted(change, words)}”."


def _about(change: Change) -> str:
    name = subject(change)
    return f"a clause on {name}" if name and is_english(shown(change)) else ""


def _quoted(change: Change, words: int) -> str:
    """Return the weightiest words of a clause, and a second short quotation where they leave out another cue."""
    text = shown(change)
    first, *others = _cues(change, text) or (0,)
    told = quote(text, first, words=words)
    at = text.find(told)
    for other in others if words >= 12 else ():
        more = quote(text[other:], words=7)
        if not at - 40 <= other <= at + len(told) + 20 and len(more.split()) >= 3 and more not in told:
            return f"{told}” … “{more}"
    return told


def _cues(change: Change, text: str) -> tuple[int, ...]:
    """Return where the words stand that make a change weigh: its worst facts, turns of phrase, category seeds."""
    facts_here = [
        fact
        for fact in change.facts
        if fact.start >= 0 and fact.direction < 0 and (fact.new or not change.new)
    ]
    facts_here.sort(key=lambda fact: (fact.kind != "money", fact.start))
    told = change.category
    names = sorted(
        change.categories, key=lambda name: (name == told, -taxonomy()[name].weight * change.categories[name])
    )
    seeds = [match.start() for name in names[:2] if (match := taxonomy()[name].seeds.search(text))]
    head = [len(title(change)) + 2] if title(change) and text.startswith(title(change)) else []
    strong = emphasis(text)
    return (
        *(fact.start for fact in facts_here[:1]),
        *strong[:1],
        *([] if strong else head or seeds[-1:]),
        *seeds,
        *strong[1:],
    )


def _pair(change: Change, words: int) -> str:
    """Return both sides of an edit, quoted: the fact that moved, else the longest edit with its context."""
    old, new = change.old.text if change.old else "", change.new.text if change.new else ""
    fact = _moved(change)
    if fact is not None:
        return f"“{_side(old, fact, old=True)}” became “{_side(new, fact, old=False)}”"
    gone, come = longest(change.redline)
    if gone and come:
        return f"“{_in_context(old, gone, words)}” became “{_in_context(new, come, words)}”"
    if come:
        return f"it now says “{_in_context(new, come, words)}”"
    return f"it no longer says “{_in_context(old, gone, words)}”" if gone else ""


def _in_context(text: str, part: str, words: int) -> str:
    """Return an edited part, with its sentence around it where it is too short to be understood alone."""
    at = text.find(part)
    return (
        quote(part, words=words)
        if at < 0 or len(part.split()) >= 5
        else quote(text, at, words=min(words, 12))
    )


def _moved(change: Change) -> Fact | None:
    both = [fact for fact in change.facts if fact.old and fact.new and "none" not in _forces(fact)]
    return min(both, key=lambda fact: (fact.direction, fact.kind == "modality"), default=None)


def _forces(fact: Fact) -> tuple[str, ...]:
    """Return the modal forces of both sides; "none" is a modal that came or went, which has no other side to quote."""
    return tuple(side.get("modality", "") for side in (fact.old, fact.new) if side)


def _side(text: str, fact: Fact, *, old: bool) -> str:
    value = fact.old if old else fact.new
    for found in facts(text):
        if found.new == value or (
            value and found.new and found.kind == fact.kind == "modality" and _same(found.new, value)
        ):
            return quote(text, found.start, words=12)
    return quote(text, max(0, fact.start), words=12)


def _same(one: dict[str, object], other: dict[str, object]) -> bool:
    return all(one[name] == other.get(name) for name in ("actor", "modality", "verb"))


def _meaning(change: Change) -> list[str]:
    """Return what it means, for whom, and what a reader does about it; an effect only where it is plain."""
    category = taxonomy().get(change.category)
    if category is None or not is_english(shown(change)):
        return []
    way = lean(change) if _is_plain(change) else 0
    effect = category.worse if way < 0 else category.better if way > 0 else ""
    told = [f"{effect} It concerns {category.concerns}." if effect else f"It concerns {category.concerns}."]
    return told + _act(change)


_PLAIN = frozenset(
    {
        "ai_training",
        "third_party_sharing",
        "sensitive_biometric",
        "indemnity",
        "liability_cap",
        "arbitration_class_waiver",
        "cookies_tracking",
        "scraping_api_limits",
    }
)
_SAYS_IT = {
    "retention_deletion": "retention",
    "consent_optout": "opt_out",
    "policy_change": "notice_period",
    "fees_renewal_refund": "money",
}


def _is_plain(change: Change) -> bool:
    """Tell whether a category's effect may be stated: a new clause of a kind that leaves no doubt, or its own fact."""
    sure = change.categories.get(change.category, 0.0) >= 0.8
    if change.type is ChangeType.ADDED:
        return sure and change.category in _PLAIN
    if change.type is ChangeType.REMOVED:
        return False
    kinds = {fact.kind for fact in change.facts if fact.direction and fact.old and fact.new}
    return sure and (
        ("modality" in kinds and change.category in _PLAIN) or _SAYS_IT.get(change.category) in kinds
    )


def _act(change: Change) -> list[str]:
    for fact in change.facts:
        if fact.kind == "opt_out" and fact.new and fact.new["default"] == "opt-out":
            how = {
                "setting": " in the settings",
                "link": " by the link",
                "mail": " by mail",
                "form": " by the form",
            }
            return [f"To act: “{fact.quote}”{how.get(fact.new['mechanism'], '')}."]
    return []


def _rest(changes: tuple[Change, ...], *, full: bool = True) -> str:
    """Return what else changed, counted by kind, with the weightier subjects among it."""
    if len(changes) < 2:
        return ""
    names = [subject(change) for change in changes[1:] if change.severity.rank >= 2]
    common = [name for name, _ in Counter(name for name in names if name).most_common(3 if full else 1)]
    on = f", on {_joined(common)}" if common and full else ""
    return f"Also: {_counted(changes[1:])}{on}."


def _counted(changes: tuple[Change, ...]) -> str:
    """Return how many clauses changed in each way; changes of form are counted together."""
    counts = Counter(
        "changed in form" if change.type in FORMAL else VERBS[change.type][1] for change in changes
    )
    ranked = sorted(counts.items(), key=lambda item: (item[0] == "changed in form", -item[1], item[0]))
    first, *others = [f"{count} {verb}" for verb, count in ranked]
    count, verb = first.split(" ", 1)
    return _joined([f"{count} {'clause' if count == '1' else 'clauses'} {verb}", *others])


def _joined(parts: list[str]) -> str:
    return " and ".join((", ".join(parts[:-1]), parts[-1])) if len(parts) > 1 else "".join(parts)


def _when(comparison: Comparison, seen_at: datetime | None) -> str:
    """Return since when: the day seen, and the document's own date, in force only where it lies ahead."""
    seen = f"Seen {day(seen_at.date().isoformat())}" if seen_at else ""
    date = comparison.effective_date
    if not date:
        return f"{seen}; the document gives no date." if seen else ""
    ahead = seen_at is not None and date > seen_at.date().isoformat()[: len(date)]
    told = f"in force {day(date)}" if ahead else f"the document is dated {day(date)}"
    return f"{seen}; {told}." if seen else f"{told[0].upper()}{told[1:]}."


def _seen(seen_at: datetime | None) -> str:
    return f"Seen {day(seen_at.date().isoformat())}." if seen_at else ""


def _sure(change: Change) -> str:
    p = change.categories.get(change.category, 0.0)
    if change.category == UNCLASSIFIED:
        return "Subject: not classified."
    return f"Subject: {'clear' if p >= 0.85 else 'likely' if p >= 0.65 else 'uncertain'}."
