"""Our mails before a mail server, a strict parser and an auditor of one-click unsubscription."""

from email.message import EmailMessage

import pytest

from pipeline.alerts.render import email
from pipeline.alerts.render.email import Letter
from tests.alerts.samples import due
from tests.judges import mails
from tests.judges.cases import Case, ours


@pytest.mark.parametrize("kind", ["tls", "starttls"])
async def test_mails_arrive_encrypted(kind: str) -> None:
    """A real mail server takes every kind of mail over TLS, byte for byte as it was made."""
    assert await mails.undelivered(ours()[:6], kind) == []


def test_mails_parse_strictly() -> None:
    """A strict parser finds no defect in any mail, the hostile ones included."""
    assert list(mails.unreadable(ours())) == []


def test_one_click_holds() -> None:
    """An auditor of RFC 8058 finds nothing wrong with how a reader leaves."""
    assert list(mails.unleavable(ours())) == []


class Kept(Case):
    """A mail that nobody can leave."""

    __slots__ = ()

    def mail(self) -> EmailMessage:
        letter = Letter(sender="alerts@example.org", to=("ann@example.net",))
        return email.compose(self.due, letter=letter, sent_at=self.due.due_at)


def test_broken_leave_is_seen() -> None:
    """A mail without the headers to leave by is a fault."""
    assert list(mails.unleavable([Kept("kept", due())]))
