"""One look each at things outside: a token, a login, a broker, a log. Each returns trouble in words."""

from __future__ import annotations

import asyncio
import base64
import sqlite3
import ssl
import tempfile
from pathlib import Path
from urllib.parse import quote, urlsplit

import aiosmtplib
import httpx

from agents.channels import trusted
from pipeline.config import Secrets, SmtpSettings
from pipeline.errors import ConfigError

WITHIN_S = 10.0
BROWSER_S = 20.0
MOST_BYTES = 64 * 1024
CHAT_REMEDIES = {
    401: "Check the key that api_key_env: names",
    403: "Check the key that api_key_env: names, and what it may do",
    404: "Check summary: {rewriter_url: …, model: …}: the address ends where /chat/completions begins",
    429: "It has enough for now: try again later, or raise its limit",
}
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
    try:
        context = trusted(server)
    except ConfigError as error:
        return str(error.args[0]), error.remedy
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        use_tls=server.security == "tls",
        start_tls=server.security == "starttls",
        tls_context=context,
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


async def chat(url: str, model: str, key: str) -> tuple[str, str]:
    """Return why an OpenAI-compatible endpoint says no word, and what to do about it; two "" when it does."""
    body = {"model": model, "messages": [{"role": "user", "content": "Say ok."}], "max_tokens": 1}
    headers = {"authorization": f"Bearer {key}"} if key else {}
    try:
        async with httpx.AsyncClient(timeout=WITHIN_S, trust_env=not is_this_machine(_host(url))) as client:
            answer = await client.post(f"{url.rstrip('/')}/chat/completions", json=body, headers=headers)
    except httpx.HTTPError as error:
        return f"does not answer ({type(error).__name__})", "Start it, or check summary: {rewriter_url: …}"
    if answer.status_code in CHAT_REMEDIES:
        return f"answers {answer.status_code}", CHAT_REMEDIES[answer.status_code]
    if answer.status_code != 200:
        return f"answers {answer.status_code}", "See what its log says"
    if b'"choices"' not in answer.content[:MOST_BYTES]:
        return "answers no chat completion", "Its address ends where /chat/completions begins, often in /v1"
    return "", ""


async def browser_start(path: str, *, sandbox: bool) -> str:
    """Return why a Chromium does not show a page of its own, "" when it does."""
    with tempfile.TemporaryDirectory(prefix="clausewire-doctor-", ignore_cleanup_errors=True) as profile:
        flags = ("--headless", "--disable-gpu", "--no-first-run", f"--user-data-dir={profile}", "--dump-dom")
        free = () if sandbox else ("--no-sandbox",)
        child = await asyncio.create_subprocess_exec(
            path,
            *flags,
            *free,
            "data:text/html,<p>clausewire",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            shown, told = await asyncio.wait_for(child.communicate(), BROWSER_S)
        except TimeoutError:
            child.kill()
            await child.wait()
            return f"no page within {BROWSER_S:g} s"
    if b"<p>clausewire" in shown:
        return ""
    last = [line for line in told.decode("utf-8", "replace").splitlines() if line.strip()][-1:]
    return f"status {child.returncode}{f', {last[0][:200]}' if last else ''}"


def is_this_machine(host: str) -> bool:
    """Say whether a host is the one that we run on."""
    return host in {"localhost", "127.0.0.1", "::1"}


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


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
