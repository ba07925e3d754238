"""bench: how good and how fast, measured on this machine; the scripts lie in tests/bench of a clone."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from agents.commands.reading import InputError

SCRIPTS = Path(__file__).parents[2] / "tests" / "bench"
QUALITY = ("bench_scenarios", "bench_extract", "bench_compare", "bench_meaning", "bench_news")
SPEED = ("bench_log", "bench_line", "bench_poll", "bench_delivery")

bench_app = typer.Typer(help="Measure quality and speed.", no_args_is_help=True)

Data = Annotated[Path | None, typer.Option(help="A folder of labelled policies, news and clauses.")]


@bench_app.command("quality")
def quality(
    data: Annotated[Path, typer.Option(help="A folder of labelled policies, news and clauses.")],
) -> None:
    """Print every measure of quality on labelled data, with the peer or published figure beside it."""
    _run(QUALITY, data)


@bench_app.command("speed")
def speed(
    only: Annotated[str, typer.Argument(help="One of log, line, poll, delivery; none means all.")] = "",
) -> None:
    """Print what the machinery does per second, and from fetch to delivery."""
    _run([f"bench_{only}"] if only else SPEED, None)


@bench_app.command("all")
def everything(data: Data = None) -> None:
    """Print the speeds, and the quality where data is given."""
    _run(SPEED, None)
    if data is None:
        typer.echo("quality: not measured, name labelled data with --data DIR")
    else:
        _run(QUALITY, data)


@bench_app.command("classify")
def classify(
    train: Annotated[
        Path, typer.Argument(help="CSV of text,label; a text with several labels on several rows.")
    ],
    test: Annotated[Path, typer.Argument(help="CSV of the same form.")],
) -> None:
    """Train the product's own recipe on one file, test it on another; F1 in per cent, macro and micro."""
    from pipeline.policy.learn import evaluate

    macro, micro, lines = evaluate(_labelled(train), _labelled(test))
    for line in lines:
        typer.echo(line)
    typer.echo(f"macro={macro:.1f} micro={micro:.1f}")


def _labelled(path: Path) -> list[tuple[str, set[str]]]:
    """Return each text of a CSV with its labels, in the order of first appearance."""
    labels: dict[str, set[str]] = {}
    for text, label in _rows(path):
        labels.setdefault(text, set()).add(label)
    return list(labels.items())


def _rows(path: Path) -> Iterator[tuple[str, str]]:
    csv.field_size_limit(10_000_000)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: {error}", remedy="name a UTF-8 CSV of text,label") from None
    for number, row in enumerate(rows, 1):
        if len(row) < 2:
            raise InputError(f"{path}, line {number}: no label", remedy="write text,label")
        if number == 1 and [name.strip().lower() for name in row[:2]] == ["text", "label"]:
            continue
        yield row[0], row[1].strip()


def _run(scripts: Sequence[str], data: Path | None) -> None:
    """Run bench scripts one after the other, each in a process of its own, so that none warms another."""
    for name in scripts:
        path = SCRIPTS / f"{name}.py"
        if not path.exists():
            raise InputError(f"{path} is not there", remedy="run benches from a clone of the repository")
        typer.echo(f"== {name.removeprefix('bench_')}")
        given = ["--data", str(data)] if data else []
        done = subprocess.run([sys.executable, str(path), *given], check=False, cwd=SCRIPTS.parents[1])
        if done.returncode:
            raise typer.Exit(done.returncode)
