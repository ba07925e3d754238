"""The options that show a running process: what is bad among them is told before anything starts."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from click.testing import Result
from typer.testing import CliRunner

from agents.__main__ import app
from agents.commands.running import set_up_logs
from pipeline.errors import ConfigError

CONFIG = """
data: ./data
documents: [{service: S, name: N, url: "http://127.0.0.1:9/", interval: 1h}]
routes: [{name: T, to: {console: out.txt}}]
"""


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """Leave the set-up of logs as it was."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def run(folder: Path, *options: str) -> Result:
    """Run the program in a folder of its own until it ends by itself."""
    (folder / "clausewire.yaml").write_text(CONFIG)
    return CliRunner().invoke(app, ["run", "-c", str(folder / "clausewire.yaml"), *options])


def test_taken_port_stops_the_start(tmp_path: Path) -> None:
    """A port that another program has ends the start, before there is any log, with a remedy."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        error = run(tmp_path, "--metrics-port", port).exception
    assert isinstance(error, ConfigError)
    assert f"port {port}" in str(error)
    assert "--metrics-port" in error.remedy
    assert not (tmp_path / "data" / "log.db").exists()


@pytest.mark.parametrize("port", ["-1", "65536", "web"])
def test_bad_port_is_told(tmp_path: Path, port: str) -> None:
    """What is no port is told with the option's name, and exit status 2."""
    ended = run(tmp_path, "--metrics-port", port)
    assert ended.exit_code == 2
    assert "--metrics-port" in ended.output


def test_pretty_and_json_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """A line carries what is bound to the work at hand, in either form."""
    for form in ("json", "pretty"):
        set_up_logs(form)
        with structlog.contextvars.bound_contextvars(event_id="pag-1"):
            structlog.get_logger().info("page.read", document="x/terms")
    as_json, pretty = capsys.readouterr().err.splitlines()
    row = json.loads(as_json)
    assert (row["event"], row["event_id"], row["document"]) == ("page.read", "pag-1", "x/terms")
    assert all(word in pretty for word in ("page.read", "event_id=pag-1", "document=x/terms"))


def test_hanging_thread_holds_no_process_up() -> None:
    """A process that has done its work ends, and well, though a thread of it never does."""
    words = (
        "import threading; from agents.commands.running import end_within; "
        "threading.Thread(target=threading.Event().wait).start(); end_within(0.2)"
    )
    assert subprocess.run([sys.executable, "-c", words], timeout=60, check=False).returncode == 0
