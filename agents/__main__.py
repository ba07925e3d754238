"""The command line of Clausewire.

Exit status: 0 all is well, 1 the command found what it looks for (a change, a failing check), 2 something cannot
be used (a page, an argument, the configuration), 3 something does not answer now (the log, the network).
"""

from __future__ import annotations

import sys

import typer

from agents.commands import (
    bench,
    deliveries,
    explain,
    history,
    importing,
    interface,
    kafka,
    pages,
    running,
    setup,
    show,
    silences,
    sources,
    subscriptions,
    topics,
)
from pipeline.errors import PipelineError, RetryError

UNUSABLE, UNAVAILABLE = 2, 3

app = typer.Typer(
    name="clausewire",
    help="Watches the policies that companies publish and the news about them, and tells which clause changed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)

app.command(rich_help_panel="Look at pages")(pages.check)
app.command(rich_help_panel="Look at pages")(pages.extract)
app.command(rich_help_panel="Look at pages")(pages.diff)
app.command(rich_help_panel="Look at pages")(pages.classify)

app.command(rich_help_panel="Run")(setup.init)
app.command(rich_help_panel="Run")(setup.doctor)
app.command(rich_help_panel="Run")(running.run)
app.command(rich_help_panel="Run")(running.worker)
app.command(rich_help_panel="Run")(running.poll)
app.command(rich_help_panel="Run")(setup.demo)
app.add_typer(kafka.kafka_app, name="kafka", rich_help_panel="Run")
app.add_typer(sources.sources_app, name="sources", rich_help_panel="Run")
app.add_typer(subscriptions.subscriptions_app, name="subscriptions", rich_help_panel="Run")
app.add_typer(silences.silence_app, name="silence", rich_help_panel="Run")
app.command(rich_help_panel="Run")(interface.api)
app.add_typer(interface.keys_app, name="api-keys", rich_help_panel="Run")
app.command("secret-key", rich_help_panel="Run")(interface.secret_key)

app.command(rich_help_panel="History")(history.alerts)
app.add_typer(deliveries.deliveries_app, name="deliveries", rich_help_panel="History")
app.command(rich_help_panel="History")(deliveries.why)
app.command(rich_help_panel="History")(explain.explain)
app.command(rich_help_panel="History")(explain.clauses)
app.command("import", rich_help_panel="History")(importing.import_pages)
app.command("replay", rich_help_panel="History")(history.replay_history)
app.add_typer(topics.topics_app, name="topics", rich_help_panel="History")
app.command(rich_help_panel="History")(history.events)
app.add_typer(history.rejected_app, name="rejected", rich_help_panel="History")

app.add_typer(bench.bench_app, name="bench", rich_help_panel="Measure")


def main() -> None:
    """Run the command line; foreseen failures end in a sentence and a remedy, never in a traceback."""
    try:
        app()
    except PipelineError as error:
        out = show.console(error=True)
        out.print(f"clausewire: {error}", markup=False)
        if error.remedy and error.remedy not in str(error):
            out.print(f"  {error.remedy}", markup=False)
        sys.exit(UNAVAILABLE if isinstance(error, RetryError) else UNUSABLE)


if __name__ == "__main__":
    main()
