"""Kinds of difference between two served pages, each with the verdict that a reader would want.

The pages are our own. Every kind is a class of thing that happens to real pages; the name says which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

CLAUSES: tuple[tuple[str, str], ...] = (
    (
        "1. Acceptance",
        "By using the Service you agree to these Terms and to our Privacy Policy, as they stand today.",
    ),
    (
        "2. Your account",
        "You are responsible for your account. You must keep your password safe and tell us of misuse.",
    ),
    (
        "3. Your content",
        "You keep the ownership of your content. You grant us a licence to host and to display it.",
    ),
    (
        "4. Data retention",
        "We retain your personal data for 30 days after you close your account, then we delete it.",
    ),
    (
        "5. API limits",
        "You may make up to 1,000 API calls per hour. We may change these limits with notice to you.",
    ),
    (
        "6. Payments",
        "Fees are billed monthly in advance and are not refundable, except where the law says otherwise.",
    ),
    (
        "7. Disputes",
        "Disputes are resolved by the courts of the county where you live at the time of the claim.",
    ),
    (
        "8. Termination",
        "We may suspend your account if you breach these Terms. You may close it at any time.",
    ),
    (
        "9. Liability",
        "Our liability to you is limited to the amount that you paid us in the last twelve months.",
    ),
    (
        "10. Sharing",
        "We do not sell your personal data. We share it with processors who act on our instructions.",
    ),
    (
        "11. Children",
        "The Service is not meant for children under 13, and we do not knowingly collect their data.",
    ),
    (
        "12. Changes",
        "We may update these Terms. We will notify you by e-mail 30 days before a change applies.",
    ),
)
ARBITRATION = (
    "Arbitration",
    "You agree to binding arbitration and waive your right to a jury trial or class action.",
)
TRAINING = (
    "Machine learning",
    "We may use your content to train artificial intelligence models of third parties.",
)
GERMAN = tuple(
    (f"{number}. Abschnitt", "Sie sind für Ihr Konto verantwortlich und müssen Ihr Passwort sicher aufbewahren, und wir "
     f"bewahren Ihre Daten {number * 10} Tage lang auf, nachdem Sie es geschlossen haben.")
    for number in range(1, 13)
)  # fmt: skip
NAV = "<nav><ul><li><a href='/'>Home</a></li><li><a href='/pricing'>Pricing</a></li><li><a href='/legal'>Legal</a></li></ul></nav>"
FOOTER = "<footer><p>© 2026 Example Ltd</p><a href='/imprint'>Imprint</a> <a href='/press'>Press</a></footer>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What a server answered."""

    body: bytes
    status: int = 200
    content_type: str = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Two answers of one address, and what a reader should be told: verdict, types of change, reason if broken."""

    name: str
    old: Served
    new: Served
    verdict: str
    types: frozenset[str] = frozenset()  # every change's type must be among them; none means any
    reasons: frozenset[str] = frozenset()


def body(
    clauses: tuple[tuple[str, str], ...] = CLAUSES, *, updated: str = "January 5, 2026", level: str = "h2"
) -> str:
    """Return the document itself."""
    sections = "".join(f"<{level}>{title}</{level}><p>{text}</p>" for title, text in clauses)
    return f"<h1>Terms of Service</h1><p>Last updated: {updated}</p>{sections}"


def page(
    inner: str | None = None, *, before: str = "", after: str = "", head: str = "", wrap: str = "main"
) -> Served:
    """Return the document as an ordinary page of a site."""
    inner = body() if inner is None else inner
    text = (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Terms of Service | Example</title>{head}</head>"
        f"<body><header>{NAV}</header>{before}<{wrap}>{inner}</{wrap.split(maxsplit=1)[0]}>{after}{FOOTER}</body></html>"
    )
    return Served(body=text.encode())


def reworded(number: int, text: str) -> tuple[tuple[str, str], ...]:
    """Return the clauses with the text of one (from 1) replaced."""
    return (*CLAUSES[: number - 1], (CLAUSES[number - 1][0], text), *CLAUSES[number:])


def swapped(number: int, old: str, new: str) -> tuple[tuple[str, str], ...]:
    """Return the clauses with words of one replaced."""
    text = CLAUSES[number - 1][1]
    assert old in text, old
    return reworded(number, text.replace(old, new))


def renumbered(clauses: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Return clauses numbered anew from 1."""
    return tuple((f"{n}. {title.split('. ', 1)[-1]}", text) for n, (title, text) in enumerate(clauses, 1))


def everywhere(old: str, new: str) -> Served:
    """Return the page with something replaced wherever it stands."""
    served = page()
    return replace(served, body=served.body.replace(old.encode(), new.encode()))


LONG = " ".join(
    f"In case {n} the provider processes account records for support, billing and security as schedule {n} sets out."
    for n in range(1, 40)
)
WALL = "<h1>Before you continue</h1><p>We use cookies and data to deliver our services and to measure engagement. {}</p>"
EDITS = {"modified", "moved-and-modified"}


def real() -> Iterator[Kind]:
    """Changes of wording: one word or a clause; all must be told."""
    for name, clauses, types in (
        ("a number changes", swapped(4, "30 days", "90 days"), {"modified"}),
        ("a negation goes", swapped(6, "are not refundable", "are refundable"), {"modified"}),
        ("a negation comes", swapped(5, "We may change", "We may not change"), {"modified"}),
        ("may becomes will", swapped(8, "We may suspend", "We will suspend"), {"modified"}),
        ("selling begins", swapped(10, "We do not sell", "We sell"), {"modified"}),
        ("a currency amount comes", swapped(9, "the amount that you paid us in", "USD 100 or the amount you paid in"), EDITS),
        ("an age changes", swapped(11, "under 13", "under 16"), {"modified"}),
        ("a period changes its unit", swapped(4, "30 days", "30 months"), {"modified"}),
        ("a thousand becomes a hundred", swapped(5, "1,000", "100"), {"modified"}),
        ("per hour becomes per day", swapped(5, "per hour", "per day"), {"modified"}),
        ("a venue changes", reworded(7, "Disputes are resolved by binding arbitration in Texas."), {"modified", "added", "removed"}),
        ("a clause is added at the end", (*CLAUSES, ARBITRATION), {"added"}),
        ("a clause is added at the front", (TRAINING, *CLAUSES), {"added"}),
        ("a clause is removed", (*CLAUSES[:6], *CLAUSES[7:]), {"removed"}),
        ("a clause is inserted and the rest renumbered", renumbered((*CLAUSES[:2], TRAINING, *CLAUSES[2:])), {"added", "renumbered"}),
        ("a clause is removed and the rest renumbered", renumbered((*CLAUSES[:6], *CLAUSES[7:])), {"removed", "renumbered"}),
        ("a clause moves and changes", (CLAUSES[0], (CLAUSES[3][0], CLAUSES[3][1].replace("30", "90")), *CLAUSES[1:3], *CLAUSES[4:]), {"moved-and-modified", "moved"}),
        ("a sentence is added to a clause", reworded(3, CLAUSES[2][1] + " We may sublicense it to anyone."), {"modified"}),
        ("two clauses swap a word", tuple((a, b.replace("you", "users") if n in {3, 7} else b) for n, (a, b) in enumerate(CLAUSES)), {"modified"}),
    ):  # fmt: skip
        yield Kind(name=name, old=page(), new=page(body(clauses)), verdict="changed", types=frozenset(types))
    old, new = (
        page(body(reworded(4, f"{LONG} We will {word}sell your data. {LONG}"))) for word in ("not ", "")
    )
    yield Kind(
        name="one word in 8,000 characters",
        old=old,
        new=new,
        verdict="changed",
        types=frozenset({"modified"}),
    )
    yield Kind(name="one word in 8,000, with a new design", old=old, verdict="changed", types=frozenset({"modified"}),
               new=page(body(reworded(4, f"{LONG} We will sell your data. {LONG}")), wrap="article class='doc'"))  # fmt: skip
    rows = "<table><tr><th>Data</th><th>Kept</th></tr><tr><td>Logs</td><td>{} days</td></tr><tr><td>Mail</td><td>1 year</td></tr></table>"
    yield Kind(name="a cell of a table changes", old=page(body() + rows.format(30)), new=page(body() + rows.format(60)),
               verdict="changed", types=frozenset({"modified"}))  # fmt: skip
    items = "<p>You must not:</p><ul><li>resell the Service;</li><li>scrape it;</li>{}</ul>"
    yield Kind(name="an item joins a list", old=page(body() + items.format("")), verdict="changed", types=frozenset({"added", "reformatted"}),
               new=page(body() + items.format("<li>use it to train models;</li>")))  # fmt: skip


def small() -> Iterator[Kind]:
    """Differences that are listed and never alert on their own."""
    moved = (CLAUSES[0], CLAUSES[6], *CLAUSES[1:6], *CLAUSES[7:])
    bare = tuple((title.split(". ", 1)[1], text) for title, text in CLAUSES)
    unnumbered_moved = (bare[0], bare[6], *bare[1:6], *bare[7:])
    split = body().replace("your content. You grant", "your content.</p><p>You grant")
    for name, old, new, types in (
        ("the date line changes", page(), page(body(updated="March 9, 2026")), {"date-only"}),
        ("a clause moves", page(body(bare)), page(body(unnumbered_moved)), {"moved"}),
        ("a numbered clause moves", page(), page(body(moved)), {"moved"}),
        ("clauses are renumbered", page(), page(body(tuple((t.replace(". ", ".0 ", 1) if t[1] == "." else t, x) for t, x in CLAUSES))), {"renumbered", "reformatted"}),
        ("a paragraph is split", page(), page(split), {"split"}),
        ("two paragraphs are merged", page(split), page(), {"merged"}),
        ("a comma comes", page(), page(body(swapped(8, "You may close", "You may, close"))), {"reformatted"}),
        ("a link's target changes", page(body() + "<p>See our <a href='/optout'>opt-out page</a> for choices.</p>"),
         page(body() + "<p>See our <a href='/choices/ads'>opt-out page</a> for choices.</p>"), {"link-target"}),
        ("words are emphasised", page(), everywhere("Fees are", "<strong>Fees</strong> <em>are</em>"), {"reformatted"}),
        ("curly quotes and dashes", page(), page(body(swapped(12, "e-mail", "e\u2011mail"))), {"reformatted"}),
        ("headings of another level", page(), page(body(level="h3")), {"reformatted"}),
        ("a heading is written in capitals", page(), page(body(tuple((t.upper(), x) for t, x in CLAUSES))), {"reformatted"}),
    ):  # fmt: skip
        yield Kind(name=name, old=old, new=new, verdict="minor", types=frozenset(types))
    yield Kind(name="accordions", old=page(), verdict="minor", types=frozenset({"reformatted"}),
               new=page(body().replace("<h2>", "<details><summary>").replace("</h2>", "</summary>").replace("</p><details>", "</p></details><details>").replace("2026</p></details>", "2026</p>") + "</details>"))  # fmt: skip


def none() -> Iterator[Kind]:
    """Pages whose bytes differ and whose policy does not."""
    banner = "<div class='cookie-banner' role='dialog'><p>We use cookies.</p><button>Accept all</button><button>Reject</button></div>"
    token = "<p>See our <a href='/privacy?sid={}'>privacy policy</a>.</p>"
    lines = body().replace(". ", ".\n    ").replace("</p><h2>", "</p>\n\n\n<h2>")
    for name, new in (
        ("the same bytes", page()),
        ("a cookie banner comes", page(before=banner)),
        ("the navigation grows", everywhere("<li><a href='/legal'>Legal</a></li>", "<li><a href='/jobs'>Jobs</a></li><li><a href='/blog'>Blog</a></li>")),
        ("the footer changes", everywhere("© 2026 Example Ltd", "© 2027 Example Holdings Ltd. All rights reserved.")),
        ("classes and ids change", everywhere("<p>", "<p class='css-9xk2a' data-v='77'>")),
        ("a new design without the old wrapper", page(wrap="article class='legal-body'")),
        ("wrapped in ten containers", page("<div><section><div>" * 3 + body() + "</div></section></div>" * 3)),
        ("non-breaking and zero-width spaces", everywhere("your account", "your\u00a0ac\u200bcount")),
        ("re-flowed lines", page(lines)),
        ("a script and a style come", page(head="<script>var x=42</script><style>p{margin:0}</style>")),
        ("related links come", page(after="<aside class='related'><h2>Related articles</h2><ul><li><a href='/a'>How to reset a password</a></li><li><a href='/b'>Billing questions</a></li></ul></aside>")),
        ("a helpfulness poll comes", page(after="<div class='feedback'><p>Was this helpful?</p><button>Yes</button><button>No</button><p>1,204 people found this helpful</p></div>")),
        ("a language picker comes", page(before="<div class='lang-picker'><ul><li><a href='/de'>Deutsch</a></li><li><a href='/fr'>Français</a></li><li><a href='/es'>Español</a></li></ul></div>")),
        ("a comment and a nonce change", page(before="<!-- build 8f3a2c -->", head="<meta name='csrf' content='19ab44'>")),
    ):  # fmt: skip
        yield Kind(name=name, old=page(), new=new, verdict="unchanged")
    yield Kind(name="a session id in a link", old=page(body() + token.format("aaa111")), new=page(body() + token.format("bbb222")), verdict="unchanged")  # fmt: skip
    yield Kind(name="paragraphs become divs", old=page(), verdict="unchanged",
               new=page(body().replace("<p>", "<div class='t'>").replace("</p>", "</div>")))  # fmt: skip
    yield Kind(name="windows-1252 bytes", old=page(body(swapped(3, "licence", "“licence”"))), verdict="unchanged",
               new=Served(body=page(body(swapped(3, "licence", "“licence”"))).body.decode().replace("charset='utf-8'", "charset='windows-1252'").encode("cp1252"), content_type="text/html; charset=windows-1252"))  # fmt: skip


def broken() -> Iterator[Kind]:
    """Answers that are no readable version of the document."""
    html = "<!doctype html><html><head><title>{}</title></head><body>{}</body></html>"
    unlucky = frozenset(
        {
            "soft-404",
            "error",
            "replaced",
            "truncated",
            "blocked",
            "consent-wall",
            "login-wall",
            "empty",
            "shell",
        }
    )
    script = html.format(
        "Example",
        "<div id='root'></div><noscript>You need to enable JavaScript to run this app.</noscript><script src='/app.js'></script>",
    )
    half = page().body
    german = page(
        body(GERMAN).replace("Terms of Service", "Nutzungsbedingungen").replace("Last updated", "Stand")
    )
    for name, served, reasons in (
        ("nothing at all", Served(body=b""), {"empty"}),
        ("a server error", Served(body=b"<html><body>Service Unavailable</body></html>", status=503), {"error"}),
        ("gone", Served(body=b"<html><body>Gone</body></html>", status=410), {"error", "soft-404"}),
        ("not found with status 200", Served(body=html.format("Page not found", "<h1>Sorry, this page is not available</h1><p>The link may be broken.</p>").encode()), {"soft-404"}),
        ("a bot challenge", Served(body=html.format("Just a moment...", "<h1>Checking your browser before accessing example.com</h1><div id='cf-wrapper'></div>").encode()), {"blocked"}),
        ("access denied", Served(body=html.format("Access Denied", "<h1>Access Denied</h1><p>You don't have permission to access this server. Reference #18.2f5a1402</p>").encode(), status=403), {"blocked"}),
        ("a consent wall", Served(body=html.format("Before you continue", WALL.format("Accept all or reject all to continue.") + "<button>Accept all</button><button>Reject all</button>").encode()), {"consent-wall"}),
        ("a long consent wall", Served(body=html.format("Before you continue", WALL.format(" ".join(["If you choose to accept all, we and our partners will also use cookies to develop new services and to show personalised ads."] * 8)) + "<button>Accept all</button>").encode()), {"consent-wall"}),
        ("a login wall", Served(body=html.format("Log in to Example", "<h1>Log in</h1><form><input name='email'><input type='password' name='password'><button>Log in</button></form><p>Don't have an account? Sign up</p>").encode()), {"login-wall"}),
        ("an empty shell", Served(body=script.encode()), {"shell"}),
        ("a truncated body", Served(body=half[: len(half) // 3]), {"truncated"}),
        ("another language", german, {"language"}),
        ("maintenance", Served(body=html.format("Maintenance", "<h1>We'll be back soon</h1><p>We are down for scheduled maintenance.</p>").encode()), unlucky),
        ("another document", page("<h1>Press releases</h1>" + "".join(f"<h2>Story {n}</h2><p>Example opens office number {n} in a city with a harbour, a station and {n} bridges over its river.</p>" for n in range(12))), {"replaced"}),
    ):  # fmt: skip
        yield Kind(name=name, old=page(), new=served, verdict="broken", reasons=frozenset(reasons))


GROUPS: dict[str, Callable[[], Iterator[Kind]]] = {
    "real": real,
    "small": small,
    "none": none,
    "broken": broken,
}
KINDS = tuple(kind for group in GROUPS.values() for kind in group())
