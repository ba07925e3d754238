"""Documents, feeds, watches and the blocks on how to fetch and send: from tables of the file to values."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from pipeline.config.dkim import dkim
from pipeline.config.model import ApiSettings, FetchSettings, Route, SlackSettings, SmtpSettings, WatchSpec
from pipeline.config.reading import Item, Table, did_you_mean
from pipeline.config.values import LITERAL_SECRETS, address, duration, env_name, mailbox, size
from pipeline.events import DocumentSpec, FeedSpec, slug
from pipeline.news import query as language
from pipeline.policy import css

T = TypeVar("T", DocumentSpec, FeedSpec, WatchSpec, Route)

DOCUMENT_KEYS = (
    "service",
    "name",
    "url",
    "select",
    "remove",
    "interval",
    "language",
    "aliases",
    "robots",
    "robots_reason",
)
FEED_KEYS = ("name", "url", "interval", "robots", "robots_reason")
WATCH_KEYS = ("name", "query")
FETCH_KEYS = (
    "contact",
    "spacing",
    "concurrency",
    "max_size",
    "jitter",
    "timeouts",
    "browser",
    "browser_sandbox",
)
SMTP_KEYS = (
    "host",
    "port",
    "security",
    "from",
    "username",
    "username_env",
    "password_env",
    "ca_file",
    "timeout",
    "dkim",
)
SECURITIES = ("starttls", "tls", "none")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def unique(item: Item | None, read: Callable[[Item], T | None]) -> tuple[T, ...]:
    """Return what the entries of a list come to; two of one identity are a problem."""
    seen: dict[str, int] = {}
    kept: list[T] = []
    for entry in item.items() if item else ():
        value = read(entry)
        if value is None:
            continue
        if value.id in seen:
            entry.wrong(
                f'"{value.id}" stands here twice', f"Rename one; the first is on line {seen[value.id]}"
            )
        seen.setdefault(value.id, entry.line)
        kept.append(value)
    return tuple(kept)


def identity(item: Item | None) -> tuple[str, str]:
    """Return a name and its slug; a name without letters and digits is a problem."""
    name = item.text() if item else ""
    if item and name and not slug(name):
        item.wrong("this name has no letter and no digit", "Give it a name that can be spoken")
    return name, slug(name)


def document(item: Item) -> DocumentSpec | None:
    """Return a document to watch, None when the entry is no table."""
    table = item.table(DOCUMENT_KEYS)
    if table is None:
        return None
    service, service_id = identity(table.need("service", "Say whose document it is: service: X"))
    name, name_id = identity(table.need("name", "Say which document it is: name: Privacy Policy"))
    respect, reason = robots(table)
    return DocumentSpec(
        id=f"{service_id}/{name_id}",
        service=service,
        name=name,
        url=_address(table, "Say where it is: url: https://…"),
        select=selectors(table.get("select")),
        remove=selectors(table.get("remove")),
        interval_s=_interval(table, 3600.0),
        language=_text(table, "language").lower(),
        respect_robots=respect,
        robots_reason=reason,
        aliases=_texts(table, "aliases"),
    )


def feed(item: Item) -> FeedSpec | None:
    """Return a feed to read, None when the entry is no table."""
    table = item.table(FEED_KEYS)
    if table is None:
        return None
    name, feed_id = identity(table.need("name", "Say whose feed it is: name: The Register"))
    respect, reason = robots(table)
    return FeedSpec(
        id=feed_id,
        name=name,
        url=_address(table, "Say where it is: url: https://…"),
        interval_s=_interval(table, 900.0),
        respect_robots=respect,
        robots_reason=reason,
    )


def watched(item: Item) -> WatchSpec | None:
    """Return a watch whose query was understood, None when the entry is no table."""
    table = item.table(WATCH_KEYS)
    if table is None:
        return None
    name, watch_id = identity(table.need("name", "Say what it is about: name: AI training"))
    query = table.need("query", 'Say what to look for: query: "train" OR "machine learning"')
    return WatchSpec(id=watch_id, name=name, query=_query(query) if query else "")


def _query(item: Item) -> str:
    written = item.text()
    try:
        if written:
            language.parse(written)
    except language.QueryError as error:
        item.wrong(f"the query cannot be read: {error}", error.remedy)
    return written


def robots(table: Table) -> tuple[bool, str]:
    """Return whether robots.txt is respected, and why not when it is not."""
    item = table.get("robots")
    reason = _text(table, "robots_reason")
    word = choice(item, ("respect", "ignore")) if item else "respect"
    if item and word == "ignore" and not reason:
        item.wrong("robots.txt is ignored without a reason", "Add robots_reason: and say who allowed it")
    return word != "ignore", reason


def selectors(item: Item | None) -> tuple[str, ...]:
    """Return CSS selectors; one that we could not follow is a problem."""
    found = item.texts() if item else ()
    for selector in found:
        try:
            css.compile_selector(selector)
        except css.SelectorError as error:
            if item:
                item.wrong(str(error), "Write tags, .classes, #ids, [attributes] and > between them")
    return found


def choice(item: Item, words: tuple[str, ...]) -> str:
    """Return one of the words, the first after noting a problem."""
    word = item.text()
    if word in words or not word:
        return word or words[0]
    item.wrong(f'"{word[:40]}" is none of {", ".join(words)}', did_you_mean(word, words))
    return words[0]


def fetch(item: Item | None) -> FetchSettings:
    """Return how pages and feeds are read."""
    table = item.table(FETCH_KEYS) if item else None
    if table is None:
        return FetchSettings()
    given: dict[str, Any] = {**_timeouts(table.get("timeouts"))}
    readers: dict[str, tuple[str, Callable[[Item], object]]] = {
        "contact": ("contact", Item.text),
        "spacing": ("per_host_spacing_s", lambda item: duration(item, zero=True)),
        "concurrency": ("concurrency", lambda item: item.number(least=1, most=1000)),
        "max_size": ("max_bytes", size),
        "jitter": ("jitter", fraction),
        "browser": ("browser", Item.text),
        "browser_sandbox": ("browser_sandbox", Item.flag),
    }
    given |= {field: read(found) for key, (field, read) in readers.items() if (found := table.get(key))}
    return FetchSettings(**given)


def _timeouts(item: Item | None) -> dict[str, float]:
    names = ("connect", "read", "total")
    table = item.table(names) if item else None
    return {f"{name}_timeout_s": duration(found) for name in names if table and (found := table.get(name))}


def fraction(item: Item) -> float:
    """Return a number from 0 to 1, 0.0 after noting a problem."""
    with suppress(ValueError):
        written = float(item.node.value) if item.kind == "a number" else -1.0
        if 0.0 <= written <= 1.0:
            return written
    item.wrong(f"{item.shown} is not a number from 0 to 1", "Write a share, such as 0.1 for a tenth")
    return 0.0


def smtp(item: Item | None, base: Path) -> SmtpSettings | None:
    """Return the mail server, None when the file names none."""
    table = item.table(SMTP_KEYS, forbidden=LITERAL_SECRETS) if item else None
    if table is None:
        return None
    host = table.need("host", "Say which server takes the mail: host: smtp.example.org")
    found = {name: table.get(name) for name in SMTP_KEYS}
    security = choice(found["security"], SECURITIES) if found["security"] else "starttls"
    port = (
        found["port"].number(least=1, most=65535)
        if found["port"]
        else {"tls": 465, "none": 25}.get(security, 587)
    )
    settings = SmtpSettings(
        host=host.text() if host else "",
        port=port,
        security=security,
        sender=mailbox(found["from"], found["from"].text()) if found["from"] else "",
        username=_text(table, "username"),
        username_env=env_name(found["username_env"]) if found["username_env"] else "",
        password_env=env_name(found["password_env"]) if found["password_env"] else "",
        ca_file=str(base / _text(table, "ca_file")) if found["ca_file"] else "",
        timeout_s=duration(found["timeout"]) if found["timeout"] else 30.0,
        dkim=dkim(found["dkim"]),
    )
    _consistent(table, settings)
    return settings


def _consistent(table: Table, settings: SmtpSettings) -> None:
    if settings.username and settings.username_env:
        table.wrong("username and username_env exclude each other", "Keep one of the two")
    if settings.password_env and not (settings.username or settings.username_env):
        table.wrong("there is a password and no user", "Add username: or username_env:")
    if settings.security == "none" and settings.password_env and settings.host not in _LOOPBACK:
        table.wrong(
            "the password would cross the network unencrypted", "Write security: starttls or security: tls"
        )


def slack(item: Item | None) -> SlackSettings:
    """Return where Slack's Web API answers, and what proves that Slack speaks to us."""
    table = item.table(("api_url", "signing_secret_env"), forbidden=LITERAL_SECRETS) if item else None
    if table is None:
        return SlackSettings()
    url, secret = table.get("api_url"), table.get("signing_secret_env")
    return SlackSettings(
        api_url=address(url).rstrip("/") + "/" if url else SlackSettings().api_url,
        signing_secret_env=env_name(secret) if secret else "",
    )


def api(item: Item | None) -> ApiSettings:
    """Return how the world reaches the HTTP API."""
    table = item.table(("public_url",)) if item else None
    found = table.get("public_url") if table else None
    if found is None:
        return ApiSettings()
    url = address(found)
    if url and not url.startswith("https://"):
        found.wrong("links in messages must be https", "Put the API behind a proxy that speaks TLS")
    return ApiSettings(public_url=url.rstrip("/"))


def _address(table: Table, remedy: str) -> str:
    found = table.need("url", remedy)
    return address(found) if found else ""


def _interval(table: Table, default: float) -> float:
    found = table.get("interval")
    return duration(found) if found else default


def _text(table: Table, key: str) -> str:
    found = table.get(key)
    return found.text() if found else ""


def _texts(table: Table, key: str) -> tuple[str, ...]:
    found = table.get(key)
    return found.texts() if found else ()
