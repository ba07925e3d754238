"""Who hears of what: a route joins the alerts that it wants to the one place that they go to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.alerts.hours import hours
from pipeline.config.gather import gather
from pipeline.config.model import Route, WatchSpec
from pipeline.config.reading import Item, Table, did_you_mean
from pipeline.config.sections import choice, identity
from pipeline.config.values import LITERAL_SECRETS, env_name, hook_address, mailbox
from pipeline.errors import ConfigError
from pipeline.events import Channel, DocumentSpec, Filters, Hours, Severity, slug

ROUTE_KEYS = ("name", "to", "only", "hours", "gather", "contact")
FILTER_KEYS = ("services", "documents", "categories", "watches", "kinds", "languages", "min_severity")
KINDS = ("change", "story", "health")
APPRISE_SECRETS = {
    "url": "Whoever has an Apprise URL can post: write url_env: and the NAME of a variable that holds it"
}
READERS = (
    "change",
    "story",
)  # what is told to a route that names no kind: trouble is for those who ask for it
TAXONOMY = Path(__file__).parents[2] / "deploy" / "taxonomy"


class Known(NamedTuple):
    """What routes may speak of: documents and watches declared above, categories, where mail comes from."""

    documents: tuple[DocumentSpec, ...]
    watches: tuple[WatchSpec, ...]
    categories: frozenset[str]
    sender: str
    has_smtp: bool
    base: Path


def route(item: Item, known: Known) -> Route | None:
    """Return a route, None when the entry is no table or has no one target."""
    table = item.table(ROUTE_KEYS)
    if table is None:
        return None
    name, route_id = identity(table.need("name", "Say who it is for: name: Legal team"))
    to = table.need("to", "Say where the alerts go: to: {email: {to: legal@example.org}}")
    filters = _filters(table.get("only"), known)
    target = _target(to, known) if to else None
    if target is None:
        return None
    channel, values = target
    week = _hours(table.get("hours"))
    return Route(
        id=route_id,
        name=name,
        channel=channel,
        target=values,
        filters=filters,
        hours=week,
        gather=gather(table.get("gather")),
        contact=_contact(table.get("contact"), known),
    )


def _contact(item: Item | None, known: Known) -> str:
    """Return the mailbox that hears when the route fails; nothing where none is named."""
    if item is None:
        return ""
    if not known.has_smtp or not known.sender:
        item.wrong(
            "a contact is told by mail and no server is named", "Add a block smtp: with host: and from:"
        )
    return mailbox(item, item.text())


def _hours(item: Item | None) -> Hours | None:
    """Return when the route may be told, None for always."""
    table = item.table(("open", "zone", "urgent")) if item else None
    if item is None or table is None:
        return None
    written = table.need("open", "Say when: open: mon-fri 08:00-18:00")
    zone, urgent = table.get("zone"), table.get("urgent")
    try:
        return hours(
            written.text() if written else "00:00-24:00",
            zone=zone.text() if zone else "UTC",
            urgent=Severity(choice(urgent, tuple(Severity))) if urgent else None,
        )
    except ConfigError as error:
        wrong = zone if error.key == "zone" and zone else written or item
        wrong.wrong(str(error.args[0]), error.remedy)
        return None


# --- where to ---------------------------------------------------------------------------------------------


def _target(item: Item, known: Known) -> tuple[Channel, dict[str, Any]] | None:
    table = item.table(tuple(_TARGETS))
    if table is None:
        return None
    if len(table.items) != 1:
        fact = "this route has no target" if not table.items else f"this route has {len(table.items)} targets"
        table.wrong(
            fact, f"Write exactly one of {', '.join(_TARGETS)}; for a second place add a second route"
        )
        return None
    ((name, found),) = table.items.items()
    return Channel(name), _TARGETS[name](found, known)


def _slack(item: Item, known: Known) -> dict[str, Any]:
    table = item.table(("channel", "token_env", "webhook_url_env"), forbidden=LITERAL_SECRETS)
    if table is None:
        return {}
    if hook := table.get("webhook_url_env"):
        if "channel" in table or "token_env" in table:
            table.wrong(
                "a Slack webhook has its channel built in",
                "Keep webhook_url_env:, or channel: with token_env:",
            )
        return {"webhook_url_env": env_name(hook)}
    channel = table.need(
        "channel", 'Say which channel: channel: "#legal" (with token_env:), or use webhook_url_env:'
    )
    token = table.need("token_env", "Name the variable that holds the bot token: token_env: SLACK_BOT_TOKEN")
    return {"channel": channel.text() if channel else "", "token_env": env_name(token) if token else ""}


def _webhook(item: Item, known: Known) -> dict[str, Any]:
    table = item.table(("url", "secret_env", "allow_private", "rate"), forbidden=LITERAL_SECRETS)
    if table is None:
        return {}
    url = table.need("url", "Say where to post: url: https://…")
    secret = table.need(
        "secret_env", "Name the variable that holds the signing secret: secret_env: WEBHOOK_SECRET"
    )
    private, rate = table.get("allow_private"), table.get("rate")
    return {
        "url": hook_address(url) if url else "",
        "secret_env": env_name(secret) if secret else "",
        "allow_private": private.flag() if private else False,
        **({"rate": rate.number(least=1, most=60_000)} if rate else {}),
    }


def _email(item: Item, known: Known) -> dict[str, Any]:
    table = item.table(("to", "from"))
    if table is None:
        return {}
    to = table.need("to", "Say who is to be told: to: legal@example.org")
    sender = table.get("from")
    if not known.has_smtp:
        table.wrong("mail is asked for and no server is named", "Add a block smtp: with host: and from:")
    elif sender is None and not known.sender:
        table.wrong("this mail has no sender", "Add from: here or in the block smtp:")
    return {
        "to": [mailbox(to, written) for written in to.texts()] if to else [],
        "from": mailbox(sender, sender.text()) if sender else known.sender,
    }


def _apprise(item: Item, known: Known) -> dict[str, Any]:
    table = item.table(("url_env",), forbidden=APPRISE_SECRETS)
    if table is None:
        return {}
    url = table.need(
        "url_env", "Name the variable that holds the service's Apprise URL: url_env: DISCORD_URL"
    )
    return {"url_env": env_name(url) if url else ""}


def _console(item: Item, known: Known) -> dict[str, Any]:
    written = item.text()
    return {"file": "" if written in {"stdout", ""} else str(known.base / written)}


_TARGETS: Mapping[str, Callable[[Item, Known], dict[str, Any]]] = {
    "slack": _slack,
    "webhook": _webhook,
    "email": _email,
    "console": _console,
    "apprise": _apprise,
}


# --- which ------------------------------------------------------------------------------------------------


def _filters(item: Item | None, known: Known) -> Filters:
    table = item.table(FILTER_KEYS) if item else None
    if table is None:
        return Filters(kinds=READERS)
    severity = table.get("min_severity")
    return Filters(
        services=_with_slugs(_named(table, "services", _services(known.documents))),
        documents=_named(table, "documents", _documents(known.documents)),
        categories=_named(table, "categories", {name: name for name in known.categories}),
        watches=_named(
            table, "watches", {word: one.id for one in known.watches for word in (one.name, one.id)}
        ),
        kinds=_named(table, "kinds", {kind: kind for kind in KINDS}) or READERS,
        languages=_languages(table),
        min_severity=Severity(choice(severity, tuple(Severity))) if severity else Severity.INFO,
    )


def _services(documents: Iterable[DocumentSpec]) -> dict[str, str]:
    return {word: one.service for one in documents for word in (one.service, slug(one.service), *one.aliases)}


def _with_slugs(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return names and, where they differ, the ids that stories know the services by."""
    pairs = ((name,) if slug(name) == name.casefold() else (name, slug(name)) for name in names)
    return tuple(word for pair in pairs for word in pair)


def _documents(documents: Iterable[DocumentSpec]) -> dict[str, str]:
    """Name a document by its id or as `Service Name`; its name alone stands for that of every service."""
    alone = {one.name: one.name for one in documents}
    return alone | {word: one.id for one in documents for word in (one.id, f"{one.service} {one.name}")}


def _named(table: Table, key: str, known: Mapping[str, str]) -> tuple[str, ...]:
    """Return what the words of a list stand for; a word that is not known is a problem."""
    item = table.get(key)
    canonical = {word.casefold(): meant for word, meant in known.items()}
    kept: list[str] = []
    for word in item.texts() if item else ():
        if word.casefold() in canonical:
            kept.append(canonical[word.casefold()])
        elif item:
            item.wrong(f'"{word[:60]}" is none of the {key} known', did_you_mean(word, known))
    return tuple(dict.fromkeys(kept))


def _languages(table: Table) -> tuple[str, ...]:
    item = table.get("languages")
    return tuple(word.lower() for word in item.texts()) if item else ()


def categories(folder: Path = TAXONOMY) -> frozenset[str]:
    """Return the ids of the categories that changes are sorted into, from the taxonomy's files."""
    ids = {"unclassified"}
    for file in sorted(folder.glob("*.json")):
        content = json.loads(file.read_text(encoding="utf-8"))
        entries = content.get("categories", []) if isinstance(content, dict) else []
        ids |= {entry["id"] for entry in entries if isinstance(entry, dict) and "id" in entry}
    return frozenset(ids)
