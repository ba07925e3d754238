"""A deployment for the commands over history, on either broker: its configuration, and the log behind it."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agents.__main__ import app
from pipeline.adapters.blobs import FolderBlobs
from pipeline.adapters.history import EmbeddedHistory, open_history
from pipeline.adapters.kafka.history import KafkaHistory
from pipeline.config import Settings, load

CONFIG = """
data: {folder}
broker: {broker}
kafka: {{prefix: "{prefix}", partitions: 3, session_timeout: 6s}}
routes:
  - {{name: me, to: {{console: stdout}}}}
documents:
  - {{service: Example, name: Terms of Service, url: "https://example.org/terms"}}
"""


class Deployment:
    """A configuration, and history that lies behind it."""

    def __init__(self, folder: Path, broker: str) -> None:
        self.config = folder / "clausewire.yaml"
        prefix = f"replay-{uuid.uuid4().hex[:8]}."
        self.config.write_text(CONFIG.format(folder=folder, broker=broker, prefix=prefix))
        self.settings: Settings = load(self.config, {})
        self.blobs = FolderBlobs(folder / "blobs")

    def open(self) -> EmbeddedHistory | KafkaHistory:
        return open_history(self.settings, create=True)

    def command(self, *words: str, status: int = 1) -> str:
        """Run a command; its exit status must be as said."""
        given = [*words, "--config", str(self.config)]
        result = CliRunner().invoke(app, given, catch_exceptions=False)
        assert result.exit_code == status, result.output
        return result.output

    def process(self, *words: str) -> subprocess.Popen[bytes]:
        """Run a command in a process of its own."""
        given = [sys.executable, "-m", "agents", *words, "--config", str(self.config)]
        return subprocess.Popen(given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@contextmanager
def deployed(request: pytest.FixtureRequest, folder: Path) -> Iterator[Deployment]:
    """A deployment on the broker that the fixture's parameter names, with topics that no other test uses."""
    is_kafka = request.param == "kafka"
    made = Deployment(
        folder, f"kafka://{request.getfixturevalue('kafka')}" if is_kafka else f"embedded://{folder}/log.db"
    )
    yield made
    if is_kafka:
        with made.open() as history:
            history.drop("")
