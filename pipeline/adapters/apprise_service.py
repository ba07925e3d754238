"""What Apprise makes of a URL: one sender to one place, told to try once, and what it takes.

No error repeats a part of the URL, which is a secret.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pipeline.alerts.render.apprise import Room
from pipeline.errors import ConfigError

if TYPE_CHECKING:
    from apprise import NotifyBase

CONNECT_S, READ_S = 5.0, 15.0  # of a request
REMEDY = "pip install 'clausewire[apprise]'"
NTFY_BYTES = 4_096  # a longer message becomes a file there; Apprise lets twice as much pass
SECRET_CHARS = 6  # parts of a URL from this length on are not repeated

PUBLIC = (
    "discord",
    "gchat",
    "line",
    "ntfy",
    "opsgenie",
    "pagerduty",
    "pbul",
    "pover",
    "pushy",
    "simplepush",
    "slack",
    "tgram",
    "webex",
    "workflow",
)  # Apprise's words for services at fixed addresses
HOSTS: Mapping[str, tuple[str, ...]] = {"workflow": (".logic.azure.com", ".api.powerplatform.com")}
HARMLESS = frozenset(
    {"priority", "region", "silent"}
)  # options of a stranger's URL; others read files, name hosts
OPTIONS: Mapping[str, frozenset[str]] = {"workflow": frozenset({"api-version", "sig", "sp", "sv", "ver"})}


def service(url: str, *, public: bool = False) -> NotifyBase:
    """Return Apprise's sender for a URL, told to try once, to follow nothing, to hide nothing.

    ConfigError where Apprise is not installed, does not know the URL, or would send to more than one place; with
    `public` also where it may lead to a private one. No error repeats the URL.
    """
    made = _made(url)
    if public:
        _check_public(url, made)
    made.retry, made.optional, made.redirects = 0, False, False
    if len(made) != 1:
        raise ConfigError(
            f"this Apprise URL names {len(made)} places",
            key="url",
            remedy="Give one URL per place, each in a route of its own: what one took would be sent to it again",
        )
    made.socket_connect_timeout, made.socket_read_timeout = CONNECT_S, READ_S
    return made


def _made(url: str) -> NotifyBase:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of what some of its services import
        made = _instantiated(url)
    if made is None or not made.enabled:
        raise ConfigError(
            f"Apprise knows no service by this URL ({_scheme(url)}:…)",
            key="url",
            remedy="Write it as the service's page at https://appriseit.com/services/ shows",
        )
    return made


def _instantiated(url: str) -> NotifyBase | None:
    try:
        from apprise import Apprise, AppriseAsset
        from apprise.common import PersistentStoreMode
    except ImportError:
        raise ConfigError("Apprise is not installed", remedy=REMEDY) from None
    _hush()
    asset = AppriseAsset(
        app_id="Clausewire",
        app_desc="Clausewire",
        storage_mode=PersistentStoreMode.MEMORY,
        http_redirects=False,
        async_mode=False,  # with no time limit of its own: it sends in the thread that calls it
        service_timeout=0,
    )
    made: NotifyBase | None = Apprise.instantiate(url.strip(), asset=asset)
    return made


def _scheme(url: str) -> str:
    """Return what stands before the colon where that is a word, for nothing else of a URL is safe to show."""
    found = re.match(r"\s*([a-z][a-z0-9+.-]{0,20}):", url, re.IGNORECASE)
    return found[1].lower() if found else "?"


def _check_public(url: str, made: NotifyBase) -> None:
    """Raise ConfigError unless a service is one at a fixed address, by a URL whose options leave it there."""
    known = {str(word) for word in (*_words(made.protocol), *_words(made.secure_protocol))}
    name = next((word for word in PUBLIC if word in known), "")
    mode = getattr(made, "mode", "")
    if not name or (name == "ntfy" and getattr(mode, "value", mode) != "cloud"):
        raise ConfigError(
            f"{_scheme(url)}: is not among the services that a subscription may name here",
            key="url",
            remedy=f"Use one of {', '.join(PUBLIC)} (ntfy at ntfy.sh), or ask the operator for a route",
        )
    ends = HOSTS.get(name, ("",))
    if not str(made.host or "").lower().endswith(ends):
        raise ConfigError(
            f"this is no address of {made.service_name}", remedy=f"Its host ends with {ends[0]}"
        )
    allowed = OPTIONS.get(name, frozenset()) | HARMLESS
    if odd := sorted(_options(url) - allowed):
        raise ConfigError(
            f"the option {odd[0][:30]!r} may not be given here",
            key="url",
            remedy=f"Leave it out; {', '.join(sorted(allowed))} may stay",
        )


def _options(url: str) -> set[str]:
    """Return the names of all that any reader of URLs could take for an option."""
    _, *rest = re.split(r"[?#;\s]", unquote(url.strip()).lower())
    return {part.partition("=")[0] for part in re.split(r"[&;?#\s]", "&".join(rest)) if part}


def _words(given: object) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given or ())  # type: ignore[arg-type]


def room(made: NotifyBase) -> Room:
    """Return what a service takes, and whether it shows Markdown."""
    from apprise import NotifyFormat

    shown = made.resolve_format(NotifyFormat.MARKDOWN)
    ntfy = "ntfy" in _words(made.protocol)
    return Room(
        title=max(made.title_maxlen, 0),
        body=min(made.body_maxlen, NTFY_BYTES) if ntfy else made.body_maxlen,
        octets=ntfy,
        shared=bool(made.overflow_amalgamate_title),
        markdown=shown is not NotifyFormat.TEXT,
    )


def secrets(url: str) -> list[str]:
    """Return what must not be repeated of a URL: all of it, and each of its longer parts, as written and decoded."""
    whole = url.strip()
    parts = re.split(r"[/:@?&=,#]+", whole.partition("://")[2])
    long = {form for part in parts for form in (part, unquote(part)) if len(form) >= SECRET_CHARS}
    public = {urlsplit(whole).hostname or ""} if whole.lower().startswith("http") else set[str]()
    return [whole, *sorted(long - public, key=len, reverse=True)]


def _hush() -> None:
    """Keep what Apprise logs, down to how a connection broke, for its results: its lines repeat URLs and messages."""
    told = logging.getLogger("apprise")
    told.propagate = False
    told.setLevel(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.WARNING)  # below, it repeats the paths that it posts to
