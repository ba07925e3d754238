"""sources and subscriptions on the command line."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agents.__main__ import app
from pipeline.adapters.pollstate import PollStates
from pipeline.polling import Health, PollState
from tests.fakes import NOON

CONFIG = """
data: .
documents:
  - {service: Example, name: Terms, url: "https://example.org/terms"}
routes:
  - {name: Terminal, to: {console: stdout}}
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "clausewire.yaml"
    path.write_text(CONFIG)
    return str(path)


def ran(*words: str, status: int = 0) -> str:
    result = CliRunner().invoke(app, [*words], catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result.output


def test_new_source_was_never_read(config: str) -> None:
    """A source of a deployment that never ran is listed as never read."""
    assert (
        ran("sources", "list", "--config", config) == "never read  example/terms  https://example.org/terms\n"
    )


def test_trouble_is_listed_with_its_remedy(config: str, tmp_path: Path) -> None:
    """A failing source shows since how many reads, why, and what to do."""
    state = PollState(
        source_id="example/terms",
        health=Health.FAILING,
        failures=4,
        reason="no such host",
        remedy="see the URL",
        due_at=NOON + timedelta(hours=1),
    )

    async def saved() -> None:
        async with PollStates(tmp_path / "polls.db") as states:
            await states.save(state)

    asyncio.run(saved())
    told = ran("sources", "list", "--config", config)
    assert "next 2024-10-17 13:00" in told
    assert "4 failures: no such host. see the URL" in told


def test_declarations_become_documents(tmp_path: Path) -> None:
    """Open Terms Archive declarations are printed as a documents section."""
    terms = {
        "Privacy Policy": {"fetch": "https://acme.example/privacy", "select": "main", "remove": [".ads"]}
    }
    (tmp_path / "Acme.json").write_text(json.dumps({"name": "Acme", "terms": terms}))
    told = ran("sources", "import-ota", str(tmp_path))
    assert all(
        words in told for words in ("service: Acme", "url: https://acme.example/privacy", "- main", "- .ads")
    )


def test_endpoints_are_judged_in_a_batch(tmp_path: Path) -> None:
    """Each line of a batch gets one JSON object; one refusal makes the exit status 1."""
    (tmp_path / "urls.txt").write_text("http://8.8.8.8/hook\nhttp://127.0.0.1/hook\n")
    told = ran("subscriptions", "check", "--batch", str(tmp_path / "urls.txt"), "--json", status=1)
    assert [json.loads(line)["accepted"] for line in told.splitlines()] == [True, False]
