"""What every event and value is, and how identities derive from content."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from abc import abstractmethod
from base64 import b32encode
from datetime import datetime

from msgspec import Struct


def derived_id(prefix: str, *parts: object) -> str:
    """Return the identity of what the parts spell: `prefix-` and 26 characters of base32 SHA-256.

    Datetimes count by their ISO 8601 form; parts are length-prefixed, so that ("ab", "c") is not ("a", "bc").
    """
    digest = hashlib.sha256()
    for part in parts:
        data = (part.isoformat() if isinstance(part, datetime) else str(part)).encode()
        digest.update(f"{len(data)}:".encode() + data)
    return f"{prefix}-{b32encode(digest.digest()[:16]).decode().rstrip('=').lower()}"


def slug(name: str) -> str:
    """Return a name as an identity: lower case letters and digits of any script, joined by hyphens."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[\W_]+", "-", folded).strip("-")


class Value(Struct, frozen=True, kw_only=True):
    """A part of an event: frozen, without identity of its own."""


class Event(Struct, frozen=True, kw_only=True, tag_field="type"):
    """A fact that crossed a topic. Every event has an identity, a key and a time of its own."""

    @property
    @abstractmethod
    def id(self) -> str:
        """What tells this event from every other, derived from its content."""

    @property
    @abstractmethod
    def key(self) -> str:
        """What its record is keyed by: events of one key keep their order."""

    @property
    @abstractmethod
    def at(self) -> datetime:
        """When it happened, aware UTC."""
