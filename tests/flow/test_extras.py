"""The extras wired in: a page that only scripts can fill, its change told in the words of a rewriter."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agents.__main__ import app
from agents.serve import browser_of, rewriter_of, running
from pipeline import config
from pipeline.adapters.clock import SystemClock
from pipeline.adapters.history import open_history
from pipeline.adapters.wire import decode
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.events import ClausesChanged, Event
from tests.adapters.chat import chat
from tests.adapters.rawsite import page, serving
from tests.adapters.test_browser import needs_browser
from tests.agents.shells import markup
from tests.agents.test_reword_summaries import shorter

CONFIG = """
data: .
documents:
  - {{service: Example, name: Terms of Service, url: "{site}", interval: 1s}}
fetch: {{spacing: 0s, browser: auto, browser_sandbox: false}}
summary: {{rewriter_url: "{chat}", model: m, api_key_env: CHAT_KEY}}
"""
RETENTION = "We keep your data for 30 days after you close your account with us."


def settings(folder: Path, text: str) -> Settings:
    return config.parse(text.encode(), folder / "clausewire.yaml", {"CHAT_KEY": "k-1"})


def shell(retention: str) -> bytes:
    return page(
        markup(f"fill(); document.getElementById('root').innerHTML += '<h2>Retention</h2><p>{retention}</p>'")
    )


async def found(folder: Path, kind: type[Event]) -> list[Event]:
    """Return the events of a kind in the log of a running program."""
    topic = "clauses.changed" if kind is ClausesChanged else "versions.recorded"
    with open_history(f"embedded://{folder}/log.db") as history:
        return [event for kept in history.records(topic) if isinstance(event := decode(kept.value), kind)]


async def first(folder: Path, kind: type[Event]) -> Event:
    while not (events := await found(folder, kind)):
        await asyncio.sleep(0.2)
    return events[0]


@needs_browser
@pytest.mark.slow
async def test_rendered_change_in_other_words(tmp_path: Path) -> None:
    """What a script shows is watched: its change is found, and its summary is the checked rewording."""
    from pipeline.events import VersionRecorded

    async with serving({"/terms": shell(RETENTION)}) as site, chat(shorter) as (url, seen):
        given = settings(tmp_path, CONFIG.format(site=site.url("/terms"), chat=url))
        async with running(given, SystemClock()), asyncio.timeout(90):
            version = await first(tmp_path, VersionRecorded)
            site.answers["/terms"] = shell(RETENTION.replace("30", "90"))
            change = await first(tmp_path, ClausesChanged)
    assert isinstance(version, VersionRecorded)
    assert version.page.headers["x-clausewire-rendered"] == "chromium"
    assert isinstance(change, ClausesChanged)
    assert "90 days" in change.summary
    assert "Subject:" not in change.summary
    assert seen[0]["headers"]["authorization"] == "Bearer k-1"


@needs_browser
@pytest.mark.slow
async def test_check_renders(tmp_path: Path) -> None:
    """One look at a page that only scripts can fill shows its clauses where a browser is named."""
    async with serving({"/terms": shell(RETENTION)}) as site:
        words = ["check", site.url("/terms"), "--browser", "auto", "--no-sandbox"]
        result = await asyncio.to_thread(CliRunner().invoke, app, words)
    assert (result.exit_code, RETENTION in result.output) == (0, True)


def test_extras_are_off(tmp_path: Path) -> None:
    """A configuration that names neither starts neither."""
    given = settings(tmp_path, "documents: []\n")
    assert (browser_of(given, SystemClock()), rewriter_of(given)) == (None, None)


def test_missing_browser_stops_the_start(tmp_path: Path) -> None:
    """A browser that is configured and not there is said before anything is polled."""
    given = settings(tmp_path, "documents: []\nfetch: {browser: /nowhere/chromium}\n")
    with pytest.raises(ConfigError):
        browser_of(given, SystemClock())
