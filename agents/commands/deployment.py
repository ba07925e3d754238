"""The deployment that a command works on: its configuration file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from pipeline.config import Settings, load

ConfigFile = Annotated[
    Path, typer.Option("--config", "-c", envvar="CLAUSEWIRE_CONFIG", help="The configuration file.")
]


def settings_from(path: Path) -> Settings:
    """Return the settings of a configuration file; ConfigError with file, line, key and remedy."""
    return load(path, os.environ)
