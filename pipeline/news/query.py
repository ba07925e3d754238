"""The language of watches: what a reader types, parsed into a tree.

    word   "a phrase"   train*   "near these"~5   intitle:word
    a AND b (or just: a b)   a OR b   NOT a   -a   ( … )

AND binds tighter than OR; `and`, `or` and `not` in small letters are ordinary words. Case and accents do not
count.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from pipeline.errors import PipelineError
from pipeline.news.telling import tokens

MAX_LENGTH = 4000  # characters
MAX_DEPTH = 40  # parentheses inside one another
LEXEME = re.compile(
    r"(?P<space>\s+)|(?P<open>\()|(?P<close>\))|(?P<minus>-(?=\S))|(?P<field>(?i:intitle):)|"
    r'(?P<phrase>"(?P<body>[^"]*)"(?:~(?P<slop>\d{1,3}))?)|(?P<word>[^\s()"]+)|(?P<stray>")'
)


class QueryError(PipelineError):
    """A watch that cannot be read; `column` counts from 1, at the place where reading stopped."""

    def __init__(self, fact: str, *, column: int, remedy: str) -> None:
        super().__init__(f"{fact} (column {column})", remedy=remedy)
        self.column = column


class Phrase(Struct, frozen=True):
    """Words that stand in this order, or, with `slop`, in any order with at most so many others among them.

    `prefix` lets the last word go on (`train*`); `title` asks for the title alone.
    """

    words: tuple[str, ...]
    slop: int | None = None
    prefix: bool = False
    title: bool = False


class Words(Struct, frozen=True):
    """At least one of these words stands there: what most alternatives come down to."""

    words: frozenset[str]


class All(Struct, frozen=True):
    """Every part holds."""

    parts: tuple[Node, ...]


class Any(Struct, frozen=True):
    """At least one part holds."""

    parts: tuple[Node, ...]


class Not(Struct, frozen=True):
    """The part does not hold."""

    part: Node


Node = Words | Phrase | All | Any | Not


class Lexeme(Struct, frozen=True):
    """One piece of a query and its column."""

    kind: str
    text: str
    column: int
    slop: int | None = None


def parse(text: str) -> Node:
    """Return the tree of a query; QueryError says what is wrong, where, and what to type instead."""
    if len(text) > MAX_LENGTH:
        raise QueryError(
            f"the query has {len(text)} characters", column=MAX_LENGTH, remedy=f"Keep it under {MAX_LENGTH}."
        )
    reader = Reader(lexemes(text), len(text) + 1)
    node = reader.disjunction()
    reader.finish()
    if not positive(node):
        raise QueryError(
            "the query would match every story",
            column=1,
            remedy="Add a word that must be there to every alternative.",
        )
    return node


def positive(node: Node) -> bool:
    """Say whether a text must hold at least one word of the query to satisfy it."""
    match node:
        case Words() | Phrase():
            return True
        case Not():
            return False
        case All(parts):
            return any(map(positive, parts))
        case Any(parts):
            return all(map(positive, parts))


def simple(node: Node) -> Node:
    """Return a tree that asks the same in fewer steps: plain words together, negations last."""
    match node:
        case Phrase((word,), None, False, False):
            return Words(frozenset((word,)))
        case Not(part):
            return Not(simple(part))
        case All(parts):
            return All(tuple(sorted(map(simple, parts), key=lambda part: isinstance(part, Not))))
        case Any(parts):
            return gathered([simple(part) for part in parts])
    return node


def gathered(parts: list[Node]) -> Node:
    """Return alternatives with all their plain words in one."""
    plain = [part.words for part in parts if isinstance(part, Words)]
    others = [part for part in parts if not isinstance(part, Words)]
    words: list[Node] = [Words(frozenset().union(*plain))] if plain else []
    return joined([*words, *others], Any)


def lexemes(text: str) -> list[Lexeme]:
    """Return the pieces of a query, blanks left out."""
    found = []
    for part in LEXEME.finditer(text):
        kind = str(part.lastgroup if part.lastgroup not in ("body", "slop") else "phrase")
        column = part.start() + 1
        if kind == "stray":
            raise QueryError("a quotation mark is never closed", column=column, remedy='Add the closing ".')
        if kind != "space":
            slop = part["slop"]
            body = part["body"] if kind == "phrase" else part.group()
            found.append(Lexeme(operator(kind, body), body, column, int(slop) if slop else None))
    return found


def operator(kind: str, text: str) -> str:
    """Return the kind of a piece, the words AND, OR and NOT being kinds of their own."""
    return text if kind == "word" and text in ("AND", "OR", "NOT") else kind


class Reader:
    """Reads lexemes from left to right by recursive descent; holds only its place and depth."""

    def __init__(self, found: list[Lexeme], end: int) -> None:
        self.found = [*found, Lexeme("end", "", end)]
        self.at = 0
        self.depth = 0

    @property
    def here(self) -> Lexeme:
        return self.found[self.at]

    def take(self, *kinds: str) -> Lexeme | None:
        """Return the piece at hand and step on, if it is of one of the kinds."""
        here = self.here
        if here.kind not in kinds:
            return None
        self.at += 1
        return here

    def finish(self) -> None:
        """Raise QueryError unless everything was read."""
        if self.here.kind != "end":
            raise QueryError(
                f"{self.here.text!r} stands alone",
                column=self.here.column,
                remedy="Remove it or open a parenthesis.",
            )

    def disjunction(self) -> Node:
        parts = [self.conjunction()]
        while self.take("OR"):
            parts.append(self.conjunction())
        return joined(parts, Any)

    def conjunction(self) -> Node:
        parts = [self.negation()]
        while self.here.kind not in ("OR", "close", "end"):
            self.take("AND")
            parts.append(self.negation())
        return joined(parts, All)

    def negation(self) -> Node:
        if self.take("NOT", "minus"):
            return Not(self.atom())
        return self.atom()

    def atom(self) -> Node:
        here = self.here
        if self.take("open"):
            return self.group(here)
        if self.take("field"):
            return self.titled(here)
        if self.take("word", "phrase"):
            return phrase(here)
        raise QueryError(
            f"a word is missing before {here.text!r}" if here.text else "the query ends too early",
            column=here.column,
            remedy='Put a word, a "phrase" or a (group) here.',
        )

    def group(self, opened: Lexeme) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise QueryError(
                f"more than {MAX_DEPTH} parentheses inside one another",
                column=opened.column,
                remedy="Flatten the query or make several watches of it.",
            )
        node = self.disjunction()
        if not self.take("close"):
            raise QueryError(
                "a parenthesis is never closed", column=opened.column, remedy="Add the closing )."
            )
        self.depth -= 1
        return node

    def titled(self, field: Lexeme) -> Node:
        word = self.take("word", "phrase")
        if word is None:
            raise QueryError(
                "intitle: needs a word",
                column=field.column,
                remedy='Write intitle:word or intitle:"a phrase".',
            )
        return phrase(word, title=True)


def joined(parts: list[Node], join: Callable[[tuple[Node, ...]], Node]) -> Node:
    """Return the parts under one node, or the part itself when it is alone."""
    return parts[0] if len(parts) == 1 else join(tuple(parts))


def phrase(lexeme: Lexeme, *, title: bool = False) -> Phrase:
    """Return what a word or a quoted text stands for; a word such as opt-out is a phrase of two."""
    prefix = lexeme.text.endswith("*")
    words = tuple(token.word for token in tokens(lexeme.text))
    if not words:
        raise QueryError(
            f"{lexeme.text!r} holds no letter or digit", column=lexeme.column, remedy="Put a word here."
        )
    if "*" in lexeme.text[:-1]:
        raise QueryError(
            "* may only end a word", column=lexeme.column, remedy="Write the beginning of the word, then *."
        )
    if prefix and len(words[-1]) < 2:
        raise QueryError(
            f"{lexeme.text!r} would match too much",
            column=lexeme.column,
            remedy="Put two letters or more before *.",
        )
    return Phrase(words, slop=lexeme.slop, prefix=prefix, title=title)
