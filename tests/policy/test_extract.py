"""Extraction: the whole document and nothing but the document, however the page around it is made."""

from __future__ import annotations

import re

import pytest

from pipeline.policy.extract import extract
from pipeline.policy.page import Page, read_page
from tests.policy.pages import CLAUSES, MENU, body, page

WORDS = [text for _, text in CLAUSES]

FURNITURE = {
    "menu": f"<div class='q'><ul>{MENU}</ul></div>",
    "named menu": f"<div class='site-nav'><ul>{MENU}</ul></div>",
    "cookie banner": "<div class='z1'><p>We use cookies to improve your experience on our website, and to show ads.</p><button>Accept all</button></div>",
    "vendor banner": "<div id='onetrust-banner-sdk'><p>" + "We and our partners process data about your visit to our site. " * 9 + "</p></div>",
    "banner without button": "<div class='k'><span>This website uses cookies to ensure you get the best experience. <a href='/c'>Learn more</a></span> <a>Got it!</a></div>",
    "newsletter": "<div class='n'><h4>Stay in the loop</h4><p>Sign up for our newsletter to get the latest news.</p><form><input><button>Subscribe</button></form></div>",
    "related": f"<section><h3>Related articles</h3><ul>{MENU}</ul></section>",
    "helpful": "<div>Was this page helpful? <button>Yes</button><button>No</button></div>",
    "counter": "<div>12,345 views</div>",
    "languages": "<div><span>Language</span><a href='/de'>Deutsch</a> <a href='/fr'>Français</a></div>",
    "ad": "<div class='k2'><a href='https://ads.example/x?sid=1'>Try our amazing new product today and save 20% on your first order now</a></div>",
    "chat": "<div class='w1'><p>Hi there! How can we help you today?</p><button>Start chat</button></div>",
    "hidden dialog": "<div role='dialog' style='display:none'><h2>Sign up</h2><p>Create an account to get access to all of the features of our service.</p></div>",
}  # fmt: skip


def text_of(served: bytes) -> str:
    return extract(served.decode()).text


def plain(served: bytes) -> str:
    return re.sub(r"\W+", " ", text_of(served))


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("main", ["<main>", "<div id='c'>", "<article>", "<section class='a9'>"])
@pytest.mark.parametrize("kind", FURNITURE)
def test_furniture_stays_out(kind: str, main: str, place: str) -> None:
    """Furniture before or after the document leaves its text as it was."""
    served = page(main=main, **{place: FURNITURE[kind]})
    assert text_of(served) == text_of(page(main=main))


@pytest.mark.parametrize(
    "inner",
    [
        body(),
        f"<div class='a'><div class='b'>{body()}</div></div>",
        f"<table><tr><td>{body()}</td></tr></table>",
        body().replace("<p>", "<div>").replace("</p>", "</div>"),
        body().replace("<h2>", "<h3 class='css-1x'><span>").replace("</h2>", "</span></h3>"),
        body().replace(" ", "\n   "),
        body().replace("</p>", ""),
        body().replace("<h2>", "<details><summary>").replace("</h2><p>", "</summary><p>").replace("</p><details>", "</p></details><details>"),
        body().replace("<h2>", "<h2><button aria-expanded='false'>").replace("</h2><p>", "</button></h2><p style='display:none'>"),
        "".join(f"<section id='{heading.split()[1].lower()}'><h2>{heading}</h2><p>{text}</p></section>" for heading, text in CLAUSES),
        "<ul>" + "".join(f"<li><b>{heading}</b> {text}</li>" for heading, text in CLAUSES) + "</ul>",
        "<table>" + "".join(f"<tr><th>{heading}</th><td>{text}</td></tr>" for heading, text in CLAUSES) + "</table>",
        "<dl>" + "".join(f"<dt>{heading}</dt><dd>{text}</dd>" for heading, text in CLAUSES) + "</dl>",
        "<br><br>".join(f"<b>{heading}</b><br>{text}" for heading, text in CLAUSES),
        "".join(f"<div role='tabpanel' hidden><h2>{heading}</h2><p>{text}</p></div>" for heading, text in CLAUSES),
        "".join(f"<aside><p>In short: {text}</p></aside><p>{text}</p>" for _, text in CLAUSES),
    ],
)  # fmt: skip
def test_whole_document(inner: str) -> None:
    """No clause is lost, whatever elements the document is made of."""
    found = plain(page(inner))
    assert [text for text in WORDS if re.sub(r"\W+", " ", text).strip() not in found] == []


@pytest.mark.parametrize(
    "name", ["cookies", "sharing", "feedback", "comments", "advertising", "rating", "social", "copyright"]
)
def test_sections_named_like_furniture(name: str) -> None:
    """A section of a policy stays in, though its id is what furniture is called too."""
    section = (
        f"<section id='{name}' class='{name}'><h2 id='{name}'>About {name}</h2><p>Yes, we do.</p></section>"
    )
    assert "Yes, we do." in text_of(page(body() + section))
    assert f"About {name}" in text_of(page(body() + section))


def test_title_above_main() -> None:
    """The title and the date that stand above the document's element belong to it."""
    told = text_of(
        page(
            body().partition("</p>")[2],
            before="<header><h1>Terms of Service</h1><p>Effective May 1, 2026</p></header>",
        )
    )
    assert told.startswith("# Terms of Service\n\nEffective May 1, 2026")


def test_contents_kept() -> None:
    """A table of contents is part of the document, a list of other pages is not."""
    contents = (
        "<ul>"
        + "".join(f"<li><a href='#s{n}'>{head}</a></li>" for n, (head, _) in enumerate(CLAUSES))
        + "</ul>"
    )
    assert "[10. Changes](#s9)" in text_of(page(contents + body()))


def test_absolute_links() -> None:
    """Links are told with their absolute targets; scripts are no targets."""
    told = extract(
        "<main><p>See <a href='../p?a=1'>this</a> or <a href='javascript:x()'>that</a>.</p></main>",
        base="https://x.org/legal/t",
    ).text
    assert told == "See [this](https://x.org/p?a=1) or that.\n"


def test_siblings_teach_furniture() -> None:
    """A line that stands on the other pages of the host too is furniture."""
    line = "<p>Example Inc. is a company of the Example Group and is listed on the stock exchange.</p>"
    other = [
        f"<html><body>{line}<h1>{name}</h1><p>Quite another text stands here about {name}.</p></body></html>"
        for name in ("Press", "Jobs")
    ]
    served = page(body() + line).decode()
    assert "stock exchange" in extract(served).text
    assert "stock exchange" not in extract(served, siblings=other).text


def test_sibling_of_itself() -> None:
    """An earlier copy of the document among the siblings takes nothing away."""
    served = page().decode()
    assert extract(served, siblings=[served]).text == extract(served).text


def test_text_in_data() -> None:
    """A page built by scripts is read from the data that it carries, and says so."""
    told = "".join(
        f'{{"nodeType":"heading-2","value":"{head}"}},{{"nodeType":"paragraph","value":"{text}"}},'
        for head, text in CLAUSES
    )
    served = f"<html><body><div id='__next'></div><script id='__NEXT_DATA__' type='application/json'>{{\"content\":[{told.rstrip(',')}]}}</script></body></html>"
    reading = read_page(Page(body=served.encode()))
    assert reading.version is not None
    assert all(text in reading.version.text for text in WORDS)
    assert "data" in reading.notes[0]


@pytest.mark.parametrize(("name", "url"), [("Privacy Policy", ""), ("", "https://x.org/legal#privacy")])
def test_one_of_several_documents(name: str, url: str) -> None:
    """Of several documents on a page the one is read that the name or the address's fragment means."""
    privacy = f"<article id='privacy'><h1>Privacy Policy</h1>{'<p>We process personal data only where the law lets us do so.</p>' * 6}</article>"
    served = page(f"<article id='terms'>{body()}</article>{privacy}")
    reading = read_page(Page(body=served, name=name, url=url))
    assert reading.version is not None
    assert reading.version.text.startswith("# Privacy Policy")
    assert "API calls" not in reading.version.text


def test_supplements_of_a_document() -> None:
    """A privacy policy is read with the notices beside it that are about privacy too, and with no agreement."""
    titles = ("Privacy Policy", "Notice of Privacy in Oregon", "GDPR", "Data Privacy Agreement", "Refunds")
    told = "".join(
        f"<section><h2>{title}</h2>{f'<p>{title} says what we do here, and when.</p>' * 6}</section>"
        for title in titles
    )
    text = extract(page(told).decode(), name="Privacy Policy").text
    assert [title for title in titles if f"## {title}\n" in text] == list(titles[:3])


def test_several_documents_unnamed() -> None:
    """Without a name a page is one document, whole."""
    served = page(
        f"<article>{body()}</article><article><h1>Privacy Policy</h1>{'<p>We process personal data.</p>' * 9}</article>"
    )
    assert "API calls" in text_of(served)
    assert "personal data." in text_of(served)


@pytest.mark.parametrize(
    ("heading", "text"),
    [
        ("Get in touch", "Write to privacy@example.com."),
        ("Newsletter", "We keep your address until you unsubscribe."),
        ("Comments", "We keep what you write in comments."),
        ("Contact us", "<a href='mailto:a@x.org'>a@x.org</a> or <a href='/form'>our form</a>"),
        ("Related companies", "We share data with Example Ltd."),
        ("Copyright", "All texts are ours."),
        ("Follow-up", "We reply within 3 days."),
        ("Cookies", "We use cookies. You may accept them or not. OK"),
        ("Subscriptions", "You may cancel at any time."),
    ],
)
def test_short_sections(heading: str, text: str) -> None:
    """A short section at the end of a policy stays in, whatever it is called."""
    section = f"<section><h2>{heading}</h2><p>{text}</p></section>"
    assert heading in text_of(page(f"<div>{body()}</div>{section}"))
    assert heading in text_of(page(body() + section))
