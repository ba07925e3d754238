"""The verdict on a page: a readable version of its document, or which kind of something else, and why.

Signs on the page itself come first (status, headers, title, words, controls), then the text that could be taken
from it, then what earlier versions say: whether their clauses are still there, in the same language, to the end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus

from msgspec import Struct

from pipeline.errors import PageError
from pipeline.events import PageState, Version
from pipeline.policy import media, signs, survival
from pipeline.policy.clauses import segment
from pipeline.policy.embedded import embedded
from pipeline.policy.extract import EXTRACTOR, Extracted, extract
from pipeline.policy.html import parse
from pipeline.policy.language import detect, primary


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
    """Read a page: its state, and the version in it. `known` are accepted versions, oldest first.

    Never raises for what a server may send; a page that is not ok has no version.
    """
    content = media.read(page.body, content_type=_content_type(page), url=page.url)
    if page.status >= 400 or page.status in {204, 205, 206} or 300 <= page.status < 400:
        return _refused(page, content)
    if content.kind == "binary":
        return Reading(state=PageState.ERROR, reason=f"The page is not readable: {content.what}.")
    if not page.body.strip() or (not content.text.strip() and content.kind != "pdf"):
        return Reading(state=PageState.EMPTY, reason="The server sent a page without content.")
    try:
        seen, extracted, unclosed = _look(page, content)
    except PageError as error:
        remedy = f" {error.remedy}" if error.remedy else ""
        return Reading(state=PageState(error.state), reason=f"{error}{remedy}")
    return _judged(page, seen, extracted, known, unclosed=unclosed)


def _content_type(page: Page) -> str:
    return page.content_type or _header(page, "content-type")


def _header(page: Page, name: str) -> str:
    return next((value for key, value in page.headers.items() if key.lower() == name), "")


def _refused(page: Page, content: media.Content) -> Reading:
    """Tell who refused: a bot protection, a login, or the server itself."""
    try:
        said = HTTPStatus(page.status).phrase
    except ValueError:
        said = "unknown"
    answer = f"The server answered {page.status} ({said})"
    guard = signs.protection(content.text, page.headers)
    if guard and page.status in {401, 403, 405, 406, 429, 503}:
        return Reading(state=PageState.BLOCKED, reason=f"{answer}; the page is blocked by {guard}.")
    if page.status in {401, 407}:
        return Reading(state=PageState.LOGIN_WALL, reason=f"{answer}: it wants a login.")
    if page.status in {403, 429}:
        return Reading(state=PageState.BLOCKED, reason=f"{answer}: it does not let us read the page.")
    if page.status == 206:
        return Reading(state=PageState.TRUNCATED, reason=f"{answer}: only a part of the page.")
    return Reading(state=PageState.ERROR, reason=f"{answer}.")


def _look(page: Page, content: media.Content) -> tuple[signs.Seen, Extracted, bool]:
    """Return what the page shows, the text taken from it, and whether its markup stops before its end."""
    if content.kind == "pdf":
        from pipeline.policy import pdf

        text, title = pdf.markdown(content.body)
        return signs.Seen(title=title, words=text), Extracted(text=text, title=title), False
    if content.kind == "json":
        text = embedded([({"type": "application/json"}, content.text)])
        extracted = extract(text) if text else Extracted(text="")
        return signs.Seen(words=extracted.text), extracted, False
    if content.kind != "html":
        text = content.text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
        return _plain(text), Extracted(text=text, title=_first_line(text)), False
    siblings = tuple(media.decode(body)[0] for body in page.siblings)
    tree = parse(content.text)
    seen = signs.look(tree, content.text)
    extracted = extract(
        content.text,
        tree=tree,
        base=page.url,
        select=page.select,
        remove=page.remove,
        siblings=siblings,
        name=page.name,
    )
    headings = (*_headings(extracted.text), *seen.headings)
    return (
        replace(seen, words=_words(extracted.text), headings=headings),
        extracted,
        is_unclosed(content.text),
    )


def _headings(markdown: str) -> list[str]:
    """Return the first headings of the text that was taken."""
    return [line.lstrip("# ") for line in markdown[:4000].splitlines() if line.startswith(("# ", "## "))][:4]


def _plain(text: str) -> signs.Seen:
    title = _first_line(text)
    return signs.Seen(
        title=title, headings=(title,), words=text[:20_000], markup=text[:20_000], everything=text[:20_000]
    )


def _first_line(text: str) -> str:
    line = next((line for line in text[:5000].splitlines() if line.strip("#*=- \t")), "")
    return line.strip("#*=- \t")[:200]


def _words(markdown: str) -> str:
    return re.sub(r"\]\([^()]*\)|[#*\\|\[\]]+", "", markdown)


_VOID_ENDS = re.compile(r"</(?:html|body)\s*>\s*(?:<!--.*?-->\s*|<script\b.*?</script\s*>\s*)*$", re.I | re.S)
_OPENED = re.compile(r"<(/?)(main|article|section|div|body|html|table|ul|ol)\b", re.I)


def is_unclosed(markup: str) -> bool:
    """Tell whether markup stops before its end: a tag is cut, or what this author closes elsewhere stands open."""
    if re.search(r"</(?:html|body)\s*>", markup[-4000:], re.I):
        return False
    opened = {"": 0, "/": 0}
    for match in _OPENED.finditer(markup):
        opened[match[1]] += 1
    cut = markup.rfind("<") > markup.rfind(">")
    return cut or (opened["/"] > 0 and opened[""] > opened["/"]) or (opened[""] > 0 and "</p>" in markup)


def _judged(
    page: Page, seen: signs.Seen, extracted: Extracted, known: Sequence[Version], *, unclosed: bool
) -> Reading:
    notes = [*extracted.notes]
    if (found := signs.wall(seen, page.headers)) is not None:
        return Reading(state=found[0], reason=found[1], notes=tuple(notes))
    if (why := signs.shell(seen)) and not any("scripts" in note for note in notes):
        return Reading(state=PageState.SHELL, reason=why, notes=tuple(notes))
    version = _version(page, extracted)
    if not version.clauses or not re.search(r"\w", extracted.text):
        held = f"{seen.images} pictures and no text" if seen.images else "no text"
        return Reading(state=PageState.EMPTY, reason=f"The page holds {held}.", notes=tuple(notes))
    if (short := _cut_short(page, unclosed=unclosed, known=known)) is not None:
        return Reading(state=PageState.TRUNCATED, reason=short, notes=tuple(notes))
    against = survival.verdict(version, known, unclosed=unclosed, language=page.language)
    if extracted.dead:
        notes.append(_healed(extracted, version, known))
    if against is not None:
        return Reading(state=against[0], reason=against[1], notes=tuple(notes))
    return Reading(state=PageState.OK, version=version, notes=tuple(notes))


def _version(page: Page, extracted: Extracted) -> Version:
    return Version(
        text=extracted.text,
        clauses=segment(extracted.text),
        title=extracted.title,
        language=detect(extracted.text) or primary(page.language or extracted.language),
        extractor=EXTRACTOR,
    )


def _cut_short(page: Page, *, unclosed: bool, known: Sequence[Version]) -> str | None:
    """Tell from the page alone that its end is missing: fewer bytes than announced, or markup cut in a tag."""
    announced = _header(page, "content-length")
    if announced.isdigit() and not _header(page, "content-encoding") and int(announced) > len(page.body) + 16:
        return f"The page was cut: {len(page.body)} of {announced} bytes arrived."
    if unclosed and not known and page.body.rfind(b"<") > page.body.rfind(b">"):
        return "The page was cut: its markup stops inside a tag."
    return None


def _healed(extracted: Extracted, version: Version, known: Sequence[Version]) -> str:
    proposal = f' Try "{extracted.proposal}".' if extracted.proposal else ""
    if not known:
        return f"The text was found without selectors, as {extracted.dead}.{proposal}"
    share = round(100 * survival.found(known, version))
    return f"The text was found without selectors, as {extracted.dead}; {share} % of the known text is there.{proposal}"
