"""bench: how good and how fast, measured on this machine; the scripts lie in tests/bench of a clone."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from agents.commands.reading import InputError

REPOSITORY = Path(__file__).parents[2]
Arguments = Callable[[Path], list[str]]

# Each measure of quality, and how its script is told where the labelled data lies.
QUALITY: dict[str, Arguments] = {
    "scenarios": lambda data: [],
    "extract": lambda data: [str(data / "policies")],
    "compare": lambda data: [str(data / "policies")],
    "meaning": lambda data: [str(data)],
    "news": lambda data: ["--data", str(data)],
}
SPEED = ("log", "line", "poll", "delivery", "kafka", "replay")

bench_app = typer.Typer(help="Measure quality and speed.", no_args_is_help=True)

Data = Annotated[Path | None, typer.Option(help="A folder of labelled policies, news and clauses.")]


@bench_app.command("quality")
def quality(
    data: Annotated[Path, typer.Option(help="A folder of labelled policies, news and clauses.")],
    only: Annotated[str, typer.Argument(help="One of scenarios, extract, compare, meaning, news.")] = "",
) -> None:
    """Print every measure of quality on labelled data, with the peer or published figure beside it."""
    if not (data / "policies").is_dir():
        raise InputError(
            f"{data} holds no policies", remedy="name a folder with policies/, news/ and labelled/"
        )
    for name in _chosen(only, tuple(QUALITY)):
        _run(name, QUALITY[name](data.resolve()))


@bench_app.command("speed")
def speed(
    only: Annotated[
        str, typer.Argument(help="One of log, line, poll, delivery, kafka, replay; none means all.")
    ] = "",
) -> None:
    """Print what the machinery does per second, and from fetch to delivery."""
    for name in _chosen(only, SPEED):
        _run(name, [])


@bench_app.command("all")
def everything(data: Data = None) -> None:
    """Print the speeds, and the quality where data is given."""
    speed("")
    if data is None:
        typer.echo("quality: not measured, name labelled data with --data DIR")
    else:
        quality(data, "")


@bench_app.command("classify")
def classify(
    train: Annotated[
        Path, typer.Argument(help="CSV of text,label; a text with several labels on several rows.")
    ],
    test: Annotated[Path, typer.Argument(help="CSV of the same form.")],
) -> None:
    """Train the product's own recipe on one file, test it on another; F1 in per cent, macro and micro."""
    from pipeline.policy.learn import measured
    from pipeline.policy.learn import train as trained

    macro, micro, labels = measured(trained(_labelled(train)), _labelled(test))
    for label, score in labels.items():
        typer.echo(f"{score:6.1f}  {label}")
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


def _chosen(only: str, names: tuple[str, ...]) -> tuple[str, ...]:
    if only and only not in names:
        raise InputError(f"there is no bench {only!r}", remedy=f"choose one of {', '.join(names)}")
    return (only,) if only else names


def _run(name: str, arguments: list[str]) -> None:
    """Run a bench script in a process of its own, so that none warms another."""
    if not (REPOSITORY / "tests" / "bench" / f"bench_{name}.py").exists():
        raise InputError(
            f"the bench {name} is not there", remedy="run benches from a clone of the repository"
        )
    typer.echo(f"== {name}")
    command = [sys.executable, "-W", "ignore", "-m", f"tests.bench.bench_{name}", *arguments]
    done = subprocess.run(command, check=False, cwd=REPOSITORY)
    if done.returncode:
        raise typer.Exit(done.returncode)
