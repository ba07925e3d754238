"""The machine: room on the disk, this Python and the packages that matter."""

from __future__ import annotations

import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from agents.doctor.finding import Finding, fail, ok, warn

PACKAGES = ("faust-streaming", "aiokafka", "httpx", "aiohttp", "msgspec", "lxml", "feedparser")
OLDEST, NEWEST = (3, 11), (3, 13)
LITTLE_ROOM = 1_000_000_000  # bytes: warn
NO_ROOM = 50_000_000  # bytes: fail


def directory(data: Path) -> Iterator[Finding]:
    """Yield whether the data directory can be written to, and how much room there is."""
    existing = next(path for path in (data, *data.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=existing) as file:
            file.write(b"clausewire")
    except OSError as error:
        yield fail(f"{data} cannot be written to: {error.strerror}", "Write data: and a folder of yours")
        return
    free = shutil.disk_usage(existing).free
    room = f"{free / 1e9:.1f} GB free in {data}"
    if free < NO_ROOM:
        yield fail(room, "Make room, or write data: and a folder on another disk")
    elif free < LITTLE_ROOM:
        yield warn(room, "Make room: history is kept for ever by default")
    else:
        yield ok(room)


def packages() -> Iterator[Finding]:
    """Yield whether this Python and the packages that matter are ones that we run on."""
    python = f"Python {platform.python_version()}"
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        yield ok(python)
    else:
        yield fail(python, "Use Python 3.11, 3.12 or 3.13")
    missing = [name for name in PACKAGES if not _version(name)]
    if missing:
        yield fail(
            f"not installed: {', '.join(missing)}", "Install again: pip install clausewire, or make install"
        )
    else:
        yield ok(", ".join(f"{name} {_version(name)}" for name in PACKAGES))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
