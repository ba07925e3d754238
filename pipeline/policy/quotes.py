"""Which words of a text to quote: whole sentences where they fit, else whole phrases of one; always verbatim.

A quotation begins and ends where a reader would draw breath: at the ends of a sentence, else at a comma, a colon or
before a conjunction. Both sides of an edit are quoted from the same word on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_IDEOGRAPHS = "\u3040-\u30ff\u3400-\u9fff"
_PIECE = re.compile(rf"[{_IDEOGRAPHS}]{{1,3}}|[^\s{_IDEOGRAPHS}]+")
_ABBREVIATED = "".join(
    rf"(?<!\b{word}\.)"
    for word in (
        "St",
        "No",
        "Nos",
        "Inc",
        "Ltd",
        "Co",
        "Corp",
        "Mr",
        "Ms",
        "Dr",
        "Art",
        "Sec",
        "vs",
        "approx",
    )
)
_BREAK = re.compile(
    rf"(?<=[.!?]){_ABBREVIATED}(?<!\b[A-Z]\.)(?<!\be\.g\.)(?<!\bi\.e\.)(?<!^\d\.)(?<!^\d\d\.)"
    r"\s+(?=[A-Z(“\"])|[。！？]|\n+|[“”\"„«»]",
    re.MULTILINE,
)
_PHRASE = re.compile(
    r"(?<=[,;:)])\s+|\s+[–—]\s+|\s+(?=\()"
    r"|\s+(?=(?:and|or|but|which|who|that|if|unless|where|when|because|for|to|in|by|from|with|including|such as|"
    r"provided|except|regardless|whether|until|after|before|under)\b)",
    re.IGNORECASE,
)
_BREATH = (",", ";", ":", ")", ".")
_EDGES = " ,;:.–-#*_|"
_HANGING = (
    r"(?:the|a|an|of|to|in|on|for|and|or|by|with|our|your|their|its|that|which|any|from|at|as|if|is|are|"
    r"be|this|these|not|may|will|must|shall|can)"
)


def quote(text: str, anchor: int = 0, *, words: int = 22) -> str:
    """Return a verbatim stretch of a text around an offset, without inner quotation marks.

    It is the whole sentence where that has no more than `words` words, else the phrases around the offset.
    """
    start, end = sentence(text, anchor)
    if length(text[start:end]) <= words:
        return _tidy(text[start:end])
    cuts = [start, *(match.end() for match in _PHRASE.finditer(text, start, end)), end]
    at = max(place for place, cut in enumerate(cuts[:-1]) if cut <= max(anchor, start))
    first, last = _widened(text, cuts, at, words)
    return _clipped(text, cuts[first], cuts[last], max(anchor, start), words)


def _widened(text: str, cuts: Sequence[int], at: int, words: int) -> tuple[int, int]:
    """Return the phrases around one that fit together, those before it first while they lead to its subject."""
    first, last = at, at + 1
    while first > 0 and length(text[cuts[first - 1] : cuts[last]]) <= words * 0.6:
        first -= 1
    while last < len(cuts) - 1 and length(text[cuts[first] : cuts[last + 1]]) <= words:
        last += 1
    while first > 0 and length(text[cuts[first - 1] : cuts[last]]) <= words:
        first -= 1
    return first, _breath(text, cuts, at, last)


def _breath(text: str, cuts: Sequence[int], at: int, last: int) -> int:
    """Step back to a comma or the like, where one stands not far before the end."""
    for place in range(last, max(at, last - 3), -1):
        if place == len(cuts) - 1 or text[: cuts[place]].rstrip().endswith(_BREATH):
            return place
    return last


def _clipped(text: str, start: int, end: int, anchor: int, words: int) -> str:
    """Return a stretch; one that is too long for a single phrase is cut at a word that leaves nobody hanging."""
    pieces = [match.span() for match in _PIECE.finditer(text, start, end)]
    if len(pieces) > words:
        at = next((place for place, (_, stop) in enumerate(pieces) if stop > anchor), 0)
        first = 0 if at < words - 4 else max(0, at - 6)
        pieces = pieces[first : first + words]
    return _tidy(text[pieces[0][0] : pieces[-1][1]]) if pieces else ""


_TRAILING = re.compile(
    r"[\s,;:(–-]+(?:including|for example|for instance|such as|e\.g\.|in addition|in order|"
    rf"according|due|prior|subject|as well as|{_HANGING})$",
    re.IGNORECASE,
)


def _tidy(words: str) -> str:
    """Return a stretch without what would leave a reader hanging at its end; whole sentences have no such end."""
    told = re.sub(r"^(?:and|or|but)\s+", "", _balanced(words.strip()).strip(_EDGES))
    while words.rstrip()[-1:] not in ".!?" and (match := _TRAILING.search(told)):
        told = told[: match.start()].strip(_EDGES)
    return told


def length(text: str) -> int:
    """Return how many words a text has; three ideographs count as one."""
    return sum(1 for _ in _PIECE.finditer(text))


def sentence(text: str, anchor: int) -> tuple[int, int]:
    """Return where the sentence around an offset begins and ends, cut at quotation marks and line ends."""
    start, end = 0, len(text)
    for match in _BREAK.finditer(text):
        if match.start() <= anchor:
            start = match.end()
        else:
            end = match.start()
            break
    return start, end


def _balanced(words: str) -> str:
    """Cut a stretch so that no bracket in it lacks its partner."""
    depth, start, opened = 0, 0, -1
    for place, char in enumerate(words):
        if char in "(（":
            opened = place if depth == 0 else opened
            depth += 1
        elif char in ")）" and depth:
            depth -= 1
        elif char in ")）":
            start = place + 1
    if not depth:
        return words[start:]
    return words[start:opened] if opened - start > 12 else words[opened + 1 :]


@dataclass(frozen=True, slots=True)
class Edit:
    """One stretch that an edit touched: its offsets in the old and in the new text."""

    old: tuple[int, int]
    new: tuple[int, int]

    @property
    def size(self) -> int:
        """How many characters went and came."""
        return self.old[1] - self.old[0] + self.new[1] - self.new[0]


NEAR = 3  # equal words at most between two edits that are told as one


def edits(redline: Sequence[tuple[str, str]]) -> tuple[Edit, ...]:
    """Return the edited stretches of a redline in order, those that few equal words part as one."""
    found: list[Edit] = []
    for edit, gap in _stretches(redline):
        if found and length(gap) <= NEAR and not re.search(r"[.!?]\s", gap):
            found[-1] = Edit((found[-1].old[0], edit.old[1]), (found[-1].new[0], edit.new[1]))
        else:
            found.append(edit)
    return tuple(found)


def _stretches(redline: Sequence[tuple[str, str]]) -> Iterator[tuple[Edit, str]]:
    """Yield each stretch that went or came, with the equal words before it."""
    before = after = 0
    gap = ""
    for op, text in redline:
        old, new = (0 if op == "+" else len(text)), (0 if op == "-" else len(text))
        if op == "=":
            gap = text
        elif text.strip():
            yield Edit((before, before + old), (after, after + new)), gap
            gap = ""
        before, after = before + old, after + new


def sides(redline: Sequence[tuple[str, str]], edit: Edit, *, words: int) -> tuple[str, str]:
    """Return both wordings of an edit, quoted from the same word on; "" for a side that says nothing.

    A side without words of its own is quoted with its sentence, unless whole sentences came or went.
    """
    old = "".join(text for op, text in redline if op in "=-")
    new = "".join(text for op, text in redline if op in "=+")
    gone, come = _own(old, edit.old), _own(new, edit.new)
    if not gone and _is_whole(new, edit.new):
        return "", quote(new, _first(new, edit.new), words=words)
    if not come and _is_whole(old, edit.old):
        return quote(old, _first(old, edit.old), words=words), ""
    begin = _lead(old, edit.old[0], words)
    told = (
        _onwards(old, begin, edit.old[1], words),
        _onwards(new, _mapped(redline, begin), edit.new[1], words),
    )
    if min(map(length, told)) >= LEAST and told[0] != told[1]:
        return told
    return _longer(old, edit.old, new, edit.new, words)


def _longer(old: str, gone: tuple[int, int], new: str, come: tuple[int, int], words: int) -> tuple[str, str]:
    """Return the side that an edit says more on, alone: the longest stretch of it between quotation marks."""
    before, after = _longest(old, gone), _longest(new, come)
    if after[1] - after[0] >= before[1] - before[0]:
        return "", quote(new, after[0], words=words) if length(new[slice(*after)]) >= 3 else ""
    return quote(old, before[0], words=words) if length(old[slice(*before)]) >= 3 else "", ""


def _longest(text: str, span: tuple[int, int]) -> tuple[int, int]:
    pieces = [match.span() for match in _BETWEEN.finditer(text, *span)]
    return max(pieces, key=lambda piece: piece[1] - piece[0], default=(span[0], span[0]))


_BETWEEN = re.compile(r"[^\s“”\"„«»][^“”\"„«»]*")


def _own(text: str, span: tuple[int, int]) -> str:
    return text[slice(*span)].strip(_EDGES)


def _first(text: str, span: tuple[int, int]) -> int:
    """Return where the first word of a stretch stands, past the full stop that an edit may begin with."""
    match = re.compile(r"[^\W_]").search(text, *span)
    return match.start() if match else span[0]


def _is_whole(text: str, span: tuple[int, int]) -> bool:
    """Tell a stretch that begins with a sentence, or a line, and has words enough to be understood alone."""
    first = _first(text, span)
    return sentence(text, first)[0] == first and length(text[first : span[1]]) >= 4


LEAST = 2  # words on either side of an edit that is quoted with both


def _mapped(redline: Sequence[tuple[str, str]], offset: int) -> int:
    """Return where a place of the old text stands in the new one."""
    before = after = 0
    for op, text in redline:
        old = 0 if op == "+" else len(text)
        if before + old > offset or (op != "+" and before + old == offset and op == "-"):
            return after + (offset - before if op == "=" else 0)
        before, after = before + old, after + (0 if op == "-" else len(text))
    return after


def _lead(old: str, start: int, words: int) -> int:
    """Return where to begin before an edit: with its sentence, or with the phrases next to it."""
    begin, end = sentence(old, max(0, start - 1))
    if end < start:
        return start
    cuts = [begin, *(match.end() for match in _PHRASE.finditer(old, begin, start))]
    room = max(4, words // 2)
    fitting = [cut for cut in cuts if length(old[cut:start]) <= room]
    if fitting:
        return fitting[0]
    pieces = [match.start() for match in _PIECE.finditer(old, begin, start)]
    return pieces[-min(room, len(pieces))] if pieces else start


def _onwards(text: str, begin: int, edited: int, words: int) -> str:
    """Return the words from before an edit to its end, and on to the next breath."""
    _, end = sentence(text, max(begin, min(edited - 1, _first(text, (begin, len(text))))))
    stop = _reach(text, begin, edited, end, words)
    return _clipped(text, begin, stop, begin, words)


def _reach(text: str, begin: int, edited: int, end: int, words: int) -> int:
    """Return the furthest end that fits: of the sentence, else of a phrase past the edit, else of the last."""
    if length(text[begin:end]) <= words:
        return end
    cuts = [match.end() for match in _PHRASE.finditer(text, begin + 1, end)]
    fitting = [cut for cut in cuts if length(text[begin:cut]) <= words]
    past = [cut for cut in fitting if cut >= edited]
    breaths = [cut for cut in past if text[:cut].rstrip().endswith(_BREATH)]
    return (breaths or past or fitting[-1:] or [end])[-1 if not past or breaths else 0]
