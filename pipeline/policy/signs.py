"""Signs that a page is no document: error pages, walls and shells, told from a document that only speaks of them.

Each kind is a row of a table: what its title or heading says, what its words say, which controls it shows. A page
is of a kind when several signs agree and there is little else on it; a title that names a policy counts against.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.events import PageState
from pipeline.policy.html import Tree
from pipeline.policy.walls import KINDS, POLICY, PROTECTIONS, Kind

_NEEDED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a page shows: title, headings, the words of its main part, its controls, its raw markup."""

    title: str = ""
    headings: tuple[str, ...] = ()
    words: str = ""
    controls: str = ""
    passwords: int = 0
    images: int = 0
    scripts: int = 0
    markup: str = ""
    everything: str = ""  # all words of the page, main part or not


_CERTAIN = {"cf-mitigated", "x-amzn-waf-action", "x-vercel-mitigated", "x-sucuri-block"}
_SPACE_TAGS = {"h1", "h2", "title"}


def look(tree: Tree, markup: str) -> Seen:
    """Return what a page shows, before anything is taken out of it; `words` is left for the extraction."""
    headings: list[str] = []
    controls: list[str] = []
    passwords = images = 0
    for node in tree.root.walk():
        if node.tag in {"h1", "h2"} and len(headings) < 8:
            headings.append(node.text()[:200])
        elif node.tag == "button" or node.attrs.get("role") == "button":
            controls.append(node.text()[:60])
        elif node.tag == "input":
            passwords += node.attrs.get("type", "").lower() == "password"
            controls.append(
                node.attrs.get("value", "")[:60] if node.attrs.get("type", "").lower() in _BUTTONS else ""
            )
        elif node.tag in {"img", "picture", "svg", "canvas"}:
            images += 1
    return Seen(
        title=tree.title[:300],
        headings=tuple(heading for heading in headings if heading),
        controls=" | ".join(control for control in controls[:60] if control),
        passwords=passwords,
        images=images,
        scripts=tree.script_size,
        markup=markup[:400_000],
        everything=tree.body.text()[:20_000],
    )


_BUTTONS = {"submit", "button", "reset"}


def protection(markup: str, headers: Mapping[str, str]) -> str:
    """Return the name of the bot protection whose marks a response bears, "" if none."""
    head = "\n".join(f"{name.lower()}: {value}" for name, value in headers.items())
    haystack = head + "\n" + markup[:60_000]
    return next((name for name, pattern in PROTECTIONS if pattern.search(haystack)), "")


def wall(seen: Seen, headers: Mapping[str, str]) -> tuple[PageState, str] | None:
    """Return the state and the reason if the signs agree that this is no document, else None."""
    best: tuple[int, Kind, list[str]] | None = None
    for kind in KINDS:
        score, told = _score(kind, seen, headers)
        if score >= _NEEDED and (best is None or score > best[0]):
            best = (score, kind, told)
    if best is None:
        return None
    _, kind, told = best
    name = protection(seen.markup, headers) if kind.state is PageState.BLOCKED else ""
    by = f" by {name}" if name else ""
    return kind.state, f"The page is {kind.what}{by}: {', '.join(told)}."


def _score(kind: Kind, seen: Seen, headers: Mapping[str, str]) -> tuple[int, list[str]]:
    size = len(seen.words)
    if size > kind.limit:
        return 0, []
    score, told = 0, []
    heads = (seen.title, *seen.headings[: 2 if size > 500 else 6])
    head = next((text for text in heads if kind.titles.search(text)), "")
    if head:
        score += 3
        told.append(f"its title says {head[:80]!r}")
    told_by = seen.words if size > 80 else seen.everything  # where all was furniture, it speaks
    found = list(dict.fromkeys(match.group().lower() for match in kind.phrases.finditer(told_by[:4000])))
    if found:
        score += min(3, 1 + len(found))
        told.append(f"it says {found[0][:60]!r}")
    score += _extras(kind, seen, headers, told)
    score += size < 400
    if POLICY.search(seen.title + " " + " ".join(seen.headings[:1])):
        score -= 3 if not head else 2 * (size > 400)
    if size > 700 and not head:
        score = min(score, _NEEDED - 1)  # words alone do not outweigh a text of some length
    if size > 400 and kind.controls is not None and not kind.controls.search(seen.controls):
        score = min(score, _NEEDED - 1)  # nor does a wall of some length stand without a door
    if told:
        told.append(f"there are {size} characters of text in all")
    return (score if told else 0), told


def _extras(kind: Kind, seen: Seen, headers: Mapping[str, str], told: list[str]) -> int:
    """Count what only one kind of page shows: its controls, a password field, marks of a protection."""
    score = 0
    if kind.controls is not None and kind.controls.search(seen.controls):
        score += 1
        told.append("it has the controls of one")
    if kind.state is PageState.LOGIN_WALL and seen.passwords:
        score += 2
        told.append("it asks for a password")
    if kind.state is PageState.BLOCKED and protection(seen.markup, headers):
        score += 4 if any(name.lower() in _CERTAIN for name in headers) else 2
        told.append("it bears the marks of a bot protection")
    return score


_ASKS = re.compile(
    r"\b(?:enable|requires?|needs?|activate|turn on|without) (?:\w+ ){0,5}java ?script\b|"
    r"\bjava ?script (?:\w+ ){0,4}(?:enabled?|required|disabled|turned off)\b",
    re.I,
)


def shell(seen: Seen) -> str:
    """Return why a page without text is only a shell for scripts, "" if it is not."""
    if len(seen.words) > 400:
        return ""
    if asks := _ASKS.search(seen.everything):
        return f"The page shows its text only by client scripts; all it says is {asks.group()[:80]!r}."
    if len(seen.words) < 150 and seen.scripts > 1500:
        return (
            f"The page shows its text only by client scripts: {len(seen.words)} characters of text, "
            f"{seen.scripts} of script."
        )
    return ""
