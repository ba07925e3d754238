"""Subscriptions to Apprise's services by command: the URL asked for, checked, sealed and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agents.__main__ import app
from pipeline.adapters.vault import new_key

pytest.importorskip("apprise", reason="apprise is not installed: pip install 'clausewire[apprise]'")

TOKEN = "s3cr3t-token-of-ours"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "clausewire.yaml").write_text("routes:\n  - {name: Terminal, to: {console: out.txt}}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLAUSEWIRE_SECRET_KEY", new_key())
    return tmp_path


def added(url: str) -> Result:
    return CliRunner().invoke(app, ["subscriptions", "add", "Chat", "--apprise"], input=f"{url}\n")


def test_service_is_added_and_listed(here: Path) -> None:
    """The operator may name any service; the list shows its word, and nothing holds the URL in clear."""
    made = added(f"json://127.0.0.1:9/{TOKEN}")
    listed = CliRunner().invoke(app, ["subscriptions", "list"]).output
    assert made.exit_code == 0, made.output
    assert "apprise   chat  json  (command)" in listed
    assert TOKEN not in made.output + listed
    assert TOKEN.encode() not in b"".join(
        path.read_bytes() for path in (here / ".clausewire").glob("log.db*")
    )


@pytest.mark.parametrize("url", [f"nosuch://{TOKEN}", TOKEN, "discord://", "discord://only-an-id"])
def test_unknown_url_is_told(here: Path, url: str) -> None:
    """A URL that Apprise does not know makes no subscription and is not repeated."""
    made = added(url)
    assert made.exit_code != 0
    assert TOKEN not in f"{made.output} {made.exception}"
    assert "chat" not in CliRunner().invoke(app, ["subscriptions", "list"]).output
