"""Is everything in order? Each thing looked at gives one finding, with what to do when it is not.

config → sources → destinations → machine
"""

from __future__ import annotations

import asyncio
import platform
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import parseaddr, parsedate_to_datetime
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from agents import probes
from pipeline.adapters import ssrf
from pipeline.adapters.apprise import service
from pipeline.adapters.embedded.lock import holder
from pipeline.config import Route, Settings
from pipeline.errors import ConfigError, PipelineError
from pipeline.events import Channel, DocumentSpec, FeedSpec
from pipeline.polling import Fetched

Spec = DocumentSpec | FeedSpec
Fetch = Callable[[Spec], Awaitable[Fetched]]

PACKAGES = ("faust-streaming", "aiokafka", "httpx", "aiohttp", "msgspec", "lxml", "trafilatura", "feedparser")
OLDEST, NEWEST = (3, 11), (3, 13)
LITTLE_ROOM = 1_000_000_000  # bytes: warn
NO_ROOM = 50_000_000  # bytes: fail
MOST_DRIFT = timedelta(minutes=2)  # webhooks are refused at five
HASTY_S = 60.0
ABREAST = 8
HEARING = "Add a route with only: {kinds: [health]}"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Level(StrEnum):
    """How a thing stands."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(Struct, frozen=True):
    """One thing looked at: how it stands, what it is, and what to do about it."""

    level: Level
    what: str
    remedy: str = ""


def ok(what: str) -> Finding:
    return Finding(Level.OK, what)


def warn(what: str, remedy: str) -> Finding:
    return Finding(Level.WARN, what, remedy)


def fail(what: str, remedy: str) -> Finding:
    return Finding(Level.FAIL, what, remedy)


async def examine(
    settings: Settings, env: Mapping[str, str], *, fetch: Fetch, now: datetime
) -> list[Finding]:
    """Return what was found, in the order of the configuration; never raises for what it finds.

    `fetch` reads a document or a feed once (PipelineError when it cannot); `now` is the machine's time, aware UTC.
    """
    configured = list(configuration(settings, env))
    sources, read = await _sources(settings, fetch)
    destinations = await asyncio.gather(*(destination(route, settings) for route in settings.routes))
    mail = [await smtp(settings)] if settings.smtp else []
    machine = [*directory(settings.data), await broker(settings.broker), *packages(), clock(read, now)]
    return [*configured, *sources, *mail, *destinations, *unheard(settings.routes), *machine]


# --- configuration --------------------------------------------------------------------------------------------


def configuration(settings: Settings, env: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what can be said of the configuration without leaving the machine."""
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


def unheard(routes: Sequence[Route]) -> Iterator[Finding]:
    """Yield whose trouble would be told to nobody: a route that fails cannot tell so itself."""
    hearing = [route for route in routes if "health" in route.filters.kinds]
    alone = hearing[0] if len(hearing) == 1 else None
    silent = [route for route in routes if route.channel is not Channel.CONSOLE and not route.contact]
    if silent and not hearing:
        yield warn(f'nobody hears when route "{silent[0].name}" fails', HEARING)
    elif alone and alone.channel is not Channel.CONSOLE and not alone.contact:
        fact = f'route "{alone.name}" alone hears of trouble: nobody hears when it fails itself'
        yield warn(fact, f"{HEARING}, or a contact: to this one")
    for route in routes:
        if route.contact and parseaddr(route.contact)[1] in route.target.get("to", ()):
            yield warn(
                f'route "{route.name}": its contact is whom it mails', "Name another mailbox as contact:"
            )


def specs(settings: Settings) -> list[Spec]:
    """Return every source of the settings."""
    return [*settings.documents, *settings.feeds]


def _hasty(settings: Settings) -> Iterator[Finding]:
    for spec in specs(settings):
        if spec.interval_s < HASTY_S and (urlsplit(spec.url).hostname or "") not in LOOPBACK:
            yield warn(f"{spec.id} is read every {spec.interval_s:g} s", "Give its site a minute or more")


def _open_files(settings: Settings, env: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a warning for each file of secrets that others than its owner can read."""
    mounted = (Path(env[name]) for use in settings.secret_uses if env.get(name := f"{use.name}_FILE"))
    for path in filter(None, (settings.secrets_file, *mounted)):
        if path.is_file() and path.stat().st_mode & 0o077:
            yield warn(f"others can read the secrets in {path}", f"chmod 600 {path}")


# --- sources --------------------------------------------------------------------------------------------------


async def _sources(settings: Settings, fetch: Fetch) -> tuple[list[Finding], list[Fetched]]:
    turns = asyncio.Semaphore(ABREAST)

    async def one(spec: Spec) -> tuple[Finding, Fetched | None]:
        async with turns:
            return await source(spec, fetch)

    found = await asyncio.gather(*(one(spec) for spec in specs(settings)))
    return [finding for finding, _ in found], [fetched for _, fetched in found if fetched]


async def source(spec: Spec, fetch: Fetch) -> tuple[Finding, Fetched | None]:
    """Return how a document or a feed answers now, and its answer."""
    try:
        fetched = await fetch(spec)
    except PipelineError as error:
        return fail(f"{spec.id}: {error.args[0]}", error.remedy or f"Open {spec.url} in a browser"), None
    if not fetched.body:
        fact = (
            f"{spec.id}: status {fetched.status}" if fetched.status >= 300 else f"{spec.id}: an empty answer"
        )
        return fail(fact, f"Open {spec.url} in a browser; put the right address in its url:"), fetched
    moved = f", moved to {fetched.final_url}" if fetched.redirects else ""
    return ok(f"{spec.id}: status {fetched.status}, {len(fetched.body) / 1000:.0f} kB{moved}"), fetched


# --- destinations ---------------------------------------------------------------------------------------------


async def destination(route: Route, settings: Settings) -> Finding:
    """Return whether a route's place can be reached; nothing is sent to it."""
    looks = {
        Channel.SLACK: _slack,
        Channel.WEBHOOK: _webhook,
        Channel.EMAIL: _mail_route,
        Channel.CONSOLE: _console,
        Channel.APPRISE: _apprise,
    }
    return await looks[route.channel](route, settings)


async def _slack(route: Route, settings: Settings) -> Finding:
    name = route.target.get("token_env") or route.target["webhook_url_env"]
    if name not in settings.secrets:
        return fail(f'route "{route.name}": {name} is not set', f"Set {name}")
    if "webhook_url_env" in route.target:
        return ok(f'route "{route.name}": {name} is set (an incoming webhook can only be tried by posting)')
    trouble, who = await probes.slack_token(settings.slack.api_url, settings.secrets[name])
    if trouble:
        return fail(
            f'route "{route.name}": Slack says {trouble}', probes.SLACK_REMEDIES.get(trouble, "See Slack")
        )
    return ok(f'route "{route.name}": Slack knows the token as {who}')


async def _webhook(route: Route, settings: Settings) -> Finding:
    url, name = route.target["url"], route.target["secret_env"]
    if name not in settings.secrets:
        return fail(f'route "{route.name}": {name} is not set', f"Set {name}")
    if fault := probes.secret_fault(settings.secrets[name]):
        return fail(f'route "{route.name}": {name} {fault}', probes.KEY_REMEDY)
    host = urlsplit(url).hostname or ""
    allow = ssrf.Allow.of(host) if route.target.get("allow_private") else ssrf.NOTHING
    verdict = await ssrf.check_url(url, resolve=ssrf.system_resolve, allow=allow)
    if not verdict.accepted:
        remedy = "Check its url:, or add allow_private: true if it is meant"
        return fail(f'route "{route.name}": {verdict.reason}', remedy)
    return ok(f'route "{route.name}": {host} is {verdict.addresses[0]}')


async def _mail_route(route: Route, settings: Settings) -> Finding:
    return ok(f'route "{route.name}": mail to {", ".join(route.target["to"])}')


async def _apprise(route: Route, settings: Settings) -> Finding:
    name = route.target["url_env"]
    if name not in settings.secrets:
        return fail(f'route "{route.name}": {name} is not set', f"Set {name}")
    try:
        made = service(settings.secrets[name])
    except ConfigError as error:
        return fail(f'route "{route.name}": {name}: {error.args[0]}', error.remedy)
    return ok(f'route "{route.name}": {made.service_name} (it can only be tried by posting)')


async def _console(route: Route, settings: Settings) -> Finding:
    file = route.target.get("file")
    if file and not Path(file).parent.is_dir():
        return fail(f'route "{route.name}": there is no folder {Path(file).parent}', "Create it")
    return ok(f'route "{route.name}": {file or "standard output"}')


async def smtp(settings: Settings) -> Finding:
    """Return whether the mail server takes our login; no mail is sent."""
    server = settings.smtp
    assert server is not None, "asked for without a mail server"
    unset = [
        name for name in (server.username_env, server.password_env) if name and name not in settings.secrets
    ]
    if unset:
        return fail(f"mail server {server.host}: {unset[0]} is not set", f"Set {unset[0]}")
    trouble, remedy = await probes.mail_login(server, settings.secrets)
    if trouble:
        return fail(f"mail server {server.host}:{server.port}: {trouble}", remedy)
    unsafe = server.security == "none" and server.host not in LOOPBACK
    if unsafe:
        return warn(
            f"mail server {server.host}: mail crosses the network unencrypted", "Write security: starttls"
        )
    return ok(f"mail server {server.host}:{server.port} ({server.security})")


# --- the machine ----------------------------------------------------------------------------------------------


def directory(data: Path) -> Iterator[Finding]:
    """Yield whether the data directory can be written to, and how much room there is."""
    existing = next(path for path in (data, *data.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=existing) as file:
            file.write(b"clausewire")
    except OSError as error:
        yield fail(f"{data} cannot be written to: {error.strerror}", "Write data: and a folder of yours")
        return
    free = shutil.disk_usage(existing).free
    room = f"{free / 1e9:.1f} GB free in {data}"
    if free < NO_ROOM:
        yield fail(room, "Make room, or write data: and a folder on another disk")
    elif free < LITTLE_ROOM:
        yield warn(room, "Make room: history is kept for ever by default")
    else:
        yield ok(room)


async def broker(url: str) -> Finding:
    """Return whether the broker answers; for the embedded log, whether it is free or served, and by whom."""
    if not url.startswith("embedded://"):
        trouble = await probes.kafka(url)
        return (
            fail(f"{url}: {trouble}", "Start the broker, or check broker:")
            if trouble
            else ok(f"{url} answers")
        )
    path = Path(unquote(url.removeprefix("embedded://")))
    trouble = await asyncio.to_thread(probes.log_fault, path)
    if trouble:
        return fail(f"{path}: {trouble}", "Keep the file for a report, and start with another data:")
    owner = holder(path)
    return ok(f"{path}: served by process {owner}" if owner else f"{path}: no worker runs")


def packages() -> Iterator[Finding]:
    """Yield whether this Python and the packages that matter are ones that we run on."""
    python = f"Python {platform.python_version()}"
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        yield ok(python)
    else:
        yield fail(python, "Use Python 3.11, 3.12 or 3.13")
    missing = [name for name in PACKAGES if not _version(name)]
    if missing:
        yield fail(f"not installed: {', '.join(missing)}", "Install again: make install")
    else:
        yield ok(", ".join(f"{name} {_version(name)}" for name in PACKAGES))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def clock(read: Iterable[Fetched], now: datetime) -> Finding:
    """Return whether the machine's clock agrees with those of the sites that were just read (their median)."""
    ahead = sorted(stated - now for fetched in read if (stated := _stated(fetched)))
    if not ahead:
        return ok("clock: no site stated its time")
    drift = ahead[len(ahead) // 2]
    if abs(drift) > MOST_DRIFT:
        told = (
            f"the clock is {abs(drift).total_seconds():.0f} s {'behind' if drift > timedelta() else 'ahead'}"
        )
        return fail(told, "Set it (NTP): signed webhooks are refused when it is five minutes off")
    return ok("clock: agrees with the sites read")


def _stated(fetched: Fetched) -> datetime | None:
    try:
        stated = parsedate_to_datetime(fetched.headers["date"])
    except (KeyError, ValueError):
        return None
    return stated if stated.tzinfo else None
