"""The HTTP API before schemathesis, by the API's own OpenAPI document: the program as it runs, on loopback."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from xml.etree import ElementTree

from agents.api.access import SCOPES
from agents.api.operations import OPERATIONS
from tests.judges.tools import ASK_S, INSTALL_S, TOOLS, run
from tests.judges.verdict import NotInstalledError

LOCK = Path(__file__).parent / "python" / "requirements.txt"
CONFIG = LOCK.with_name("schemathesis.toml")
CLAUSEWIRE = (sys.executable, "-m", "agents")
EXAMPLES, SEED, START_S = 30, 20_261_121, 60.0


def operations() -> int:
    """Return how many operations the API describes."""
    return len(OPERATIONS)


def violations() -> list[str]:
    """Return what schemathesis finds in the API, each fault with the request that shows it."""
    judge = _installed()
    with tempfile.TemporaryDirectory(prefix="judge-") as folder, _serving(Path(folder)) as (url, key):
        report = Path(folder) / "report.xml"
        command = [
            str(judge), "--config-file", str(CONFIG), "run", f"{url}/openapi.json", "--header", f"Authorization: Bearer {key}",
            "--checks", "all", "--max-examples", str(EXAMPLES), "--seed", str(SEED), "--continue-on-failure",
            "--generation-database", "none", "--request-timeout", "30", "--report-junit-path", str(report),
        ]  # fmt: skip
        run(command, timeout_s=ASK_S, good=(0, 1))
        return list(_faults(report))


def _faults(report: Path) -> Iterator[str]:
    cases = list(ElementTree.parse(report).getroot().iter("testcase"))
    if not cases:
        yield "nothing was tested"
    for case in cases:
        for kind in ("failure", "error"):
            for fault in case.iter(kind):
                said = " ".join((fault.text or fault.get("message") or kind).split())
                yield f"{case.get('name')}: {said[:600]}"


def _installed() -> Path:
    """Return the program in an environment of its own, since it brings a plugin into every test run beside it."""
    folder = TOOLS / f"python-{sha256(LOCK.read_bytes()).hexdigest()[:16]}"
    program = folder / "bin" / "schemathesis"
    if not program.exists():
        uv = [sys.executable, "-m", "uv"]
        try:
            run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)])
            python = str(folder / "bin" / "python")
            install = [
                *uv,
                "pip",
                "install",
                "--quiet",
                "--python",
                python,
                "--require-hashes",
                "-r",
                str(LOCK),
            ]
            run(install, timeout_s=INSTALL_S)
        except RuntimeError as error:
            remedy = "uv pip install --require-hashes -r tests/judges/python/requirements.txt"
            raise NotInstalledError(f"schemathesis could not be installed: {error}", remedy) from None
    return program


@contextlib.contextmanager
def _serving(folder: Path) -> Iterator[tuple[str, str]]:
    """Serve the API of a fresh deployment; gives its address and a key that may do everything."""
    config = str(folder / "clausewire.yaml")
    env = {**os.environ, "CLAUSEWIRE_SECRET_KEY": _said(["secret-key"], folder, os.environ)}
    _said(["init", "--config", config], folder, env)
    scopes = [part for scope in SCOPES for part in ("--scope", scope)]
    key = _said(["api-keys", "create", *scopes, "--config", config], folder, env)
    port = _free_port()
    command = [*CLAUSEWIRE, "api", "--config", config, "--port", str(port)]
    with (folder / "api.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, env={**env, **_path()}, stdout=log, stderr=log)
    try:
        _wait(f"http://127.0.0.1:{port}/openapi.json", server, folder / "api.log")
        yield f"http://127.0.0.1:{port}", key
    finally:
        server.terminate()
        server.wait(timeout=30)


def _said(arguments: list[str], folder: Path, env: Mapping[str, str]) -> str:
    done = subprocess.run(
        [*CLAUSEWIRE, *arguments],
        cwd=folder,
        env={**env, **_path()},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"clausewire {arguments[0]}: {done.stderr[-400:]}")
    return done.stdout.strip()


def _path() -> dict[str, str]:
    return {"PYTHONPATH": str(Path(__file__).parents[2])}


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and server.poll() is None:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(url, timeout=5).close()
            return
        time.sleep(0.2)
    raise RuntimeError(f"the API did not start: {log.read_text(errors='replace')[-400:]}")
