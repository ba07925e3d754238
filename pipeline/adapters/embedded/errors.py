"""What can go wrong with the embedded log, in the pipeline's own errors, each with its place and its remedy."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faust.exceptions import ProducerSendError

from pipeline.errors import ConfigError, RejectError, StoreError


class RecordTooLargeError(RejectError, ProducerSendError):
    """A record over the limit: refused before it is sent, as a Kafka producer would."""


def too_large(topic: str, size: int, limit: int) -> RecordTooLargeError:
    """The error for a record of `size` bytes on a topic that takes `limit`."""
    return RecordTooLargeError(
        f"a record of {size:,} bytes is too large for topic {topic!r}, which takes {limit:,}",
        remedy="keep the body in the blob store and send a reference, or raise max.message.bytes of the topic",
    )


def partitions_differ(topic: str, held: int, asked: int) -> ConfigError:
    """The error for declaring a topic anew with another number of partitions."""
    return ConfigError(
        f"topic {topic!r} has {held} partitions, not {asked}: keys would change their places",
        remedy=f"keep {held}, or start a new topic and replay into it",
    )


def unknown_topic(topic: str) -> ConfigError:
    """The error for a topic that the log does not have."""
    return ConfigError(
        f"the log has no topic {topic!r}", remedy="create it first, or look for a slip of the pen"
    )


def wrong_file(path: Path) -> StoreError:
    """The error for a file that is a database, but not a log."""
    return StoreError(f"{path} is a database, but not a log of ours", remedy="name another path for the log")


def closed(path: Path) -> StoreError:
    """The error for using a log that was closed."""
    return StoreError(f"the log {path} is closed", remedy="open it again")


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Turn SQLite's and the system's errors into StoreError with the log's path and what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise _store_error(path, error) from error
    except OSError as error:
        raise StoreError(
            f"the log {path} cannot be used: {error}", remedy="check the path and its rights"
        ) from error


def _store_error(path: Path, error: sqlite3.Error) -> StoreError:
    name = getattr(error, "sqlite_errorname", "") or ""
    for prefix, fact, remedy in _KINDS:
        if name.startswith(prefix):
            return StoreError(f"the log {path} {fact} ({error})", remedy=remedy.format(folder=path.parent))
    return StoreError(
        f"the log {path} failed: {error}", remedy="see the message; the log itself is unchanged"
    )


_KINDS = (
    (
        "SQLITE_FULL",
        "has no room to grow: the disk is full",
        "free space under {folder}; writing then goes on by itself",
    ),
    ("SQLITE_IOERR", "cannot be written", "check free space, quota and health of the disk under {folder}"),
    ("SQLITE_BUSY", "is held by another process", "wait for the other command to end, then try again"),
    ("SQLITE_LOCKED", "is held by another process", "wait for the other command to end, then try again"),
    ("SQLITE_CANTOPEN", "cannot be opened", "check that the folder {folder} exists and may be written"),
    ("SQLITE_READONLY", "may not be written", "check the rights of the file and of {folder}"),
    ("SQLITE_PERM", "may not be written", "check the rights of the file and of {folder}"),
    ("SQLITE_NOTADB", "is not a log", "name another path for the log"),
    (
        "SQLITE_CORRUPT",
        "is damaged",
        "restore it from a backup; keep the damaged file for recovery with sqlite3 .recover",
    ),
)


def no_transactions() -> ConfigError:
    """The error for asking for exactly-once processing."""
    return ConfigError(
        "the embedded log has no transactions",
        key="processing_guarantee",
        remedy="use at_least_once; consumers recognise a repeat by its id",
    )
