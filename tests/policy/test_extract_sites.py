"""Extraction on the furniture of the software that policies are published with."""

from __future__ import annotations

import re

import pytest

from pipeline.policy.extract import extract
from tests.policy.pages import CLAUSES, MENU, body

DOCUMENT = body()
SITES = {
    "help centre": (
        f"<header class='header'><a href='/'>Help Center</a></header><main role='main'><div class='container'><nav class='sub-nav'><ol class='breadcrumbs'><li><a href='/'>Help</a></li><li>Legal</li></ol><form role='search'><input type='search'></form></nav>"
        f"<div class='article-container'><aside class='article-sidebar'><h3>Articles in this section</h3><ul>{MENU}</ul></aside><article class='article'><header class='article-header'>{DOCUMENT.partition('<p>')[0]}"
        "<div class='article-author'><div class='avatar'><img></div><div class='article-meta'><a href='/u/1'>Sam</a><ul class='meta-group'><li>2 months ago</li><li>Updated</li></ul></div></div></header>"
        f"<section class='article-info'><div class='article-body'><p>{DOCUMENT.partition('<p>')[2]}</div></section>"
        "<footer><div class='article-footer'><ul class='share'><li><a href='https://facebook.com/x'>Facebook</a></li></ul></div><div class='article-votes'><span class='article-votes-question'>Was this article helpful?</span><button>Yes</button><button>No</button><small>12 out of 40 found this helpful</small></div><div class='article-more-questions'>Have more questions? <a href='/r'>Submit a request</a></div></footer>"
        f"<div class='article-relatives'><section class='related-articles'><h3>Related articles</h3><ul>{MENU}</ul></section><section class='recent-articles'><h3>Recently viewed articles</h3><ul>{MENU}</ul></section></div>"
        "<div class='article-comments'><section class='comments'><h2>Comments</h2><p>0 comments</p><p>Article is closed for comments.</p></section></div></article></div></div></main>"
    ),
    "documentation": (
        f"<nav class='navbar'><ul>{MENU}</ul></nav><div class='main-wrapper'><aside class='theme-doc-sidebar-container'><nav><ul>{MENU}</ul></nav></aside><main class='docMainContainer_x1'><div class='container'><div class='row'><div class='col docItemCol_a'><div><article>"
        f"<nav class='theme-doc-breadcrumbs'><ul class='breadcrumbs'>{MENU}</ul></nav><div class='theme-doc-markdown markdown'>{DOCUMENT}</div><footer class='theme-doc-footer'><a href='https://github.com/x/edit'>Edit this page</a></footer></article><nav class='pagination-nav'><a href='/a'>Previous</a><a href='/b'>Next</a></nav></div></div>"
        f"<div class='col col--3'><div class='tableOfContents_b thin-scrollbar'><ul class='table-of-contents'><li><a href='/legal#x'>Acceptance</a></li></ul></div></div></div></div></main></div>"
    ),
    "weblog": (
        f"<div id='page' class='site'><header id='masthead' class='site-header'><a href='/'>Example</a><nav><ul>{MENU}</ul></nav></header><div id='content' class='site-content'><div id='primary'><main id='main'><article id='post-3' class='page type-page'><header class='entry-header'>{DOCUMENT.partition('<p>')[0]}</header>"
        f"<div class='entry-content'><p>{DOCUMENT.partition('<p>')[2]}<div class='sharedaddy'><h3>Share this:</h3><ul><li><a href='https://x.com/s'>Twitter</a></li><li><a href='https://fb.com/s'>Facebook</a></li></ul></div></div></article></main></div>"
        f"<aside id='secondary' class='widget-area'><section class='widget'><h2>Recent Posts</h2><ul>{MENU}</ul></section></aside></div><footer id='colophon' class='site-footer'><p>Proudly powered by software that runs a third of all sites on the web.</p></footer></div>"
    ),
    "shop": (
        f"<div id='shopify-section-header'><ul>{MENU}</ul></div><main id='MainContent'><div class='shopify-policy__container'><div class='shopify-policy__title'>{DOCUMENT.partition('<p>')[0]}</div><div class='shopify-policy__body'><div class='rte'><p>{DOCUMENT.partition('<p>')[2]}</div></div></div></main>"
        "<div class='newsletter-section'><h3>Join us</h3><p>Subscribe to our newsletter for news about sales and new products.</p><form><input><button>Subscribe</button></form></div>"
    ),
    "app without names": (
        f"<div id='__next'><div class='css-1a2b3c'><div class='css-9z8y7x'><ul>{MENU}</ul></div><div class='css-aa11bb'><div class='css-cc22dd'>{DOCUMENT.replace('<p>', '<div>').replace('</p>', '</div>')}</div></div><div class='css-ee33ff'><div>Example</div><ul>{MENU}</ul><div>© 2026 Example Inc. All rights reserved.</div></div></div></div>"
    ),
    "builder": (
        f"<div class='page-wrapper'><div class='navbar w-nav' role='banner'><nav role='navigation' class='w-nav-menu'><a href='/a'>Product</a><a href='/b'>Pricing</a></nav></div><div class='section'><div class='container w-container'><div class='legal-rich-text w-richtext'>{DOCUMENT}</div></div></div>"
        f"<div class='section cta-section'><h2>Ready to get started?</h2><a class='button w-button' href='/signup'>Sign up for free</a></div><div class='footer'><ul>{MENU}</ul></div></div>"
    ),
    "old tables": (
        f"<table width='100%'><tr><td colspan='2' bgcolor='#fff'><a href='/'>Home</a> | <a href='/about'>About</a> | <a href='/jobs'>Jobs</a></td></tr><tr><td width='160'><ul>{MENU}</ul></td><td>{DOCUMENT}</td></tr><tr><td colspan='2'><font size='1'>Copyright 2026 Example Inc.</font></td></tr></table>"
    ),
    "help pages of a suite": (
        f"<div class='page-width-container'><article class='article-container' itemprop='articleBody'><section class='article'>{DOCUMENT}</section><div class='feedback'><div class='helpful'><span>Was this helpful?</span><div>How can we improve it?</div><button>Yes</button><button>No</button></div></div></article>"
        f"<section class='need-more-help'><h2>Need more help?</h2><div>Try these next steps:</div><ul>{MENU}</ul></section></div>"
    ),
}  # fmt: skip
STRAYS = [
    "Products",
    "Careers",
    "Helpful",
    "Previous",
    "Recent",
    "Related",
    "Facebook",
    "Twitter",
    "powered",
    "newsletter",
    "Subscribe",
    "started",
    "rights",
    "Copyright",
    "Edit",
    "closed",
    "Submit",
    "Recently",
    "breadcrumbs",
    "improve",
]


@pytest.mark.parametrize("site", SITES)
def test_site(site: str) -> None:
    """Every clause is there, in order, and nothing of the site around it."""
    served = f"<!doctype html><html lang='en'><head><title>Terms of Service - Example</title></head><body>{SITES[site]}</body></html>"
    text = extract(served).text
    words = re.sub(r"\W+", " ", text)
    assert [told for _, told in CLAUSES if re.sub(r"\W+", " ", told).strip() not in words] == []
    assert [head for head, _ in CLAUSES if re.sub(r"\W+", " ", head).strip() not in words] == []
    assert [stray for stray in STRAYS if stray in words] == []


@pytest.mark.parametrize("site", SITES)
def test_title_and_date(site: str) -> None:
    """The title and the date of the document are kept on every kind of site."""
    text = extract(f"<html><head><title>T</title></head><body>{SITES[site]}</body></html>").text
    assert "Terms of Service" in text
    assert "Last updated: January 5, 2026" in text
