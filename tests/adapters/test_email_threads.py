"""News of an alert that was told together with others is mailed under the mail that told it."""

import email
from email import policy

from tests.adapters.post import mailing
from tests.adapters.test_email import notifier
from tests.alerts.samples import alert, due, group, member, withdrawn


async def test_news_answers_the_gathered_mail() -> None:
    """A withdrawal told alone answers the gathered mail of its alert, by reference and by subject."""
    async with mailing() as box:
        send = notifier(box.port).send
        first = await send(group(member(alert())), parent=None)
        news = due(withdrawn(), delivery_id="dlv-2", alert=alert(), gathered="group", thread="group:x")
        await send(news, parent=dict(first.receipt))
        told, reply = (
            email.message_from_bytes(one.original_content, policy=policy.default) for one in box.mails
        )
    assert (reply["In-Reply-To"], reply["References"]) == (told["Message-ID"], told["Message-ID"])
    assert reply["Subject"] == f"Re: {told['Subject']}" == "Re: X: 1 document changed"


async def test_news_without_its_mail_stands() -> None:
    """Where the gathered mail is not known any more, the news is mailed in the thread of its group."""
    async with mailing() as box:
        news = due(withdrawn(), alert=alert(), gathered="group", thread="group:x")
        await notifier(box.port).send(news, parent=None)
        reply = email.message_from_bytes(box.mails[0].original_content, policy=policy.default)
    assert reply["Subject"] == "X — Privacy Policy"
