"""check, extract, diff and classify on the command line: public JSON, batches, exit status."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from agents.__main__ import app, main
from agents.commands.reading import InputError, document_name

OLD = "# Terms\n\n## Data\n\nWe retain your data for 30 days after you close your account with us.\n\n## Fees\n\nFees are billed monthly in advance.\n"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with two versions of a text and a page that is gone."""
    (tmp_path / "old.md").write_text(OLD)
    (tmp_path / "new.md").write_text(OLD.replace("30 days", "90 days"))
    (tmp_path / "gone.html").write_text(
        "<html><head><title>404 Not Found</title></head><h1>Not Found</h1></html>"
    )
    return tmp_path


def ran(*words: object, status: int = 0) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result.stdout


def test_diff_speaks_the_public_contract(files: Path) -> None:
    """The JSON of diff has every promised key, and offsets that find the quoted text."""
    told = json.loads(ran("diff", files / "old.md", files / "new.md", "--json", status=1))
    (change,) = told["changes"]
    assert {"verdict", "reason", "changes", "effective_date", "summary"} <= set(told)
    assert {"type", "clause_id", "heading_path", "number", "redline", "category", "severity", "facts"} <= set(
        change
    )
    new = (files / "new.md").read_text()
    assert "90 days" in new[change["new"]["start"] : change["new"]["end"]]


def test_diff_says_nothing_of_equal_pages(files: Path) -> None:
    """Two equal pages are unchanged, with exit status 0."""
    assert json.loads(ran("diff", files / "old.md", files / "old.md", "--json"))["verdict"] == "unchanged"


def test_diff_is_plain_without_a_terminal(files: Path) -> None:
    """Piped output marks what goes and comes by characters, not by colour."""
    assert "[-30-]{+90+} days" in ran("diff", files / "old.md", files / "new.md", status=1)


def test_diff_of_a_broken_page_is_trouble(files: Path) -> None:
    """A page that is no version of the document is broken, with exit status 2."""
    told = json.loads(ran("diff", files / "old.md", files / "gone.html", "--json", status=2))
    assert (told["verdict"], told["reason"]) == ("broken", "soft-404")


def batch(folder: Path, *rows: dict[str, Any] | str) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return path


def test_batch_goes_on_after_a_bad_row(files: Path) -> None:
    """A row that cannot be handled yields its error on its own line, and the rest go on."""
    rows = (
        {"old": str(files / "old.md"), "new": str(files / "missing.md")},
        "not json",
        {"old": str(files / "old.md"), "new": str(files / "new.md")},
    )
    told = [json.loads(line) for line in ran("diff", "--batch", batch(files, *rows)).splitlines()]
    assert ["error" in told[0], "error" in told[1], told[2]["verdict"]] == [True, True, "changed"]


def test_batch_knows_history(files: Path) -> None:
    """A state that stands among the earlier versions is recognised as returned."""
    row = {"old": str(files / "new.md"), "new": str(files / "old.md"), "history": [str(files / "old.md")]}
    (line,) = ran("diff", "--batch", batch(files, row)).splitlines()
    assert json.loads(line)["verdict"] == "unchanged"


ELSEWHERE = (
    "# Nutzungsbedingungen\n\nWir speichern Ihre Daten für {} Tage, nachdem Sie Ihr Konto bei uns geschlossen haben.\n\n"
    "Die Gebühren sind jeden Monat im Voraus zu zahlen, und wir können sie mit einer Frist von einem Monat ändern.\n"
)


def test_batch_follows_a_page_that_stays_another(files: Path) -> None:
    """Two pages in a row that agree are compared, though earlier versions were in another language."""
    (files / "de.md").write_text(ELSEWHERE.format(30))
    (files / "de2.md").write_text(ELSEWHERE.format(90))
    row = {"old": str(files / "de.md"), "new": str(files / "de2.md"), "history": [str(files / "old.md")]}
    told = json.loads(ran("diff", "--batch", batch(files, row)))
    assert (told["verdict"], len(told["changes"])) == ("changed", 1)


def test_extract_speaks_the_public_contract(files: Path) -> None:
    """The JSON of extract has every promised key, and clauses whose offsets lie in its text."""
    told = json.loads(ran("extract", files / "old.md", "--json"))
    assert {"state", "title", "language", "text", "clauses"} <= set(told)
    assert all(
        {"id", "number", "heading", "path", "text", "start", "end"} <= set(one) for one in told["clauses"]
    )
    assert all(0 <= one["start"] < one["end"] <= len(told["text"]) for one in told["clauses"])


def test_extract_batch_names_the_state(files: Path) -> None:
    """A page of a batch that is no document says which kind of something else it is."""
    rows = ({"page": str(files / "old.md")}, {"page": str(files / "old.md"), "status": 503})
    told = [json.loads(line)["state"] for line in ran("extract", "--batch", batch(files, *rows)).splitlines()]
    assert told == ["ok", "error"]


def test_classify_batch_gives_categories_and_facts(tmp_path: Path) -> None:
    """Each text of a batch gets its categories with confidences, and the facts that it states."""
    text = "You agree to resolve disputes by binding arbitration within 30 days of the notice."
    (line,) = ran("classify", "--batch", batch(tmp_path, {"text": text})).splitlines()
    told = json.loads(line)
    assert all(set(one) >= {"id", "p"} for one in told["categories"])
    assert told["categories"][0]["id"] == "arbitration_class_waiver"


def test_missing_file_is_named() -> None:
    """A file that is not there ends in a sentence that names it."""
    with pytest.raises(InputError, match=r"missing\.md"):
        ran("diff", "missing.md", "missing.md")


def test_failure_ends_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command line never shows a traceback for what was foreseen; its exit status says unusable."""
    monkeypatch.setattr("sys.argv", ["clausewire", "extract", "missing.md"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert "clausewire: missing.md" in capsys.readouterr().err


def test_every_command_teaches() -> None:
    """The help of the whole lists every group of commands."""
    told = ran("--help")
    assert all(
        word in told
        for word in ("diff", "extract", "classify", "run", "init", "doctor", "replay", "import", "demo")
    )


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("Privacy Policy/2024-10-17.html", "Privacy Policy"),
        ("acme/privacy-policy--html/2024-10-17.html.gz", "Privacy Policy"),
        ("acme/terms_of_service.html", "Terms Of Service"),
        ("acme/2024-10-17.html", ""),
        ("index.html", ""),
    ],
)
def test_names_are_read_from_paths(path: str, name: str) -> None:
    """A file or folder called like a document names it; a date or any other word does not."""
    assert document_name(Path(path)) == name
