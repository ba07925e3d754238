"""History put in, run again and compared: the same pages give the same ids, and nothing is delivered."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agents.__main__ import app
from agents.archive import ArchiveError, dated_files
from pipeline.adapters.history import open_history
from pipeline.adapters.wire import decode
from pipeline.events import AlertRaised
from tests.flow import line as states
from tests.flow.line import line, page

CONFIG = """
data: .
broker: embedded://{folder}/log.db
documents:
  - service: Example
    name: Terms of Service
    url: https://example.org/terms
routes:
  - name: Terminal
    to: {{console: stdout}}
"""


@pytest.fixture
def deployment(tmp_path: Path) -> Path:
    """A folder with a configuration whose log and bodies lie beside it."""
    (tmp_path / "clausewire.yaml").write_text(CONFIG.format(folder=tmp_path))
    return tmp_path


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Three dated pages: the terms, the same re-flowed, and with a clause added."""
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "2024-01-05.html").write_bytes(page())
    (folder / "2024-02-05.html").write_bytes(states.the_page_is_reflowed())
    (folder / "2024-03-05.html").write_bytes(states.a_clause_is_added())
    return folder


def command(*words: str, folder: Path, status: int = 0) -> str:
    """Run a command on a deployment; its exit status must be as said."""
    result = CliRunner().invoke(
        app, [*words, "--config", str(folder / "clausewire.yaml")], catch_exceptions=False
    )
    assert result.exit_code == status, result.output
    return result.output


async def ran(*words: str, folder: Path, status: int = 0) -> str:
    """The same from within a loop: the command has one of its own."""
    return await asyncio.to_thread(command, *words, folder=folder, status=status)


def put_in(archive: Path, deployment: Path) -> str:
    return command(
        "import", str(archive), "--service", "Example", "--document", "Terms of Service", folder=deployment
    )


def test_archive_is_put_in_once(archive: Path, deployment: Path) -> None:
    """Importing a folder twice adds its pages once."""
    assert put_in(archive, deployment).startswith("3 pages")
    assert put_in(archive, deployment).startswith("0 pages")


async def test_imported_history_is_recorded_not_announced(archive: Path, deployment: Path) -> None:
    """An archive's change becomes an alert with the archive's date, and nobody is told."""
    await asyncio.to_thread(put_in, archive, deployment)
    async with line(deployment) as run:
        await run.settled()
    with open_history(f"embedded://{deployment}/log.db") as history:
        alerts = [decode(record.value) for record in history.records("alerts.raised")]
    assert [f"{alert.at:%Y-%m-%d}" for alert in alerts if isinstance(alert, AlertRaised)] == ["2024-03-05"]
    assert run.mailbox.sent == []


def test_replay_gives_the_same_ids(archive: Path, deployment: Path) -> None:
    """Twice the same replay prints the same alerts with the same ids."""
    put_in(archive, deployment)
    first = command("replay", "--topic", "pages.fetched", folder=deployment, status=1)
    assert command("replay", "--topic", "pages.fetched", folder=deployment, status=1) == first
    assert "+ alt-" in first


async def test_replay_equals_what_was_alerted(deployment: Path) -> None:
    """A replay of what the program saw finds what the program alerted."""
    async with line(deployment) as run:
        await run.confirmed(page(), day=0)
        await run.confirmed(states.a_clause_is_reworded(), day=1)
        await run.confirmed(states.a_clause_is_added(), day=2)
        await run.sent(2)
        await run.settled()
    assert "equal to what was alerted" in await ran("replay", "--topic", "pages.fetched", folder=deployment)


async def test_replay_since_starts_from_the_state_then(deployment: Path) -> None:
    """A replay of the last days alone compares with the version that stood before them."""
    async with line(deployment) as run:
        await run.confirmed(page(), day=0)
        await run.confirmed(states.a_clause_is_reworded(), day=1)
        await run.confirmed(states.a_clause_is_added(), day=2)
        await run.sent(2)
        await run.settled()
    told = await ran("replay", "--topic", "pages.fetched", "--since", "2024-10-19", folder=deployment)
    assert "2 pages, 1 alerts: equal to what was alerted" in told


async def test_replay_delivers_nothing_unasked(archive: Path, deployment: Path) -> None:
    """Nothing is due after a replay unless a subscription is named."""
    await asyncio.to_thread(put_in, archive, deployment)
    await ran("replay", "--topic", "pages.fetched", folder=deployment, status=1)
    with open_history(f"embedded://{deployment}/log.db") as history:
        assert list(history.records("outbox")) == []


async def test_rejected_event_can_be_retried(deployment: Path) -> None:
    """A record set aside is listed with its reason, and put back as it was."""
    async with line(deployment) as run:
        topic = run.program.topic("pages.fetched")
        await (await topic.send(key=b"example/terms", value=b"<html>not an event</html>"))
        await run.settled()
    assert "DecodeError" in await ran("rejected", "list", folder=deployment)
    assert await ran("rejected", "retry", folder=deployment) == "1 events put back\n"
    with open_history(f"embedded://{deployment}/log.db") as history:
        assert [record.value for record in history.records("pages.fetched")] == [
            b"<html>not an event</html>"
        ] * 2


def test_undated_file_is_named(tmp_path: Path) -> None:
    """A folder with a file that has no date says which, and how to name it."""
    (tmp_path / "terms.html").write_text("x")
    with pytest.raises(ArchiveError, match=r"terms\.html") as caught:
        dated_files(tmp_path)
    assert "2024-10-17" in caught.value.remedy


@pytest.mark.parametrize(
    "name", ["2024-10-17.html", "2024-10-17T00-36-53Z.md", "20241017003653.html.gz", "terms 2024-10-17.txt"]
)
def test_dates_are_read_from_names(tmp_path: Path, name: str) -> None:
    """The usual ways to date a file are understood."""
    (tmp_path / name).write_text("x")
    ((moment, _),) = dated_files(tmp_path)
    assert f"{moment:%Y-%m-%d}" == "2024-10-17"


async def test_refused_page_can_be_accepted(deployment: Path) -> None:
    """A page that lost most of its text is refused until an operator says that it is the document."""
    rest = page(states.CLAUSES[:2])
    async with line(deployment) as run:
        await run.confirmed(page(), day=0)
        await run.confirmed(rest, day=1)
        await run.sent(1)  # trouble of the source
        told = await ran("sources", "accept", "example/terms", folder=deployment)
        run.clock.moment = run.clock.moment.replace(year=2099)  # the command tells the machine's time
        await run.sent(2)  # it reads well again
        await run.read(page((*states.CLAUSES[:2], states.TRAINING)), day=20_000)
        await run.until(lambda: any(due.alert and due.alert.changes for due in run.mailbox.sent))
    assert told.endswith("is accepted as example/terms\n")
