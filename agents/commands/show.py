"""How the command line shows pages and changes: coloured on a terminal, plain where it is not one."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rich.console import Console
from rich.text import Text

from pipeline.alerts.render import text as plain
from pipeline.events import Change, Clause, Comparison, Verdict

STYLES = {"-": "red strike", "+": "green bold", "=": ""}
VERDICTS = {
    Verdict.CHANGED: "bold yellow",
    Verdict.MINOR: "cyan",
    Verdict.UNCHANGED: "green",
    Verdict.BROKEN: "bold red",
}


def console(*, error: bool = False) -> Console:
    """Return a console that colours a terminal and is plain elsewhere."""
    return Console(stderr=error, highlight=False, soft_wrap=True)


def heading(change: Change) -> str:
    """Return where a change stands: its headings and printed number."""
    place = " › ".join(change.heading_path)
    return f"{change.number} {place}".strip() or "(no heading)"


def redline(change: Change, *, colour: bool) -> Text:
    """Return the redline of a change: struck and bold, or [-gone-]{+new+} without colour."""
    if not colour:
        return Text(plain.redline(change.redline))
    shown = Text()
    for op, words in change.redline:
        shown.append(words, STYLES.get(op, ""))
    return shown


def comparison(
    found: Comparison,
    detail: str,
    out: Console,
    *,
    why: Callable[[Change], Iterable[str]] | None = None,
) -> None:
    """Print a comparison for a reader: the verdict, the summary, then each change under its heading.

    `why` gives the lines that stand under a change to explain it.
    """
    out.print(Text(found.verdict.value, VERDICTS[found.verdict]), f"– {found.reason}" if found.reason else "")
    for line in (
        detail,
        found.summary,
        f"In force from {found.effective_date}." if found.effective_date else "",
    ):
        if line:
            out.print(line, markup=False)
    for change in found.changes:
        out.print()
        out.print(Text(f"{change.type.value} · {change.severity.value} · {heading(change)}", "bold"))
        out.print(redline(change, colour=out.is_terminal))
        for line in why(change) if why else ():
            out.print(line, markup=False)


def markdown(found: Comparison, detail: str = "") -> str:
    """Return a comparison as Markdown."""
    lines = [f"**{found.verdict.value}**" + (f": {found.reason}" if found.reason else "")]
    lines += [line for line in (detail, found.summary) if line]
    for change in found.changes:
        lines.append(f"### {change.type.value}: {heading(change)}\n\n{plain.markdown(change.redline)}")
    return "\n\n".join(lines)


def clauses(items: Iterable[Clause], out: Console) -> None:
    """Print clauses under their headings."""
    path: tuple[str, ...] | None = None
    for clause in items:
        if clause.path != path:
            path = clause.path
            out.print(Text("\n" + (" › ".join(path) or "(no heading)"), "bold"))
        out.print(f"  {clause.number} {clause.text}".replace("   ", "  "), markup=False)
