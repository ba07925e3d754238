"""Any of the services that Apprise knows (Teams, Discord, Telegram, ntfy, PagerDuty …), by its kind of URL.

The URL is a secret: whoever has it can post. Apprise returns False and logs why; what it logs is read here and nowhere
else, for it repeats URLs and payloads. It sends from a thread, one message of a service at a time, and tries nothing
twice: our outbox does that. No service lets a repeat be recognised: where an answer was lost (`ambiguous`) a message
can show twice, and both carry the delivery's id in their last line.

What a stranger gives (a subscription made through the API) may only be a service at a fixed address. Everything else
that Apprise can do, to private hosts, by mail, on this machine's own desktop, is the operator's.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pipeline.adapters.answers import Sent, redacted
from pipeline.adapters.apprise_service import room, secrets, service
from pipeline.adapters.slack_api import Pace
from pipeline.alerts.render.apprise import Message
from pipeline.errors import DeliveryError, RefusedError
from pipeline.events import DeliveryDue
from pipeline.ports import Clock

if TYPE_CHECKING:
    from apprise import AppriseResult, NotifyBase

TIMEOUT_S = 20.0  # of a message, every request of it
PLAIN = 500  # characters of what is sent where a service refuses what should have fit
TURN_S = 8.0  # a message waits so long for the one before it
HELD_BACK_S = 30.0
REASON_CHARS = 300

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
        await self._pace.turn(self._name, due.delivery_id)
        try:
            await asyncio.wait_for(self._turn.acquire(), TURN_S)
        except TimeoutError:
            raise DeliveryError(
                f"an earlier message to {self._name} is still under way", retry_after_s=HELD_BACK_S
            ) from None
        try:
            return await self._offered(due)
        finally:
            self._turn.release()

    async def _offered(self, due: DeliveryDue) -> Sent:
        """Send a message; where the service will never take this one, a short and plain one in its place."""
        try:
            return await self._tried(self._compose(due, room=self._room))
        except RefusedError:
            plain = replace(self._room, body=min(self._room.body, PLAIN), markdown=False)
            return await self._tried(self._compose(due, room=plain))

    async def _tried(self, message: Message) -> Sent:
        result = await self._sent(message)
        if result:
            return Sent(response=f"{self._name} took it")
        raise failure(self._name, result, self._secrets)

    async def _sent(self, message: Message) -> AppriseResult:
        """Return Apprise's result, from a thread of this message alone: one that hangs delays no other service.

        DeliveryError when the time is over; the thread ends by the timeouts of its requests.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[AppriseResult] = loop.create_future()

        def settle(result: AppriseResult) -> None:
            if not done.done():
                done.set_result(result)

        def work() -> None:
            result = self._notified(message)
            with suppress(RuntimeError):  # the loop may be gone
                loop.call_soon_threadsafe(settle, result)

        threading.Thread(target=work, name=f"apprise {self._name}", daemon=True).start()
        try:
            return await asyncio.wait_for(done, self._timeout_s)
        except TimeoutError:
            raise DeliveryError(
                f"{self._name} did not answer within {self._timeout_s:g} s", ambiguous=True
            ) from None

    def _notified(self, message: Message) -> AppriseResult:
        from apprise import Apprise, NotifyFormat

        postman = Apprise(asset=self._service.asset)
        postman.add(self._service)
        shown = NotifyFormat.MARKDOWN if self._room.markdown else NotifyFormat.TEXT
        return postman.notify(
            title=message.title, body=message.body, body_format=shown, log_level=logging.DEBUG
        )


async def opened(
    url: str, *, compose: Compose, clock: Clock, public: bool = False, timeout_s: float = TIMEOUT_S
) -> AppriseNotifier:
    """Return what sends to an Apprise URL; ConfigError as `service` has it. The first call takes a second or two."""
    made = await asyncio.to_thread(service, url, public=public)
    return AppriseNotifier(made, url=url, compose=compose, clock=clock, timeout_s=timeout_s)


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


def failure(name: str, result: AppriseResult, hidden: Iterable[str]) -> DeliveryError | RefusedError:
    """Return what a message's end means: the service refused it, could not take it now, or may have taken it."""
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
