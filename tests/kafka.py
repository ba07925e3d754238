"""A real Kafka for the tests: one that is named, or a node of our own for as long as the session lasts."""

from __future__ import annotations

import os
import random
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from agents.cluster import Cluster, bring_jars
from pipeline.errors import PipelineError

ADDRESS_VARIABLE = "CLAUSEWIRE_TEST_KAFKA"
CACHE_VARIABLE = "CLAUSEWIRE_KAFKA_DIR"
PORTS = (10_240, 20_480, 2)


def cache() -> Path:
    """Where Kafka's jars are kept between sessions."""
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named) if named else Path.home() / ".cache" / "clausewire" / "kafka"


def free_port() -> int:
    """A port of loopback that nobody has, with the next one free too: a node takes both.

    It lies below those that the system gives to outgoing connections: one of these would take it before the node does.
    """
    while True:
        port = random.randrange(*PORTS)
        with socket.socket() as one, socket.socket() as two:
            if one.connect_ex(("127.0.0.1", port)) and two.connect_ex(("127.0.0.1", port + 1)):
                return port


@contextmanager
def cluster(folder: Path, **options: object) -> Iterator[Cluster]:
    """A cluster on free ports that runs for as long as the block does; skips where there can be none."""
    libs = cache() / "libs"
    try:
        libs.mkdir(parents=True, exist_ok=True)
        bring_jars(libs)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "libs").symlink_to(libs)
        made = Cluster(folder=folder, port=free_port(), **options)  # type: ignore[arg-type]
        made.up()
    except PipelineError as error:
        without(f"{error}. {error.remedy}")
    try:
        yield made
    finally:
        made.down()


def without(reason: str) -> None:
    """Skip what needs Kafka, loudly; where CI says that it is CI, fail."""
    told = f"NOT RUN ON KAFKA: {reason} (or name a broker: {ADDRESS_VARIABLE}=host:port)"
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(told)
    pytest.skip(told)


def one_node(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """The address of a broker for the session."""
    named = os.environ.get(ADDRESS_VARIABLE)
    if named:
        yield named
        return
    if shutil.which("java") is None:
        without("there is no java on this machine; install a Java 17 runtime")
    fast = {"log.cleaner.backoff.ms": "500", "log.initial.task.delay.ms": "500", **(settings or {})}
    with cluster(folder, settings=fast) as running:
        yield running.bootstrap
