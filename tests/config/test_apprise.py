"""A route to a service that Apprise knows: its URL is a secret, named and never written."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import config
from pipeline.config.loading import parse
from pipeline.config.model import Settings
from pipeline.events import Channel

URL = "discord://1234567890/s3cr3t-token-of-ours"


def settings(to: str, **env: str) -> Settings:
    file = f"routes:\n  - {{name: Chat, to: {to}}}\n"
    return parse(file.encode(), Path("/etc/cw/clausewire.yaml"), env)


def test_route_is_read() -> None:
    """The route holds the variable's name; the URL stands among the secrets alone."""
    found = settings("{apprise: {url_env: DISCORD_URL}}", DISCORD_URL=URL)
    (route,) = found.routes
    assert (route.channel, route.target) == (Channel.APPRISE, {"url_env": "DISCORD_URL"})
    assert found.secrets["DISCORD_URL"] == URL
    assert "s3cr3t" not in repr(found)


def test_missing_url_is_told() -> None:
    """A URL that nothing holds is told with its place in the file."""
    (error,) = settings("{apprise: {url_env: DISCORD_URL}}").missing_secrets()
    assert "apprise.url_env" in str(error)


@pytest.mark.parametrize(
    ("to", "told"),
    [
        (f"{{apprise: {{url: '{URL}'}}}}", "url_env"),
        ("{apprise: {}}", "DISCORD_URL"),
        (f"{{apprise: {{url_env: '{URL}'}}}}", "never the secret itself"),
        (f"{{apprise: '{URL}'}}", "apprise"),
        ("{apprise: {url_env: A, tag: b}}", "tag"),
    ],
)
def test_mistakes_are_told(to: str, told: str) -> None:
    """A URL in the file, a missing name or an unknown key is told with what to write, the URL not repeated."""
    with pytest.raises(config.ConfigErrors) as caught:
        settings(to)
    assert told in str(caught.value)
    assert "s3cr3t" not in str(caught.value)
