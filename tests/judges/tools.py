"""Judges that are programs: where they are found, how they are installed, and how they are asked."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from tests.judges.verdict import NotInstalledError

NODE = Path(__file__).parent / "node"
TOOLS = Path(sys.prefix) / "judges"  # beside the packages of this environment, so that it goes with them
INSTALL_S, ASK_S = 600, 600


def program(name: str, remedy: str) -> str:
    """Return the path of a program; NotInstalledError with the command that installs it."""
    found = shutil.which(name)
    if found is None:
        raise NotInstalledError(f"{name} is not installed", remedy)
    return found


def node(judge: str, given: Sequence[msgspec.Struct]) -> Any:
    """Return what an npm judge answers about values."""
    command = [program("node", "apt-get install nodejs npm"), str(_packages() / "judge.mjs"), judge]
    asked = msgspec.json.encode(given)
    return json.loads(run(command, given=asked))


def _packages() -> Path:
    """Return the folder with the packages of the lock, installed by npm when it has changed."""
    npm = program("npm", "apt-get install nodejs npm")
    lock = sha256((NODE / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = TOOLS / f"node-{lock}"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "judge.mjs"):
        shutil.copy(NODE / name, folder / name)
    if not (folder / "installed").exists():
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder)]
        try:
            run([npm, "ci", *options], timeout_s=INSTALL_S)
        except RuntimeError as error:
            raise NotInstalledError(
                f"npm could not install its judges: {error}", "npm ci, in tests/judges/node"
            ) from None
        (folder / "installed").touch()
    return folder


def run(
    command: Sequence[str], *, given: bytes = b"", timeout_s: float = ASK_S, good: Sequence[int] = (0,)
) -> bytes:
    """Return what a program prints; RuntimeError with the end of what it complains of when it fails."""
    done = subprocess.run(command, input=given, capture_output=True, timeout=timeout_s, check=False)
    if done.returncode not in good:
        said = done.stderr.decode(errors="replace").strip() or done.stdout.decode(errors="replace").strip()
        raise RuntimeError(f"{Path(command[0]).name} ended with {done.returncode}: {said[-600:]}")
    return done.stdout
