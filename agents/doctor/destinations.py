"""Whether the places that routes lead to can be reached; nothing is sent to any."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

from agents.doctor import probes
from agents.doctor.finding import Finding, fail, failed, ok, warn
from pipeline.adapters import ssrf
from pipeline.adapters.apprise_service import service
from pipeline.config import Route, Settings
from pipeline.errors import ConfigError
from pipeline.events import Channel

HEARING = "Add a route with only: {kinds: [health]}"


async def destination(route: Route, settings: Settings) -> Finding:
    """Return whether a route's place can be reached."""
    unset = [
        name for key, name in route.target.items() if key.endswith("_env") and name not in settings.secrets
    ]
    if unset:
        return fail(f'route "{route.name}": {unset[0]} is not set', f"Set {unset[0]}")
    looks = {
        Channel.SLACK: _slack,
        Channel.WEBHOOK: _webhook,
        Channel.EMAIL: _mail_route,
        Channel.CONSOLE: _console,
        Channel.APPRISE: _apprise,
    }
    return await looks[route.channel](route, settings)


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


async def _slack(route: Route, settings: Settings) -> Finding:
    if "webhook_url_env" in route.target:
        name = route.target["webhook_url_env"]
        return ok(f'route "{route.name}": {name} is set (an incoming webhook can only be tried by posting)')
    token = settings.secrets[route.target["token_env"]]
    trouble, who = await probes.slack_token(settings.slack.api_url, token)
    if trouble:
        return fail(
            f'route "{route.name}": Slack says {trouble}', probes.SLACK_REMEDIES.get(trouble, "See Slack")
        )
    return ok(f'route "{route.name}": Slack knows the token as {who}')


async def _webhook(route: Route, settings: Settings) -> Finding:
    url, name = route.target["url"], route.target["secret_env"]
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


async def _console(route: Route, settings: Settings) -> Finding:
    file = route.target.get("file")
    if file and not Path(file).parent.is_dir():
        return fail(f'route "{route.name}": there is no folder {Path(file).parent}', "Create it")
    return ok(f'route "{route.name}": {file or "standard output"}')


async def _apprise(route: Route, settings: Settings) -> Finding:
    name = route.target["url_env"]
    try:
        made = await asyncio.to_thread(service, settings.secrets[name])
    except ConfigError as error:
        return failed(error, "See https://appriseit.com/services/", about=f'route "{route.name}": {name}')
    return ok(f'route "{route.name}": {made.service_name} (it can only be tried by posting)')
