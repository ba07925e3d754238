"""Slack by token and by webhook, against a stand-in: told once, in one thread, with what to do when it fails."""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from pipeline.adapters.slack import SlackHookNotifier, SlackNotifier
from pipeline.adapters.slack_api import SlackApi, SlackHook
from pipeline.alerts.render import slack as render
from pipeline.errors import DeliveryError, PipelineError, RefusedError
from pipeline.events import DeliveryDue
from tests.adapters.slackstand import TOKEN, Slack, standing
from tests.alerts.samples import alert, due, updated, withdrawn


class Clock:
    """A clock that stands still but for the sleeps asked of it, which it keeps."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)
        self.slept: list[float] = []
        self.stands = False  # so that sleepers sleep side by side

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if not self.stands:
            self.at += timedelta(seconds=seconds)


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with standing() as slack:
        yield slack


@pytest.fixture
async def api(slack: Slack) -> AsyncIterator[SlackApi]:
    async with SlackApi(token=TOKEN, clock=Clock(), base_url=slack.base_url, timeout_s=0.4) as api:
        yield api


def notifier(api: SlackApi, channel: str = "C1") -> SlackNotifier:
    return SlackNotifier(api, channel=channel, compose=render.compose)


def fresh(api: SlackApi, told: Any = None, delivery_id: str = "dlv-1", **also: Any) -> DeliveryDue:
    """A delivery that fell due just now."""
    return due(told, delivery_id, due_at=api.clock.now(), **also)


@pytest.mark.parametrize(("told", "shows"), [(updated(), False), (withdrawn(), True)])
async def test_news_of_a_gathered_alert_leaves_the_message(
    slack: Slack, api: SlackApi, told: Any, shows: bool
) -> None:
    """News of an alert told with others replies and changes no message; a withdrawal shows in the channel too."""
    sender = notifier(api)
    above = (await sender.send(fresh(api), parent=None)).receipt
    event = fresh(api, told, "dlv-2", alert=alert(), gathered="group")
    await sender.send(event, parent={"channel": "C1", "thread_ts": above["ts"]})
    reply = slack.messages[1]
    assert slack.called() == ["chat.postMessage"] * 2
    assert (reply["thread_ts"], reply.get("reply_broadcast", False)) == (above["ts"], shows)


async def failure(sender: SlackNotifier | SlackHookNotifier, event: DeliveryDue) -> PipelineError:
    with pytest.raises(PipelineError) as caught:
        await sender.send(event, parent=None)
    return caught.value


async def test_alert_is_posted(slack: Slack, api: SlackApi) -> None:
    """An alert becomes one message that keeps Slack's limits; the receipt says where it stands."""
    sent = await notifier(api).send(fresh(api), parent=None)
    (message,) = slack.messages
    assert sent.receipt == {"channel": "C1", "ts": message["ts"], "thread_ts": message["ts"]}
    assert slack.called() == ["chat.postMessage"]


async def test_update_refreshes_and_replies(slack: Slack, api: SlackApi) -> None:
    """An update changes the alert's message and replies under it."""
    sender = notifier(api)
    parent = (await sender.send(fresh(api), parent=None)).receipt
    await sender.send(fresh(api, withdrawn(), "dlv-2", alert=alert()), parent=parent)
    first, reply = slack.messages
    assert first["text"].startswith("Withdrawn: ")
    assert reply["thread_ts"] == first["ts"]
    assert "reply_broadcast" not in reply


async def test_later_alert_joins_thread(slack: Slack, api: SlackApi) -> None:
    """A later alert of the same document stands in its thread, and in the channel too."""
    sender = notifier(api)
    parent = (await sender.send(fresh(api), parent=None)).receipt
    second = await sender.send(fresh(api, alert(alert_id="alt-b"), "dlv-2"), parent=parent)
    assert slack.messages[1]["reply_broadcast"] is True
    assert second.receipt["thread_ts"] == parent["ts"] != second.receipt["ts"]


async def test_update_of_later_alert(slack: Slack, api: SlackApi) -> None:
    """An update of an alert within a thread changes that alert's message, and replies in the thread."""
    sender = notifier(api)
    root = (await sender.send(fresh(api), parent=None)).receipt
    second = (await sender.send(fresh(api, alert(alert_id="alt-b"), "dlv-2"), parent=root)).receipt
    told = alert(alert_id="alt-b")
    await sender.send(fresh(api, updated(alert_id="alt-b"), "dlv-3", alert=told), parent=second)
    assert slack.calls[2][1]["ts"] == second["ts"]
    assert slack.messages[2]["thread_ts"] == root["ts"]


@pytest.mark.parametrize("fault", ["lost", "fatal_error", "internal_error", 500, 503])
async def test_lost_answer_is_looked_up(slack: Slack, api: SlackApi, fault: Any) -> None:
    """A post that may have been made is looked for, and made again only where it is not found."""
    slack.faults = {"chat.postMessage": [fault]}
    sender, event = notifier(api), fresh(api)
    if fault == "lost":
        sent = await sender.send(event, parent=None)
        assert sent.receipt["ts"] == slack.messages[0]["ts"]
    else:
        error = await failure(sender, event)
        assert isinstance(error, DeliveryError)
        assert error.ambiguous
        await sender.send(event, parent=None)
    assert len(slack.messages) == 1


async def test_lost_twice_is_found_later(slack: Slack, api: SlackApi) -> None:
    """Where the look-up fails as well, the next attempt looks before it posts."""
    slack.faults = {"chat.postMessage": ["lost"], "conversations.history": [503]}
    sender, event = notifier(api), fresh(api)
    await failure(sender, event)
    assert (await sender.send(event, parent=None)).receipt["ts"] == slack.messages[0]["ts"]
    assert len(slack.messages) == 1


async def test_lost_reply_is_looked_up(slack: Slack, api: SlackApi) -> None:
    """A reply whose answer was lost is found in its thread."""
    sender = notifier(api)
    parent = (await sender.send(fresh(api), parent=None)).receipt
    slack.faults = {"chat.postMessage": ["lost"]}
    sent = await sender.send(fresh(api, updated(), "dlv-2", alert=alert()), parent=parent)
    assert sent.receipt["ts"] == slack.messages[1]["ts"]
    assert len(slack.messages) == 2


async def test_killed_after_post_is_not_doubled(slack: Slack) -> None:
    """A process that died between the post and its record is followed by one that finds the post."""
    event = due(due_at=datetime.now(UTC))
    receipts = []
    for _ in range(2):
        async with SlackApi(token=TOKEN, clock=Clock(), base_url=slack.base_url) as api:
            receipts.append((await notifier(api).send(event, parent=None)).receipt)
    assert len(slack.messages) == 1
    assert receipts[0] == receipts[1]


async def test_taken_over_post_is_not_doubled(slack: Slack, api: SlackApi) -> None:
    """What fell due just before this process was given the work is looked for, however long the process ran before."""
    event = fresh(api)
    async with SlackApi(token=TOKEN, clock=Clock(), base_url=slack.base_url) as lost:
        first = await notifier(lost).send(event, parent=None)
    api.clock.at += timedelta(seconds=4)  # type: ignore[attr-defined]
    api.tenure.begin(api.clock.now())
    assert (await notifier(api).send(event, parent=None)).receipt == first.receipt
    assert len(slack.messages) == 1


async def test_turn_comes_too_late(slack: Slack, api: SlackApi) -> None:
    """A process that lost its work while a message waited for its turn does not post it."""
    api.tenure.follow(lambda: False)
    assert isinstance(await failure(notifier(api), fresh(api)), DeliveryError)
    assert slack.messages == []


async def test_unreadable_channel_still_tells(slack: Slack, api: SlackApi) -> None:
    """Without the scope to read the channel, an old delivery is posted all the same."""
    slack.faults = {"conversations.history": ["missing_scope"]}
    await notifier(api).send(due(due_at=datetime.now(UTC) - timedelta(hours=1)), parent=None)
    assert len(slack.messages) == 1


async def test_name_becomes_id(slack: Slack, api: SlackApi) -> None:
    """A channel given by name is known by its id after the first post."""
    sender = notifier(api, "#legal")
    await sender.send(fresh(api), parent=None)
    await sender.send(fresh(api, alert(alert_id="alt-b"), "dlv-2"), parent=None)
    assert [arguments["channel"] for _, arguments in slack.calls] == ["#legal", "C1"]


async def test_rate_limit_is_handed_on(slack: Slack, api: SlackApi) -> None:
    """The wait that Slack asks for goes into the outbox; the message was surely not posted."""
    slack.faults = {"chat.postMessage": [429]}
    error = await failure(notifier(api), fresh(api))
    assert isinstance(error, DeliveryError)
    assert (error.retry_after_s, error.ambiguous) == (30, False)


@pytest.mark.parametrize(
    ("word", "remedy"),
    [
        ("channel_not_found", "invite the app"),
        ("not_in_channel", "/invite"),
        ("is_archived", "Unarchive"),
        ("token_revoked", "new bot token"),
        ("invalid_auth", "new bot token"),
        ("missing_scope", "chat:write"),
        ("msg_blocks_too_long", "report it"),
        ("some_new_word", "API reference"),
    ],
)
async def test_refusal_says_what_to_do(slack: Slack, api: SlackApi, word: str, remedy: str) -> None:
    """An error that will not pass names itself and what to do about it."""
    slack.faults = {"chat.postMessage": [word]}
    error = await failure(notifier(api), fresh(api))
    assert isinstance(error, RefusedError)
    assert word in str(error)
    assert remedy in error.remedy


async def test_channel_is_paced(slack: Slack, api: SlackApi) -> None:
    """One channel gets one message a second; another does not wait for it."""
    for n in range(3):
        await notifier(api).send(fresh(api, delivery_id=f"dlv-{n}"), parent=None)
    await notifier(api, "C2").send(fresh(api, delivery_id="dlv-9"), parent=None)
    assert api.clock.slept == [1.0, 1.0]  # type: ignore[attr-defined]


async def test_burst_waits_outside(slack: Slack, api: SlackApi) -> None:
    """Of a burst, those whose turn is far come back for it, each at its own time, and need one attempt more."""
    sender = notifier(api)
    api.clock.stands = True  # type: ignore[attr-defined]
    events = [fresh(api, delivery_id=f"dlv-{n}") for n in range(30)]
    ended = await asyncio.gather(
        *(sender.send(event, parent=None) for event in events), return_exceptions=True
    )
    hints = [error.retry_after_s or 0 for error in ended if isinstance(error, DeliveryError)]
    assert len(hints) == 30 - len(slack.messages)
    assert all(later - sooner == pytest.approx(1) for sooner, later in pairwise(hints))
    api.clock.at += timedelta(seconds=max(hints))  # type: ignore[attr-defined]
    for event in events[-len(hints) :]:
        await sender.send(event, parent=None)
    assert len(slack.messages) == 30


@pytest.mark.parametrize("word", ["message_not_found", "cant_update_message", "edit_window_closed"])
async def test_lost_parent_still_replies(slack: Slack, api: SlackApi, word: str) -> None:
    """Where the alert's message can no longer be changed, the reply is posted all the same."""
    sender = notifier(api)
    parent = (await sender.send(fresh(api), parent=None)).receipt
    slack.faults = {"chat.update": [word]}
    await sender.send(fresh(api, updated(), "dlv-2", alert=alert()), parent=parent)
    assert len(slack.messages) == 2


async def test_lost_thread_opens_new(slack: Slack, api: SlackApi) -> None:
    """Where the thread is gone, the message goes to the channel and opens another."""
    gone = {"channel": "C1", "ts": "1600000000.000100", "thread_ts": "1600000000.000100"}
    sent = await notifier(api).send(fresh(api), parent=gone)
    assert sent.receipt["thread_ts"] == sent.receipt["ts"] == slack.messages[0]["ts"]


async def test_token_is_told_nobody(slack: Slack, caplog: pytest.LogCaptureFixture) -> None:
    """The token stands in no error, chain, repr or log."""
    caplog.set_level(logging.DEBUG)
    token = "xoxb-wrong-9876543210"
    async with SlackApi(token=token, clock=Clock(), base_url=slack.base_url) as api:
        slack.faults = {"chat.postMessage": [token, token]}
        error = await failure(notifier(api), fresh(api))
    told = [
        str(error),
        error.remedy,
        repr(api),
        repr(notifier(api)),
        caplog.text,
        *traceback.format_exception(error),
    ]
    assert not [text for text in told if token in text]


@pytest.fixture
async def hook(slack: Slack) -> AsyncIterator[SlackHookNotifier]:
    async with SlackHook(url=slack.hook_url, clock=Clock(), timeout_s=0.4) as hook:
        yield SlackHookNotifier(hook, compose=render.compose)


async def test_hook_takes_alert(slack: Slack, hook: SlackHookNotifier) -> None:
    """An incoming webhook takes the same message, without metadata, and gives no receipt."""
    sent = await hook.send(due(), parent=None)
    assert (sent.response, sent.receipt) == ("ok", {})
    assert "metadata" not in slack.messages[0]


@pytest.mark.parametrize(
    ("status", "word", "kind", "disable"),
    [
        (400, "invalid_payload", RefusedError, False),
        (403, "action_prohibited", RefusedError, False),
        (404, "no_service", RefusedError, True),
        (410, "channel_is_archived", RefusedError, True),
        (429, "rate_limited", DeliveryError, False),
        (500, "rollup_error", DeliveryError, False),
    ],
)
async def test_hook_failure(
    slack: Slack, hook: SlackHookNotifier, status: int, word: str, kind: type, disable: bool
) -> None:
    """A webhook's failures are told by their words, and those that are final end the subscription."""
    slack.faults = {"hook": [(status, word)]}
    error = await failure(hook, due())
    assert type(error) is kind
    assert word in str(error)
    assert getattr(error, "disable", False) is disable


async def test_hook_url_is_told_nobody(slack: Slack, hook: SlackHookNotifier) -> None:
    """The webhook's URL stands in no error, however Slack answers."""
    slack.faults = {"hook": [(404, f"nothing at {slack.hook_url}")]}
    error = await failure(hook, due())
    told = [str(error), repr(error), repr(hook), *traceback.format_exception(error)]
    assert not [text for text in told if "s3cr3t" in text]
