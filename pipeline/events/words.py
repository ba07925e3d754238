"""The words inside events: what a page turned out to be, how a clause differs, how much it matters."""

from __future__ import annotations

from enum import StrEnum


class PageState(StrEnum):
    """What a served page turned out to be; anything but ok keeps the last good version."""

    OK = "ok"
    ERROR = "error"
    EMPTY = "empty"
    SOFT_404 = "soft-404"
    BLOCKED = "blocked"
    CONSENT_WALL = "consent-wall"
    LOGIN_WALL = "login-wall"
    TRUNCATED = "truncated"
    LANGUAGE = "language"
    REPLACED = "replaced"
    SHELL = "shell"


class Verdict(StrEnum):
    """What a reader should make of two versions."""

    CHANGED = "changed"
    MINOR = "minor"
    UNCHANGED = "unchanged"
    BROKEN = "broken"


class ChangeType(StrEnum):
    """How one clause differs between two versions."""

    ADDED = "added"
    REMOVED = "removed"
    MODIFIED = "modified"
    MOVED = "moved"
    MOVED_AND_MODIFIED = "moved-and-modified"
    RENUMBERED = "renumbered"
    SPLIT = "split"
    MERGED = "merged"
    REFORMATTED = "reformatted"
    LINK_TARGET = "link-target"
    DATE_ONLY = "date-only"


class Severity(StrEnum):
    """How much a change matters to a reader, least first."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


class FetchOutcome(StrEnum):
    """How a poll of a source ended."""

    OK = "ok"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    BLOCKED = "blocked"


class Origin(StrEnum):
    """How a page came to us: polled now, or put in from an archive with its own time."""

    POLL = "poll"
    IMPORT = "import"


class Channel(StrEnum):
    """The kinds of place an alert can be sent to."""

    SLACK = "slack"
    WEBHOOK = "webhook"
    EMAIL = "email"
    CONSOLE = "console"
    APPRISE = "apprise"
