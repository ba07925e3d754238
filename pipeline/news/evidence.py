"""What an entry and a changed clause have in common, weighed: each piece of evidence has a name and a weight.

The weights are few and written out; a link needs several pieces, and the names are shown to the reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from itertools import pairwise

from msgspec import Struct

from pipeline.events import Entry
from pipeline.news.commonness import weight
from pipeline.news.novelty import BREAK, ChangeNovelty, ClauseNovelty, kinds
from pipeline.news.telling import Token, content, facts, quotes, same_day, stems, whole_day

PLAIN = 3.0  # a word of this weight or less tells nothing
QUOTE, AMOUNT, NUMBER, MEASURE, DAY, KIND, OTHER_KIND = 1.0, 2.5, 1.5, 1.0, 1.0, 1.0, -1.0
RETOLD, HEADING = 2.0, 1.0
MUCH = 0.4  # of a sentence's weight, to count as retold
PAIR = 0.6  # of the weight of two words, when they stand together in both texts
GONE = 0.7  # of the weight of a word, when the clause has it no more
BRIEF = 40  # telling words of an entry, beyond which one more in common tells less
LONG = 60  # new words of a clause, beyond which one more in common tells less
SENTENCE = re.compile(r"(?<=[.!?])\s+|\n")
POLICY = re.compile(
    r"\b(?:polic(?:y|ies)|privacy|terms|agreement|guidelines|rules|opt(?:s|ing)?[\s-]?(?:out|in)|consent)\b",
    re.I,
)
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


class Telling(Struct, frozen=True, kw_only=True):
    """An entry made ready to be compared."""

    entry: Entry
    text: str
    words: tuple[Token, ...]
    stems: frozenset[str]
    pairs: dict[str, str]  # two stems that stand together, and how the entry prints them
    quotes: tuple[str, ...]
    amounts: frozenset[str]
    numbers: frozenset[str]
    dates: frozenset[str]
    kinds: frozenset[str]
    sentences: tuple[tuple[str, ...], ...]  # the stems of the headline and of each sentence
    policy: bool  # whether it speaks of a policy at all
    told_at: datetime | None


class Evidence(Struct, frozen=True):
    """One thing in common: what a reader is told of it, its weight, and whether it is of the wording."""

    told: str
    weight: float
    hard: bool = True


class Case(Struct, frozen=True):
    """What speaks for an entry reporting a clause."""

    clause: ClauseNovelty
    evidence: tuple[Evidence, ...]

    @property
    def score(self) -> float:
        return sum(piece.weight for piece in self.evidence)

    @property
    def hard(self) -> float:
        return sum(piece.weight for piece in self.evidence if piece.hard)


def telling(entry: Entry) -> Telling:
    """Return an entry made ready to be compared with any number of changes."""
    text = f"{entry.title}\n{entry.summary}"
    words = tuple(content(text))
    stated = facts(text)
    return Telling(
        entry=entry,
        text=text,
        words=words,
        stems=frozenset(token.word for token in words),
        pairs={f"{one.word} {two.word}": text[one.start : two.end] for one, two in pairwise(words)},
        quotes=tuple(quotes(text)),
        amounts=stated.amounts,
        numbers=stated.numbers,
        dates=stated.dates,
        kinds=kinds(text),
        sentences=tuple(tuple(stems(sentence)) for sentence in SENTENCE.split(text)),
        policy=bool(stated.dates or POLICY.search(text)),
        told_at=entry.published_at or entry.seen_at,
    )


def strongest(entry: Telling, change: ChangeNovelty) -> Case | None:
    """Return the clause that an entry most likely reports, None when a change set has none with words."""
    cases = [case(entry, clause, change) for clause in change.clauses]
    return max(cases, key=lambda held: held.score, default=None)


def case(entry: Telling, clause: ClauseNovelty, change: ChangeNovelty) -> Case:
    """Return everything that ties an entry to a clause of a change set."""
    pieces = (
        *quoted(entry, clause),
        *valued(entry, clause),
        *worded(entry, clause, frozenset((*change.common, *stems(change.service)))),
        *retold(entry, clause),
        *placed(entry, clause),
        *dated(entry, change),
        *kindred(entry, change),
    )
    return Case(clause, tuple(sorted(pieces, key=lambda piece: -piece.weight)))


def quoted(entry: Telling, clause: ClauseNovelty) -> Iterator[Evidence]:
    """Yield what the entry quotes and the clause has anew, or has no more."""
    for quote in entry.quotes:
        words = stems(quote)
        weights = [max(0.0, weight(word) - PLAIN) / 3 for word in words]
        run = f" {' '.join(words)} "
        if sum(weights) >= (0.5 if len(words) > 1 else 0.8) and any(
            run in f" {side} " for side in (clause.added, clause.removed)
        ):
            yield Evidence(f"quotes “{quote.strip(' .,')}”", min(3.0, QUOTE + sum(weights)))


def valued(entry: Telling, clause: ClauseNovelty) -> Iterator[Evidence]:
    """Yield the amounts, numbers, measures and days that both state."""
    for value in (*clause.values, *clause.old_values):
        if value in entry.amounts:
            yield Evidence(f"names {grouped(value)}", AMOUNT)
        elif value in entry.numbers:
            yield Evidence(f"names {grouped(value)}", MEASURE if " " in value else NUMBER)


def dated(entry: Telling, change: ChangeNovelty) -> Iterator[Evidence]:
    """Yield the day on which the change comes into force, when the entry names it."""
    day = whole_day(change.effective_date)
    if day and any(same_day(named, day.isoformat()) for named in entry.dates):
        yield Evidence(f"names {long_date(day)}", DAY, hard=False)


def kindred(entry: Telling, change: ChangeNovelty) -> Iterator[Evidence]:
    """Yield that the entry names this kind of document, or against it that it names only another."""
    own = kinds(change.document)
    if entry.kinds & own:
        yield Evidence(f"names the {change.document}", KIND, hard=False)
    elif entry.kinds and own:
        yield Evidence("names another document", OTHER_KIND, hard=False)


def worded(entry: Telling, clause: ClauseNovelty, common: frozenset[str]) -> Iterator[Evidence]:
    """Yield the telling words that the entry shares with what is new in a clause, or gone from it."""
    added, removed = clause.added.split(), clause.removed.split()
    for words, other, share in ((added, removed, 1.0), (removed, added, GONE)):
        fresh = entry.stems & (frozenset(words) - frozenset(other) - common)
        share *= brevity(len(words), LONG)
        yield from together(entry, words, fresh, share)
        yield from alone(entry, fresh, share * brevity(len(entry.words), BRIEF))


def together(entry: Telling, words: list[str], fresh: frozenset[str], share: float) -> Iterator[Evidence]:
    """Yield the pairs of words that stand together in both texts, one of them new."""
    for one, two in sorted(set(pairwise(words))):
        printed = entry.pairs.get(f"{one} {two}")
        if printed and BREAK not in (one, two) and (one in fresh or two in fresh):
            yield Evidence(f"says “{printed}”", PAIR * share * (telltale(one) + telltale(two)))


def alone(entry: Telling, fresh: frozenset[str], share: float) -> Iterator[Evidence]:
    printed = {token.word: entry.text[token.start : token.end] for token in reversed(entry.words)}
    for word in sorted(fresh):
        if telltale(word) > 0:
            yield Evidence(f"says “{printed[word]}”", share * telltale(word))


def retold(entry: Telling, clause: ClauseNovelty) -> Iterator[Evidence]:
    """Yield how much of what the headline or a sentence says is new in the clause, if it is much of it."""
    added = frozenset(clause.added.split())
    share = brevity(len(clause.added.split()), LONG)
    best = max((overlap(sentence, added) for sentence in entry.sentences), default=(0.0, ()))
    if best[0] * share >= MUCH:
        yield Evidence(f"tells of {', '.join(best[1])}", RETOLD * share * best[0])


def overlap(sentence: tuple[str, ...], added: frozenset[str]) -> tuple[float, tuple[str, ...]]:
    """Return the share of a sentence's weight that a clause's new words have, and those words; three at least."""
    held = tuple(dict.fromkeys(word for word in sentence if word in added))
    whole = sum(weight(word) for word in set(sentence))
    return (sum(map(weight, held)) / whole, held) if len(held) >= 3 else (0.0, ())


def placed(entry: Telling, clause: ClauseNovelty) -> Iterator[Evidence]:
    """Yield the heading that the entry names, of the clause or of a section around it."""
    run = f" {' '.join(token.word for token in entry.words)} "
    for heading in dict.fromkeys((clause.heading, *clause.path)):
        words = stems(heading)
        if len(words) >= 2 and f" {' '.join(words)} " in run and not kinds(heading):
            yield Evidence(f"names the section “{heading}”", HEADING, hard=False)
            return


def brevity(length: int, usual: int) -> float:
    """Return what a shared word counts in a text of so many words: less in a long one, where chance shares more."""
    return min(1.0, usual / max(1, length)) ** 0.5


def telltale(word: str) -> float:
    """Return what a shared word is worth: nothing for a plain one, 1 for a rare one."""
    return max(0.0, weight(word) - PLAIN) / 3


def grouped(value: str) -> str:
    """Return a value with its digits in groups of three: USD 15,000."""
    return re.sub(r"\d{4,}", lambda found: f"{int(found.group()):,}", value)


def long_date(day: date) -> str:
    """Return a day in words: 15 November 2024."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
