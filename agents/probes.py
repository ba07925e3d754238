"""One look each at things outside: a token, a login, a broker, a log. Each returns trouble in words."""

from __future__ import annotations

import asyncio
import base64
import sqlite3
import ssl
from pathlib import Path
from urllib.parse import quote, urlsplit

import aiosmtplib
import httpx

from pipeline.config import Secrets, SmtpSettings

WITHIN_S = 10.0
KEY_REMEDY = "Make one of whsec_ and the base64 of 24 to 64 random bytes"
SLACK_REMEDIES = {
    "invalid_auth": "Copy the bot token again (xoxb-…, under OAuth & Permissions)",
    "not_authed": "Copy the bot token again (xoxb-…, under OAuth & Permissions)",
    "account_inactive": "Install the app in the workspace again",
    "token_revoked": "Install the app in the workspace again",
    "token_expired": "Renew the token",
    "missing_scope": "Give the app the scope chat:write and install it again",
}


async def slack_token(api_url: str, token: str) -> tuple[str, str]:
    """Return Slack's complaint about a token, or "" and the name that it knows it by."""
    try:
        async with httpx.AsyncClient(timeout=WITHIN_S) as client:
            answer = await client.post(f"{api_url}auth.test", headers={"Authorization": f"Bearer {token}"})
            said = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        return f"nothing that can be understood ({type(error).__name__})", ""
    if not said.get("ok"):
        return str(said.get("error", f"status {answer.status_code}")), ""
    return "", f"{said.get('user', 'a bot')} of {said.get('team', 'a workspace')}"


async def mail_login(server: SmtpSettings, secrets: Secrets) -> tuple[str, str]:
    """Return what keeps us from logging in to a mail server and what to do about it; two "" when nothing does."""
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        use_tls=server.security == "tls",
        start_tls=server.security == "starttls",
        tls_context=ssl.create_default_context(cafile=server.ca_file or None),
        timeout=min(server.timeout_s, WITHIN_S),
    )
    try:
        async with client:
            await client.ehlo()
            if server.password_env:
                user = server.username or secrets[server.username_env]
                await client.login(user, secrets[server.password_env])
    except (aiosmtplib.SMTPException, OSError) as error:
        return _mail_trouble(error)
    return "", ""


def _mail_trouble(error: Exception) -> tuple[str, str]:
    """Say what went wrong; the server's words are left out where they could repeat a secret."""
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return f"it refuses the login (code {error.code})", "Check the user and the password"
    if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
        return "its certificate is not accepted", "Check host:, or name its authority with ca_file:"
    if isinstance(error, aiosmtplib.SMTPConnectError | aiosmtplib.SMTPTimeoutError | OSError):
        return "it does not answer", "Check host: and port:, and that this machine may connect to it"
    return (
        f"{type(error).__name__}",
        "Check security: (starttls on 587, tls on 465) against what the server offers",
    )


def secret_fault(secret: str) -> str:
    """Return what is wrong with a webhook secret, without a character of it."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_").removeprefix("whsk_"), validate=True)
    except ValueError:
        return "is not whsec_ and base64"
    return "" if 24 <= len(key) <= 64 else f"holds {len(key)} bytes, not 24 to 64"


async def kafka(url: str) -> str:
    """Return why no broker of a list answers, "" when one does."""
    trouble = "no broker is named"
    for part in url.split(";"):
        broker = urlsplit(part)
        try:
            async with asyncio.timeout(WITHIN_S):
                _, writer = await asyncio.open_connection(broker.hostname, broker.port or 9092)
        except (OSError, TimeoutError) as error:
            trouble = f"it does not answer ({type(error).__name__})"
            continue
        writer.close()
        await writer.wait_closed()
        return ""
    return trouble


def log_fault(path: Path) -> str:
    """Return why an embedded log cannot be read, "" when it can or does not exist yet."""
    if not path.exists():
        return ""
    try:
        log = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=WITHIN_S)
        try:
            log.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        finally:
            log.close()
    except sqlite3.Error as error:
        return f"the log cannot be read: {error}"
    return ""
