"""The example that `clausewire init` writes runs as it is, and what it shows in comments is right as well."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline import config
from pipeline.events import Channel

DEPLOY = Path(__file__).parents[2] / "deploy"
TEXT = (DEPLOY / "clausewire.example.yaml").read_text(encoding="utf-8")


def test_example_needs_no_secret() -> None:
    """It starts with nothing set up and prints to the terminal."""
    found = config.parse(TEXT.encode(), Path("/srv/clausewire.yaml"), {})
    assert (len(found.documents), found.routes[0].channel, found.missing_secrets()) == (
        3,
        Channel.CONSOLE,
        (),
    )


def uncommented(text: str) -> str:
    """Turn the example's routes and mail server on."""
    routes = re.sub(r"(?m)^  #(?: |$)(?=$|- | )", "  ", text)
    blocks = r"(?ms)^# (?:smtp|kafka):.*?(?:\n\n|\Z)"
    return re.sub(blocks, lambda block: re.sub(r"(?m)^# ", "", block[0]), routes)


def test_commented_routes_are_right() -> None:
    """Every route and block that the comments teach is accepted when it is turned on."""
    found = config.parse(uncommented(TEXT).encode(), Path("/srv/clausewire.yaml"), {})
    assert [route.name for route in found.routes] == [
        "Terminal",
        "Legal team",
        "Policy desk",
        "Announcements",
        "Compliance system",
        "Team chat",
    ]
    assert found.smtp is not None


def test_example_environment_names_them() -> None:
    """Every secret that the example asks for stands in example.env."""
    found = config.parse(uncommented(TEXT).encode(), Path("/srv/clausewire.yaml"), {})
    named = (DEPLOY / "example.env").read_text(encoding="utf-8")
    assert {use.name for use in found.secret_uses} <= set(re.findall(r"(?m)^#?([A-Z_]+)=", named))
