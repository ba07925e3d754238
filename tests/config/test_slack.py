"""The block `slack:`: the secret that proves clicks is one that the file names, like every other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.config.loading import parse
from pipeline.config.model import Settings

FILE = Path("/etc/cw/clausewire.yaml")
SLACK = "slack: {signing_secret_env: SLACK_SIGNING_SECRET}\n"


def settings(text: str, **env: str) -> Settings:
    return parse(text.encode(), FILE, env)


def test_signing_secret_is_read() -> None:
    """The secret is gathered from the environment."""
    found = settings(SLACK, SLACK_SIGNING_SECRET="0123456789abcdef0123456789abcdef")
    assert found.secrets["SLACK_SIGNING_SECRET"] == "0123456789abcdef0123456789abcdef"


def test_missing_signing_secret_is_told() -> None:
    """Where nothing holds it, it is told with its place in the file."""
    (error,) = settings(SLACK).missing_secrets()
    assert "slack.signing_secret_env" in str(error)


@pytest.mark.parametrize(
    "text",
    [
        SLACK,
        "smtp: {host: h, from: a@b.c, username_env: ONE, password_env: TWO}\n",
        "smtp: {host: h, from: a@b.c, dkim: {domain: b.c, selector: s, key_env: ONE}}\n",
        "summary: {rewriter_url: 'http://h/v1', model: m, api_key_env: ONE}\n",
        "kafka: {security_protocol: SASL_SSL, username_env: ONE, password_env: TWO}\n",
        "routes: [{name: A, to: {apprise: {url_env: ONE}}}, {name: B, to: {slack: {webhook_url_env: TWO}}}]\n",
    ],
)
def test_every_block_has_its_secrets_gathered(text: str) -> None:
    """Whatever block names a secret, the secret is looked for."""
    named = set(re.findall(r"_env: '?([A-Z_]+)", text))
    found = settings(text, **dict.fromkeys(named, "a-value"))
    assert {name for name in named if name in found.secrets} == named
