"""An alert, or many, as a mail: text and HTML that say the same, under 100 kB, in one thread per document.

The subject is constant within a thread, because Gmail threads only by equal subjects; the lead of the body is
what previews show. Message-ID derives from the delivery, so that a mail sent twice is one mail to those who honour it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, parseaddr

from pipeline.alerts.render import gathered, html, html_gathered, text_gathered, words
from pipeline.alerts.render import text as plain
from pipeline.alerts.render.words import Links
from pipeline.events import AlertRaised, AlertUpdated, AlertWithdrawn, DeliveryDue, Value, derived_id

LIMIT = 100_000  # bytes of the whole mail; Gmail clips somewhere past 100 kB, and hides what stands below
SCALES = (1.0, 0.5, 0.25, 0.1, 0.03)  # of the sizes below, tried in turn until the mail fits
ROOMS = (  # of a gathered mail, tried in turn likewise
    gathered.Room(clause=2_000, facts=3, full=60, listed=200),
    gathered.Room(clause=700, facts=2, full=60, listed=200),
    gathered.Room(clause=350, facts=1, full=40, listed=120),
    gathered.Room(clause=350, facts=1, full=20, listed=80),
    gathered.Room(clause=250, facts=0, full=10, listed=40),
    gathered.Room(clause=100, facts=0, full=3, listed=10),
)
FEW, SEVERAL = 25, 45  # alerts, above which the first room, and the second, are not worth a try
NO_LINKS = Links()
UNFOLDED = frozenset(
    {
        "message-id",
        "in-reply-to",
        "references",
        "list-id",
        "list-unsubscribe",
        "list-unsubscribe-post",
        "list-help",
    }
)


class Letter(Value, frozen=True, kw_only=True):
    """What a mail says on its envelope: from whom, to whom, and how its reader leaves the list.

    `domain` is that of the Message-ID; `unsubscribe_url` takes RFC 8058's POST and must be https.
    """

    sender: str
    to: tuple[str, ...]
    list_id: str = ""  # by default `clausewire.` and the sender's domain
    unsubscribe_url: str = ""
    unsubscribe_mail: str = ""

    @property
    def domain(self) -> str:
        return parseaddr(self.sender)[1].rpartition("@")[2] or "localhost"


class UnfoldedPolicy(policy.EmailPolicy):
    """An e-mail policy that writes identifiers and list headers on one line, never encoded.

    The standard policies encode a List-Unsubscribe of 76 characters as an RFC 2047 word, which RFC 2047 itself
    forbids and mail clients ignore (CPython issue 85725).
    """

    def fold(self, name: str, value: str) -> str:
        """Return the header as it is sent, folded only where folding does no harm."""
        if name.lower() in UNFOLDED:
            return f"{name}: {_header(str(value), 900)}{self.linesep}"
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: str) -> bytes:
        """Return the header as bytes, folded only where folding does no harm."""
        if name.lower() in UNFOLDED:
            return self.fold(name, value).encode("ascii", "backslashreplace")
        return super().fold_binary(name, value)


# 76, since the standard library takes it for the length of quoted-printable lines too (RFC 2045, 6.7)
POLICY = UnfoldedPolicy(linesep="\r\n", cte_type="7bit", utf8=False, max_line_length=76)


def message(
    told: AlertRaised | AlertUpdated | AlertWithdrawn,
    *,
    delivery_id: str,
    thread: str,
    letter: Letter,
    sent_at: datetime,
    about: AlertRaised | None = None,
    links: Links = NO_LINKS,
    templates: Mapping[str, str] | None = None,
) -> EmailMessage:
    """Return the mail that tells an alert, an update or a withdrawal; `about` is the alert of those two.

    `templates` may replace `alert.html` (Jinja2, sandboxed); where one fails, ours is used and the mail says so.
    """
    alert = told if isinstance(told, AlertRaised) else about
    subject = words.subject(alert) if alert else f"Alert {told.alert_id}"
    root = f"<{derived_id('thread', thread, *letter.to)}@{letter.domain}>"

    def bodies(scale: float) -> tuple[str, str]:
        leave = letter.unsubscribe_url
        page, remark = html.page(
            told, about, links=links, unsubscribe=leave, templates=templates or {}, scale=scale
        )
        return _text(told, about, links, scale) + remark, page

    drafts = map(bodies, SCALES)
    return _fitted(drafts, letter, subject=subject, delivery_id=delivery_id, under=root, sent_at=sent_at)


def compose(
    due: DeliveryDue,
    *,
    letter: Letter,
    sent_at: datetime,
    links: Links = NO_LINKS,
    templates: Mapping[str, str] | None = None,
) -> EmailMessage:
    """Return the mail to send for a delivery."""
    if due.members:
        return _gathered(due, letter, links, templates or {}, sent_at)
    told = due.withdrawal or due.update or due.alert
    assert told is not None, "a delivery tells an alert, an update or a withdrawal"
    return message(
        told,
        delivery_id=due.delivery_id,
        thread=due.thread,
        letter=letter,
        sent_at=sent_at,
        about=due.alert,
        links=links,
        templates=templates,
    )


def answer(mail: EmailMessage, parent: Mapping[str, str]) -> None:
    """Put a mail under the one that told its alert together with others; `parent` is that mail's receipt."""
    if not parent.get("message_id"):
        return
    for name in ("In-Reply-To", "References"):
        del mail[name]
        mail[name] = _header(parent["message_id"], 900)
    if parent.get("subject"):  # Gmail gathers mails of one subject only
        del mail["Subject"]
        mail["Subject"] = _header(f"Re: {parent['subject']}", 150)


def _gathered(
    due: DeliveryDue, letter: Letter, links: Links, templates: Mapping[str, str], sent_at: datetime
) -> EmailMessage:
    """Return the mail of a gathered delivery, which opens a thread of its own."""
    found = gathered.gathered(due)

    def bodies(room: gathered.Room) -> tuple[str, str]:
        leave = letter.unsubscribe_url
        page, remark = html_gathered.page(
            found, links=links, room=room, unsubscribe=leave, templates=templates
        )
        return text_gathered.message(due, links=links, room=room, width=78) + remark, page

    subject = gathered.subject(found)
    many = len(found.told)
    drafts = map(bodies, ROOMS[(many > FEW) + (many > SEVERAL) :])
    return _fitted(drafts, letter, subject=subject, delivery_id=due.delivery_id, under="", sent_at=sent_at)


def _fitted(
    drafts: Iterable[tuple[str, str]],
    letter: Letter,
    *,
    subject: str,
    delivery_id: str,
    under: str,
    sent_at: datetime,
) -> EmailMessage:
    """Return the first mail under the limit, the last where none is; `under` is the message that it belongs under."""
    for text, page in drafts:
        mail = _mail(text, page, letter)
        mail.set_boundary(f"={derived_id('part', delivery_id)}=")
        _address(mail, letter, subject=subject, delivery_id=delivery_id, under=under, sent_at=sent_at)
        if len(mail.as_bytes()) < LIMIT:
            break
    return mail


def _mail(text: str, page: str, letter: Letter) -> EmailMessage:
    mail = EmailMessage(policy=POLICY)
    leave = f"\nUnsubscribe: {letter.unsubscribe_url}\n" if letter.unsubscribe_url else ""
    mail.set_content(text + leave, cte="quoted-printable")
    mail.add_alternative(page, subtype="html", cte="quoted-printable")
    for part in mail.iter_parts():
        del part["MIME-Version"]  # belongs to the whole, not to its parts
    return mail


def _address(
    mail: EmailMessage, letter: Letter, *, subject: str, delivery_id: str, under: str, sent_at: datetime
) -> None:
    mail["Subject"] = _header(subject, 150)
    mail["From"] = _mailbox(letter.sender)
    mail["To"] = ", ".join(_mailbox(to) for to in letter.to)
    mail["Date"] = format_datetime(sent_at)
    mail["Message-ID"] = f"<{re.sub(r'[^A-Za-z0-9.-]', '-', delivery_id)}@{letter.domain}>"
    if under:
        mail["In-Reply-To"] = under
        mail["References"] = under
    mail["Auto-Submitted"] = "auto-generated"
    mail["List-Id"] = f"Clausewire alerts <{_header(letter.list_id or f'clausewire.{letter.domain}', 200)}>"
    _unsubscribe(mail, letter)


def _unsubscribe(mail: EmailMessage, letter: Letter) -> None:
    """Add RFC 8058's one click where there is an https URL for it."""
    url, address = _header(letter.unsubscribe_url, 800), _header(letter.unsubscribe_mail, 200)
    ways = [f"<{url}>"] if words.is_web(url) else []
    ways += [f"<mailto:{address}>"] if address else []
    if ways:
        mail["List-Unsubscribe"] = ", ".join(ways)
    if words.is_web(url) and url.lower().startswith("https://"):
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"


def _header(value: str, limit: int) -> str:
    """Return a header's value on one line: what would start another header is a blank."""
    return words.one_line(value, limit)


def _mailbox(value: str) -> str:
    name, address = parseaddr(_header(value, 300))
    return formataddr((name, address))


def _text(
    told: AlertRaised | AlertUpdated | AlertWithdrawn, about: AlertRaised | None, links: Links, scale: float
) -> str:
    if isinstance(told, AlertRaised):
        return plain.alert(told, links=links, width=78, most=max(int(html.MOST * scale), 1), scale=scale)
    return plain.update(told, about=about, links=links)
