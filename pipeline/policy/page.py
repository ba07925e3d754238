"""The verdict on a page: a readable version of its document, or which kind of something else, and why."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from pipeline.events import PageState, Version
from pipeline.policy.clauses import segment
from pipeline.policy.extract import EXTRACTOR, extract


class Page(Struct, frozen=True, kw_only=True):
    """What a server sent, and how its text is to be selected.

    `select` and `remove` are CSS selectors; `name` is what the document is called ("Privacy Policy"), which
    tells apart the documents of a page that holds several; `siblings` are bodies of other pages of the host.
    """

    body: bytes
    url: str = ""
    status: int = 200
    headers: dict[str, str] = {}
    content_type: str = ""
    select: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    language: str = ""
    name: str = ""
    siblings: tuple[bytes, ...] = ()


class Reading(Struct, frozen=True, kw_only=True):
    """What a page was read as: its state, the reason in a sentence where it is not ok, and the version if it is."""

    state: PageState
    reason: str = ""
    version: Version | None = None
    notes: tuple[str, ...] = ()


def read_page(page: Page, *, known: Sequence[Version] = ()) -> Reading:
    """Read a page: its state, and the version in it. `known` are accepted versions, oldest first."""
    if page.status >= 400:
        return Reading(state=PageState.ERROR, reason=f"The server answered with status {page.status}.")
    text = page.body.decode("utf-8", "replace")
    if "html" in page.content_type or text.lstrip()[:1] == "<":
        text = extract(text, page.url)
    if not text.strip():
        return Reading(state=PageState.EMPTY, reason="The page holds no text.")
    version = Version(text=text, clauses=segment(text), extractor=EXTRACTOR, language=page.language)
    return Reading(state=PageState.OK, version=version)
