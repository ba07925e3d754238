"""What can be said of the configuration without leaving the machine: what it holds, its secrets, its keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from agents.doctor.finding import Finding, fail, failed, ok, warn
from agents.doctor.probes import is_this_machine
from pipeline.adapters.vault import KEY, REMEDY, vault
from pipeline.config import Settings
from pipeline.errors import ConfigError
from pipeline.events import DocumentSpec, FeedSpec

Spec = DocumentSpec | FeedSpec

HASTY_S = 60.0
SIGNING = re.compile(r"[0-9a-f]{32}")  # what Slack's are


def configuration(settings: Settings, env: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what the configuration holds and lacks."""
    yield ok(
        f"{settings.file.name}: {len(settings.documents)} documents, {len(settings.feeds)} feeds, "
        f"{len(settings.watches)} watches, {len(settings.routes)} routes"
    )
    if not settings.documents and not settings.feeds:
        yield warn("nothing is watched", "Add an entry under documents: or feeds:")
    if not settings.routes:
        yield warn("nobody hears of anything", "Add an entry under routes:")
    if not settings.fetch.contact:
        yield warn("the User-Agent names no contact", "Add fetch: {contact: you@example.org}")
    yield from (fail(str(error.args[0]), error.remedy) for error in settings.missing_secrets())
    yield from _hasty(settings)
    yield from _open_files(settings, env)
    yield from keys(settings)


def specs(settings: Settings) -> list[Spec]:
    """Return every source of the settings."""
    return [*settings.documents, *settings.feeds]


def keys(settings: Settings) -> Iterator[Finding]:
    """Yield whether secrets can be sealed, and whether what Slack sends can be believed."""
    yield _sealing(settings)
    name = settings.slack.signing_secret_env
    if name and name in settings.secrets:
        yield _signing(name, settings.secrets[name])
        if not settings.api.public_url:
            yield warn(
                "Slack's buttons lead to the HTTP API, and nothing says where that is",
                "Write api: {public_url: https://…}; in Slack's app: Interactivity, https://…/slack/interactions",
            )


def _sealing(settings: Settings) -> Finding:
    written = settings.secrets.get(KEY)
    if not written:
        return ok(f"{KEY} is not set: no subscription with a secret can be made by command or API", REMEDY)
    try:
        vault(written)
    except ConfigError as error:
        return failed(error, REMEDY)
    return ok(f"{KEY} seals and opens")


def _signing(name: str, secret: str) -> Finding:
    if SIGNING.fullmatch(secret.strip()):
        return ok(f"{name} is of the form of a Slack signing secret")
    return fail(
        f"{name} is no Slack signing secret (32 digits of 0-9 and a-f)",
        "Copy it from the Slack app: Basic Information, App Credentials, Signing Secret (not a token)",
    )


def _hasty(settings: Settings) -> Iterator[Finding]:
    for spec in specs(settings):
        if spec.interval_s < HASTY_S and not is_this_machine(urlsplit(spec.url).hostname or ""):
            yield warn(f"{spec.id} is read every {spec.interval_s:g} s", "Give its site a minute or more")


def _open_files(settings: Settings, env: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a warning for each file of secrets that others than its owner can read."""
    mounted = (Path(env[name]) for use in settings.secret_uses if env.get(name := f"{use.name}_FILE"))
    for path in filter(None, (settings.secrets_file, *mounted)):
        if path.is_file() and path.stat().st_mode & 0o077:
            yield warn(f"others can read the secrets in {path}", f"chmod 600 {path}")
