"""Pages to read in tests: a terms page as a site serves it, and the ways in which it may be served otherwise."""

from __future__ import annotations

CLAUSES = (
    ("1. Acceptance", "By using the Service you agree to these Terms and to the policies that they name."),
    ("2. Accounts", "You are responsible for your account and must keep your password safe at all times."),
    (
        "3. Your Content",
        "You keep the ownership of your content. You grant us a licence to host and to show it.",
    ),
    ("4. Data Retention", "We keep your personal data for 30 days after you close your account with us."),
    ("5. API Limits", "You may make up to 1,000 API calls per hour. We may change the limits with notice."),
    ("6. Payments", "Fees are billed monthly and are not refundable, except where the law says otherwise."),
    ("7. Arbitration", "Disputes are resolved in court in the county of your residence, and nowhere else."),
    ("8. Termination", "We may suspend your account if you breach these Terms, and tell you the reason."),
    ("9. Liability", "Our liability is limited to the amount that you paid us in the last twelve months."),
    ("10. Changes", "We may update these Terms. We will notify you by email at least 30 days in advance."),
)
MENU = "".join(
    f'<li><a href="/{word.lower()}">{word}</a></li>'
    for word in ["Home", "Products", "Pricing", "Blog", "Careers", "Help"]
)


def body(clauses: tuple[tuple[str, str], ...] = CLAUSES, title: str = "Terms of Service") -> str:
    """Return the document itself as HTML."""
    told = "".join(f"<h2>{heading}</h2><p>{text}</p>" for heading, text in clauses)
    return f"<h1>{title}</h1><p>Last updated: January 5, 2026</p>{told}"


def page(
    inner: str = "",
    *,
    title: str = "Terms of Service",
    before: str = "",
    after: str = "",
    main: str = "<main id='terms'>",
) -> bytes:
    """Return a page of a site, with its menu and its footer around the document."""
    close = f"</{main[1:].split(maxsplit=1)[0].rstrip('>')}>"
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{title}</title></head><body>"
        f"<nav><ul>{MENU}</ul></nav>{before}{main}{inner or body()}{close}{after}"
        f"<footer><ul>{MENU}</ul><p>© 2026 Example Inc.</p></footer></body></html>"
    ).encode()


def bare(title: str, inner: str, head: str = "") -> bytes:
    """Return a page that is no document: a title and a few words."""
    return (
        f"<!doctype html><html><head><title>{title}</title>{head}</head><body>{inner}</body></html>".encode()
    )
