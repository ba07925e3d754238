"""Mail to real servers on loopback: encrypted, told apart by their answers, and nothing secret in what is recorded."""

import asyncio
import email
import logging
import traceback
from email import policy
from functools import partial
from typing import Any

import pytest

from pipeline.adapters.email import ABREAST, EmailNotifier, SmtpServer
from pipeline.alerts.render import email as render
from pipeline.alerts.render.email import Letter
from pipeline.errors import ConfigError, DeliveryError, PipelineError, RefusedError
from tests.adapters.hooks import certificates
from tests.adapters.post import PASSWORD, USER, answering, mailing
from tests.alerts import samples
from tests.alerts.samples import SEEN, due

LETTER = Letter(
    sender="Clausewire <alerts@example.org>",
    to=("ann@example.net", "Bob <bob@example.net>"),
    unsubscribe_url="https://cw.example/unsubscribe/" + "a" * 90,
)


def notifier(port: int, *, tls: str = "plain", letter: Letter = LETTER, **also: Any) -> EmailNotifier:
    server = SmtpServer(host="127.0.0.1", port=port, tls=tls, **({"timeout_s": 0.4} | also))
    return EmailNotifier(server, compose=partial(render.compose, letter=letter, sent_at=SEEN))


async def failure(port: int, **also: Any) -> PipelineError:
    with pytest.raises(PipelineError) as caught:
        await notifier(port, **also).send(due(), parent=None)
    return caught.value


async def test_mail_arrives() -> None:
    """A delivery arrives as one mail for all its readers, byte for byte as it was made."""
    async with mailing() as box:
        sent = await notifier(box.port).send(due(), parent=None)
    (mail,) = box.mails
    made = render.compose(due(), letter=LETTER, sent_at=SEEN)
    assert mail.rcpt_tos == ["ann@example.net", "bob@example.net"]
    assert mail.original_content == made.as_bytes()
    assert (sent.status, sent.response) == (250, "2.0.0 taken as 7")


async def test_headers_survive() -> None:
    """The long unsubscribe URL reaches the server unfolded, so that one click works."""
    async with mailing() as box:
        await notifier(box.port).send(due(), parent=None)
    content = box.mails[0].original_content
    assert content is not None
    assert f"\r\nList-Unsubscribe: <{LETTER.unsubscribe_url}>\r\n".encode() in content
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in content


@pytest.mark.parametrize("kind", ["starttls", "tls"])
async def test_mail_is_encrypted(kind: str) -> None:
    """Mail goes over TLS, from the first byte or by STARTTLS, with a login inside it."""
    server, trusting = certificates("127.0.0.1")
    async with mailing(**{kind: server}, login=kind == "starttls") as box:  # type: ignore[arg-type]
        login = {"username": USER, "password": PASSWORD} if kind == "starttls" else {}
        await notifier(box.port, tls=kind, context=trusting, **login, timeout_s=2).send(due(), parent=None)
    assert box.encrypted == [True]


async def test_no_starttls_no_mail() -> None:
    """Where STARTTLS is asked for and not offered, nothing is sent in the clear."""
    async with mailing() as box:
        error = await failure(box.port, tls="starttls")
    assert isinstance(error, DeliveryError)
    assert box.mails == []


@pytest.mark.parametrize("kind", ["starttls", "tls"])
async def test_untrusted_server_gets_nothing(kind: str) -> None:
    """A server whose certificate nobody vouches for gets no mail and no password, and the error says why."""
    server, _ = certificates("127.0.0.1")
    async with mailing(**{kind: server}) as box:  # type: ignore[arg-type]
        error = await failure(box.port, tls=kind, username=USER, password=PASSWORD, timeout_s=2)
    assert isinstance(error, DeliveryError)
    assert "certificate" in str(error)
    assert box.mails == []


@pytest.mark.parametrize(
    "host", ["mail.example.org", "8.8.8.8", "2001:4860::1", "0.0.0.0", "", "mail.local.example.org"]
)
def test_plain_is_not_for_strangers(host: str) -> None:
    """Mail in the clear is refused for any host that could be elsewhere, when it is set up."""
    with pytest.raises(ConfigError, match="would go in the clear"):
        SmtpServer(host=host, port=25, tls="plain")


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "::1", "mail", "relay.internal", "10.1.2.3", "fd00::25"]
)
def test_plain_is_for_our_network(host: str) -> None:
    """A container beside us and a relay on our own network may take mail in the clear, when that is asked for."""
    assert SmtpServer(host=host, port=25, tls="plain").where == f"{host}:25"


def test_password_is_not_sent_in_the_clear() -> None:
    """Another machine of our network gets no password without TLS."""
    with pytest.raises(ConfigError, match="the password to mail would go in the clear"):
        SmtpServer(host="mail", port=25, tls="plain", username=USER, password=PASSWORD)


@pytest.mark.parametrize(
    ("verdict", "kind"),
    [
        ("451 4.3.0 try later", DeliveryError),
        ("452 4.2.2 full", DeliveryError),
        ("554 5.7.1 spam", RefusedError),
    ],
)
async def test_verdict_on_data(verdict: str, kind: type) -> None:
    """4xx is tried again, 5xx is not."""
    async with mailing() as box:
        box.verdict = verdict
        error = await failure(box.port)
    assert type(error) is kind
    assert verdict in str(error)


@pytest.mark.parametrize(
    ("verdicts", "kind"),
    [
        ({"ann@example.net": "550 no such user", "bob@example.net": "550 no such user"}, RefusedError),
        ({"ann@example.net": "450 busy", "bob@example.net": "550 no such user"}, DeliveryError),
    ],
)
async def test_all_recipients_refused(verdicts: dict[str, str], kind: type) -> None:
    """Where nobody is accepted, it is tried again only when somebody may be later."""
    async with mailing() as box:
        box.verdicts = verdicts
        assert type(await failure(box.port)) is kind


async def test_one_recipient_refused() -> None:
    """Where some are accepted the mail is sent, and the record names the others."""
    async with mailing() as box:
        box.verdicts = {"bob@example.net": "550 no such user"}
        sent = await notifier(box.port).send(due(), parent=None)
    assert "bob@example.net was refused: 550 no such user" in sent.response


@pytest.mark.parametrize(
    ("answers", "ambiguous"),
    [
        ({"banner": ""}, False),
        ({"ehlo": ""}, False),
        ({"mail": ""}, False),
        ({"rcpt": "!"}, False),
        ({"dot": ""}, True),
        ({"banner": "!"}, False),
        ({"dot": "!"}, True),
    ],
)
async def test_silence(answers: dict[str, str], ambiguous: bool) -> None:
    """A server that stalls or hangs up is tried again; once the data may have gone, knowing that it may have."""
    async with answering(**answers) as port:
        error = await failure(port)
    assert isinstance(error, DeliveryError)
    assert error.ambiguous is ambiguous


async def test_stalled_mail_keeps_its_id() -> None:
    """After a stall at the end of the data, the next attempt carries the same Message-ID."""
    async with answering(dot="") as port:
        await failure(port)
    async with mailing() as box:
        await notifier(box.port).send(due(), parent=None)
    content = box.mails[0].original_content
    assert content is not None
    assert email.message_from_bytes(content, policy=policy.default)["Message-ID"] == "<dlv-1@example.org>"


async def test_taken_is_taken() -> None:
    """A server that takes the mail and then hangs up has taken it."""
    async with answering(quit="!") as port:
        assert (await notifier(port).send(due(), parent=None)).response == "taken"


async def test_nobody_there() -> None:
    """A port that nobody listens on is tried again."""
    assert isinstance(await failure(9), DeliveryError)


async def test_wrong_password_is_told() -> None:
    """A login that fails is tried again, says what to check, and repeats no password."""
    server, trusting = certificates("127.0.0.1")
    async with mailing(starttls=server, login=True) as box:
        error = await failure(
            box.port, tls="starttls", context=trusting, username=USER, password="wr0ng-secret", timeout_s=2
        )
    assert isinstance(error, DeliveryError)
    assert "Check the user name and the password" in error.remedy


async def test_password_is_told_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever a server answers, the password stands in no error, chain, repr or log."""
    caplog.set_level(logging.DEBUG)
    echo = f"535 5.7.8 no: {PASSWORD}"
    async with answering(ehlo="250-mail.test\r\n250 AUTH PLAIN", auth=echo, mail=f"550 {PASSWORD}") as port:
        sender = notifier(port, username=USER, password=PASSWORD)
        with pytest.raises(PipelineError) as caught:
            await sender.send(due(), parent=None)
        other = await failure(port)
    told = [
        str(caught.value),
        repr(caught.value),
        *traceback.format_exception(caught.value),
        repr(sender),
        caplog.text,
    ]
    assert not [text for text in [*told] if PASSWORD in text]
    assert isinstance(other, RefusedError)


@pytest.mark.parametrize("text", [text for text in samples.HOSTILE if len(text) < 1_000])
async def test_hostile_mail_arrives_alone(text: str) -> None:
    """Whatever a page says, one mail arrives for its reader, and no other."""
    letter = Letter(sender="alerts@example.org", to=("ann@example.net",))
    async with mailing() as box:
        await notifier(box.port, letter=letter).send(due(samples.hostile(text)), parent=None)
    assert [mail.rcpt_tos for mail in box.mails] == [["ann@example.net"]]


async def test_few_connections_at_a_time() -> None:
    """However many recipients there are, the mail server is spoken to by a few connections at a time."""
    opened, most = 0, 0

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened, most
        opened, most = opened + 1, max(most, opened + 1)
        await asyncio.sleep(0.02)
        opened -= 1
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        one = notifier(server.sockets[0].getsockname()[1], timeout_s=5)
        results = await asyncio.gather(
            *(one.send(due(), parent=None) for _ in range(40)), return_exceptions=True
        )
    assert {type(result) for result in results} == {DeliveryError}
    assert most == ABREAST


@pytest.mark.parametrize(
    ("verdict", "ours"), [("450 4.2.1 mailbox busy", False), ("530 5.7.0 log in first", True)]
)
async def test_whose_fault_it_is(verdict: str, ours: bool) -> None:
    """What a recipient's server says of them is theirs; that ours wants a login is ours."""
    async with mailing() as box:
        box.verdict = verdict
        error = await failure(box.port)
    assert isinstance(error, DeliveryError)
    assert error.ours is ours


async def test_our_own_server_away_is_ours() -> None:
    """That nobody answers where our mail server should be says nothing of the recipient."""
    error = await failure(1)
    assert isinstance(error, DeliveryError)
    assert error.ours
