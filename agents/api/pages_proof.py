"""A dossier's evidence as its page shows it: both pages as they were served, and every quote looked up again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from agents.api import pages_view
from agents.api.pages_view import ChangeView
from agents.dossier import Dossier, Exhibit, Side
from agents.proof import Proof
from pipeline.alerts.render.letters import clean, count, is_web, one_line
from pipeline.alerts.render.times import instant
from pipeline.events import PageRef, Value

RENDERED = "x-clausewire-rendered"
NAMES = {"old": "Before", "new": "After"}
SHOWN_HEADERS = 60
ENDINGS = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "application/pdf": "pdf",
    "text/markdown": "md",
}


class QuoteView(Value, frozen=True, kw_only=True):
    """A quote of one of the two pages, and what looking it up came to."""

    name: str  # Before | After
    text: str
    start: int
    end: int
    verbatim: str  # the characters there, where they are not the quote letter by letter
    stands: bool
    served: bool | None
    within: str


class Quoted(Value, frozen=True, kw_only=True):
    """What a change quotes of the pages."""

    change: ChangeView
    quotes: tuple[QuoteView, ...]

    @property
    def holds(self) -> bool:
        return all(one.stands and one.served for one in self.quotes)


class PageView(Value, frozen=True, kw_only=True):
    """One of the two pages: when and where it was served, its bytes, and what was checked of them."""

    name: str
    side: str
    url: str
    final_url: str
    linked: bool
    fetched: str
    exact: str
    status: int
    media_type: str
    size: int
    sha256: str
    page_id: str
    fingerprint: str
    headers: tuple[tuple[str, str], ...]
    rendered: str
    intact: bool
    fault: str
    text_fault: str
    text_sha256: str
    quotes: int
    stand: int
    served: int
    archive: str
    file: str
    text_file: str


def evidence(found: Dossier, shown: Sequence[Exhibit], now: datetime) -> dict[str, Any]:
    """Return what the page of the evidence shows; `now` is when the exhibits were looked at."""
    pages = [_page(found, exhibit) for exhibit in shown]
    quoted = list(_quoted(found, shown))
    return {
        **pages_view.common(found),
        "pages": pages,
        "quoted": quoted,
        "missing": found.missing,
        "checked": f"{instant(now)[:-4]}:{now:%S} UTC",
        "verdict": verdict(pages, found.missing),
        "records": list(_records(found)),
    }


def verdict(pages: Sequence[PageView], missing: int = 0) -> dict[str, Any]:
    """Return what all checks came to: whether everything holds, and in sentences what does and does not.

    What is `missing` of the changes could not be checked, so that not everything holds.
    """
    intact = sum(page.intact for page in pages)
    quotes, stand = sum(page.quotes for page in pages), sum(page.stand for page in pages)
    served = sum(page.served for page in pages)
    has, stands = "has" if intact == 1 else "have", "stands" if stand == 1 else "stand"
    told = [
        f"{_of(intact, len(pages), 'page')} {has} the very bytes that were fetched: their SHA-256 was computed again "
        "and is the one recorded then.",
        f"{_of(stand, quotes, 'quote')} {stands} at the offsets given, in the text extracted from the page.",
        f"{_of(served, quotes, 'quote')} {'is' if served == 1 else 'are'} found word for word in the page’s own "
        "bytes, without going through our extraction.",
    ]
    if missing:
        told.append(
            f"{count(missing, 'change')} more cannot be checked: counted then, no longer in the store."
        )
    return {
        "holds": bool(pages) and not missing and intact == len(pages) and stand == served == quotes,
        "told": told if pages else ["This alert rests on no page."],
    }


def _of(part: int, whole: int, noun: str) -> str:
    if part == whole:
        return (
            "Both pages"
            if (noun, whole) == ("page", 2)
            else f"All {count(whole, noun)}"
            if whole > 1
            else count(whole, noun)
        )
    return f"Only {part:,} of {count(whole, noun)}"


def _page(dossier: Dossier, exhibit: Exhibit) -> PageView:
    page = exhibit.side.page
    headers = [(clean(name)[:200], clean(value)[:2_000]) for name, value in page.headers.items()]
    url, last = clean(page.url), clean(page.final_url or page.url)
    return PageView(
        name=NAMES[exhibit.side.name],
        side=exhibit.side.name,
        url=url,
        final_url=last if last != url else "",
        linked=is_web(url),
        fetched=instant(page.fetched_at),
        exact=page.fetched_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        status=page.status,
        media_type=clean(page.body.media_type),
        size=page.body.size,
        sha256=page.body.sha256,
        page_id=page.page_id,
        fingerprint=exhibit.side.fingerprint,
        headers=tuple(headers[:SHOWN_HEADERS]),
        rendered=one_line(_header(page, RENDERED), 200),
        intact=exhibit.body is not None,
        fault=one_line(exhibit.fault, 300),
        text_fault=one_line(exhibit.side.fault, 300),
        text_sha256=exhibit.side.text.sha256 if exhibit.side.text else "",
        quotes=len(exhibit.quoted),
        stand=exhibit.stand,
        served=exhibit.served,
        archive=_archive(last, page.fetched_at),
        file=file_name(dossier, exhibit.side, "page"),
        text_file=file_name(dossier, exhibit.side, "text"),
    )


def _header(page: PageRef, wanted: str) -> str:
    return next((value for name, value in page.headers.items() if name.lower() == wanted), "")


def _archive(url: str, at: datetime) -> str:
    """Return where the Internet Archive shows its capture nearest to a time: a witness that is not ours."""
    return f"https://web.archive.org/web/{at.astimezone(UTC):%Y%m%d%H%M%S}/{url}" if is_web(url) else ""


def _quoted(found: Dossier, shown: Sequence[Exhibit]) -> Iterator[Quoted]:
    """Yield what each change quotes, in the order of the redline."""
    for change, at in zip(pages_view.numbered(found), pages_view.order(found), strict=True):
        quotes = [_quote(exhibit, proof) for exhibit in shown if (proof := exhibit.proofs[at])]
        yield Quoted(change=change, quotes=tuple(quotes))


def _quote(exhibit: Exhibit, proof: Proof) -> QuoteView:
    text, verbatim = clean(proof.span.text), clean(proof.verbatim)
    return QuoteView(
        name=NAMES[exhibit.side.name],
        text=text,
        start=proof.span.start,
        end=proof.span.end,
        verbatim="" if verbatim == text else verbatim,
        stands=proof.stands,
        served=proof.served,
        within=proof.within,
    )


def _records(found: Dossier) -> Iterator[tuple[str, str]]:
    """Yield the ids that lead through the log: what was read, concluded and told."""
    yield "alert", found.alert.alert_id
    yield "change set", found.alert.cause_id
    for side in found.sides:
        yield f"page {NAMES[side.name].lower()}", side.page.page_id
        yield f"fingerprint of its text, {NAMES[side.name].lower()}", side.fingerprint
    for event in (*found.updates, *((found.withdrawal,) if found.withdrawal else ())):
        yield pages_view.settled(event), event.id


def file_name(found: Dossier, side: Side, kind: str) -> str:
    """Return the name that a page's bytes, or its text, are saved under: document, day, and what they are."""
    document = found.alert.document
    stem = quote(document.id.replace("/", "-"), safe="-")[:80] if document else "page"
    ending = "md" if kind == "text" else ENDINGS.get(side.page.body.media_type.partition(";")[0], "bin")
    at = side.page.fetched_at.astimezone(UTC)
    return f"{stem}-{at:%Y-%m-%dT%H%M%SZ}-{side.name}-{kind}.{ending}"
