"""Any of the services that Apprise knows (Teams, Discord, Telegram, ntfy, PagerDuty …), by its kind of URL.

The URL is a secret: whoever has it can post. Apprise returns False and logs why; what it logs is read here and nowhere
else, for it repeats URLs and payloads. It sends from threads of its own, one message of a service at a time, and
tries nothing twice: our outbox does that. No service lets a repeat be recognised: where an answer was lost
(`ambiguous`) a message can show twice, and both carry the delivery's id in their last line.

What a stranger gives (a subscription made through the API) may only be one of `PUBLIC`: services at fixed addresses.
Everything else that Apprise can do, to private hosts, by mail, on this machine's own desktop, is the operator's.
"""

from __future__ import annotations

import asyncio
import logging
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from pipeline.adapters.answers import Sent, redacted
from pipeline.adapters.slack_api import Pace
from pipeline.alerts.render.apprise import Message, Room
from pipeline.errors import ConfigError, DeliveryError, RefusedError
from pipeline.events import DeliveryDue
from pipeline.ports import Clock

if TYPE_CHECKING:
    from apprise import AppriseResult, NotifyBase

TIMEOUT_S = 40.0  # of a message, every request of it
CONNECT_S, READ_S = 5.0, 15.0  # of a request
TURN_S = 10.0  # a message waits so long for the one before it
HELD_BACK_S = 30.0
REMEDY = "pip install 'clausewire[apprise]'"
REASON_CHARS = 300
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

Compose = Callable[..., Message]


class AppriseNotifier:
    """Sends each delivery to the one place that an Apprise URL names. `compose(due, room=…)` makes the message.

    `service` is what `opened` made of the URL; none of the URL's parts is repeated in an error.
    """

    def __init__(
        self,
        service: NotifyBase,
        *,
        url: str,
        compose: Compose,
        clock: Clock,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._service = service
        self._compose = compose
        self._room = room(self._service)
        self._name = str(self._service.service_name)
        self._secrets = secrets(url)
        self._timeout_s = timeout_s
        self._pace = Pace(
            clock,
            spacing=timedelta(seconds=self._service.request_rate_per_sec),
            rule=f"{self._name} takes a message every {self._service.request_rate_per_sec:g} s",
        )
        self._turn = asyncio.Lock()

    async def send(self, due: DeliveryDue, *, parent: dict[str, str] | None) -> Sent:
        """Send a delivery once; DeliveryError to try again, RefusedError to give up."""
        message = self._compose(due, room=self._room)
        await self._pace.turn(self._name, due.delivery_id)
        try:
            await asyncio.wait_for(self._turn.acquire(), TURN_S)
        except TimeoutError:
            raise DeliveryError(
                f"an earlier message to {self._name} is still under way", retry_after_s=HELD_BACK_S
            ) from None
        try:
            result = await self._sent(message)
        finally:
            self._turn.release()
        if result:
            return Sent(response=f"{self._name} took it")
        raise failure(self._name, result, self._secrets, self._timeout_s)

    async def _sent(self, message: Message) -> AppriseResult:
        """Return Apprise's result; it waits for a thread of its own, which it gives up on when the time is over."""
        from apprise import Apprise, NotifyFormat

        postman = Apprise(asset=self._service.asset)
        postman.add(self._service)
        return await postman.async_notify(
            title=message.title,
            body=message.body,
            body_format=NotifyFormat.MARKDOWN if self._room.markdown else NotifyFormat.TEXT,
            timeout=self._timeout_s,
            log_level=logging.DEBUG,
        )


def _hush() -> None:
    """Keep what Apprise logs, down to how a connection broke, for its results: its lines repeat URLs and messages."""
    told = logging.getLogger("apprise")
    told.propagate = False
    told.setLevel(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.WARNING)  # below, it repeats the paths that it posts to


async def opened(
    url: str, *, compose: Compose, clock: Clock, public: bool = False, timeout_s: float = TIMEOUT_S
) -> AppriseNotifier:
    """Return what sends to an Apprise URL; ConfigError as `service` has it. The first call takes a second or two."""
    made = await asyncio.to_thread(service, url, public=public)
    return AppriseNotifier(made, url=url, compose=compose, clock=clock, timeout_s=timeout_s)


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


# --- what became of it ----------------------------------------------------------------------------------------

_STATUS = re.compile(r"\berror=(\d{3})\b")
_CAUSES = (
    (re.compile(r"NameResolution|getaddrinfo"), "its name does not resolve"),
    (re.compile(r"SSLError|CERTIFICATE_VERIFY"), "its certificate is not accepted"),
    (re.compile(r"ConnectTimeout"), "it cannot be connected to in time"),
    (re.compile(r"NewConnectionError|Connection refused|Failed to establish"), "nobody listens there"),
)  # what breaks before anything was posted
_ANSWER = re.compile(r"Response Details:\s*b?(['\"])(.*)\1", re.DOTALL)
_REMEDIES = {
    401: "Check the token in the URL",
    403: "Check the token in the URL, and what it may do",
    404: "The place is gone: make a new address there, and put it where the configuration says",
    410: "The place is gone: make a new address there, and put it where the configuration says",
}
_NEVER = frozenset({400, 413, 422})  # the same message would be refused again


def failure(
    name: str, result: AppriseResult, hidden: Iterable[str], timeout_s: float = TIMEOUT_S
) -> DeliveryError | RefusedError:
    """Return what a message's end means: the service refused it, could not take it now, or may have taken it."""
    if result.status.name == "TIMEOUT":
        return DeliveryError(f"{name} did not answer within {timeout_s:g} s", ambiguous=True)
    lines = [(entry.level, entry.message) for entry in result.logs()]
    told = " ".join(message for level, message in lines if level in {"WARNING", "ERROR", "CRITICAL"})
    answers = [found[2] for _, message in lines if (found := _ANSWER.search(message)) and found[2]]
    said = redacted(" · ".join(" ".join(part.split()) for part in (told, *answers[-1:]) if part), hidden)
    fact = f"{name} did not take the message: {said[:REASON_CHARS] or 'Apprise gives no reason'}"
    if statuses := _STATUS.findall(told):
        return _refused(fact, int(statuses[-1]))
    broke = [message for _, message in lines if "Exception" in message]
    causes = [cause for message in broke for known, cause in _CAUSES if known.search(message)]
    why = f" ({causes[0]})" if causes else ""
    return DeliveryError(f"{fact}{why}", ambiguous=bool(broke) and not causes)


def _refused(fact: str, status: int) -> DeliveryError | RefusedError:
    if status in _NEVER:
        return RefusedError(fact, status=status, remedy="Please report it with the alert's id")
    return DeliveryError(
        fact, status=status, remedy=_REMEDIES.get(status, ""), ambiguous=status in {200, 408, 504}
    )


def secrets(url: str) -> list[str]:
    """Return what must not be repeated of a URL: all of it, and each of its longer parts, as written and decoded."""
    whole = url.strip()
    parts = re.split(r"[/:@?&=,#]+", whole.partition("://")[2])
    long = {form for part in parts for form in (part, unquote(part)) if len(form) >= SECRET_CHARS}
    public = {urlsplit(whole).hostname or ""} if whole.lower().startswith("http") else set[Any]()
    return [whole, *sorted(long - public, key=len, reverse=True)]
