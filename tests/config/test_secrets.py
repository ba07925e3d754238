"""Secrets come from the environment or a file that it names, never from the configuration, and never show."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import config
from pipeline.errors import ConfigError

SECRET = "xoxb-123-very-secret"
TEXT = 'routes: [{name: A, to: {slack: {channel: "#a", token_env: SLACK_TOKEN}}}]\n'


def settings(text: str, env: dict[str, str], folder: Path = Path("/etc")) -> config.Settings:
    return config.parse(text.encode(), folder / "clausewire.yaml", env)


def test_environment_holds_secret() -> None:
    """A variable of the environment is the first place."""
    assert settings(TEXT, {"SLACK_TOKEN": SECRET}).secrets["SLACK_TOKEN"] == SECRET


def test_mounted_file_holds_secret(tmp_path: Path) -> None:
    """NAME_FILE names a file with the secret, as containers mount them; its last newline does not count."""
    (tmp_path / "token").write_text(SECRET + "\n")
    assert settings(TEXT, {"SLACK_TOKEN_FILE": str(tmp_path / "token")}).secrets["SLACK_TOKEN"] == SECRET


@pytest.mark.parametrize(
    "line", [f"SLACK_TOKEN={SECRET}", f'export SLACK_TOKEN="{SECRET}"', f"SLACK_TOKEN = '{SECRET}'"]
)
def test_secrets_file_holds_secret(tmp_path: Path, line: str) -> None:
    """One file of NAME=value lines may hold them all, named in the configuration or in the environment."""
    (tmp_path / "s.env").write_text(f"# ours\n\n{line}\nOTHER=1\n")
    assert settings(f"secrets_file: s.env\n{TEXT}", {}, tmp_path).secrets["SLACK_TOKEN"] == SECRET
    named = {"CLAUSEWIRE_SECRETS_FILE": str(tmp_path / "s.env")}
    assert settings(TEXT, named).secrets["SLACK_TOKEN"] == SECRET


def test_unset_secret_is_told() -> None:
    """A secret that nothing holds is told with the place that asks for it, when someone asks."""
    (error,) = settings("# first\n" + TEXT, {}).missing_secrets()
    assert (error.line, error.key) == (2, "routes[0].to.slack.token_env")
    assert "SLACK_TOKEN_FILE" in error.remedy


def test_unset_secret_is_no_value() -> None:
    """Asking for a secret that is not set is an error, never an empty string."""
    with pytest.raises(ConfigError, match="SLACK_TOKEN is not set"):
        settings(TEXT, {"SLACK_TOKEN": ""}).secrets["SLACK_TOKEN"]


def test_only_named_secrets_are_kept() -> None:
    """The rest of the environment is not ours to keep."""
    assert "AWS_KEY" not in settings(TEXT, {"SLACK_TOKEN": SECRET, "AWS_KEY": "k"}).secrets


def test_secrets_never_show() -> None:
    """Neither settings nor their secrets repeat a secret when printed."""
    found = settings(TEXT, {"SLACK_TOKEN": SECRET})
    assert SECRET not in f"{found!r} {found.secrets!r} {found.secrets} {found.subscriptions}"


LITERALS = [
    'routes: [{name: A, to: {slack: {channel: "#a", token: %s}}}]',
    'routes: [{name: A, to: {slack: {channel: "#a", token_env: %s}}}]',
    "routes: [{name: A, to: {slack: {webhook_url: 'https://hooks.slack.com/services/%s'}}}]",
    "routes: [{name: A, to: {slack: {webhook_url_env: 'https://hooks.slack.com/services/%s'}}}]",
    "routes: [{name: A, to: {webhook: {url: 'https://hooks.slack.com/services/%s', secret_env: S}}}]",
    "routes: [{name: A, to: {webhook: {url: 'https://a.b', secret: %s}}}]",
    "routes: [{name: A, to: {webhook: {url: 'https://u:%s@a.b', secret_env: S}}}]",
    "smtp: {host: h, username: u, password: %s}",
    "smtp: {host: h, username: u, password_env: %s}",
    "token: %s",
]


@pytest.mark.parametrize("text", LITERALS)
def test_literal_secret_is_refused(text: str) -> None:
    """A secret written into the file is refused, and the error does not repeat it."""
    with pytest.raises(config.ConfigErrors) as caught:
        settings(text % SECRET, {})
    assert SECRET not in str(caught.value)
    assert "environment" in str(caught.value) or "credentials" in str(caught.value)


def test_bad_secrets_file_is_told(tmp_path: Path) -> None:
    """A line that is not NAME=value is told by its number, without its words."""
    (tmp_path / "s.env").write_text(f"A=1\n{SECRET}\n")
    with pytest.raises(ConfigError, match=r"s\.env:2") as caught:
        settings(f"secrets_file: s.env\n{TEXT}", {}, tmp_path)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"A=\xff\n"])
def test_unreadable_secrets_file_is_told(tmp_path: Path, content: bytes | None) -> None:
    """A secrets file that is missing, or no text, is told with its path."""
    if content:
        (tmp_path / "s.env").write_bytes(content)
    with pytest.raises(ConfigError, match=r"s\.env: the secrets file cannot be read"):
        settings(f"secrets_file: s.env\n{TEXT}", {}, tmp_path)
