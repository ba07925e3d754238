"""Words of the file → durations, sizes, addresses, names of secrets.

Each reader notes what is wrong and returns a harmless value.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from pipeline.config.reading import Item

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(B|kB|KB|MB|GB)?")
_SIZES = {None: 1, "B": 1, "kB": 1000, "KB": 1000, "MB": 1_000_000, "GB": 1_000_000_000}
_ENV_NAME = re.compile(r"[A-Z_][A-Z0-9_]*")  # capitals, so that few secrets pass for a name
LITERAL_SECRETS = {
    key: f"Secrets stand in the environment: write {key}_env: and the NAME of a variable that holds it"
    for key in ("token", "webhook_url", "secret", "password")
}
_MAILBOX = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+")
_SLACK_HOOK_HOSTS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})


def duration(item: Item, *, zero: bool = False) -> float:
    """Return seconds from words such as 30m, 1h30m, 90s or 2d; 1.0 after noting a problem."""
    written = "" if item.kind in {"a table", "a list"} else str(item.node.value).strip()
    seconds = length(written)
    if seconds > 0 or (zero and seconds == 0):
        return seconds
    item.wrong(
        f"{item.shown} is not a length of time",
        'Write a number and a unit, such as "90s", "30m", "1h" or "1d"',
    )
    return 1.0


def length(written: str) -> float:
    """Return the seconds that words such as 30m or 1h30m spell, -1.0 where they spell none."""
    parts = _DURATION.findall(written)
    if not parts or _DURATION.sub("", written):
        return -1.0
    return sum(float(count) * _UNITS[unit] for count, unit in parts)


def size(item: Item) -> int:
    """Return bytes from words such as 500kB or 10MB (decimal); 1 after noting a problem."""
    written = "" if item.kind in {"a table", "a list"} else str(item.node.value).strip()
    match = _SIZE.fullmatch(written)
    if match and (amount := int(float(match[1]) * _SIZES[match[2]])) > 0:
        return amount
    item.wrong(f"{item.shown} is not a size", 'Write a number and a unit, such as "500kB" or "10MB"')
    return 1


def address(item: Item) -> str:
    """Return an http(s) URL with a host and without credentials; "" after noting a problem."""
    written = item.text()
    if not written:
        return ""
    parts = _split(written)
    if parts is None or parts.scheme.lower() not in {"http", "https"} or not parts.hostname:
        item.wrong(
            "this is not an http(s) address", 'Write the whole address, such as "https://example.com/privacy"'
        )
    elif parts.username or parts.password:
        item.wrong("credentials do not belong in an address", "Leave out what stands before the @")
    elif re.search(r"[\s<>\"{}|\\^`]", written):
        item.wrong(
            "this address holds a character that none may hold",
            "Write it percent-encoded, as a browser copies it",
        )
    else:
        return written
    return ""


def hook_address(item: Item) -> str:
    """Return the URL of a webhook of one's own; a Slack webhook's address is itself a secret and refused."""
    url = address(item)
    if url and urlsplit(url).hostname in _SLACK_HOOK_HOSTS:
        item.wrong(
            "the address of a Slack webhook is a secret",
            "Put it in the environment and name it: slack: {webhook_url_env: SLACK_WEBHOOK_URL}",
        )
        return ""
    return url


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises on a port that is no number
    except ValueError:
        return None
    return parts


def env_name(item: Item) -> str:
    """Return the name of an environment variable; "" after a problem that never repeats what was written."""
    written = item.text()
    if _ENV_NAME.fullmatch(written):
        item.problems.secrets.append((written, item.line, item.key))
        return written
    if written:
        item.wrong(
            "the name of an environment variable is expected here, never the secret itself",
            f"Write a name in capitals, such as {_example(item)}, and set that variable",
        )
    return ""


def _example(item: Item) -> str:
    return item.key.rsplit(".", 1)[-1].removesuffix("_env").upper()


def mailbox(item: Item, written: str) -> str:
    """Return a mail address, plain or as `Name <address>`; "" after noting a problem."""
    named = re.fullmatch(r"[^<>\r\n]*<([^<>]+)>", written)
    if _MAILBOX.fullmatch(named[1] if named else written):
        return written
    if written:
        item.wrong(f'"{written[:60]}" is not a mail address', "Write name@example.org")
    return ""
