"""Why something was told: every id leads to what stands behind it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agents.__main__ import app
from tests.flow import line as states
from tests.flow.line import line, page

CONFIG = """
data: .
broker: embedded://{folder}/log.db
documents:
  - {{service: Example, name: Terms of Service, url: "https://example.org/terms"}}
"""


def said(*words: str, folder: Path, status: int = 0) -> str:
    """Return what a command on a deployment prints."""
    given = [*words, "--config", str(folder / "clausewire.yaml")]
    result = CliRunner().invoke(app, given, catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result.output


@pytest.fixture
async def past(tmp_path: Path) -> Path:
    """A deployment that saw a clause reworded, then one added."""
    (tmp_path / "clausewire.yaml").write_text(CONFIG.format(folder=tmp_path))
    async with line(tmp_path) as run:
        await run.confirmed(page(), day=0)
        await run.confirmed(states.a_clause_is_reworded(), day=40)
        await run.confirmed(states.a_clause_is_added(), day=80)
        await run.sent(2)
        await run.settled()
    return tmp_path


def found(kind: str, text: str) -> str:
    """Return the first id of a kind in a text."""
    match = re.search(rf"\b{kind}-[a-z2-7]{{26}}", text)
    assert match, text
    return match[0]


STANDS_BEHIND = [
    "verdict: changed, 1 of 1 differences change the wording",
    "linked share of the text:",
    "likeness of the two vocabularies:",
    "confirmation: provisional at first",
    "confirmed 26 November 2024",
    "old page: https://example.org/terms, read 17 October 2024",
    "SHA-256 ",
    "first differs at level words (10 of 10",
    "linked to the clause before at likeness 0.",
    "category: retention_deletion of",
    "told from 0.5",
    "critical from 7",
    "sum ",
    "30 days",
    "at ",
    "new: characters ",
]


async def test_alert_is_explained(past: Path) -> None:
    """An alert's explanation names each signal, level, threshold and piece of evidence."""
    told = await _thread(said, "alerts", folder=past)
    why = await _thread(said, "explain", found("alt", told), folder=past)
    assert [words for words in STANDS_BEHIND if words not in why] == []


async def test_every_id_leads_on(past: Path) -> None:
    """The change set and the clause that an explanation names can be explained in turn."""
    alert = await _thread(
        said, "explain", found("alt", await _thread(said, "alerts", folder=past)), folder=past
    )
    change_set = await _thread(said, "explain", found("chg", alert), folder=past)
    assert change_set in alert
    read = await _thread(said, "explain", found("page", alert), folder=past)
    assert "  ok  " in read
    assert await _thread(said, "explain", found("ver", read), folder=past) in read
    clause = await _thread(said, "explain", found("c", alert), folder=past)
    assert "stood in " in clause
    assert found("chg", alert) in clause


async def test_ledger_tells_each_clause(past: Path) -> None:
    """A document's ledger counts versions and rewordings of each clause, by its id or its name."""
    rows = json.loads(await _thread(said, "clauses", "example/terms", "--json", folder=past))
    retained = [row for row in rows if "retain" in (row["text"] or "")]
    assert [(row["versions"], row["of_versions"], row["changes"]) for row in retained] == [(3, 3, 2)]
    assert "2 changes in 3 months" in await _thread(said, "clauses", "Example Terms of Service", folder=past)


@pytest.mark.parametrize(
    ("words", "remedy"), [("x-1", "chg-"), ("chg-nope", "not in history"), ("c-nope", "ledger")]
)
async def test_unknown_id_is_said(past: Path, words: str, remedy: str) -> None:
    """An id that is none, or is not there, ends in a sentence."""
    from agents.commands.reading import InputError

    with pytest.raises(InputError) as caught:
        await _thread(said, "explain", words, folder=past)
    assert remedy in f"{caught.value} {caught.value.remedy}"


def test_diff_explains(tmp_path: Path) -> None:
    """With --explain each change of a diff is followed by its reasons."""
    old, new = tmp_path / "old.html", tmp_path / "new.html"
    old.write_bytes(page())
    new.write_bytes(states.a_clause_is_reworded())
    result = CliRunner().invoke(app, ["diff", str(old), str(new), "--explain"])
    assert "severity: " in result.output
    assert "sum " in result.output


async def _thread(command: object, *words: str, folder: Path) -> str:
    """Run a command from within a loop: it has one of its own."""
    import asyncio

    assert callable(command)
    return str(await asyncio.to_thread(command, *words, folder=folder))
