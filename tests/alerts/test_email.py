"""An alert as a mail: two equal parts, a thread that holds, one click to leave, nothing injected."""

import email
import re
from datetime import timedelta
from email import policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from pipeline.alerts.render import email as mail
from pipeline.alerts.render.email import LIMIT, Letter
from pipeline.alerts.render.words import Links
from pipeline.events import AlertRaised
from tests.alerts import samples
from tests.alerts.samples import SEEN, alert, change, due, reworded, story, updated, withdrawn

LEAVE = "https://cw.example/unsubscribe/" + "a" * 90
LETTER = Letter(sender="Clausewire <alerts@example.org>", to=("ann@example.net",), unsubscribe_url=LEAVE)


def written(told: Any = None, *, letter: Letter = LETTER, **also: Any) -> bytes:
    """The mail of an alert, as its bytes go over the wire."""
    values = {"delivery_id": "dlv-1", "thread": "x-privacy", "sent_at": SEEN, "letter": letter} | also
    return mail.message(told or alert(), **values).as_bytes()


def read(data: bytes) -> EmailMessage:
    """A mail as a strict reader reads it."""
    found = email.message_from_bytes(data, policy=policy.default.clone(raise_on_defect=True))
    assert isinstance(found, EmailMessage)
    return found


def part(data: bytes, kind: str) -> str:
    found = read(data).get_body((kind,))
    assert found is not None
    return str(found.get_content()).replace("\r\n", "\n")


def raw_header(data: bytes, name: str) -> list[str]:
    head = data.partition(b"\r\n\r\n")[0].decode("ascii")
    return re.findall(rf"(?m)^{name}: (.*(?:\n[ \t].*)*)", head.replace("\r\n", "\n"))


class Seen(HTMLParser):
    """Which elements a page has, with which attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_text_first_then_html() -> None:
    """The mail has a text part, then an HTML part, and nothing else."""
    kinds = [part.get_content_type() for part in read(written()).iter_parts()]
    assert kinds == ["text/plain", "text/html"]


def test_long_leave_url_is_whole() -> None:
    """A List-Unsubscribe of any length stands on one line, not encoded, with RFC 8058's POST beside it."""
    data = written()
    assert raw_header(data, "List-Unsubscribe") == [f"<{LEAVE}>"]
    assert raw_header(data, "List-Unsubscribe-Post") == ["List-Unsubscribe=One-Click"]


def test_no_one_click_without_https() -> None:
    """Without an https URL no one-click is promised."""
    data = written(
        letter=Letter(sender="a@example.org", to=("b@example.net",), unsubscribe_mail="leave@example.org")
    )
    assert raw_header(data, "List-Unsubscribe") == ["<mailto:leave@example.org>"]
    assert raw_header(data, "List-Unsubscribe-Post") == []


def test_thread_holds() -> None:
    """Two alerts of a document and an update share subject and references, and differ in Message-ID."""
    mails = [
        read(written(alert(), delivery_id="dlv-1")),
        read(written(alert(alert_id="alt-b", summary="Another"), delivery_id="dlv-2")),
        read(written(updated(), delivery_id="dlv-3", about=alert())),
    ]
    assert len({(found["Subject"], found["References"], found["In-Reply-To"]) for found in mails}) == 1
    assert len({found["Message-ID"] for found in mails}) == 3


def test_same_delivery_same_mail() -> None:
    """A retry is the same mail, byte for byte."""
    assert written() == written()


def test_automatic_and_listed() -> None:
    """The mail says that a program sent it, and from which list."""
    found = read(written())
    assert found["Auto-Submitted"] == "auto-generated"
    assert found["List-Id"] == "Clausewire alerts <clausewire.example.org>"


def test_redline_without_colour() -> None:
    """Removed and added words are told apart by marks in text, by elements in HTML."""
    data = written(alert(reworded("90 days", "18 months")))
    assert "for [-90 days-]{+18 months+} after" in part(data, "plain")
    assert re.search(
        r"<del[^>]*line-through[^>]*>90 days</del> <ins[^>]*underline[^>]*>18 months</ins>",
        part(data, "html"),
    )


def test_parts_say_the_same() -> None:
    """What the HTML tells of the alert, the text tells as well."""
    data = written(alert(change(), reworded("90 days", "18 months"), coverage=(story(),)))
    for told in (
        alert().summary,
        "15 November 2024",
        "17 October 2024, 09:04 UTC",
        "X lets others train AI",
        "4. Retention",
    ):
        assert told in " ".join(part(data, "plain").split())
        assert told in part(data, "html")


def test_styles_stand_in_elements() -> None:
    """Styles are inlined, and what only a style sheet can say, the dark scheme, is kept in one."""
    page = part(written(), "html")
    assert "prefers-color-scheme: dark" in page
    assert all(attributes.get("style") for tag, attributes in Seen(page).tags if tag in {"h1", "ins", "a"})


def test_nothing_remote() -> None:
    """The mail loads no picture, script or style from anywhere."""
    tags = Seen(part(written(samples.hostile("<img src=https://evil.example/x>")), "html")).tags
    assert not {"img", "script", "link", "iframe", "object"} & {tag for tag, _ in tags}
    assert not [attributes for _, attributes in tags if {"src", "background"} & set(attributes)]


def test_lines_are_short() -> None:
    """No line of a body passes 76 characters, and no header 998."""
    head, _, body = written(samples.hostile("é" * 5_000)).partition(b"\r\n\r\n")
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert max(map(len, head.split(b"\r\n"))) <= 998


@pytest.mark.parametrize("text", samples.HOSTILE)
def test_hostile_is_inert(text: str) -> None:
    """Whatever a page says, it adds no header, no recipient, no element, and the mail stays under 100 kB."""
    data = written(samples.hostile(text))
    found = read(data)
    assert len(data) < LIMIT
    assert found["Bcc"] is None
    assert found["To"] == "ann@example.net"
    assert not {"script", "b", "img"} & {tag for tag, _ in Seen(part(data, "html")).tags}


@pytest.mark.parametrize("name", ["sender", "to", "list_id", "unsubscribe_url", "unsubscribe_mail"])
def test_envelope_cannot_inject(name: str) -> None:
    """A line break in any value of the envelope starts no header."""
    bad = "a@example.org\r\nBcc: victim@evil.example\r\n\r\nhello"
    values = {"sender": "s@example.org", "to": ("t@example.net",)} | {name: (bad,) if name == "to" else bad}
    data = written(letter=Letter(**values))  # type: ignore[arg-type]
    assert read(data)["Bcc"] is None
    assert b"\r\nhello" not in data.partition(b"\r\n\r\n")[0]


def test_withdrawal_says_so() -> None:
    """A withdrawal tells that, when and why, about which document."""
    text = part(written(withdrawn(), about=alert()), "plain")
    assert text.startswith(
        "X — Privacy Policy\nWithdrawn on 17 October 2024, 11:04 UTC\nThe page went back.\n"
    )
    assert "No longer stands: X changes its Privacy Policy  [HIGH]" in text
    assert re.search(
        r"<del[^>]*>X changes its Privacy Policy</del>", part(written(withdrawn(), about=alert()), "html")
    )


def test_own_template_is_used() -> None:
    """A template of the user's replaces ours, with every value escaped."""
    page = part(written(alert(summary="<b>"), templates={"alert.html": "<p>{{ summary }}</p>"}), "html")
    assert "<p>&lt;b&gt;</p>" in page


@pytest.mark.parametrize(
    "template",
    ["{{ summary | nonsense }}", "{% if %}", "{{ 1 / 0 }}", "{{ ''.__class__.__mro__[1].__subclasses__() }}"],
)
def test_failing_template_is_passed_over(template: str) -> None:
    """Where the user's template fails, the alert arrives in ours, and both parts say so."""
    data = written(templates={"alert.html": template})
    assert alert().summary in part(data, "html")
    assert "Your template alert.html failed" in part(data, "html")
    assert "Your template alert.html failed" in part(data, "plain")


def test_compose_takes_delivery() -> None:
    """A delivery is made into its mail, with the Message-ID of the delivery."""
    found = mail.compose(due(), letter=LETTER, sent_at=SEEN + timedelta(days=1))
    assert found["Message-ID"] == "<dlv-1@example.org>"
    assert found["Date"] == "Fri, 18 Oct 2024 09:04:00 +0000"


@settings(
    suppress_health_check=list(HealthCheck),
    deadline=None,
    max_examples=15,
    phases=(Phase.explicit, Phase.generate),
)
@given(samples.alerts)
def test_every_mail_reads(told: AlertRaised) -> None:
    """The mail of every alert is under 100 kB, of ASCII lines, and reads without a defect."""
    data = written(told)
    data.decode("ascii")
    assert len(data) < LIMIT
    assert part(data, "plain")


@pytest.mark.parametrize("told", [updated("confirmed"), updated("in-force"), withdrawn()])
def test_update_leads_on_in_text(told: Any) -> None:
    """The text of an update leads to the same places as its HTML, and names its alert."""
    links = Links(redline="https://cw.example/redline", evidence="https://cw.example/evidence")
    text = part(written(told, about=alert(), links=links), "plain")
    assert [url in text for url in (links.redline, links.evidence, samples.DOCUMENT.url)] == [True] * 3
    assert "X changes its Privacy Policy  [HIGH]" in text


def test_marks_stand_apart() -> None:
    """What was struck and what came for it are two words to any reader, and to a spam filter."""
    html = part(written(alert(reworded("90 days", "18 months"))), "html")
    assert "</del> <ins" in html


def test_marks_keep_their_order() -> None:
    """Words written from right to left stay within their own mark, whatever stands beside it."""
    html = part(written(alert(reworded("שלום 90", "שלום 18"))), "html")
    assert re.search(r'<del dir="auto"[^>]*>שלום 90</del> <ins dir="auto"', html)


def test_lines_break_without_styles() -> None:
    """The lines of a clause are lines in clients that know no white-space property."""
    html = part(written(alert(change("one line\nanother", redline=(("+", "one line\nanother"),)))), "html")
    assert "one line<br>another" in html
    assert "white-space" not in html


def test_dark_how_is_light() -> None:
    """In the dark, the words that say how a clause changed are as light as the small print."""
    html = part(written(), "html")
    assert re.search(r"\.how, \.cut, \.small \{ color: #b3b3ad !important; \}", html)
