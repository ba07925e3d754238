"""Pages kept in a git repository, one file per document and one commit per record, as Open Terms Archive keeps them.

The repository is only read, by `git log` and `git cat-file`; nothing that its own configuration names is run, and
nothing is fetched. A commit's author date is the time of the record: it survives a rewriting of the history.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO

from pipeline.adapters.archives import MAX_BYTES, Archived, ArchiveError
from pipeline.events import DocumentSpec

TYPES = {
    ".md": "text/markdown",
    ".txt": "text/plain",
    ".html": "text/html",
    ".htm": "text/html",
    ".pdf": "application/pdf",
}
UPGRADES = (
    "apply technical",
    "refilter",
    "technical upgrade",
)  # how Open Terms Archive marks what is its own doing
SAFE = (
    *("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "log.showSignature=false"),
    *("-c", "protocol.allow=never"),
    *("-c", "core.packedGitWindowSize=8m", "-c", "core.packedGitLimit=64m"),  # else a pack is mapped whole
)


@dataclass(frozen=True, slots=True)
class Record:
    """One file at one commit."""

    path: str
    at: datetime
    blob: str
    upgrade: bool


def is_repository(folder: Path) -> bool:
    """Say whether a folder is a git checkout or a bare repository."""
    return (folder / ".git").exists() or ((folder / "HEAD").is_file() and (folder / "objects").is_dir())


class GitPages:
    """The documents of a repository; a context that ends its git process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._reader: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> GitPages:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reader is not None:
            self._reader.kill()
            self._reader.communicate()

    def pages(self, spec_of: Callable[[str, str], DocumentSpec | None]) -> list[Archived]:
        """Return the records of the documents wanted, each document's oldest first.

        `spec_of` is given a service (the folder) and a document (the file's stem), and returns None for one that
        is not wanted.
        """
        found: list[Archived] = []
        for path, records in sorted(self._by_path().items()):
            place = PurePosixPath(path)
            spec = spec_of(place.parent.name, place.stem) if len(place.parts) > 1 else None
            if spec and _type(place):
                found += [self._page(record, spec, _type(place)) for record in records]
        return found

    def _page(self, record: Record, spec: DocumentSpec, kind: str) -> Archived:
        return Archived(
            document=spec,
            at=record.at,
            headers={"content-type": kind},
            url=spec.url,
            technical=record.upgrade,
            read=partial(self._body, record.blob),
        )

    def _by_path(self) -> dict[str, list[Record]]:
        paths: dict[str, list[Record]] = {}
        for record in self._records():
            paths.setdefault(record.path, []).append(record)
        return {path: sorted(records, key=lambda record: record.at) for path, records in paths.items()}

    def _records(self) -> Iterator[Record]:
        """Yield each file that each commit left behind, oldest first."""
        listing = self._run(
            *(
                "log",
                "--reverse",
                "--no-merges",
                "--raw",
                "-z",
                "--no-abbrev",
                "--no-renames",
                "--no-show-signature",
            ),
            *("--no-ext-diff", "--no-textconv", "--diff-filter=AM", "--format=%x01%at%x02%s"),
        )
        for commit in listing.split(b"\x01")[1:]:
            head, _, changes = commit.partition(b"\x00")
            stamp, _, subject = head.partition(b"\x02")
            at = datetime.fromtimestamp(int(stamp), UTC)
            upgrade = subject.decode("utf-8", "replace").strip().lower().startswith(UPGRADES)
            yield from _changed(changes.lstrip(b"\n").split(b"\x00"), at, upgrade)

    def _run(self, *words: str) -> bytes:
        try:
            done = subprocess.run(
                self._command(*words),
                capture_output=True,
                check=False,
                env=_environment(),
                stdin=subprocess.DEVNULL,
            )
        except OSError as error:
            raise ArchiveError(f"git cannot be run: {error.strerror}", remedy="Install git") from None
        if done.returncode:
            raise self._unreadable(done.stderr)
        return done.stdout

    def _command(self, *words: str) -> list[str]:
        return ["git", "--no-pager", "--no-optional-locks", "-C", str(self._folder), *SAFE, *words]

    def _unreadable(self, said: bytes) -> ArchiveError:
        lines = said.decode("utf-8", "replace").strip().splitlines() or ["git says nothing"]
        remedy = "Name a clone with its history; one of another owner needs git's safe.directory"
        return ArchiveError(f"{self._folder} cannot be read by git: {lines[0][:300]}", remedy=remedy)

    def _body(self, blob: str) -> bytes:
        """Return a blob's bytes from the one `git cat-file` that serves them all."""
        if self._reader is None:
            self._reader = subprocess.Popen(
                self._command("cat-file", "--batch"), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, env=_environment(),
            )  # fmt: skip
        asked, told = self._reader.stdin, self._reader.stdout
        assert asked is not None
        assert told is not None
        try:
            asked.write(f"{blob}\n".encode())
            asked.flush()
            return _object(told, blob)
        except BrokenPipeError:
            raise ArchiveError(
                f"git stopped while reading {blob}", remedy="Check the clone: git fsck"
            ) from None


def _object(told: IO[bytes], blob: str) -> bytes:
    """Read one answer of `git cat-file --batch`: a line `id type size`, the bytes, a line end."""
    words = told.readline().split()
    if len(words) != 3 or words[1] != b"blob":
        raise ArchiveError(
            f"{blob} is not in the clone", remedy="Clone the repository in full, without --filter and --depth"
        )
    size = int(words[2])
    data = told.read(size)
    told.read(1)
    if len(data) != size:
        raise ArchiveError(f"{blob} ends early", remedy="Check the clone: git fsck")
    if size > MAX_BYTES:
        raise ArchiveError(f"{blob} is larger than {MAX_BYTES} bytes", remedy="Leave its document out")
    return data


def _changed(fields: Sequence[bytes], at: datetime, upgrade: bool) -> Iterator[Record]:
    """Yield the files of one commit from pairs of `:mode mode old new status` and path."""
    for said, path in zip(fields[::2], fields[1::2], strict=False):
        words = said.split()
        if len(words) == 5 and words[1] in {b"100644", b"100755"}:
            yield Record(path.decode("utf-8", "replace"), at, words[3].decode(), upgrade)


def _type(path: PurePosixPath) -> str:
    """Return the media type of a document's file, "" for what is none."""
    if path.name.startswith(".") or path.name.lower() in {"readme.md", "license.md", "changelog.md"}:
        return ""
    return TYPES.get(path.suffix.lower(), "")


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
