"""The command line of Clausewire.

Exit status: 0 all is well, 1 the command found what it looks for (a change, a failing check), 2 something cannot
be used (a page, an argument, the configuration), 3 something does not answer now (the log, the network).
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from agents.commands.catalogue import Catalogue
from pipeline.errors import PipelineError, RetryError

UNUSABLE, UNAVAILABLE = 2, 3

app = typer.Typer(
    cls=Catalogue,
    name="clausewire",
    help="Watches the policies that companies publish and the news about them, and tells which clause changed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"clausewire {version('clausewire')}")
        raise typer.Exit


@app.callback()
def clausewire(
    told: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Watches the policies that companies publish and the news about them, and tells which clause changed."""


def main() -> None:
    """Run the command line; foreseen failures end in a sentence and a remedy, never in a traceback."""
    try:
        app()
    except PipelineError as error:
        from agents.commands import show

        out = show.console(error=True)
        out.print(f"clausewire: {error}", markup=False)
        if error.remedy and error.remedy not in str(error):
            out.print(f"  {error.remedy}", markup=False)
        sys.exit(UNAVAILABLE if isinstance(error, RetryError) else UNUSABLE)


if __name__ == "__main__":
    main()
