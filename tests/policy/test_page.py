"""The verdict on a page: documents pass, everything else is told apart from them and says why."""

from __future__ import annotations

import gzip

import pytest

from pipeline.events import PageState, Version
from pipeline.policy.page import Page, Reading, read_page
from tests.policy.pages import CLAUSES, bare, body, page

GERMAN = (
    "<h1>Nutzungsbedingungen</h1>"
    + "<p>Durch die Nutzung des Dienstes stimmen Sie diesen Bedingungen zu. Sie sind für Ihr Konto verantwortlich und müssen "
    "das Passwort geheim halten. Wir speichern Ihre Daten nach der Kündigung für dreißig Tage.</p>" * 3
)
CHALLENGE = "<h1>Checking your browser before accessing example.com</h1><p>This may take a few seconds. Ray ID: 8a7b6c5d</p>"
VENDORS = "".join(
    f"<li>Partner {name} uses your data for ads under its legitimate interest.</li>" for name in range(12)
)

BROKEN = {
    "cloudflare challenge": (PageState.BLOCKED, "Cloudflare", Page(body=bare("Just a moment...", CHALLENGE, "<script src='/cdn-cgi/challenge-platform/h/b/orchestrate'></script>"))),
    "cloudflare 403": (PageState.BLOCKED, "Cloudflare", Page(body=bare("Attention Required! | Cloudflare", "Sorry, you have been blocked"), status=403)),
    "challenge header": (PageState.BLOCKED, "Cloudflare", Page(body=bare("One more step", "<p>Please wait.</p>"), headers={"cf-mitigated": "challenge"})),
    "akamai": (PageState.BLOCKED, "Akamai", Page(body=bare("Access Denied", "<h1>Access Denied</h1>You don't have permission to access this page on this server.<p>Reference #18.2d4f1002.1700000.1a2b3c</p>"))),
    "human": (PageState.BLOCKED, "PerimeterX/HUMAN", Page(body=bare("Access to this page has been denied", "<div id='px-captcha'></div><p>Press and hold to confirm you are a human (and not a bot).</p>"))),
    "datadome": (PageState.BLOCKED, "DataDome", Page(body=bare("example.com", "<p>Please enable JS and disable any ad blocker</p><script src='https://geo.captcha-delivery.com/c.js'></script>"), status=403)),
    "imperva": (PageState.BLOCKED, "Imperva", Page(body=bare("Pardon Our Interruption", "<p>As you were browsing something about your browser made us think you are a bot. Incident ID: 123</p><script src='/_Incapsula_Resource?a=1'></script>"))),
    "aws waf": (PageState.BLOCKED, "AWS WAF", Page(body=b"", status=405, headers={"x-amzn-waf-action": "captcha"})),
    "captcha": (PageState.BLOCKED, "hCaptcha", Page(body=bare("Security check", "<p>Please complete the security check to continue.</p><div class='h-captcha'></div><script src='https://hcaptcha.com/1/api.js'></script>"))),
    "plain 403": (PageState.BLOCKED, "403", Page(body=b"Forbidden", status=403)),
    "rate limit": (PageState.BLOCKED, "429", Page(body=b"slow down", status=429)),
    "503": (PageState.ERROR, "503", Page(body=b"<html><body>Service Unavailable</body></html>", status=503)),
    "404": (PageState.ERROR, "404", Page(body=page(), status=404)),
    "410": (PageState.ERROR, "410", Page(body=b"gone", status=410)),
    "error with 200": (PageState.ERROR, "error page", Page(body=bare("500 Internal Server Error", "<h1>Internal Server Error</h1><hr>nginx"))),
    "maintenance": (PageState.ERROR, "maintenance", Page(body=bare("We'll be back soon", "<h1>Scheduled maintenance</h1><p>We are working on it. Please try again later.</p>"))),
    "image": (PageState.ERROR, "PNG", Page(body=b"\x89PNG\r\n\x1a\n" + bytes(100), content_type="image/png")),
    "zip": (PageState.ERROR, "ZIP", Page(body=b"PK\x03\x04" + bytes(100))),
    "noise": (PageState.ERROR, "no text", Page(body=bytes(range(256)) * 40)),
    "bad gzip": (PageState.ERROR, "gzip", Page(body=b"\x1f\x8b\x08\x00junk junk junk")),
    "gzip bomb": (PageState.ERROR, "25 MB", Page(body=gzip.compress(bytes(30_000_000)))),
    "bad pdf": (PageState.ERROR, "PDF", Page(body=b"%PDF-1.7\nthis is none", content_type="application/pdf")),
    "no bytes": (PageState.EMPTY, "without content", Page(body=b"")),
    "blanks": (PageState.EMPTY, "without content", Page(body=b" \n\t ")),
    "no text": (PageState.EMPTY, "no text", Page(body=b"<html><head></head><body><div></div></body></html>")),
    "one image": (PageState.EMPTY, "pictures", Page(body=bare("", "<img src='terms.png' width='800'>"))),
    "soft 404": (PageState.SOFT_404, "not found", Page(body=bare("Page not found", "<h1>Sorry, this page is not available</h1><p>The link may be broken.</p>"))),
    "soft 404 in a site": (PageState.SOFT_404, "404", Page(body=page("<h1>404</h1><p>The page you are looking for does not exist or has been moved.</p>", title="Example"))),
    "soft 404 german": (PageState.SOFT_404, "nicht gefunden", Page(body=bare("Seite nicht gefunden", "<h1>Seite nicht gefunden</h1><p>Die Seite existiert nicht.</p>"))),
    "soft 404 japanese": (PageState.SOFT_404, "見つかりません", Page(body=bare("ページが見つかりません", "<h1>ページが見つかりません</h1><p>404 お探しのページは削除された可能性があります。</p>"))),
    "consent": (PageState.CONSENT_WALL, "consent", Page(body=bare("Before you continue", "<main id='terms'><h1>Before you continue</h1><p>We use cookies. Accept all or reject all to continue to the site.</p><button>Accept</button></main>"))),
    "long consent": (PageState.CONSENT_WALL, "consent", Page(body=bare("Your privacy choices", f"<h1>We value your privacy</h1><p>We and our 842 partners store cookies.</p><ul>{VENDORS}</ul><button>Accept all</button>"))),
    "login": (PageState.LOGIN_WALL, "login", Page(body=bare("Log in to Example", "<form><label>Email or password</label><input type='password'><button>Log in</button></form><a href='/reset'>Forgot your password?</a>"))),
    "401": (PageState.LOGIN_WALL, "401", Page(body=b"", status=401)),
    "region": (PageState.LANGUAGE, "region", Page(body=bare("Unavailable", "<h1>Not available in your country</h1><p>This site is not available in your region.</p>"))),
    "shell": (PageState.SHELL, "scripts", Page(body=bare("App", f"<div id='root'></div><script>{'var a=1;' * 400}</script>"))),
    "noscript": (PageState.SHELL, "scripts", Page(body=bare("App", "<div id='root'></div><noscript>You need to enable JavaScript to run this app.</noscript><script src='a.js'></script>"))),
    "partial": (PageState.TRUNCATED, "206", Page(body=page()[:900], status=206)),
    "short of bytes": (PageState.TRUNCATED, "bytes", Page(body=page(), headers={"Content-Length": "99999"})),
    "cut in a tag": (PageState.TRUNCATED, "inside a tag", Page(body=page()[: page().index(b"<h2>7.") + 2])),
    "wanted language": (PageState.LANGUAGE, "de instead of en", Page(body=page(GERMAN), language="en-US")),
}  # fmt: skip

FINE = {
    "as it is": page(),
    "mentions a 404": page(body() + "<h2>Errors</h2><p>If a page is not found (404), the link may be broken; go back to the home page.</p>"),
    "mentions logins": page(body() + "<p>Log in with your password; if you forgot your password, sign in with Google.</p>"),
    "cookie policy": page("<h1>Cookie Policy</h1><p>We use cookies. You may accept all or reject all of them.</p><p>By clicking accept you agree to our use of cookies as this policy describes it.</p>", title="Cookie Policy"),
    "with a login form": page(before="<form><input type='password'><button>Log in</button></form>"),
    "with a banner": page(after="<div class='x1'><p>We use cookies to improve your experience on our site. Accept them to continue to the site.</p><button>Accept all</button></div>"),
    "behind cloudflare": page(after="<script src='/cdn-cgi/challenge-platform/scripts/jsd/main.js'></script>"),
    "with recaptcha": page(after="<script src='https://www.google.com/recaptcha/api.js'></script><div class='g-recaptcha'></div>"),
    "closes nothing": ("<html><title>Terms</title><h1>Terms of Service" + "".join(f"<h2>{head}<p>{text}" for head, text in CLAUSES)).encode(),
    "a short policy": bare("Refund Policy", "<h1>Refund Policy</h1><p>All sales are final, and no refunds are given.</p>"),
    "with a noscript": page(after="<noscript>Please enable JavaScript to see the animations.</noscript>"),
    "in german": page(GERMAN),
    "about consent": page("<h1>Consent to Electronic Communications</h1><p>By clicking accept you consent to receive all notices by email, and you may withdraw it.</p>" * 4, title="Consent to Electronic Communications"),
    "about access": page("<h1>Forbidden Content Policy</h1><p>You do not have permission to access or to post what this policy names as forbidden.</p>" * 5, title="Forbidden Content Policy"),
    "about accounts": page("<h1>Sign-up Terms</h1><p>When you create an account you choose a password; if you forgot your password, ask us.</p>" * 5, title="Sign-up Terms"),
}  # fmt: skip


def known() -> Version:
    """Return the version that was accepted last."""
    version = read_page(Page(body=page())).version
    assert version is not None
    return version


def read(served: bytes, **kwargs: object) -> Reading:
    return read_page(Page(body=served, **kwargs), known=[known()])  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_kinds(kind: str) -> None:
    """A page that is no document gets its state and a reason that names what was seen."""
    state, said, served = BROKEN[kind]
    reading = read_page(served)
    assert reading.state is state, reading.reason
    assert said.lower() in reading.reason.lower()
    assert reading.version is None


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_with_history(kind: str) -> None:
    """A page that is no document is none with a history either, and gives no version."""
    assert read_page(BROKEN[kind][2], known=[known()]).version is None


@pytest.mark.parametrize("kind", FINE)
def test_fine_kinds(kind: str) -> None:
    """A document stays one, whatever it speaks of and whatever stands around it."""
    reading = read_page(Page(body=FINE[kind]))
    assert reading.state is PageState.OK, reading.reason
    assert reading.reason == ""


def test_truncated_document() -> None:
    """A page that ends inside a clause is truncated, with the share that is missing."""
    reading = read(page(body(CLAUSES[:4]))[:-400])
    assert reading.state is PageState.TRUNCATED
    assert "missing" in reading.reason


def test_lost_tail() -> None:
    """A page that lost its second half, well formed, is suspected to be truncated."""
    assert read(page(body(CLAUSES[:4]))).state is PageState.TRUNCATED


def test_lost_nine_tenths() -> None:
    """A document of which a tenth is left, from its middle, is no new version."""
    assert read(page(f"<p>{CLAUSES[4][1]}</p>")).state is PageState.TRUNCATED


def test_other_language() -> None:
    """The document in another language is a variant, not a version."""
    reading = read(page(GERMAN))
    assert reading.state is PageState.LANGUAGE
    assert "de instead of en" in reading.reason


def test_other_document() -> None:
    """Another document at the same address replaces it and is refused."""
    other = "<h1>Privacy Policy</h1>" + "".join(f"<p>Processing purpose {n}: advertising partners receive hashed identifiers daily.</p>" for n in range(9))  # fmt: skip
    assert read(page(other, title="Privacy Policy")).state is PageState.REPLACED


def test_home_page() -> None:
    """A home page where the document stood is not the document."""
    home = (
        "<h1>Build faster</h1>"
        + "<p>Ship beautiful websites in minutes with drag and drop simplicity for every team.</p>"
    )
    assert read(page(home, title="Example")).state is PageState.REPLACED


def test_rewritten_document() -> None:
    """A document written anew under the same title is a version: that is the news."""
    anew = tuple((heading, f"The provider undertakes obligation {n} toward members, as schedule {n} sets out.") for n, (heading, _) in enumerate(CLAUSES))  # fmt: skip
    assert read(page(body(anew))).state is PageState.OK


def test_dropped_copy() -> None:
    """A page that held its text twice and drops one copy lost nothing."""
    twice = read_page(Page(body=page(body() + body()))).version
    assert twice is not None
    assert read_page(Page(body=page()), known=[twice]).state is PageState.OK


def test_dead_selector() -> None:
    """When the selector dies the text is found without it, and the note proposes a selector that lives."""
    reading = read(page(main="<article class='legal-text'>"), select=("#terms",))
    assert reading.state is PageState.OK
    assert "100 % of the known text" in reading.notes[0]
    assert (
        read_page(Page(body=page(main="<article class='legal-text'>"), select=("article",))).version
        == reading.version
    )


def test_unknown_selector() -> None:
    """A selector that nobody understands is left out and said so."""
    reading = read_page(Page(body=page(), select=("main:hover-ish(2)",)))
    assert reading.state is PageState.OK
    assert "hover-ish" in " ".join(reading.notes)


def test_same_reading_twice() -> None:
    """Reading a page twice gives equal versions with equal ids."""
    assert read_page(Page(body=page())) == read_page(Page(body=page()))


def test_plain_text_page() -> None:
    """A plain text is a document too."""
    text = "\n\n".join(f"{heading}\n\n{words}" for heading, words in CLAUSES)
    reading = read_page(Page(body=text.encode(), content_type="text/plain"))
    assert reading.version is not None
    assert [clause.number for clause in reading.version.clauses if clause.kind == "heading"][:3] == [
        "1",
        "2",
        "3",
    ]
