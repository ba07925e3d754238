"""The demo as a whole: the real program in its world, from page and feed to Slack, webhook and mail."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from agents.demo.play import play
from agents.serve import running


@pytest.mark.slow
async def test_demo_delivers_what_it_must(tmp_path: Path) -> None:
    """The expected alerts and no others reach all three channels, each showing the clause that it must."""
    shown = StringIO()
    well = await play(tmp_path / "out", running, Console(file=shown, width=100))
    assert well, shown.getvalue()[-4000:]
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {"slack", "webhook", "email", "log.jsonl"}
