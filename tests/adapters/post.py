"""A mail server on loopback: a real one for TLS, logins and verdicts, a bare one for what a real one never does."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

USER, PASSWORD = "watcher", "pa55w0rd-of-ours"


@dataclass
class Mailbox:
    """What arrived. `verdicts` answers a recipient, `verdict` the data."""

    mails: list[Envelope] = field(default_factory=list)
    verdicts: dict[str, str] = field(default_factory=dict)
    verdict: str = "250 2.0.0 taken as 7"
    encrypted: list[bool] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(  # the names are aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.verdicts.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.verdict.startswith("250"):
            self.mails.append(envelope)
            self.encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
        return self.verdict


@contextlib.asynccontextmanager
async def mailing(
    *, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None, login: bool = False
) -> AsyncIterator[Mailbox]:
    """Serve SMTP until the block ends."""
    box = Mailbox()

    def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        good = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=good, handled=good)

    lines: list[asyncio.BaseTransport] = []

    class Talk(SMTP):
        """An SMTP session whose connection is known, whatever STARTTLS puts over it."""

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            lines.append(transport)
            super().connection_made(transport)

    def session() -> SMTP:
        return Talk(
            box,
            hostname="mail.test",
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=check if login else None,
            auth_required=login,
            auth_require_tls=starttls is not None,
        )

    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0, ssl=tls)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        for line in lines:
            line.close()
        await _closed(server)


@contextlib.asynccontextmanager
async def answering(**answers: str) -> AsyncIterator[int]:
    """Serve a bare SMTP that answers each command as told; an empty answer is silence, "!" hangs up.

    The commands are those of SMTP in lower case, `banner` for the greeting and `dot` for the end of the data.
    """
    usual = {"banner": "220 mail.test", "data": "354 go on", "dot": "250 taken", "quit": "221 bye"} | answers
    over = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            command, in_data = "banner", False
            while await _said(usual.get(command, "250 OK"), writer, over):
                in_data = in_data or command == "data"
                line = await reader.readline()
                while in_data and line not in {b".\r\n", b""}:
                    line = await reader.readline()
                if not line:
                    break
                command, in_data = ("dot", False) if in_data else (line[:4].decode().strip().lower(), False)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        over.set()
        await _closed(server)


async def _closed(server: asyncio.Server) -> None:
    """Stop serving, and let what is still open close in this loop."""
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0.02)


async def _said(answer: str, writer: asyncio.StreamWriter, over: asyncio.Event) -> bool:
    if answer == "!":
        return False
    if not answer:
        await over.wait()
        return False
    writer.write(f"{answer}\r\n".encode())
    await writer.drain()
    return True
