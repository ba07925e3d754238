"""deploy/example.env: every variable that the program reads stands there, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import typer
import yaml
from typer.main import get_command

from agents.__main__ import app

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
LISTED = re.findall(r"(?m)^#?([A-Z_]+)=", (DEPLOY / "example.env").read_text("utf-8"))
OURS = re.compile(r"""["'](CLAUSEWIRE_[A-Z_]+)["']""")
NAMED = re.compile(r"\b[a-z_]+_env: ([A-Z_]+)")
BUCKET = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_ENDPOINT_URL"}


def sources() -> Iterator[str]:
    for folder in ("agents", "pipeline"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            yield file.read_text(encoding="utf-8")


def of_options() -> set[str]:
    """Return the variables that options of commands may come from."""
    context = typer.Context(get_command(app))
    found = [get_command(app).get_command(context, name) for name in get_command(app).list_commands(context)]  # type: ignore[attr-defined]
    envvars = (parameter.envvar for command in found for parameter in command.params)
    return {name for name in envvars if isinstance(name, str)}


def of_code() -> set[str]:
    """Return the variables of our own that the code names, and those of the bucket that it speaks of."""
    told = "\n".join(sources())
    return {*OURS.findall(told), *re.findall(r"\bAWS_[A-Z]+[A-Z_]+\b", told)}


def of_configurations() -> set[str]:
    """Return the variables that the examples of configurations name, in comments too."""
    files = (
        DEPLOY / "clausewire.example.yaml",
        DEPLOY / "compose" / "clausewire.yaml",
        DEPLOY / "k8s" / "config.yaml",
    )
    return {name for file in files for name in NAMED.findall(file.read_text(encoding="utf-8"))}


def test_everything_read_is_listed() -> None:
    """Options, code and example configurations read nothing that the example leaves out."""
    assert of_options() >= {"CLAUSEWIRE_CONFIG", "CLAUSEWIRE_METRICS_PORT"}
    assert "CLAUSEWIRE_SECRET_KEY" in of_code()
    assert {"SLACK_BOT_TOKEN", "DKIM_KEY", "APPRISE_URL"} <= of_configurations()
    assert (of_options() | of_code() | of_configurations()) - set(LISTED) == set()


def test_nothing_else_is_listed() -> None:
    """The example lists no variable that nobody reads, and none twice."""
    assert set(LISTED) - (of_options() | of_code() | of_configurations() | BUCKET) == set()
    assert len(LISTED) == len(set(LISTED))


def test_no_value_is_a_secret() -> None:
    """Secrets stand there by name alone."""
    text = (DEPLOY / "example.env").read_text("utf-8")
    given = dict(re.findall(r"(?m)^#?([A-Z_]+)=(.*)$", text))
    assert {value for name, value in given.items() if not name.startswith("CLAUSEWIRE_")} == {""}
    assert given["CLAUSEWIRE_SECRET_KEY"] == ""


def test_secrets_of_kubernetes_are_listed() -> None:
    """What the example of a Kubernetes secret names is listed as well."""
    secret = yaml.safe_load((DEPLOY / "k8s" / "secret.example.yaml").read_text("utf-8"))
    assert set(secret["stringData"]) <= set(LISTED)
