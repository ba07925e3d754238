"""docker-compose.yml: a deployment that works as it stands, with nothing secret in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from agents.__main__ import app
from pipeline.config import load

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
OURS = [name for name, service in COMPOSE["services"].items() if service["image"] == "clausewire"]


@pytest.mark.parametrize("name", OURS)
def test_command_is_ours(name: str) -> None:
    """Each service runs a command that there is, with options that it has."""
    words = COMPOSE["services"][name]["command"]
    told = CliRunner().invoke(app, [*[word for word in words if not word.startswith("-")][:2], "--help"])
    options = [word for word in words if word.startswith("--")]
    if told.exit_code:  # the second word is an option's value
        told = CliRunner().invoke(app, [words[0], "--help"])
    assert told.exit_code == 0
    assert all(option in re.sub(r"\x1b\[[0-9;]*m", "", told.output) for option in options)


@pytest.mark.parametrize("name", sorted(COMPOSE["services"]))
def test_service_is_pinned_and_watched(name: str) -> None:
    """Foreign images bear a version, and what stays up is asked for its health."""
    service = COMPOSE["services"][name]
    assert service["image"] == "clausewire" or re.search(r":v?\d+\.\d+", service["image"])
    assert "healthcheck" in service or "HEALTHCHECK" in (ROOT / "deploy" / "Dockerfile").read_text()


def test_volumes_are_named() -> None:
    """Whatever is kept is kept in a named volume."""
    used = {
        mount.split(":")[0]
        for service in COMPOSE["services"].values()
        for mount in service.get("volumes", ())
        if not mount.startswith(".")
    }
    assert used == set(COMPOSE["volumes"])


def test_no_secret_is_set() -> None:
    """Every secret comes from outside and has no default."""
    values = COMPOSE["x-clausewire"]["environment"]
    secrets = [
        value for name, value in values.items() if re.search("TOKEN|SECRET|PASSWORD|USERNAME|URL$", name)
    ]
    assert secrets
    assert all(re.fullmatch(r"\$\{[A-Z_]+:-\}", value) for value in secrets)


def test_its_configuration_is_usable() -> None:
    """The configuration that is mounted can be used and asks for no secret."""
    settings = load(
        ROOT / "deploy" / "compose" / "clausewire.yaml", {"CLAUSEWIRE_BROKER": "kafka://kafka:9092"}
    )
    assert settings.missing_secrets() == ()
