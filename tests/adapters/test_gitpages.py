"""A repository of dated pages, as Open Terms Archive keeps them, made by git itself."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.adapters.archives import Archived, ArchiveError
from pipeline.adapters.gitpages import GitPages, is_repository
from pipeline.events import DocumentSpec


class Repository:
    """A git repository whose commits have names and dates."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str, at: str = "2024-01-01T00:00:00Z") -> None:
        who = {
            "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@b",
            "GIT_COMMITTER_NAME": "c",
            "GIT_COMMITTER_EMAIL": "c@d",
        }
        dates = {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z"}
        subprocess.run(
            ["git", "-C", str(self.folder), *words], check=True, capture_output=True,
            env={**who, **dates, "PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(self.folder), "GIT_CONFIG_NOSYSTEM": "1"},
        )  # fmt: skip

    def record(self, path: str, text: str | bytes, subject: str, at: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.git("add", "--all", at=at)
        self.git("commit", "-q", "-m", subject, at=at)


def anything(service: str, document: str) -> DocumentSpec:
    return DocumentSpec(id=f"{service}/{document}", service=service, name=document, url="https://x.example/")


def pages(folder: Path) -> list[tuple[str, str, bool, bytes]]:
    """Return document, time, whether technical, and bytes of each page."""
    with GitPages(folder) as repository:
        return [told(page) for page in repository.pages(anything)]


def told(page: Archived) -> tuple[str, str, bool, bytes]:
    return page.document.id, f"{page.at:%Y-%m-%d}", page.technical, page.read()


@pytest.fixture
def archive(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "versions")
    made.record("README.md", "about", "Start", "2024-01-01T00:00:00Z")
    made.record("X/Privacy Policy.md", "one", "First record of X Privacy Policy", "2024-01-02T00:00:00Z")
    made.record("Möbel & Co/Terms of Service.md", "terms\n\n", "First record", "2024-01-03T00:00:00Z")
    made.record(
        "X/Privacy Policy.md", "one.", "Apply technical or declaration upgrade on X", "2024-01-04T00:00:00Z"
    )
    made.record(
        "X/Privacy Policy.md", "two", "Record new changes of X Privacy Policy", "2024-01-05T00:00:00Z"
    )
    return made


def test_records_in_order_of_time(archive: Repository) -> None:
    """Each document's texts come with the authors' dates; an archive's own upgrades are marked."""
    assert pages(archive.folder) == [
        ("Möbel & Co/Terms of Service", "2024-01-03", False, b"terms\n\n"),
        ("X/Privacy Policy", "2024-01-02", False, b"one"),
        ("X/Privacy Policy", "2024-01-04", True, b"one."),
        ("X/Privacy Policy", "2024-01-05", False, b"two"),
    ]


def test_removed_and_empty_files(archive: Repository) -> None:
    """A file that is removed is no record; one that comes back is."""
    archive.git("rm", "-q", "X/Privacy Policy.md")
    archive.git("commit", "-q", "-m", "gone", at="2024-01-06T00:00:00Z")
    archive.record("X/Privacy Policy.md", b"", "back", "2024-01-07T00:00:00Z")
    assert [row[1:] for row in pages(archive.folder)][-2:] == [
        ("2024-01-05", False, b"two"),
        ("2024-01-07", False, b""),
    ]


def test_bare_repositories_are_read(archive: Repository, tmp_path: Path) -> None:
    """A bare clone is as good as a checkout."""
    bare = tmp_path / "bare.git"
    archive.git("clone", "-q", "--bare", str(archive.folder), str(bare))
    assert is_repository(bare)
    assert len(pages(bare)) == 4


def test_named_document_only(archive: Repository) -> None:
    """What is not wanted is not listed."""
    with GitPages(archive.folder) as repository:
        found = repository.pages(
            lambda service, document: anything(service, document) if service == "X" else None
        )
    assert [page.at for page in found] == [datetime(2024, 1, day, tzinfo=UTC) for day in (2, 4, 5)]


def test_configured_programs_are_not_run(archive: Repository, tmp_path: Path) -> None:
    """A repository whose configuration names programs of its own has none of them run."""
    mark = tmp_path / "ran"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {mark}\n")
    script.chmod(0o755)
    for key in ("core.fsmonitor", "gpg.program", "core.pager", "diff.external", "core.sshCommand"):
        archive.git("config", key, str(script))
    archive.git("config", "log.showSignature", "true")
    assert len(pages(archive.folder)) == 4
    assert not mark.exists()


def test_shallow_body_is_said(archive: Repository) -> None:
    """A body that the clone lacks ends in a sentence with a remedy, and nothing is fetched."""
    with GitPages(archive.folder) as repository:
        (page, *_) = repository.pages(anything)
        for loose in (archive.folder / ".git" / "objects").glob("??/*"):
            loose.unlink()
        with pytest.raises(ArchiveError) as caught:
            page.read()
    assert "--filter" in caught.value.remedy


def test_no_repository_is_said(tmp_path: Path) -> None:
    """A folder that only looks like a repository is said to be none."""
    (tmp_path / ".git").mkdir()
    with pytest.raises(ArchiveError), GitPages(tmp_path) as repository:
        repository.pages(anything)
