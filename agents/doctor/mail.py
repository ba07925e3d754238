"""Whether the mail server takes our login, and whether mails can be signed; no mail is sent."""

from __future__ import annotations

from agents.doctor import probes
from agents.doctor.finding import Finding, fail, failed, ok, warn
from pipeline.adapters.dkim import Dkim, record
from pipeline.adapters.email import is_nearby
from pipeline.config import Settings
from pipeline.config.model import DkimSettings
from pipeline.errors import ConfigError


async def mail(settings: Settings) -> list[Finding]:
    """Return what is found of the mail server and of the key that signs; nothing where no mail is sent."""
    if settings.smtp is None:
        return []
    signed = [dkim(settings.smtp.dkim, settings)] if settings.smtp.dkim else []
    return [await smtp(settings), *signed]


async def smtp(settings: Settings) -> Finding:
    """Return whether the mail server takes our login."""
    server = settings.smtp
    assert server is not None, "asked for without a mail server"
    unset = [
        name for name in (server.username_env, server.password_env) if name and name not in settings.secrets
    ]
    if unset:
        return fail(f"mail server {server.host}: {unset[0]} is not set", f"Set {unset[0]}")
    if server.security == "none" and not is_nearby(server.host):
        return fail(
            f"mail server {server.host}: mail would cross the network unencrypted, and is not sent",
            "Write security: starttls",
        )
    trouble, remedy = await probes.mail_login(server, settings.secrets)
    if trouble:
        return fail(f"mail server {server.host}:{server.port}: {trouble}", remedy)
    if server.security == "none" and not probes.is_this_machine(server.host):
        return warn(
            f"mail server {server.host}: mail crosses our own network unencrypted", "Write security: starttls"
        )
    return ok(f"mail server {server.host}:{server.port} ({server.security})")


def dkim(asked: DkimSettings, settings: Settings) -> Finding:
    """Return whether the key that signs mails can be used, and the record that must be published for it."""
    name = asked.key_env
    if name not in settings.secrets:
        return fail(
            f"mails are to be signed, and {name} is not set", f"Set {name}, or {name}_FILE to its file"
        )
    key = settings.secrets[name]
    try:
        Dkim(domain=asked.domain, selector=asked.selector, key=key, name=name)
        published = record(key, name=name)
    except ConfigError as error:
        return failed(error, "openssl genrsa -out dkim.pem 2048")
    place = f"{asked.selector}._domainkey.{asked.domain}"
    return ok(f"{name} signs mails for {asked.domain}", f'DNS must say so: {place} TXT "{published}"')
