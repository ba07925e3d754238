"""Policy text → the ordinary page of a site: navigation, cookie banner, related links and footer around it.

Only the furniture is ours. It differs from design to design and from day to day, as real sites' does, so that
reading a page takes telling the policy from what stands around it.
"""

from __future__ import annotations

import re
from datetime import date

from jinja2 import Environment, FileSystemLoader
from markdown_it import MarkdownIt
from markupsafe import Markup

from agents.demo.story import FOLDER, Document, Dress

_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_TEXT = re.compile(r"(<[^>]*>)")
_REMARKS = (
    (r"<p>(.*?)</p>", r'<div class="rt-block"><p class="rt-p"><span>\1</span></p></div>'),
    (r"<(h[1-6])>", r'<\1 class="rt-heading" tabindex="-1">'),
    (r"<(strong|em)>", r'<\1 class="rt-mark">'),
    (r"<(ul|ol)>", r'<\1 class="rt-list" role="list">'),
)
_TEMPLATES = Environment(
    loader=FileSystemLoader(FOLDER / "dress"), autoescape=True, keep_trailing_newline=True
)
_RELATED = (
    "How we keep accounts safe",
    "Five settings worth a look this month",
    "Transparency report: the numbers",
    "What happens when you report a post",
    "Meet the team behind our safety tools",
    "Advertising on our service: an introduction",
    "A new look for the help centre",
    "Accessibility: what we shipped this season",
    "Answers to what people ask us most",
)


def content(markdown: str) -> str:
    """Return a policy's Markdown as HTML, front matter left out."""
    return str(MarkdownIt("commonmark").enable("table").render(_FRONT_MATTER.sub("", markdown)))


def reflowed(html: str, width: int = 64) -> str:
    """Return the same words with other line breaks."""
    return "".join(part if part.startswith("<") else _wrapped(part, width) for part in _TEXT.split(html))


def _wrapped(text: str, width: int) -> str:
    words, column, out = re.split(r"[ \n]", text), 0, []
    for word in words:
        out.append("\n" if column > width else " ")
        column = 0 if column > width else column + len(word) + 1
        out.append(word)
    return "".join(out[1:])


def remarked(html: str) -> str:
    """Return the same words in other markup: classes, anchors and wrappers, as another editor leaves them."""
    for pattern, other in _REMARKS:
        html = re.sub(pattern, other, html, flags=re.DOTALL)
    return html


def dressed(body: str, document: Document, dress: Dress, day: date) -> str:
    """Return a whole page: the policy inside the site's furniture of a design and a day."""
    template = _TEMPLATES.get_template(f"{dress}.html")
    return template.render(
        body=Markup(body),
        service=document.service,
        name=document.name,
        related=_related(day),
    )


def _related(day: date) -> list[str]:
    start = day.toordinal() % len(_RELATED)
    return [*_RELATED[start:], *_RELATED[:start]][:4]


def missing(document: Document, day: date) -> str:
    """Return the page of a site that has lost a document and says so with status 200."""
    body = "<h1>Page not found</h1>\n<p>Sorry, the page you are looking for does not exist or has moved.</p>"
    return dressed(f'{body}\n<p><a href="/">Home</a></p>', document, "classic", day)


def consent_wall(document: Document) -> str:
    """Return the page that asks for consent before it shows anything."""
    return _TEMPLATES.get_template("consent-wall.html").render(service=document.service)
