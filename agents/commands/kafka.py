"""kafka: a real Apache Kafka on loopback without Docker."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agents.cluster import Cluster, check_nodes

kafka_app = typer.Typer(
    help="A local Apache Kafka from its own jars (Java 17 and Maven).", no_args_is_help=True
)

Folder = Annotated[Path, typer.Option("--dir", help="Where its jars, data and logs lie.")]
Nodes = Annotated[int, typer.Option(help="1, or 3 for a cluster that survives the loss of one.")]
Port = Annotated[int, typer.Option(help="The first node's port; the next are 10 higher each.")]


def _cluster(folder: Path, nodes: int, port: int) -> Cluster:
    check_nodes(nodes)
    return Cluster(folder=folder.resolve(), nodes=nodes, port=port)


@kafka_app.command()
def up(folder: Folder = Path(".kafka"), nodes: Nodes = 1, port: Port = 9092) -> None:
    """Bring the jars if they are not there, and start."""
    cluster = _cluster(folder, nodes, port)
    cluster.up()
    typer.echo(f"broker: kafka://{cluster.bootstrap}")


@kafka_app.command()
def down(folder: Folder = Path(".kafka"), nodes: Nodes = 3, port: Port = 9092) -> None:
    """Stop every node; the data stays."""
    _cluster(folder, nodes, port).down()


@kafka_app.command()
def status(folder: Folder = Path(".kafka"), nodes: Nodes = 3, port: Port = 9092) -> None:
    """Say which nodes run and answer. Exit status 1 when one that was set up does not."""
    well = True
    for node in _cluster(folder, nodes, port).members:
        if node.config.exists():
            answers = node.pid() is not None and node.listens()
            well = well and answers
            typer.echo(f"node {node.number}  {node.address}  {'answers' if answers else 'does not answer'}")
    if not well:
        raise typer.Exit(1)
