"""evidence: a folder that proves an alert."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agents.__main__ import app
from agents.commands.reading import InputError
from pipeline.adapters.blobs import squeezed
from pipeline.events import AlertRaised
from tests.api.desk import FILE, desk
from tests.api.seen import HOSTILE, page, watched
from tests.flow.line import CLAUSES


@pytest.fixture
async def past(tmp_path: Path) -> tuple[Path, AlertRaised]:
    """A deployment that saw a clause reworded and one added, and its alert."""
    (tmp_path / "clausewire.yaml").write_bytes(FILE)
    async with desk(tmp_path) as api:
        (alert,) = await watched(api, page(CLAUSES), page(HOSTILE))
    return tmp_path, alert


def told(folder: Path, alert_id: str, out: str = "bundle", status: int = 0) -> str:
    """Return what the command prints."""
    words = ["evidence", alert_id, "--out", str(folder / out), "--config", str(folder / "clausewire.yaml")]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result.output


def test_folder_proves_the_alert(past: tuple[Path, AlertRaised]) -> None:
    """The folder holds both pages to read and every file behind them, each with the SHA-256 that it has."""
    folder, alert = past
    said = told(folder, alert.alert_id)
    lines = (folder / "bundle" / "SHA256SUMS").read_text().splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
    real = {name: hashlib.sha256((folder / "bundle" / name).read_bytes()).hexdigest() for name in sums}
    assert (real == sums, "redline.html" in sums, "evidence.html" in sums) == (True, True, True)
    assert "2 of 2 quotes at their offsets, 2 in the bytes" in said


def test_changed_bytes_end_in_status_1(past: tuple[Path, AlertRaised]) -> None:
    """Where the stored bytes are not those that were fetched, the command says so and fails."""
    folder, alert = past
    assert alert.evidence
    sha = alert.evidence.new.body.sha256
    (folder / ".clausewire" / "blobs" / sha[:2] / f"{sha[2:]}.zst").write_bytes(squeezed(b"else"))
    assert "is damaged" in told(folder, alert.alert_id, status=1)


def test_unknown_alert_is_told(past: tuple[Path, AlertRaised]) -> None:
    """An alert that is not in history is a mistake with a remedy, and leaves no folder."""
    with pytest.raises(InputError, match="there is no alert alt-x"):
        told(past[0], "alt-x")
    assert not (past[0] / "bundle").exists()


def test_nothing_is_overwritten(past: tuple[Path, AlertRaised]) -> None:
    """A folder that holds something is left alone."""
    (past[0] / "kept").mkdir()
    (past[0] / "kept" / "file").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        told(past[0], past[1].alert_id, out="kept")
