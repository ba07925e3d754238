"""YAML → a tree whose every value knows its line and key; problems are gathered, so one run tells all."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import NoReturn

import yaml

from pipeline.errors import ConfigError

_KINDS = {
    "tag:yaml.org,2002:str": "text",
    "tag:yaml.org,2002:int": "a number",
    "tag:yaml.org,2002:float": "a number",
    "tag:yaml.org,2002:bool": "yes or no",
    "tag:yaml.org,2002:null": "nothing",
    "tag:yaml.org,2002:timestamp": "a date",
}


class ConfigErrors(ConfigError):
    """All that is wrong with a configuration, in the order of its lines; stands in the place of the first."""

    def __init__(self, errors: Iterable[ConfigError]) -> None:
        self.errors = tuple(sorted(errors, key=lambda error: error.line))
        first = self.errors[0]
        super().__init__(first.args[0], file=first.file, line=first.line, key=first.key, remedy=first.remedy)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


class Problems:
    """Gathers what is wrong with one file, and the secrets (name, line, key) that it asks for."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.errors: list[ConfigError] = []
        self.secrets: list[tuple[str, int, str]] = []

    def add(self, fact: str, *, line: int, key: str, remedy: str) -> None:
        self.errors.append(ConfigError(fact, file=self.file, line=line, key=key, remedy=remedy))

    def check(self) -> None:
        """Raise ConfigErrors when there is anything to tell."""
        if self.errors:
            raise ConfigErrors(self.errors)


class Item:
    """One value of the file with its line (from 1) and its key, such as `documents[2].url`."""

    def __init__(self, node: yaml.Node, key: str, problems: Problems, line: int = 0) -> None:
        self.node = node
        self.key = key
        self.problems = problems
        self.line = line or node.start_mark.line + 1

    @property
    def kind(self) -> str:
        """What a reader would call this value."""
        if isinstance(self.node, yaml.MappingNode):
            return "a table"
        if isinstance(self.node, yaml.SequenceNode):
            return "a list"
        return _KINDS.get(self.node.tag, "text")

    def wrong(self, fact: str, remedy: str) -> None:
        """Note a problem with this value."""
        self.problems.add(fact, line=self.line, key=self.key, remedy=remedy)

    def text(self) -> str:
        """Return the value as non-empty text, "" after noting a problem."""
        if self.kind != "text":
            scalar = isinstance(self.node, yaml.ScalarNode) and self.kind != "nothing"
            remedy = f'Put it in quotes: "{self.node.value}"' if scalar else "Write one text here"
            self.wrong(f"text is expected here, not {self.kind}", remedy)
            return ""
        if not self.node.value.strip():
            self.wrong("this text is empty", "Write a value, or leave the key out")
        return str(self.node.value).strip()

    def number(self, *, least: int, most: int) -> int:
        """Return a whole number within bounds, `least` after noting a problem."""
        written = self.node.value if self.node.tag == "tag:yaml.org,2002:int" else ""
        digits = str(written).replace("_", "")
        if digits.isdecimal() and least <= int(digits) <= most:
            return int(digits)
        self.wrong(
            f"a whole number is expected here, not {self.shown}", f"Write a number from {least} to {most}"
        )
        return least

    def flag(self) -> bool:
        """Return a yes-or-no value, False after noting a problem."""
        if self.kind == "yes or no":
            return str(self.node.value).lower() in {"yes", "true", "on"}
        self.wrong(f"true or false is expected here, not {self.shown}", "Write true or false")
        return False

    @property
    def shown(self) -> str:
        """The value as an error may repeat it: short scalars only."""
        plain = isinstance(self.node, yaml.ScalarNode) and 0 < len(self.node.value) <= 40
        return f'"{self.node.value}"' if plain else self.kind

    def items(self) -> Iterator[Item]:
        """Yield the values of a list; none after noting a problem."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.wrong(
                f"a list is expected here, not {self.kind}", 'Start each entry on its own line with "- "'
            )
            return
        for number, node in enumerate(self.node.value):
            yield Item(node, f"{self.key}[{number}]", self.problems)

    def texts(self) -> tuple[str, ...]:
        """Return one text or a list of texts."""
        if isinstance(self.node, yaml.SequenceNode):
            return tuple(filter(None, (item.text() for item in self.items())))
        return tuple(filter(None, (self.text(),)))

    def table(self, known: Iterable[str], forbidden: Mapping[str, str] | None = None) -> Table | None:
        """Return the value as a table of known keys; None after noting that it is none.

        `forbidden` names keys that are wrong here, each with its remedy.
        """
        if isinstance(self.node, yaml.MappingNode):
            return Table(self, self.node, tuple(known), forbidden or {})
        self.wrong(f"a table of keys is expected here, not {self.kind}", f"Write one of: {', '.join(known)}")
        return None


class Table:
    """A mapping of the file: its known keys as items. Unknown, repeated and missing keys are problems."""

    def __init__(
        self, item: Item, node: yaml.MappingNode, known: tuple[str, ...], forbidden: Mapping[str, str]
    ) -> None:
        self.item = item
        self.known = known
        self.forbidden = forbidden
        self.items: dict[str, Item] = {}
        for key_node, value_node in node.value:
            self._take(key_node, value_node)

    def _take(self, key_node: yaml.Node, value_node: yaml.Node) -> None:
        name = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else "?"
        key = f"{self.item.key}.{name}" if self.item.key else name
        item = Item(value_node, key, self.item.problems, line=key_node.start_mark.line + 1)
        if name in self.forbidden:
            item.wrong(f'"{name}" does not belong in this file', self.forbidden[name])
        elif name not in self.known:
            item.wrong(f'unknown key "{name}"', _suggestion(name, self.known))
        elif name in self.items:
            item.wrong(
                "this key stands here twice", f"Keep one; the first is on line {self.items[name].line}"
            )
        elif item.kind != "nothing":
            self.items[name] = item

    def __contains__(self, name: str) -> bool:
        return name in self.items

    def get(self, name: str) -> Item | None:
        """Return a value, None when it is absent or written as nothing."""
        return self.items.get(name)

    def need(self, name: str, remedy: str) -> Item | None:
        """Return a value; note a problem when it is absent."""
        if name not in self.items:
            self.wrong(f'the key "{name}" is missing', remedy)
        return self.items.get(name)

    def wrong(self, fact: str, remedy: str) -> None:
        """Note a problem with the table as a whole."""
        self.item.wrong(fact, remedy)


def _suggestion(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name.lower(), list(known), n=1, cutoff=0.6)
    return f'Did you mean "{close[0]}"?' if close else f"Known here: {', '.join(known)}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the remedy for a word that is none of the known ones."""
    choices = list(known)
    return _suggestion(word, choices) if choices else "There is none to choose from yet: declare it first"


def document(data: bytes, problems: Problems) -> Item:
    """Return the root of the file; raises ConfigErrors when it is no YAML, empty or not UTF-8."""
    text = _decoded(data, problems)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        _unreadable(error, text, problems)
    except RecursionError:
        _stop(problems, 1, "the file is nested too deeply", "Write it flatter")
    if node is None:
        _stop(problems, 1, "the file is empty", "Start from an example: clausewire init")
    return Item(node, "", problems)


def _decoded(data: bytes, problems: Problems) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        _stop(problems, line, "the file is not UTF-8 text", "Save it again with the encoding UTF-8")


def _unreadable(error: yaml.YAMLError, text: str, problems: Problems) -> NoReturn:
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        _stop(
            problems, line, f"this is not YAML: {error.problem or error.context}", _syntax_remedy(text, line)
        )
    position = getattr(error, "position", 0)
    line = text.count("\n", 0, position) + 1
    _stop(problems, line, "this is not YAML: it holds a control character", "Delete the character")


def _syntax_remedy(text: str, line: int) -> str:
    lines = text.splitlines()
    near = lines[max(0, line - 2) : line]
    if any("\t" in words[: len(words) - len(words.lstrip())] for words in near):
        return "Indent with spaces, not with tabs"
    return (
        'Check the indentation and quotes of this line and the one above; quote texts that hold ": " or " #"'
    )


def _stop(problems: Problems, line: int, fact: str, remedy: str) -> NoReturn:
    problems.add(fact, line=line, key="", remedy=remedy)
    raise ConfigErrors(problems.errors)
