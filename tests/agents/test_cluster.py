"""A local Kafka: which of its nodes run."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agents.cluster import Node


@contextmanager
def process(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A child of ours that nobody has asked for its exit status; gone afterwards."""
    with subprocess.Popen(command) as child:
        yield child
        child.kill()


@pytest.mark.parametrize(("command", "runs"), [(("sleep", "60"), True), (("true",), False)])
def test_ended_node_is_noticed(tmp_path: Path, command: tuple[str, ...], runs: bool) -> None:
    """A node that ended by itself does not count as running: a start that waits for it can tell why."""
    node = Node(number=1, folder=tmp_path, port=1, controller=2)
    with process(*command) as child:
        node.pid_file.write_text(str(child.pid))
        end = time.monotonic() + 10
        while (node.pid() is not None) is not runs and time.monotonic() < end:
            time.sleep(0.01)
        assert (node.pid() is not None) is runs
