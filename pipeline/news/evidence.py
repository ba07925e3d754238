"""What an entry and a changed clause have in common, weighed: each piece of evidence has a name and a weight.

The weights are few and written out; a link needs several pieces, and the names are shown to the reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from functools import lru_cache
from itertools import pairwise
from math import sqrt

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
ENDED = re.compile(r"[.!?:;\n“”\"()]")
SHOWN = 0.5  # the least worth of words that a reader is told of
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
    pairs: frozenset[tuple[str, str]]  # two stems that stand together
    quotes: tuple[str, ...]
    amounts: frozenset[str]
    numbers: frozenset[str]
    dates: frozenset[str]
    kinds: frozenset[str]
    sentences: tuple[frozenset[str], ...]  # the stems of the headline and of each sentence
    policy: bool  # whether it speaks of a policy at all
    told_at: datetime | None


class Run(Struct, frozen=True):
    """The words of one side of a clause, as they are asked for."""

    words: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    length: int

    @staticmethod
    @lru_cache(maxsize=8192)
    def of(run: str) -> Run:
        words = run.split()
        return Run(frozenset(words) - {BREAK}, frozenset(pairwise(words)), len(words))


class Evidence(Struct, frozen=True):
    """One thing in common: its weight, whether it is of the wording, and what a reader is told of it.

    Shared words are told together, as `phrases` finds them, so theirs say nothing by themselves.
    """

    weight: float
    told: str = ""
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
        pairs=frozenset((one.word, two.word) for one, two in pairwise(words)),
        quotes=tuple(quotes(text)),
        amounts=stated.amounts,
        numbers=stated.numbers,
        dates=stated.dates,
        kinds=kinds(text),
        sentences=tuple(frozenset(stems(sentence)) for sentence in SENTENCE.split(text)),
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
            yield Evidence(min(3.0, QUOTE + sum(weights)), f"quotes “{quote.strip(' .,')}”")


def valued(entry: Telling, clause: ClauseNovelty) -> Iterator[Evidence]:
    """Yield the amounts, numbers, measures and days that both state."""
    for value in (*clause.values, *clause.old_values):
        if value in entry.amounts:
            yield Evidence(AMOUNT, f"names {grouped(value)}")
        elif value in entry.numbers:
            yield Evidence(MEASURE if " " in value else NUMBER, f"names {grouped(value)}")


def dated(entry: Telling, change: ChangeNovelty) -> Iterator[Evidence]:
    """Yield the day on which the change comes into force, when the entry names it."""
    day = whole_day(change.effective_date)
    if day and any(same_day(named, day.isoformat()) for named in entry.dates):
        yield Evidence(DAY, f"names {long_date(day)}", hard=False)


def kindred(entry: Telling, change: ChangeNovelty) -> Iterator[Evidence]:
    """Yield that the entry names this kind of document, or against it that it names only another."""
    own = kinds(change.document)
    if entry.kinds & own:
        yield Evidence(KIND, f"names the {change.document}", hard=False)
    elif entry.kinds and own:
        yield Evidence(OTHER_KIND, "names another document", hard=False)


def worded(entry: Telling, clause: ClauseNovelty, common: frozenset[str]) -> Iterator[Evidence]:
    """Yield the telling words that the entry shares with what is new in a clause, or gone from it."""
    added, removed = Run.of(clause.added), Run.of(clause.removed)
    for run, other, share in ((added, removed, 1.0), (removed, added, GONE)):
        fresh = (entry.stems & run.words) - other.words - common
        share *= brevity(run.length, LONG)
        yield from together(entry, run, fresh, share)
        yield from alone(fresh, share * brevity(len(entry.words), BRIEF))


def together(entry: Telling, run: Run, fresh: frozenset[str], share: float) -> Iterator[Evidence]:
    """Yield the pairs of words that stand together in both texts, one of them new."""
    for one, two in sorted(entry.pairs & run.pairs):
        if one in fresh or two in fresh:
            yield Evidence(PAIR * share * (telltale(one) + telltale(two)))


def alone(fresh: frozenset[str], share: float) -> Iterator[Evidence]:
    """Yield each word that is new in the clause and stands anywhere in the entry."""
    yield from (Evidence(share * telltale(word)) for word in sorted(fresh) if telltale(word) > 0)


def retold(entry: Telling, clause: ClauseNovelty) -> Iterator[Evidence]:
    """Yield how much of what the headline or a sentence says is new in the clause, if it is much of it."""
    added = Run.of(clause.added)
    share = brevity(added.length, LONG)
    best = max((overlap(sentence, added.words) for sentence in entry.sentences), default=0.0)
    if best * share >= MUCH:
        yield Evidence(RETOLD * share * best)


def overlap(sentence: frozenset[str], added: frozenset[str]) -> float:
    """Return the share of a sentence's weight that a clause's new words have, if there are three or more."""
    held = sentence & added
    return sum(map(weight, held)) / sum(map(weight, sentence)) if len(held) >= 3 else 0.0


def placed(entry: Telling, clause: ClauseNovelty) -> Iterator[Evidence]:
    """Yield the heading that the entry names, of the clause or of a section around it."""
    run = f" {' '.join(token.word for token in entry.words)} "
    for heading in dict.fromkeys((clause.heading, *clause.path)):
        words = stems(heading)
        if len(words) >= 2 and f" {' '.join(words)} " in run and not kinds(heading):
            yield Evidence(HEADING, f"names the section “{heading}”", hard=False)
            return


def brevity(length: int, usual: int) -> float:
    """Return what a shared word counts in a text of so many words: less in a long one, where chance shares more."""
    return sqrt(min(1.0, usual / max(1, length)))


def telltale(word: str) -> float:
    """Return what a shared word is worth: nothing for a plain one, 1 for a rare one."""
    return max(0.0, weight(word) - PLAIN) / 3


def phrases(entry: Telling, clause: ClauseNovelty) -> list[str]:
    """Return the stretches of an entry whose words the clause has anew or no more, the most telling first."""
    held = Run.of(clause.added).words | Run.of(clause.removed).words
    runs: list[list[Token]] = [[]]
    for token in entry.words:
        gap = entry.text[runs[-1][-1].end : token.start] if runs[-1] else ""
        if token.word not in held or ENDED.search(gap):
            runs.append([])
        if token.word in held:
            runs[-1].append(token)
    worth = {
        entry.text[run[0].start : run[-1].end]: sum(telltale(t.word) for t in run) for run in runs if run
    }
    return sorted((phrase for phrase in worth if worth[phrase] >= SHOWN), key=lambda phrase: -worth[phrase])


def grouped(value: str) -> str:
    """Return a value as a reader would write it: USD 15,000, 18 months."""
    if value[-1].islower() and not value.startswith("1 ") and not value.endswith("percent"):
        value += "s"
    return re.sub(r"\d{4,}", lambda found: f"{int(found.group()):,}", value)


def long_date(day: date) -> str:
    """Return a day in words: 15 November 2024."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
