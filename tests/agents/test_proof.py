"""A quote is borne out by the words and the numbers of a page, not by digits that happen to follow one another."""

from __future__ import annotations

import pytest

from agents.proof import Served
from pipeline.events import BodyRef, PageRef
from tests.fakes import NOON


def served(markup: str) -> Served:
    """Return a page of HTML, as it was served."""
    page = PageRef(
        page_id="page-1",
        url="https://example.org/terms",
        final_url="https://example.org/terms",
        fetched_at=NOON,
        status=200,
        headers={"content-type": "text/html"},
        body=BodyRef(sha256="0" * 64, size=len(markup), media_type="text/html"),
    )
    return Served(f"<!doctype html><html><body>{markup}</body></html>".encode(), page)


@pytest.mark.parametrize(
    ("quote", "markup"),
    [
        ("The fee is 1.5 percent.", "<p>The fee is 15 percent.</p>"),
        ("The fee is 15 percent.", "<p>The fee is 1.5 percent.</p>"),
        ("We owe you $100.00.", "<p>We owe you $10000.</p>"),
    ],
)
def test_another_number_is_no_proof(quote: str, markup: str) -> None:
    """A point inside a number is part of it: a page that states another number bears out nothing."""
    assert served(markup).within(quote) == ""


@pytest.mark.parametrize(
    ("quote", "markup"),
    [
        ("The fee is 1.5 percent.", "<p>The fee is <b>1</b>.5&nbsp;percent.</p>"),
        ("The fee is 1,500 dollars.", "<p>The fee is 1,<span>500</span>\n dollars.</p>"),
        ("See section 4. 30 days apply.", "<div>See section 4.<br>30 days apply.</div>"),
        ("See section 4. 30 days apply.", "<div><p>See section 4.</p><p>30 days apply.</p></div>"),
        ("It is “free”, as ever.", "<p>It is &quot;free&quot; as  ever</p>"),
    ],
)
def test_markup_and_spacing_are_left_aside(quote: str, markup: str) -> None:
    """A number in several elements is one; two that end and begin blocks stay two."""
    assert served(markup).within(quote) == "its text"
