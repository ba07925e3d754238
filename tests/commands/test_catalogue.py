"""The command line loads what is asked for, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest
from typer.testing import CliRunner

from agents.__main__ import app
from agents.commands.catalogue import COMMANDS

UNWANTED = "import sys; from agents.__main__ import app; app(['diff', '--help'], standalone_mode=False); "


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_helps(name: str) -> None:
    """Each name of the catalogue is a command that explains itself."""
    told = CliRunner().invoke(app, [name, "--help"])
    assert told.exit_code == 0
    assert f"clausewire {name} " in told.output or f" {name} [OPTIONS]" in told.output


def test_help_lists_all() -> None:
    """The help of the program lists every command."""
    told = CliRunner().invoke(app, ["--help"]).output
    assert [name for name in COMMANDS if f"│ {name} " not in told] == []


def test_version_is_told() -> None:
    """The version is that of the distribution."""
    assert CliRunner().invoke(app, ["--version"]).output.split() == ["clausewire", version("clausewire")]


def test_unknown_command_is_refused() -> None:
    """A name that is no command ends with exit status 2."""
    assert CliRunner().invoke(app, ["nosuch"]).exit_code == 2


def test_comparing_loads_no_broker() -> None:
    """Comparing two pages needs neither Faust nor Kafka."""
    asked = UNWANTED + "print(sorted({'faust', 'aiokafka', 'aiohttp'} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert told.stdout.strip().endswith("[]")
