"""The plain-English account of a comparison, in at most ninety words, every one of them checkable.

Each number, date, name and modal stands in a quotation that is verbatim in the old or the new text, or is given
(service, document, days, counts). `grounded` returns the ones that are not, and tests hold it empty.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import product

from pipeline.events import Change, ChangeType, Comparison, Fact, Verdict
from pipeline.policy.circumstances import emphasis
from pipeline.policy.copies import groups
from pipeline.policy.effects import meaning, sureness
from pipeline.policy.grounding import grounded
from pipeline.policy.headline import headline
from pipeline.policy.quotes import edits, quote, sides
from pipeline.policy.severity import FORMAL
from pipeline.policy.taxonomy import taxonomy
from pipeline.policy.wording import VERBS, body, day, is_english, is_heading, shown, subject, title, topic

__all__ = ["grounded", "headline", "summarise"]
MOST = 90  # words


def summarise(
    comparison: Comparison, *, service: str = "", document: str = "", seen_at: datetime | None = None
) -> str:
    """Return what changed, from what to what, since when, for whom, and what is left to do: 90 words at most."""
    who, what = service or "The company", document or "policy"
    if comparison.verdict is Verdict.BROKEN:
        kept = f"The page of {who}’s {what} does not hold a readable version; the last good one is kept."
        return f"{kept} {_seen(seen_at)}".strip()
    if not comparison.changes:
        return f"{who}’s {what} reads as before. {_seen(seen_at)}".strip()
    if comparison.verdict is not Verdict.CHANGED:
        return _minor(comparison, who, what, seen_at)
    told = groups(comparison.changes)
    lead = told[0][0]
    fixed = [*_twice(told, what), *meaning(lead)], [_when(comparison, seen_at), sureness(lead)]
    return _fitted(told, fixed, who, what)


def _twice(told: list[tuple[Change, ...]], what: str) -> list[str]:
    """Return that the leading clause stands twice or more: in both versions, where the page holds two of it all."""
    times = len(told[0])
    if times < 2:
        return []
    if times == 2 and sum(len(group) == 2 for group in told) >= 3:
        return [f"It stands in both versions of the {what}."]
    return [f"It stands there {'twice' if times == 2 else 'several times'}."]


def _fitted(
    changes: list[tuple[Change, ...]], fixed: tuple[list[str], list[str]], who: str, what: str
) -> str:
    """Return the account within the limit: the others told shorter first, then the quotation, then the rest."""
    meant, dated = fixed
    told: list[str] = []
    for words, depth in product((46, 40, 34, 28, 24, 20, 16, 12, 8), (2, 1, 0)):
        account = _account(changes[0][0], who, what, words=words)
        told = [
            account,
            *(one for one in meant if not _is_told(one, account)),
            _rest(changes, depth=depth),
            *dated,
        ]
        if _length(told) <= MOST:
            return _joined_up(told)
    while _length(told) > MOST and len(told) > 1:
        told.pop(1)
    return _joined_up(told)


def _is_told(sentence: str, account: str) -> bool:
    """Tell a remedy that the account quotes already."""
    _, _, quoted = sentence.partition("To act: “")
    return bool(quoted) and quoted.rstrip("”.") in account


def _length(sentences: list[str]) -> int:
    return sum(len(sentence.split()) for sentence in sentences)


def _joined_up(sentences: list[str]) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def _minor(comparison: Comparison, who: str, what: str, seen_at: datetime | None) -> str:
    """Return an account of changes of form; one that is of dates only quotes them."""
    if all(change.type is ChangeType.DATE_ONLY for change in comparison.changes):
        pair = _pair(comparison.changes[0], 14)
        told = f"Only a date changed in {who}’s {what}{f': {pair}' if pair else ''}."
    else:
        told = f"{who}’s {what} changed in form only, not in what it says: {_counted(comparison.changes)}."
    return f"{told} {_when(comparison, seen_at)}".strip()


def _account(change: Change, who: str, what: str, *, words: int) -> str:
    """Return the leading sentence: who changed what, from what to what."""
    if is_heading(change):
        verb, to = ("added", "to") if change.type is ChangeType.ADDED else ("removed", "from")
        return f"{who} {verb} the heading or entry “{quote(shown(change), words=words)}” {to} its {what}."
    about = f"{_about(change)}{_place(change)}"
    if change.type is ChangeType.ADDED:
        return f"{who} added {about} to its {what}: “{_quoted(change, words)}”."
    if change.type is ChangeType.REMOVED:
        return f"{who} removed {about} from its {what}: “{_quoted(change, words)}”."
    pair = _pair(change, words)
    return (
        f"{who} changed {about} in its {what}: {pair}." if pair else f"{who} changed {about} in its {what}."
    )


def _place(change: Change) -> str:
    where = topic(change)
    return f" under “{where}”" if where and where in shown(change) + " ".join(change.heading_path) else ""


def _about(change: Change) -> str:
    name = subject(change)
    return f"a clause on {name}" if name and is_english(shown(change)) else "a clause"


def _quoted(change: Change, words: int) -> str:
    """Return the weightiest sentence of a clause, or the phrases of it that weigh most."""
    return quote(shown(change), next(_cues(change)), words=words)


def _cues(change: Change) -> Iterator[int]:
    """Yield where the words stand that make a change weigh: its worst facts, turns of phrase, category seeds."""
    text, begin = shown(change), body(change)
    worst = [
        fact for fact in change.facts if fact.start >= begin and fact.direction < 0 and _is_here(fact, change)
    ]
    yield from (fact.start for fact in worst if fact.kind == "money")
    yield from (at for at in emphasis(text) if at >= begin)
    yield from (fact.start for fact in worst)
    category = taxonomy().get(change.category)
    if category is not None and (match := category.seeds.search(text, _run_in(change, text, begin))):
        yield match.start()
    yield _run_in(change, text, begin)


def _is_here(fact: Fact, change: Change) -> bool:
    return bool(fact.new) or change.new is None


def _run_in(change: Change, text: str, begin: int) -> int:
    """Return where the words after a run-in heading begin."""
    name = title(change)
    return (
        begin + len(name) + 2
        if name and text.startswith(name, begin) and len(text) > len(name) + 2
        else begin
    )


def _pair(change: Change, words: int) -> str:
    """Return both wordings of the edit that weighs most: the one that moved a fact, else the longest."""
    found = edits(change.redline)
    if not found:
        return ""
    fact = _moved(change)
    holding = [
        edit for edit in found if fact and fact.start <= edit.new[1] + 1 and fact.end >= edit.new[0] - 2
    ]
    edit = holding[0] if holding else max(found, key=lambda edit: edit.size)
    gone, come = sides(change.redline, edit, words=words)
    if gone and come:
        return f"“{gone}” became “{come}”"
    return f"it now says “{come}”" if come else f"it no longer says “{gone}”" if gone else ""


def _moved(change: Change) -> Fact | None:
    both = [fact for fact in change.facts if fact.old and fact.new and "none" not in _forces(fact)]
    return min(both, key=lambda fact: (fact.direction, fact.kind == "modality"), default=None)


def _forces(fact: Fact) -> tuple[str, ...]:
    """Return the modal forces of both sides; "none" is a modal that came or went, which has no other side to quote."""
    return tuple(side.get("modality", "") for side in (fact.old, fact.new) if side)


def _rest(changes: list[tuple[Change, ...]], *, depth: int) -> str:
    """Return what else changed: its number, with `depth` 1 counted by kind, with 2 the weightier subjects too."""
    others = [group[0] for group in changes[1:]]
    if not others:
        return ""
    if not depth:
        count = sum(change.type not in FORMAL for change in others)
        return f"Also: {count} other change{'' if count == 1 else 's'}." if count else ""
    names = [subject(change) for change in others if change.severity.rank >= 2]
    common = [name for name, _ in Counter(name for name in names if name).most_common(3)]
    on = f"; the weightiest on {_joined(common)}" if common and depth > 1 else ""
    return f"Also: {_counted(others)}{on}."


def _counted(changes: Sequence[Change]) -> str:
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
