"""Archives put into history: every page once, in order, with its own time, and an archive's doing is no change."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agents.__main__ import app
from agents.archive import Intake, folder_pages
from pipeline.adapters.archives import ArchiveError
from pipeline.adapters.history import open_history
from pipeline.adapters.wire import decode
from pipeline.events import ClausesChanged, PageFetched
from tests.adapters.test_gitpages import Repository
from tests.adapters.test_warc import record
from tests.fakes import NOON, MemoryBlobs
from tests.flow import line as states
from tests.flow.line import CLAUSES, DOCUMENT, line, page

CONFIG = """
data: .
broker: embedded://{folder}/log.db
documents:
  - {{service: Example, name: Terms of Service, url: "https://example.org/terms"}}
"""


@pytest.fixture
def deployment(tmp_path: Path) -> Path:
    (tmp_path / "clausewire.yaml").write_text(CONFIG.format(folder=tmp_path))
    return tmp_path


def imported(archive: Path, *words: str, folder: Path) -> str:
    """Return what an import says."""
    given = ["import", str(archive), *words, "--config", str(folder / "clausewire.yaml")]
    result = CliRunner().invoke(app, given, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def recorded(folder: Path, topic: str = "pages.fetched") -> list[object]:
    with open_history(f"embedded://{folder}/log.db") as history:
        return [decode(kept.value) for kept in history.records(topic)]


def markdown(clauses: tuple[tuple[str, str], ...] = CLAUSES) -> str:
    return "# Terms of Service\n\n" + "".join(f"## {title}\n\n{text}\n\n" for title, text in clauses)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """An archive of two documents: recorded, extracted anew by the archive, then really changed."""
    made = Repository(tmp_path / "versions")
    place = "Example/Terms of Service.md"
    made.record(place, markdown(CLAUSES[:-2]), "First record of Example Terms", "2023-01-01T00:00:00Z")
    made.record(
        "Other/Privacy Policy.md", "# Privacy\n\nWe keep it.\n", "First record", "2023-01-02T00:00:00Z"
    )
    made.record(
        place, markdown(), "Apply technical or declaration upgrade on Example Terms", "2023-02-01T00:00:00Z"
    )
    made.record(place, markdown((*CLAUSES, states.TRAINING)), "Record new changes", "2023-03-01T00:00:00Z")
    return made.folder


def test_repository_is_put_in_once(repository: Path, deployment: Path) -> None:
    """All documents of a repository are taken, with their times; a second import adds nothing."""
    assert imported(repository, folder=deployment).startswith("4 pages of 2 documents put into history, 0")
    assert imported(repository, folder=deployment).startswith("0 pages of 2 documents put into history, 4")
    times = [
        f"{event.at:%m-%d} {event.key}" for event in recorded(deployment) if isinstance(event, PageFetched)
    ]
    assert sorted(times) == [
        "01-01 example/terms-of-service", "01-02 other/privacy-policy",
        "02-01 example/terms-of-service", "03-01 example/terms-of-service",
    ]  # fmt: skip


async def test_archive_upgrade_is_no_change(repository: Path, deployment: Path) -> None:
    """What an archive extracted anew is taken as it is; only the policy's own change is found."""
    await asyncio.to_thread(imported, repository, "--service", "example", folder=deployment)
    async with line(deployment) as run:
        await run.settled()
    changes = [
        event for event in recorded(deployment, "clauses.changed") if isinstance(event, ClausesChanged)
    ]
    assert [(f"{event.at:%m-%d}", event.counts) for event in changes] == [
        ("03-01", {"added": changes[0].counts["added"]})
    ]


@pytest.mark.skipif(
    find_spec("warcio") is None, reason="WARC WAS NOT READ: warcio is not installed (extra warc)"
)
def test_warc_is_put_in_once(deployment: Path) -> None:
    """The captures of configured documents are taken, whatever else a file holds."""
    file = deployment / "crawl.warc"
    file.write_bytes(
        record(states.a_clause_is_added(), url="https://www.example.org/terms", at="2023-02-01T00:00:00Z")
        + record(page(), url="https://example.org/terms", at="2023-01-01T00:00:00Z")
        + record(b"else", url="https://example.org/else")
    )
    assert imported(file, folder=deployment).startswith(
        "2 pages of Example Terms of Service put into history, 0"
    )
    assert imported(file, folder=deployment).startswith(
        "0 pages of Example Terms of Service put into history, 2"
    )


async def test_interrupted_import_goes_on(tmp_path: Path) -> None:
    """After a stop in between, what was put in is passed over and the rest follows."""
    files = [(NOON + timedelta(days=day), tmp_path / f"{day}.html") for day in range(3)]
    for day, (_, path) in enumerate(files):
        path.write_bytes(page() + b"<!-- %d -->" % day)
    first = await Intake.over([], MemoryBlobs()).take(folder_pages(files[:2], DOCUMENT))
    intake = Intake.over(first, MemoryBlobs())
    assert [event.at for event in await intake.take(folder_pages(files, DOCUMENT))] == [files[2][0]]
    assert (intake.added, intake.there, intake.late) == (1, 2, 0)


async def test_older_pages_are_left_out(tmp_path: Path) -> None:
    """Pages older than what history holds of their document would be read after it: they are left out and counted."""
    path = tmp_path / "page.html"
    path.write_bytes(page())
    newer = await Intake.over([], MemoryBlobs()).take(folder_pages([(NOON, path)], DOCUMENT))
    intake = Intake.over(newer, MemoryBlobs())
    assert await intake.take(folder_pages([(NOON - timedelta(days=9), path)], DOCUMENT)) == []
    assert intake.late == 1


@pytest.mark.parametrize(
    ("words", "fact"),
    [(("--service", "Nobody"), "no page"), (("--service", "Example", "--document", "Nothing"), "no page")],
)
def test_nothing_wanted_is_said(
    repository: Path, deployment: Path, words: tuple[str, ...], fact: str
) -> None:
    """An archive without the document wanted ends in a sentence."""
    with pytest.raises(ArchiveError, match=fact):
        imported(repository, *words, folder=deployment)


def test_dated_folder_needs_a_name(deployment: Path) -> None:
    """A folder of dated pages does not tell whose they are."""
    (deployment / "pages").mkdir()
    (deployment / "pages" / "2024-01-01.html").write_bytes(page())
    with pytest.raises(ArchiveError, match="whose pages"):
        imported(deployment / "pages", folder=deployment)
