"""Our mails before a mail server, parsers, an unsubscribe auditor, a spam filter and what clients support."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage
from functools import partial

import listunsub
import msgspec

from pipeline.adapters.email import EmailNotifier, SmtpServer
from pipeline.alerts.render import email
from pipeline.alerts.render.redline import spans_of
from tests.adapters.hooks import certificates
from tests.adapters.post import PASSWORD, USER, mailing
from tests.judges.cases import LETTER, LINKS, Case
from tests.judges.tools import node, program, run
from tests.judges.verdict import NOTE

SPAM_LIMIT = 0.0  # points; SpamAssassin calls a mail spam from 5 on
HOSTILE_LIMIT = (
    4.9  # of a mail whose every word an attacker chose, sixty thousand letters without a space too
)
ABREAST = 2  # SpamAssassins at a time
CLIENTS = (  # of caniemail's, those that it has whole data on and most mail is read in
    "apple-mail.ios", "apple-mail.macos",
    "gmail.android", "gmail.desktop-webmail", "gmail.ios", "gmail.mobile-webmail",
    "outlook.android", "outlook.ios", "outlook.macos", "outlook.outlook-com", "outlook.windows",
    "samsung-email.android",
    "yahoo.android", "yahoo.desktop-webmail", "yahoo.ios",
    "protonmail.android", "protonmail.desktop-webmail", "protonmail.ios",
)  # fmt: skip
SPARED = {  # features that some clients lack, and what a reader sees there: everything, all the same
    "color-scheme meta tag": "the light colours, or the client's own dark ones",
    "@media": "the light colours: the one media query is for dark mode",
    "<style> element": "the light colours: the one style sheet is for dark mode",
    "<body> element": "the background of the table that fills the page, which is the same",
    "border-radius": "buttons with square corners",
    "display:none": "the line for the list of mails once more at the top",
    "max-height property": "nothing else: it only helps to hide the line for the list of mails",
    "overflow": "nothing else: it only helps to hide the line for the list of mails",
    "overflow-wrap": "words longer than a line broken by word-break; where neither is known, such a word runs on",
    "role attribute": "nothing else: it tells screen readers that a table is layout",
    "word-break": "words longer than a line broken by overflow-wrap; where neither is known, such a word runs on",
    "text-decoration": "del and ins struck and underlined by their own nature",
}


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """The HTML of a mail, and the clients it is for."""

    name: str
    html: str
    clients: tuple[str, ...] = CLIENTS


async def undelivered(cases: Sequence[Case], kind: str) -> list[str]:
    """Return the mails that do not arrive encrypted, once and byte for byte; `kind` is "tls" or "starttls"."""
    server, trusting = certificates("127.0.0.1")
    login = {"username": USER, "password": PASSWORD} if kind == "starttls" else {}
    faults = []
    async with mailing(**{kind: server}, login=bool(login)) as box:
        smtp = SmtpServer(host="127.0.0.1", port=box.port, tls=kind, context=trusting, **login)  # type: ignore[arg-type]
        for case in cases:
            compose = partial(email.compose, letter=LETTER, sent_at=case.due.due_at, links=LINKS)
            await EmailNotifier(smtp, compose=compose).send(case.due, parent=None)
            if len(box.mails) != 1 or box.mails[0].original_content != case.mail().as_bytes():
                faults.append(f"{case.name}: arrived {len(box.mails)} times, or otherwise than sent")
            if not all(box.encrypted):
                faults.append(f"{case.name}: arrived in the clear")
            box.mails.clear()
    return faults


def unreadable(cases: Iterable[Case]) -> Iterator[str]:
    """Yield what the strict parser of the standard library finds wrong with the bytes of a mail."""
    for case in cases:
        data = case.mail().as_bytes()
        try:
            parsed = message_from_bytes(data, policy=policy.strict)
        except MessageError as error:
            yield f"{case.name}: {type(error).__name__} {error}"
            continue
        kinds = [part.get_content_type() for part in parsed.walk()]
        if kinds != ["multipart/alternative", "text/plain", "text/html"]:
            yield f"{case.name}: parts {kinds}"
        if max(map(len, data.split(b"\r\n"))) > 998:
            yield f"{case.name}: a line over 998 octets"


def unleavable(cases: Iterable[Case]) -> Iterator[str]:
    """Yield what is wrong with the one-click unsubscription, read from the bytes as sent."""
    for case in cases:
        mail = message_from_bytes(case.mail().as_bytes(), policy=policy.compat32)
        ways, post = mail.get_all("List-Unsubscribe"), mail.get_all("List-Unsubscribe-Post")
        yield from (f"{case.name}: {problem}" for problem in listunsub.audit(ways, post))
        if LETTER.unsubscribe_url not in str(ways):
            yield f"{case.name}: the address to leave by is not whole"


def spam(cases: Sequence[Case]) -> list[str]:
    """Return the mails that SpamAssassin gives points to, by its local rules, for what we write.

    A policy's own words may draw points ("ad preferences" does): rules that a bare mail of nothing but the
    quoted words draws as well are not counted, and noted. Without a relay that is trusted nothing is taken off.
    """
    assassin = program("spamassassin", "apt-get install --no-install-recommends spamassassin")
    with ThreadPoolExecutor(ABREAST) as pool:
        return [said for said in pool.map(partial(_drawn, assassin), cases) if said]


def _drawn(assassin: str, case: Case) -> str:
    """Return what is to say of a mail's points, "" for nothing."""
    drawn = _points(assassin, case.mail().as_bytes())
    limit = HOSTILE_LIMIT if case.hostile else SPAM_LIMIT
    if sum(drawn.values()) <= limit:
        return ""
    quoted = _points(assassin, _quotes(case).as_bytes())
    ours = {rule: points for rule, points in drawn.items() if rule not in quoted or points < 0}
    words = ", ".join(f"{rule} {points}" for rule, points in drawn.items() if points > 0)
    if sum(ours.values()) > limit:
        return f"{case.name}: {sum(drawn.values()):.1f} points ({words})"
    return f"{NOTE}{case.name}: {words}, which the policy's own words draw"


def _points(assassin: str, mail: bytes) -> dict[str, float]:
    """Return the rules that a mail draws, with their points."""
    told = run([assassin, "--local", "--test-mode"], given=mail).decode(errors="replace")
    _, found, report = told.partition("Content analysis details:")
    if not found:
        raise RuntimeError("SpamAssassin gave no report")
    return {
        rule: float(score)
        for score, rule in re.findall(r"^ *(-?\d[\d.]*) ([A-Z][A-Z\d_]+)", report, re.MULTILINE)
    }


def _quotes(case: Case) -> EmailMessage:
    """Return a mail of nothing but the words that an alert quotes, with the headers of the real one."""
    mail, bare = case.mail(), EmailMessage(policy=email.POLICY)
    for name in ("From", "To", "Subject", "Date", "Message-ID"):
        bare[name] = mail[name]
    alerts = [due.alert for due in (case.due, *case.due.members) if due.alert]
    changes = [change for alert in alerts for change in alert.changes]
    lines = [
        line
        for change in changes
        for line in (*change.heading_path, " ".join(t for _, t in spans_of(change)))
    ]
    bare.set_content("\n".join(lines) + "\n", cte="quoted-printable")
    return bare


def unsupported(cases: Iterable[Case]) -> list[str]:
    """Return the features that a mail relies on and a mainstream client lacks, as caniemail knows them."""
    pages = [Page(name=case.name, html=case.html()) for case in cases]
    return [
        f"{found['title']}: not in {', '.join(found['clients'])} (of {len(found['mails'])} mails)"
        for found in node("caniemail", pages)
        if found["title"] not in SPARED
    ]
