"""CSS selectors over our tree: what people write in declarations, and no more.

Types, ids, classes, attributes with every operator, the four combinators, `:not` `:is` `:where` `:has`, and the
structural pseudo-classes (Selectors Level 4). Anything else is a SelectorError that names it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pipeline.policy.html import Node

Test = Callable[[Node], bool]

_NAME = r"(?:[\w-]|[^\x00-\x7f]|\\.)+"
_TOKEN = re.compile(
    rf"""(?P<space>\s*[>+~]\s*|\s+)|(?P<comma>\s*,\s*)|\#(?P<id>{_NAME})|\.(?P<class>{_NAME})
    |\[\s*(?P<attr>[\w:|-]+)\s*(?:(?P<op>[~^$*|!]?=)\s*(?:"(?P<dq>(?:[^"\\]|\\.)*)"|'(?P<sq>(?:[^'\\]|\\.)*)'|(?P<bare>[^\]\s]+))
    \s*(?P<flag>[iIsS])?\s*)?\]|::?(?P<pseudo>[\w-]+)|(?P<type>\*|{_NAME})""",
    re.X,
)
_NTH = re.compile(r"([+-]?\d*)n\s*([+-]\s*\d+)?$|([+-]?\d+)$")


class SelectorError(ValueError):
    """A selector that we do not understand."""


@dataclass(frozen=True, slots=True)
class _Step:
    combinator: str
    tests: tuple[Test, ...]


Selector = tuple[tuple[_Step, ...], ...]


def select(root: Node, selector: str) -> list[Node]:
    """Return the nodes below `root` that a selector list matches, in document order."""
    alternatives = compile_selector(selector)
    return [node for node in root.walk() if _matches(node, alternatives)]


def compile_selector(selector: str) -> Selector:
    """Return the compiled form of a selector list; SelectorError if it is none."""
    text = selector.strip()
    alternatives, end = _alternatives(text, 0)
    if end < len(text) or not text:
        raise SelectorError(f"cannot read the selector {selector!r} at {text[end : end + 20]!r}")
    return alternatives


def _alternatives(text: str, at: int) -> tuple[Selector, int]:
    alternatives: list[tuple[_Step, ...]] = []
    steps: list[_Step] = []
    tests: list[Test] = []
    combinator = ""
    while at < len(text) and text[at] != ")":
        match = _TOKEN.match(text, at)
        if match is None:
            raise SelectorError(f"cannot read the selector {text!r} at {text[at : at + 20]!r}")
        at = match.end()
        if match["comma"] is not None:
            alternatives.append((*steps, _step(combinator, tests, text)))
            steps, tests, combinator = [], [], ""
        elif match["space"] is not None:
            if match["space"].strip() and not tests and (steps or combinator.strip()):
                raise SelectorError(f"cannot read the selector {text!r}: two combinators in a row")
            if tests:
                steps.append(_step(combinator, tests, text))
                tests = []
            combinator = match["space"].strip() or (" " if steps else "")
        elif match["pseudo"]:
            test, at = _pseudo(match["pseudo"].lower(), text, at)
            tests.append(test)
        else:
            tests.append(_simple(match))
    alternatives.append((*steps, _step(combinator, tests, text)))
    return tuple(alternatives), at


def _step(combinator: str, tests: list[Test], text: str) -> _Step:
    if not tests:
        raise SelectorError(f"cannot read the selector {text!r}: a part is empty")
    return _Step(combinator, tuple(tests))


def _simple(match: re.Match[str]) -> Test:
    if match["id"]:
        wanted = _plain(match["id"])
        return lambda node: node.attrs.get("id") == wanted
    if match["class"]:
        name = _plain(match["class"])
        return lambda node: name in node.attrs.get("class", "").split()
    if match["attr"]:
        return _attribute(match)
    tag = _plain(match["type"]).lower()
    return (lambda node: True) if tag == "*" else (lambda node: node.tag == tag)


def _plain(name: str) -> str:
    return re.sub(r"\\(.)", r"\1", name)


def _attribute(match: re.Match[str]) -> Test:
    name, op = match["attr"].lower(), match["op"]
    if not op:
        return lambda node: name in node.attrs
    value = _plain(next((match[group] for group in ("dq", "sq", "bare") if match[group] is not None), ""))
    fold: Callable[[str], str] = str.lower if (match["flag"] or "").lower() == "i" else str
    value = fold(value)
    compare: dict[str, Callable[[str], bool]] = {
        "=": lambda held: held == value,
        "!=": lambda held: held != value,
        "~=": lambda held: value in held.split(),
        "|=": lambda held: held == value or held.startswith(value + "-"),
        "^=": lambda held: bool(value) and held.startswith(value),
        "$=": lambda held: bool(value) and held.endswith(value),
        "*=": lambda held: bool(value) and value in held,
    }
    test = compare[op]
    return lambda node: (name in node.attrs or op == "!=") and test(fold(node.attrs.get(name, "")))


def _pseudo(name: str, text: str, at: int) -> tuple[Test, int]:
    if name in {"not", "is", "where", "matches", "has"} and text[at : at + 1] == "(":
        inner, at = _alternatives(text, at + 1 + len(text[at + 1 :]) - len(text[at + 1 :].lstrip()))
        if text[at : at + 1] != ")":
            raise SelectorError(f"a bracket is not closed in {text!r}")
        if name == "has":
            return (lambda node: _has(node, inner)), at + 1
        wanted = name != "not"
        return (lambda node: _matches(node, inner) is wanted), at + 1
    if name.startswith("nth-") and text[at : at + 1] == "(":
        end = text.find(")", at)
        return _nth(name, text[at + 1 : end].strip().lower()), end + 1
    simple: dict[str, Test] = {
        "first-child": lambda node: _place(node, of_type=False)[0] == 1,
        "last-child": lambda node: _place(node, of_type=False)[1] == 1,
        "only-child": lambda node: _place(node, of_type=False) == (1, 1),
        "first-of-type": lambda node: _place(node, of_type=True)[0] == 1,
        "last-of-type": lambda node: _place(node, of_type=True)[1] == 1,
        "only-of-type": lambda node: _place(node, of_type=True) == (1, 1),
        "empty": lambda node: not node.children,
        "root": lambda node: node.parent is None,
    }
    if name not in simple:
        raise SelectorError(f"we do not know the pseudo-class :{name}")
    return simple[name], at


def _nth(name: str, formula: str) -> Test:
    formula = {"odd": "2n+1", "even": "2n"}.get(formula, formula)
    match = _NTH.match(formula)
    if match is None:
        raise SelectorError(f"we do not understand :{name}({formula})")
    if match[3]:
        step, start = 0, int(match[3])
    else:
        step = int({"": "1", "+": "1", "-": "-1"}.get(match[1], match[1]))
        start = int((match[2] or "0").replace(" ", ""))
    from_end, of_type = "last" in name, "type" in name

    def test(node: Node) -> bool:
        offset = _place(node, of_type=of_type)[from_end] - start
        return offset == 0 if step == 0 else offset % step == 0 and offset // step >= 0

    return test


def _place(node: Node, *, of_type: bool) -> tuple[int, int]:
    """Return a node's place among its siblings, counted from the front and from the back."""
    if node.parent is None:
        return 1, 1
    peers = [peer for peer in node.parent.nodes if not of_type or peer.tag == node.tag]
    at = next(index for index, peer in enumerate(peers) if peer is node)
    return at + 1, len(peers) - at


def _matches(node: Node, alternatives: Selector) -> bool:
    return any(_matches_steps(node, steps, None) for steps in alternatives)


def _has(node: Node, alternatives: Selector) -> bool:
    for steps in alternatives:
        relation = steps[0].combinator or " "
        near = {" ": _below, ">": _children, "+": _next, "~": _later}[relation]
        scope = list(near(node)) if len(steps) == 1 else [*_below(node), *_later(node)]
        if any(_matches_steps(inner, steps, node) for inner in scope if inner is not node):
            return True
    return False


def _matches_steps(node: Node, steps: tuple[_Step, ...], scope: Node | None) -> bool:
    """Match from the right; the first step's own combinator leads from the scope of `:has`."""
    last = steps[-1]
    if not all(test(node) for test in last.tests):
        return False
    if len(steps) == 1:
        return True
    candidates: dict[str, Callable[[Node], Iterator[Node]]] = {
        " ": Node.above, ">": _parent, "+": _previous, "~": _earlier,
    }  # fmt: skip
    return any(_matches_steps(other, steps[:-1], scope) for other in candidates[last.combinator](node))


def _parent(node: Node) -> Iterator[Node]:
    if node.parent is not None:
        yield node.parent


def _children(node: Node) -> Iterator[Node]:
    yield from node.nodes


def _below(node: Node) -> Iterator[Node]:
    walk = node.walk()
    next(walk)
    yield from walk


def _peers(node: Node) -> tuple[list[Node], int]:
    peers = node.parent.nodes if node.parent is not None else [node]
    return peers, next(index for index, peer in enumerate(peers) if peer is node)


def _previous(node: Node) -> Iterator[Node]:
    peers, at = _peers(node)
    yield from peers[max(0, at - 1) : at]


def _earlier(node: Node) -> Iterator[Node]:
    peers, at = _peers(node)
    yield from reversed(peers[:at])


def _next(node: Node) -> Iterator[Node]:
    peers, at = _peers(node)
    yield from peers[at + 1 : at + 2]


def _later(node: Node) -> Iterator[Node]:
    peers, at = _peers(node)
    yield from peers[at + 1 :]
