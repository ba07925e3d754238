"""Which watches a text satisfies, and with which words."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from math import exp

from msgspec import Struct

from pipeline.events import Match
from pipeline.news.commonness import weight
from pipeline.news.query import All, Any, Node, Not, Phrase, QueryError, Words, parse, simple
from pipeline.news.telling import STOPWORDS, TOKEN, folded, stem

__all__ = ["Query", "QueryError", "Watch", "WatchIndex", "compile", "matches"]

GAP = 10_000  # places between title and summary, so that no phrase runs across, however loose
Span = tuple[int, int]
Group = tuple[frozenset[str], tuple[str, ...]]  # one of these words, or a word with one of these beginnings


class Watch(Struct, frozen=True):
    """What a reader asked to be told about, in the language of query.py."""

    id: str
    name: str
    query: str


class Query(Struct, frozen=True):
    """A watch made ready: its tree, and groups of words, the rarest first; a text must hold one word of each."""

    tree: Node
    groups: tuple[Group, ...]


class Text:
    """A title and a summary, read once: each word with the places where it stands."""

    def __init__(self, title: str, summary: str) -> None:
        self.places: dict[str, list[int]] = defaultdict(list)
        self.found: list[re.Match[str]] = []
        self.read(title, 0)
        self.titled = len(self.found)
        self.read(summary, GAP)
        self.summary_at = len(title) + 1
        self.words = frozenset(self.places)
        self.known: dict[Phrase, list[Span]] = {}

    def read(self, text: str, gap: int) -> None:
        """Note where each word stands; most texts are ASCII and folded at once."""
        fold = str if text.isascii() else folded
        for at, found in enumerate(
            TOKEN.finditer(text.lower() if text.isascii() else text), len(self.found) + gap
        ):
            self.found.append(found)
            self.places[fold(found.group())].append(at)

    def span(self, first: int, last: int) -> Span:
        """Return the characters of title-newline-summary from one place to another."""
        if last < self.titled:
            return self.found[first].start(), self.found[last].end()
        one, other = self.found[first - GAP], self.found[last - GAP]
        return one.start() + self.summary_at, other.end() + self.summary_at

    def standing(self, word: str, *, prefix: bool = False) -> list[int]:
        """Return the places of a word, or of every word that begins with it, in order."""
        if not prefix:
            return self.places.get(word, [])
        return sorted(at for other, where in self.places.items() if other.startswith(word) for at in where)

    def spots(self, words: Iterable[str]) -> list[Span]:
        """Return where any of some words stand."""
        return [self.span(place, place) for word in words for place in self.places[word]]

    def spans(self, phrase: Phrase) -> list[Span]:
        """Return where a phrase stands; looked for once, however many watches ask."""
        if not phrase.prefix and not self.words.issuperset(phrase.words):
            return []
        found = self.known.get(phrase)
        if found is None:
            found = self.known[phrase] = list(occurrences(phrase, self))
        return found


def compile(watch: Watch) -> Query:
    """Return the watch's query made ready; raises QueryError with the column and a remedy."""
    tree = parse(watch.query)
    return Query(simple(tree), tuple(sorted(required(tree), key=chance)))


def matches(query: Query, title: str, summary: str) -> tuple[Span, ...] | None:
    """Return the spans of title-newline-summary that satisfy the query, None when it is not satisfied."""
    return spans(query, Text(title, summary))


def spans(query: Query, text: Text) -> tuple[Span, ...] | None:
    found = satisfied(query.tree, text)
    return None if found is None else tuple(sorted(set(found)))


def satisfied(node: Node, text: Text) -> list[Span] | None:
    """Return what satisfies a node, an empty list for a negation that holds, None when it does not."""
    match node:
        case Words(words):
            return None if words.isdisjoint(text.words) else text.spots(words & text.words)
        case Phrase():
            return text.spans(node) or None
        case All(parts):
            return joint(parts, text)
        case Any(parts):
            return either(parts, text)
        case Not(part):
            return [] if satisfied(part, text) is None else None


def either(parts: Iterable[Node], text: Text) -> list[Span] | None:
    held = [found for part in parts if (found := satisfied(part, text)) is not None]
    return [span for found in held for span in found] if held else None


def joint(parts: Iterable[Node], text: Text) -> list[Span] | None:
    found: list[Span] = []
    for part in parts:
        held = satisfied(part, text)
        if held is None:
            return None
        found += held
    return found


def occurrences(phrase: Phrase, text: Text) -> Iterator[Span]:
    """Yield the spans where a phrase stands."""
    last = len(phrase.words) - 1
    places = [text.standing(w, prefix=phrase.prefix and n == last) for n, w in enumerate(phrase.words)]
    if not all(places):
        return
    for first, end in windows(phrase, places):
        if not phrase.title or end < text.titled:
            yield text.span(first, end)


def windows(phrase: Phrase, places: list[list[int]]) -> Iterator[tuple[int, int]]:
    """Yield the first and last place of each occurrence, given the places of each word."""
    if len(places) == 1:
        yield from ((at, at) for at in places[0])
    elif phrase.slop is None:
        rest = [frozenset(where) for where in places[1:]]
        for at in places[0]:
            if all(at + n in where for n, where in enumerate(rest, 1)):
                yield at, at + len(rest)
    else:
        yield from near(places, len(places) + phrase.slop)


def near(places: list[list[int]], width: int) -> Iterator[tuple[int, int]]:
    """Yield the stretches shorter than `width` that hold every word, each the narrowest at its place."""
    line = sorted((at, n) for n, where in enumerate(places) for at in where)
    newest: dict[int, int] = {}
    last = -1
    for at, n in line:
        newest[n] = at
        first = min(newest.values())
        whole = len(newest) == len(places) == len(set(newest.values()))
        if whole and at - first < width and first > last:
            yield first, at
            last = first


def required(node: Node) -> Iterator[Group]:
    """Yield groups of words; a text that lacks all of one group cannot satisfy the node."""
    match node:
        case Words(words):
            yield words, ()
        case Phrase():
            yield from phrase_groups(node)
        case All(parts):
            for part in parts:
                yield from required(part)
        case Any(parts):
            yield from alternatives(parts)
        case Not():
            return


def phrase_groups(phrase: Phrase) -> Iterator[Group]:
    words = phrase.words[:-1] if phrase.prefix else phrase.words
    yield from ((frozenset((word,)), ()) for word in words)
    if phrase.prefix:
        yield frozenset(), (phrase.words[-1],)


def alternatives(parts: tuple[Node, ...]) -> Iterator[Group]:
    """Yield the one group that stands for a disjunction: the narrowest of every part, united."""
    each = [min(required(part), key=chance, default=None) for part in parts]
    picks = [group for group in each if group is not None]
    if len(picks) == len(parts):
        yield frozenset().union(*(words for words, _ in picks)), tuple(b for _, begun in picks for b in begun)


def chance(group: Group) -> float:
    """Return roughly how likely a text is to hold a word of a group; a beginning counts as a common word."""
    words, beginnings = group
    return len(beginnings) + sum(
        1.0 if word in STOPWORDS else exp(-weight(stem(word))) for word in sorted(words)
    )


class WatchIndex:
    """Many watches asked at once: each is looked at only when a text holds its rarest required words."""

    def __init__(self, watches: Iterable[Watch]) -> None:
        self.watches = tuple(watches)
        self.queries = tuple(compile(watch) for watch in self.watches)
        self.guarded: dict[str, list[int]] = defaultdict(list)
        self.begun: dict[str, list[int]] = defaultdict(list)
        for n, query in enumerate(self.queries):
            words, beginnings = query.groups[0]
            for word in words:
                self.guarded[word].append(n)
            for beginning in beginnings:
                self.begun[beginning].append(n)
        self.lengths = sorted({len(beginning) for beginning in self.begun})
        self.rest = tuple(tuple(words for words, begun in q.groups[1:] if not begun) for q in self.queries)

    def match(self, title: str, summary: str) -> tuple[Match, ...]:
        """Return the watches that the text satisfies, in the order they were given."""
        text = Text(title, summary)
        found = ((n, spans(self.queries[n], text)) for n in sorted(self.candidates(text.words)))
        return tuple(
            Match(watch_id=self.watches[n].id, watch=self.watches[n].name, spans=held)
            for n, held in found
            if held
        )

    def candidates(self, words: frozenset[str]) -> Iterator[int]:
        """Yield the watches whose every group has a word in the text."""
        for n in self.touched(words):
            for group in self.rest[n]:
                if words.isdisjoint(group):
                    break
            else:
                yield n

    def touched(self, words: frozenset[str]) -> set[int]:
        """Return the watches of whose rarest group a word is in the text."""
        found: set[int] = set()
        for word in words & self.guarded.keys():
            found.update(self.guarded[word])
        for length in self.lengths:
            for word in words:
                found.update(self.begun.get(word[:length], ()))
        return found
