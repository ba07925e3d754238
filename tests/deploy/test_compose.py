"""docker-compose.yml: a deployment that works as it stands, with nothing secret in it."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from agents.__main__ import app
from agents.channels import TLS
from pipeline.adapters.email import SmtpServer
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


@pytest.mark.parametrize("name", sorted(COMPOSE["services"]))
def test_no_secret_is_set(name: str) -> None:
    """No service is given a secret or a default of one; ours read them from a file that need not be there."""
    service = COMPOSE["services"][name]
    given = service.get("environment", {})
    assert not [word for word in given if re.search("TOKEN|SECRET|PASSWORD|USERNAME|KEY|URL$", word)]
    assert service.get("env_file") == ([{"path": ".env", "required": False}] if name in OURS else None)


def faults(compose: dict[str, Any]) -> list[str]:
    """Return what the Compose specification's own schema finds wrong."""
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    schema = json.loads((ROOT / "tests" / "data" / "deploy" / "compose-spec.json").read_text("utf-8"))
    return [fault.message for fault in jsonschema.Draft202012Validator(schema).iter_errors(compose)]


def test_specification_holds() -> None:
    """The file is valid by the Compose specification's schema."""
    assert faults(COMPOSE) == []


@pytest.mark.parametrize(
    ("service", "key", "value"),
    [("worker", "helthcheck", {}), ("kafka", "ports", {"9092": 9092}), ("mail", "restart", True)],
)
def test_specification_is_asked(service: str, key: str, value: object) -> None:
    """A misspelt key or a value of the wrong kind would be found."""
    broken = deepcopy(COMPOSE)
    broken["services"][service][key] = value
    assert faults(broken)


def test_environment_is_read() -> None:
    """What our services are told is what the program reads."""
    example = (ROOT / "deploy" / "example.env").read_text(encoding="utf-8")
    assert set(COMPOSE["x-clausewire"]["environment"]) <= set(re.findall(r"(?m)^#?([A-Z_]+)=", example))


def test_its_mails_are_sent() -> None:
    """The mail catcher beside us is a server that mails go to."""
    settings = load(ROOT / "deploy" / "compose" / "clausewire.yaml", {})
    assert settings.smtp is not None
    assert settings.smtp.host in COMPOSE["services"]
    assert SmtpServer(host=settings.smtp.host, port=settings.smtp.port, tls=TLS[settings.smtp.security])


def test_its_configuration_is_usable() -> None:
    """The configuration that is mounted can be used and asks for no secret."""
    settings = load(
        ROOT / "deploy" / "compose" / "clausewire.yaml", {"CLAUSEWIRE_BROKER": "kafka://kafka:9092"}
    )
    assert settings.missing_secrets() == ()
