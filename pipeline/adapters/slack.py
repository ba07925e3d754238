"""Slack, by bot token and by incoming webhook: where alerts of a document gather in one thread.

Slack has no idempotent post. A post whose answer was lost is looked for, by the delivery id in its metadata,
before it is made again, and so is every delivery that an earlier process may have made. A webhook cannot be asked:
there a repeat after a lost answer can show twice.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from pipeline.adapters.answers import RESPONSE_BYTES, Sent
from pipeline.adapters.slack_api import SlackApi, SlackHook, SlackSaysNoError
from pipeline.adapters.slack_errors import LOST_PARENT, LOST_THREAD
from pipeline.errors import DeliveryError
from pipeline.events import DeliveryDue

FRESH = timedelta(seconds=10)  # a delivery younger than this was not tried by a process that has died since
LOOK_BACK = timedelta(days=3)
MARGIN = timedelta(minutes=2)  # between our clock and Slack's
PAGES, PAGE = 5, 200

Message = Mapping[str, Any]
Compose = Callable[[DeliveryDue], tuple[Message, Message | None]]


class SlackNotifier:
    """Posts each delivery to one channel by bot token.

    `compose` makes the message to post and, for an update, what the alert's message now says. A later alert of the
    same document replies in its thread and shows in the channel as well. The receipt holds `channel`, `ts` (of the
    message) and `thread_ts` (of the one that opened the thread).
    """

    def __init__(self, api: SlackApi, *, channel: str, compose: Compose) -> None:
        self._api = api
        self._channel = channel
        self._compose = compose
        self._unsure: set[str] = set()

    async def send(self, due: DeliveryDue, *, parent: dict[str, str] | None) -> Sent:
        """Post a delivery once; DeliveryError to try again, RefusedError to give up."""
        post, refreshed = self._compose(due)
        if parent and refreshed is not None:
            await self._refresh(parent, refreshed)
        if self._may_be_there(due) and (found := await self._looked_up(due, parent)):
            return found
        return await self._post(due, self._placed(due, post, parent), parent)

    def _placed(self, due: DeliveryDue, post: Message, parent: dict[str, str] | None) -> dict[str, Any]:
        """Return a message with where it goes: the channel, or its thread and, for an alert, the channel too.

        A withdrawal of what a gathered message told shows in the channel as well: that message still says it.
        """
        thread = _thread(parent)
        under: dict[str, Any] = {"thread_ts": thread} if thread else {}
        is_alert = due.update is None and due.withdrawal is None
        if thread and (is_alert or (due.withdrawal and due.gathered)):
            under["reply_broadcast"] = True
        return {**post, "channel": (parent or {}).get("channel") or self._channel, **under}

    async def _post(self, due: DeliveryDue, message: dict[str, Any], parent: dict[str, str] | None) -> Sent:
        try:
            await self._api.pace.turn(message["channel"], due.delivery_id)
            if not self._api.tenure.holds:  # paused or cut off while it waited for its turn
                raise DeliveryError("another process may have the work by now")
            return await self._say(message, parent)
        except SlackSaysNoError as error:
            if error.word not in LOST_THREAD or "thread_ts" not in message:
                raise error.as_ours() from None
        except DeliveryError as error:
            return await self._after_silence(due, parent, error)
        kept = {
            name: value for name, value in message.items() if name not in {"thread_ts", "reply_broadcast"}
        }
        return await self._post(due, kept, None)

    async def _say(self, message: dict[str, Any], parent: dict[str, str] | None) -> Sent:
        answer = await self._api.call("chat.postMessage", message)
        if message["channel"] == self._channel:
            self._channel = str(answer.get("channel") or self._channel)  # its id, where we were given a name
        return _sent(str(answer.get("channel", message["channel"])), str(answer.get("ts", "")), parent)

    async def _after_silence(
        self, due: DeliveryDue, parent: dict[str, str] | None, error: DeliveryError
    ) -> Sent:
        """Look for a post whose answer was lost; what is not there yet, the next attempt looks for again."""
        if not error.ambiguous:
            raise error
        self._unsure.add(due.delivery_id)
        with contextlib.suppress(DeliveryError):
            if found := await self._looked_up(due, parent):
                return found
        raise error

    async def _looked_up(self, due: DeliveryDue, parent: dict[str, str] | None) -> Sent | None:
        """Return the receipt of an earlier post; None where there is none, or where Slack does not let us look.

        Without the scope to read the channel an alert told twice is better than one not told.
        """
        try:
            found = await self._find(due, parent)
        except SlackSaysNoError:
            return None
        if found:
            self._unsure.discard(due.delivery_id)
        return found

    async def _refresh(self, parent: dict[str, str], message: Message) -> None:
        """Let the alert's own message show its present state; one that can no longer be changed stays as it is."""
        if not parent.get("ts"):
            return
        arguments = {**message, "channel": parent.get("channel", self._channel), "ts": parent["ts"]}
        try:
            await self._api.call("chat.update", arguments)
        except SlackSaysNoError as error:
            if error.word not in LOST_PARENT:
                raise error.as_ours() from None

    def _may_be_there(self, due: DeliveryDue) -> bool:
        """Say whether this delivery may have been posted already: by a process before us, or with its answer lost."""
        before_us = due.due_at < self._api.tenure.since
        stale = self._api.clock.now() - due.due_at > FRESH
        return due.delivery_id in self._unsure or before_us or stale

    async def _find(self, due: DeliveryDue, parent: dict[str, str] | None) -> Sent | None:
        """Return the receipt of the message that carries this delivery's id; None where there is none."""
        thread = _thread(parent)
        channel = (parent or {}).get("channel") or self._channel
        where = {"channel": channel, **({"ts": thread} if thread else {})}
        method = "conversations.replies" if thread else "conversations.history"
        oldest = max(due.due_at, self._api.clock.now() - LOOK_BACK) - MARGIN
        asked: dict[str, str | int] = {
            **where,
            "oldest": f"{oldest.timestamp():.6f}",
            "limit": PAGE,
            "include_all_metadata": "true",
        }
        for _ in range(PAGES):
            answer = await self._api.look(method, asked)
            for message in answer.get("messages") or ():
                if _delivery_of(message) == due.delivery_id:
                    return _sent(channel, str(message.get("ts", "")), parent)
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None
            asked["cursor"] = str(cursor)
        return None


class SlackHookNotifier:
    """Posts each delivery to an incoming webhook: no thread, no update, no look-up; the URL is the secret."""

    def __init__(self, hook: SlackHook, *, compose: Compose) -> None:
        self._hook = hook
        self._compose = compose

    async def send(self, due: DeliveryDue, *, parent: dict[str, str] | None) -> Sent:
        """Post a delivery; DeliveryError to try again, RefusedError to give up."""
        post, _ = self._compose(due)
        kept = {name: value for name, value in post.items() if name != "metadata"}
        return Sent(
            status=200, response=(await self._hook.post(kept, ticket=due.delivery_id))[:RESPONSE_BYTES]
        )


def _thread(parent: dict[str, str] | None) -> str:
    return (parent or {}).get("thread_ts") or (parent or {}).get("ts") or ""


def _sent(channel: str, ts: str, parent: dict[str, str] | None) -> Sent:
    receipt = {"channel": channel, "ts": ts, "thread_ts": _thread(parent) or ts}
    return Sent(status=200, response="ok", receipt=receipt)


def _delivery_of(message: Mapping[str, Any]) -> str:
    payload = (message.get("metadata") or {}).get("event_payload") or {}
    return str(payload.get("delivery_id", ""))
