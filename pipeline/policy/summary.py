"""The plain-English account of a comparison, in at most ninety words, every one of them checkable.

Each number, date, name and modal stands in a quotation that is verbatim in the old or the new text, or is given
(service, document, days, counts). `grounded` returns the ones that are not, and tests hold it empty.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from pipeline.events import Change, ChangeType, Comparison, Fact, Verdict
from pipeline.policy.classify import UNCLASSIFIED
from pipeline.policy.taxonomy import taxonomy
from pipeline.policy.grounding import grounded as grounded
from pipeline.policy.headline import headline as headline
from pipeline.policy.wording import VERBS, day, is_english, quote, shown, subject, topic

MOST = 90  # words


def summarise(
    comparison: Comparison, *, service: str = "", document: str = "", seen_at: datetime | None = None
) -> str:
    """Return what changed, from what to what, since when, for whom, and what is left to do: 90 words at most."""
    who, what = service or "The company", document or "policy"
    if comparison.verdict is Verdict.BROKEN:
        return f"The page of {who}’s {what} does not hold a readable version; the last good one is kept. {_seen(seen_at)}".strip()
    if not comparison.changes:
        return f"{who}’s {what} reads as before. {_seen(seen_at)}".strip()
    lead = comparison.changes[0]
    if comparison.verdict is not Verdict.CHANGED:
        return _minor(comparison, who, what, seen_at)
    sentences = [
        _account(lead, who, what),
        *_meaning(lead),
        _rest(comparison.changes),
        _when(comparison, seen_at),
        _sure(lead),
    ]
    return _fitted([sentence for sentence in sentences if sentence], lead, who, what)


def _fitted(sentences: list[str], lead: Change, who: str, what: str) -> str:
    """Shorten to the limit: first a shorter quotation, then sentences from the least needed."""
    for words in (22, 16, 12, 8):
        sentences[0] = _account(lead, who, what, words=words)
        if _length(sentences) <= MOST:
            return " ".join(sentences)
    while _length(sentences) > MOST and len(sentences) > 1:
        sentences.pop(1)
    return " ".join(sentences)


def _length(sentences: list[str]) -> int:
    return sum(len(sentence.split()) for sentence in sentences)


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
    text = shown(change)
    return quote(text, _anchor(change, text), words=words)


def _anchor(change: Change, text: str) -> int:
    """Return where the weightiest words of a change stand: its worst fact, a cue of its category, or its start."""
    facts = [fact for fact in change.facts if fact.start >= 0 and (fact.new or not change.new)]
    worst = min(facts, key=lambda fact: (fact.direction, fact.kind != "money", fact.start), default=None)
    if worst is not None and worst.direction < 0:
        return worst.start
    category = taxonomy().get(change.category)
    match = category.seeds.search(text) if category else None
    head = len(topic(change)) + 2 if text.startswith(topic(change)) and topic(change) else 0
    return max(match.start() if match else 0, min(head, max(0, len(text) - 1)))


def _pair(change: Change, words: int) -> str:
    """Return both sides of an edit, quoted: the fact that moved, else the longest edit with a little context."""
    old, new = change.old.text if change.old else "", change.new.text if change.new else ""
    fact = _moved(change)
    if fact is not None:
        return f"“{_side(old, fact, old=True)}” became “{_side(new, fact, old=False)}”"
    gone, come = _longest(change)
    if gone and come:
        return f"“{quote(gone, words=words // 2)}” became “{quote(come, words=words)}”"
    if come:
        return f"it now adds “{quote(come, words=words)}”"
    return f"it no longer says “{quote(gone, words=words)}”" if gone else ""


def _moved(change: Change) -> Fact | None:
    both = [fact for fact in change.facts if fact.old and fact.new]
    return min(both, key=lambda fact: (fact.direction, fact.kind == "modality"), default=None)


def _side(text: str, fact: Fact, *, old: bool) -> str:
    from pipeline.policy.facts import facts

    value = fact.old if old else fact.new
    for found in facts(text):
        if found.new == value or (
            value and found.new and found.kind == fact.kind == "modality" and _same(found.new, value)
        ):
            return quote(text, found.start, words=12)
    return quote(text, max(0, fact.start), words=12)


def _same(one: dict[str, object], other: dict[str, object]) -> bool:
    return all(one[name] == other.get(name) for name in ("actor", "modality", "verb"))


def _longest(change: Change) -> tuple[str, str]:
    gone = max((text for op, text in change.redline if op == "-"), key=len, default="")
    come = max((text for op, text in change.redline if op == "+"), key=len, default="")
    return gone.strip(), come.strip()


def _meaning(change: Change) -> list[str]:
    """Return what it means, for whom, and what a reader does about it."""
    category = taxonomy().get(change.category)
    if category is None or not is_english(shown(change)):
        return []
    way = sum(fact.direction for fact in change.facts)
    effect = category.worse if way < 0 else category.better if way > 0 else ""
    told = [f"{effect} It concerns {category.concerns}." if effect else f"It concerns {category.concerns}."]
    return told + _act(change)


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


def _rest(changes: tuple[Change, ...]) -> str:
    if len(changes) < 2:
        return ""
    names = [
        subject(change)
        for change in changes[1:]
        if change.category != UNCLASSIFIED and change.severity.rank >= 2
    ]
    common = [name for name, _ in Counter(name for name in names if name).most_common(3)]
    on = f", on {_joined(common)}" if common else ""
    return f"Also: {_counted(changes[1:])}{on}."


def _counted(changes: tuple[Change, ...]) -> str:
    counts = Counter(VERBS[change.type][1] for change in changes)
    return _joined(
        [
            f"{count} {'clause' if count == 1 else 'clauses'} {verb}" if index == 0 else f"{count} {verb}"
            for index, (verb, count) in enumerate(counts.items())
        ]
    )


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
    return f"Subject: {'near certain' if p >= 0.9 else 'likely' if p >= 0.7 else 'uncertain'}."
