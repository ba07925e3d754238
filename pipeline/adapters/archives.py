"""Pages of the past as archives hold them: when, of which document, and where to read them when their turn comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.errors import PipelineError
from pipeline.events import DocumentSpec

MAX_BYTES = 25_000_000  # of one page, decompressed


class ArchiveError(PipelineError):
    """An archive of pages that cannot be imported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """One page of an archive; `read` brings its bytes, and is called once, in order.

    `headers` are those the page was served with, as far as the archive kept them, with its content-type; `technical`
    marks a text that the archive extracted anew: what differs from the one before it is the archive's own doing.
    """

    document: DocumentSpec
    at: datetime
    read: Callable[[], bytes]
    headers: dict[str, str] = field(default_factory=dict)
    url: str = ""
    technical: bool = False
