"""Mail over SMTP: TLS or STARTTLS, plain only to this machine or its own network and only when it is asked for."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage
from email.utils import getaddresses

import aiosmtplib

from pipeline.adapters.answers import Sent, redacted
from pipeline.alerts.render import email as render
from pipeline.errors import ConfigError, DeliveryError, PipelineError, RefusedError
from pipeline.events import DeliveryDue

TIMEOUT_S = 30.0  # of each command; RFC 5321 asks for more, the outbox tries again
NEARBY = (
    ".localhost",
    ".local",
    ".internal",
    ".home.arpa",
)  # names that no public server has (RFC 6761, 6762, 8375)
RESPONSE_CHARS = 500
ABREAST = 8  # connections at a time: each recipient has a mail of their own, and servers bound who may come

Compose = Callable[[DeliveryDue], EmailMessage]
Sign = Callable[[bytes], bytes]


class SmtpServer:
    """One server to hand mail to; the password never shows in an error or a record.

    `tls` is "starttls" (required, never a mere offer), "tls" (from the first byte) or "plain", which is refused
    for any host but this machine and those of its own network (`is_nearby`); a password goes to this machine alone.
    `context` trusts other authorities than the system's. `sign` returns a mail's bytes with what proves its sender.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        tls: str = "starttls",
        username: str = "",
        password: str = "",
        timeout_s: float = TIMEOUT_S,
        context: ssl.SSLContext | None = None,
        local_name: str = "",
        sign: Sign | None = None,
    ) -> None:
        if tls not in {"starttls", "tls", "plain"}:
            raise ConfigError(f"tls: {tls} is unknown", key="tls", remedy="Use starttls, tls or plain")
        if tls == "plain" and not (is_this_machine(host) if password else is_nearby(host)):
            raise ConfigError(
                f"{'the password' if password else 'mail'} to {host} would go in the clear",
                key="tls",
                remedy="Use starttls (port 587) or tls (465)",
            )
        self.where = f"{host}:{port}"
        self._host, self._port, self._tls = host, port, tls
        self._username, self._password = username, password
        self._timeout_s = timeout_s
        self._context = context
        self._local_name = local_name
        self._sign = sign
        self._places = asyncio.Semaphore(ABREAST)

    async def deliver(self, mail: EmailMessage) -> str:
        """Return what the server answers to a mail; DeliveryError to try again, RefusedError to give up."""
        content = self._sign(mail.as_bytes()) if self._sign else mail.as_bytes()
        async with self._places:
            return await self._handed_over(mail, content)

    async def _handed_over(self, mail: EmailMessage, content: bytes) -> str:
        client = self._client()
        try:
            await self._greet(client)
            left = await self._address(client, mail)
        except (aiosmtplib.SMTPException, OSError) as error:
            self._hang_up(client)
            raise self._explained(error, maybe_taken=False) from None
        try:
            answer = await client.data(content)
        except (aiosmtplib.SMTPException, OSError) as error:
            self._hang_up(client)
            raise self._explained(error, maybe_taken=True) from None
        with suppress(aiosmtplib.SMTPException, OSError):  # it is taken, however the server says good-bye
            await client.quit()
        self._hang_up(client)
        return self._clean(f"{answer.message} {left}".strip())

    def _client(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            timeout=self._timeout_s,
            use_tls=self._tls == "tls",
            start_tls=self._tls == "starttls",
            tls_context=self._context,
            local_hostname=self._local_name or None,
        )

    async def _greet(self, client: aiosmtplib.SMTP) -> None:
        await client.connect()
        if self._username:
            await client.login(self._username, self._password)

    async def _address(self, client: aiosmtplib.SMTP, mail: EmailMessage) -> str:
        """Name sender and recipients; return who is refused while others are not, raise where all are."""
        recipients = [address for _, address in getaddresses([str(mail["To"])])]
        await client.mail(getaddresses([str(mail["From"])])[0][1], encoding="utf-8")
        refused: list[aiosmtplib.SMTPRecipientRefused] = []
        for recipient in recipients:
            try:
                await client.rcpt(recipient, encoding="utf-8")
            except aiosmtplib.SMTPRecipientRefused as error:
                refused.append(error)
        if len(refused) == len(recipients):
            raise aiosmtplib.SMTPRecipientsRefused(refused)
        return "; ".join(f"{said.recipient} was refused: {said.code} {said.message}" for said in refused)

    def _hang_up(self, client: aiosmtplib.SMTP) -> None:
        with suppress(aiosmtplib.SMTPException, OSError):
            client.close()

    def _explained(self, error: Exception, *, maybe_taken: bool) -> PipelineError:
        """Return what an error means: 4xx to try again, 5xx to stop, no answer to try again."""
        if isinstance(error, aiosmtplib.SMTPAuthenticationError):
            return DeliveryError(
                f"{self.where} does not accept the login ({error.code})",
                status=error.code,
                ours=True,
                remedy="Check the user name and the password; the mail is tried again meanwhile",
            )
        if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
            error = min(
                error.recipients, key=lambda refused: refused.code
            )  # one that may heal heals them all
        if isinstance(error, aiosmtplib.SMTPResponseException):
            return self._answered(error.code, error.message)
        return self._broken(error, maybe_taken=maybe_taken)

    def _answered(self, code: int, message: str) -> PipelineError:
        fact = f"{self.where} answered {code} {self._clean(message)}"
        if 500 <= code < 600 and code not in {
            530,
            538,
        }:  # those two ask for a login or TLS: an operator's matter
            return RefusedError(fact, status=code, remedy="Check the address, and what the answer says")
        return DeliveryError(fact, status=code, ours=code in {530, 538})

    def _broken(self, error: Exception, *, maybe_taken: bool) -> DeliveryError:
        """Return what it means that there was no answer; after DATA the mail may have been taken."""
        if isinstance(error, TimeoutError):
            fact = f"{self.where} did not answer within {self._timeout_s:g} s"
        elif isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
            fact = f"no TLS with {self.where}: {_tls_reason(error)}"
        else:
            fact = f"the connection to {self.where} failed: {type(error).__name__}"
        return DeliveryError(fact, ambiguous=maybe_taken, ours=True)  # it is our own server that is away

    def _clean(self, text: str) -> str:
        text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
        return redacted(text, (self._password,))[:RESPONSE_CHARS]


class EmailNotifier:
    """Sends each delivery to one mailbox, or to a few; `compose` makes the mail, with its Message-ID."""

    def __init__(self, server: SmtpServer, *, compose: Compose) -> None:
        self._server = server
        self._compose = compose

    async def send(self, due: DeliveryDue, *, parent: dict[str, str] | None) -> Sent:
        """Send a delivery; DeliveryError to try again (it carries the same Message-ID), RefusedError to stop."""
        mail = self._compose(due)
        if due.gathered and not due.members and parent:
            render.answer(mail, parent)
        answer = await self._server.deliver(mail)
        told = {"message_id": str(mail["Message-ID"]), "subject": str(mail["Subject"])}
        return Sent(status=250, response=answer, receipt=told)


def is_this_machine(host: str) -> bool:
    """Say whether a host is the one that this program runs on."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def is_nearby(host: str) -> bool:
    """Say whether a host can only be this machine or one of its own network: a name without a dot, such as a
    container's, a name that is never public, a private address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.lower().rstrip(".")
        return bool(name) and ("." not in name or name.endswith(NEARBY))
    return address.is_private and not address.is_unspecified


def _tls_reason(error: Exception) -> str:
    cause = error if isinstance(error, ssl.SSLError) else error.__cause__
    return str(getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or "no reason given")
