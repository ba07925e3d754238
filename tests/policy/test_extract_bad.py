"""Pages made to hurt: every one is read in bounded time and gives a version or a reason."""

from __future__ import annotations

import time

import pytest

from pipeline.events import PageState
from pipeline.policy.page import Page, read_page
from tests.policy.pages import page

SENTENCE = (
    "We may share your personal information with our partners for the purposes that this policy names. "
)
CASES = {
    "10,000 levels": "<div class='share nav'>" * 10_000 + f"<p>{SENTENCE * 3}</p>",
    "5,000 lists": "<ul><li>a" * 5_000 + f"<p>{SENTENCE * 3}</p>",
    "3,000 tables": "<table><tr><td>x<td>" * 3_000 + f"<p>{SENTENCE * 3}</p>",
    "20,000 bolds": "<b>" * 20_000 + SENTENCE * 3,
    "20,000 spans": "<span class='banner'>" * 20_000 + SENTENCE * 3,
    "a long class": f"<div class='{'nav-' * 100_000}'>" + f"<p>{SENTENCE * 3}</p>",
    "50,000 attributes": "<p " + " ".join(f"a{n}='b'" for n in range(50_000)) + f">{SENTENCE * 3}</p>",
    "one clause of 500 KB": f"<p>{SENTENCE * 5_000}</p>",
    "20,000 breaks": (SENTENCE + "<br>") * 20_000,
    "closes nothing": "".join(f"<div><p>{SENTENCE}<ul><li>{SENTENCE}" for _ in range(1_000)),
    "NULs": SENTENCE.replace(" ", "\x00 ") * 5,
    "5 MB": f"<main>{f'<p>{SENTENCE}</p>' * 45_000}</main>",
}


@pytest.mark.parametrize("kind", CASES)
def test_bounded(kind: str) -> None:
    """A hostile page costs seconds of CPU at most and its sentences are found."""
    served = page(CASES[kind])
    started = time.process_time()
    reading = read_page(Page(body=served))
    assert time.process_time() - started < 2 + len(served) / 1e6
    assert reading.version is not None, reading.reason
    assert "your personal information" in reading.version.text


@pytest.mark.parametrize(
    ("encoding", "header", "meta"),
    [
        ("utf-8", "", ""),
        ("utf-8-sig", "", ""),
        ("utf-16", "", ""),
        ("latin-1", "text/html; charset=iso-8859-1", ""),
        ("cp1252", "", "<meta charset='windows-1252'>"),
        ("utf-8", "text/html; charset=iso-8859-1", ""),
        ("latin-1", "text/html; charset=utf-8", "<meta charset=iso-8859-1>"),
        ("cp1251", "text/html; charset=windows-1251", ""),
        ("shift_jis", "", "<meta http-equiv='content-type' content='text/html; charset=Shift_JIS'>"),
    ],
)
def test_encodings(encoding: str, header: str, meta: str) -> None:
    """The encoding is taken from the bytes, the header or the page, whichever holds."""
    words = {"cp1251": "Мы собираем данные о вас.", "shift_jis": "個人情報を収集します。"}.get(
        encoding, "Nous protégeons vos données à caractère privé."
    )
    served = f"<html><head>{meta}</head><body><main><p>{words}</p></main></body></html>".encode(encoding)
    reading = read_page(Page(body=served, content_type=header))
    assert reading.version is not None, reading.reason
    assert reading.version.text.strip() == words


def test_undeclared_encoding() -> None:
    """Bytes of an older encoding that nobody declared are guessed, not refused."""
    told = "Nous protégeons vos données à caractère privé et nous les gardons pendant trente jours. " * 20
    reading = read_page(Page(body=f"<html><body><p>{told}</p></body></html>".encode("latin-1")))
    assert reading.version is not None
    assert "données à caractère privé" in reading.version.text


@pytest.mark.parametrize(
    "words",
    [
        "نحن نجمع المعلومات الشخصية التي تقدمها لنا عند استخدام خدماتنا.",
        "我们可能会收集、使用和共享您的个人信息，以便为您提供服务。",
        "אנו אוספים את המידע האישי שאתם מוסרים לנו.",
    ],
)
def test_other_scripts(words: str) -> None:
    """Right-to-left and CJK documents are read clause by clause."""
    reading = read_page(Page(body=page("".join(f"<p>{n}. {words}</p>" for n in range(1, 9)))))
    assert reading.version is not None
    assert [clause.text for clause in reading.version.clauses] == [words] * 8


def test_mixed_encodings() -> None:
    """A stray byte does not spoil the rest of a page."""
    reading = read_page(Page(body=page() + "é".encode("latin-1") + page()))
    assert reading.state is PageState.OK


@pytest.mark.parametrize("url", ["http://[", "not an address", "https://x.org/#", "http://[::1/a#b", "\x00"])
def test_bad_addresses(url: str) -> None:
    """An address or a base that is none spoils no page."""
    served = page(
        f"<base href='{url}'><a href='{url}'>a</a>" + "<p>We may change these terms with notice.</p>" * 3
    )
    assert read_page(Page(body=served, url=url)).state is PageState.OK


BARE = "<title>Terms</title><main><h1>Terms of Service</h1>{}</main>"


@pytest.mark.parametrize(
    "start", ["", "<!doctype html>", "<!doctype html><html lang=en>", "<html><head><meta charset=utf-8>"]
)
def test_tags_left_out(start: str) -> None:
    """HTML may leave out the tags of html, head and body: what belongs to no head begins the body."""
    clause = (
        "<h2>{0}. Use</h2><p>You may use part {0} of the service only as these terms allow you to use it.</p>"
    )
    body = start + BARE.format("".join(clause.format(number) for number in range(1, 9)))
    reading = read_page(Page(body=body.encode(), url="https://example.org/terms"))
    assert reading.state is PageState.OK
    assert "You may use part 8 of the service" in reading.version.text
