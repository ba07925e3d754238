"""check, extract, diff, classify: what a page says, and how two of them differ."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.progress import track

from agents.commands import reading, show
from agents.commands.reading import InputError, Row, Served
from agents.explanation import reasons
from pipeline.events import PageState, Verdict
from pipeline.policy.classify import describe

ADDRESS = ("http://", "https://")
DIFFERS, TROUBLE = 1, 2

Target = Annotated[str, typer.Argument(help="A file (HTML, Markdown, text, PDF; .gz too) or a URL.")]
Batch = Annotated[
    Path | None, typer.Option(help="A file of JSON lines; one result per line on standard output.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the public JSON.")]


def load(target: str, *, status: int = 200, browser: str = "", sandbox: bool = True) -> Served:
    """Return the page at a path or a URL; a URL's is rendered where a browser is named and scripts must fill it."""
    if target.lower().startswith(ADDRESS):
        from agents.commands.fetching import fetch_once

        return asyncio.run(fetch_once(target, browser=browser, sandbox=sandbox))
    return reading.from_file(target, status=status)


def check(
    url: Annotated[str, typer.Argument(help="The address of a policy page.")],
    select: Annotated[list[str] | None, typer.Option(help="CSS selector of the text.")] = None,
    remove: Annotated[list[str] | None, typer.Option(help="CSS selector of what to leave out.")] = None,
    browser: Annotated[
        str, typer.Option(help="A Chromium for pages that only scripts can fill; auto finds it on PATH.")
    ] = "",
    sandbox: Annotated[bool, typer.Option(help="Chromium's own sandbox; it cannot start as root.")] = True,
) -> None:
    """Fetch a page once and print the clauses that would be watched."""
    found = reading.read(
        load(url, browser=browser, sandbox=sandbox), select=select or (), remove=remove or ()
    )
    out = show.console()
    if found.version is None or found.state is not PageState.OK:
        out.print(f"{found.state.value}: {found.reason}", style="bold red", markup=False)
        raise typer.Exit(TROUBLE)
    show.clauses(found.version.clauses, out)
    out.print(
        f"\n{len(found.version.clauses)} clauses, {found.version.language or 'language unknown'}",
        markup=False,
    )
    for note in found.notes:
        out.print(f"note: {note}", markup=False)


def extract(
    page: Annotated[str | None, typer.Argument(help="A file or a URL.")] = None,
    as_json: AsJson = False,
    batch: Batch = None,
) -> None:
    """Print the text of a page as Markdown, or its clauses as JSON."""
    if batch:
        return run_batch(batch, reading.extract_row)
    found = reading.read(load(_needed(page, "a page")))
    if as_json:
        return print_json(reading.extracted(found))
    if found.version is None or found.state is not PageState.OK:
        show.console(error=True).print(f"{found.state.value}: {found.reason}", markup=False)
        raise typer.Exit(TROUBLE)
    typer.echo(found.version.text)
    return None


def diff(
    old: Annotated[str | None, typer.Argument(help="The earlier page: a file or a URL.")] = None,
    new: Annotated[str | None, typer.Argument(help="The later page: a file or a URL.")] = None,
    as_json: AsJson = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Say under each change why.")] = False,
    batch: Batch = None,
) -> None:
    """Show which clauses differ between two pages.

    Exit status: 0 nothing a reader would want to be told, 1 changed, 2 the new page cannot be read.
    """
    if batch:
        return run_batch(batch, reading.diff_row)
    found, detail = reading.compared(load(_needed(old, "the old page")), load(_needed(new, "the new page")))
    if as_json:
        print_json(reading.as_json(found, detail))
    elif as_markdown:
        typer.echo(show.markdown(found, detail))
    else:
        show.comparison(found, detail, show.console(), why=reasons if explain else None)
    if found.verdict in {Verdict.CHANGED, Verdict.BROKEN}:
        raise typer.Exit(DIFFERS if found.verdict is Verdict.CHANGED else TROUBLE)
    return None


class TextRow(msgspec.Struct, frozen=True):
    """One line of `classify --batch`."""

    text: str


def classify(
    text: Annotated[str | None, typer.Argument(help="A clause.")] = None,
    batch: Batch = None,
) -> None:
    """Say which categories a clause belongs to, and the facts it states."""
    if batch:
        return run_lines(batch, lambda line, _: describe(msgspec.json.decode(line, type=TextRow).text))
    return print_json(describe(_needed(text, "a text")))


def run_batch(path: Path, handle: Callable[[Row], dict[str, Any]]) -> None:
    """Handle every line of a file; a line that fails yields its error, and the rest go on."""
    run_lines(path, lambda line, number: handle(reading.row_of(line, number)))


def run_lines(path: Path, handle: Callable[[str, int], dict[str, Any]]) -> None:
    """Handle every non-empty line of a file, printing one line of JSON for each."""
    for number, line in _lines(path):
        try:
            result: Any = handle(line, number)
        except Exception as error:
            result = reading.explained(error)
        print_json(result)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {error}", remedy="name a UTF-8 file of JSON lines") from None
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    return iter(track(numbered, console=show.console(error=True), disable=not sys.stderr.isatty()))


def print_json(value: Any) -> None:
    """Print a value as one line of JSON."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


def _needed(given: str | None, what: str) -> str:
    if given is None:
        raise InputError(f"name {what}, or a file with --batch", remedy="see --help")
    return given
