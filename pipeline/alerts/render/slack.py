"""An alert as a Slack message: Block Kit within its limits, its words in rich text, where nothing is markup.

Rich text shows a text element as it is: `@channel`, `<!here>`, `<url|text>` and `*stars*` in a clause stay
the characters they are. Only the fallback `text` is Slack's markup language, and there & < > are escaped. The
whole of `blocks` stays under 10,000 characters of JSON, because Slack refuses a message somewhere past 11,000
without saying where (slackapi/bolt-js issues 2509 and 2867).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.alerts.render import slack_gathered, words
from pipeline.alerts.render import slack_parts as parts
from pipeline.alerts.render.slack_frame import BUDGET, Message, escape, fitting, framed, metadata, size
from pipeline.alerts.render.words import Links
from pipeline.alerts.route import delivery_id as identity
from pipeline.events import AlertRaised, AlertUpdated, AlertWithdrawn, Change, DeliveryDue

__all__ = ["BUDGET", "Message", "compose", "escape", "fallback", "message", "metadata", "reply", "size"]

RESERVE = 400  # of these, for what is told of the changes not shown
SIZES = (  # of a message's parts, tried in turn until they fit
    parts.Sizes(clause=2_000, account=700, facts=4, stories=5),
    parts.Sizes(clause=1_000, account=500, facts=4, stories=3),
    parts.Sizes(clause=400, account=200, facts=2, stories=2),
    parts.Sizes(clause=150, account=80, facts=1, stories=1),
)
EACH = 280  # characters of the redline of every other change

NO_LINKS = Links()


def message(
    alert: AlertRaised,
    *,
    delivery_id: str,
    links: Links = NO_LINKS,
    updates: Sequence[AlertUpdated] = (),
    withdrawal: AlertWithdrawn | None = None,
) -> Message:
    """Return the message of an alert in its present state, for chat.postMessage, chat.update or a webhook."""
    return framed(
        fallback(alert, withdrawal),
        _blocks(alert, links, updates, withdrawal),
        metadata(delivery_id, alert.alert_id, alert.thread),
    )


def reply(
    told: AlertUpdated | AlertWithdrawn, *, delivery_id: str, alert: AlertRaised | None = None
) -> Message:
    """Return the message that tells an update or a withdrawal under its alert."""
    title, reason = words.update_title(told), words.sentence(words.because(told))
    stories = told.coverage if isinstance(told, AlertUpdated) else ()
    about = f"{words.subject(alert)}: {title}" if alert else title
    said = reason or " ".join(words.one_line(story.title, 150) for story in stories[:1])
    named = [parts.text(f"  {words.subject(alert)}")] if alert else []
    lines = parts.section([parts.text(title, bold=True), *named], [parts.text(reason)])
    return framed(
        escape(f"{about}. {said}" if said else about),
        [parts.rich(lines, *parts.stories(stories, 5))],
        metadata(delivery_id, told.alert_id, alert.thread if alert else ""),
    )


def compose(due: DeliveryDue, *, links: Links = NO_LINKS) -> tuple[Message, Message | None]:
    """Return the message to post for a delivery and, for an update, what the alert's message now says.

    An alert that was told in a gathered message has none of its own: that one stays as it is.
    """
    if due.members:
        return slack_gathered.message(due, links=links), None
    told = due.withdrawal or due.update
    if told is None:
        assert due.alert is not None, "a delivery tells an alert, an update or a withdrawal"
        return message(due.alert, delivery_id=due.delivery_id, links=links), None
    post = reply(told, delivery_id=due.delivery_id, alert=due.alert)
    if due.alert is None or due.gathered:  # the message that told it tells others too
        return post, None
    updates = (*due.earlier, *((due.update,) if due.update else ()))
    refreshed = message(
        due.alert,
        delivery_id=identity(due.alert.id, due.subscription_id),
        links=links,
        updates=updates,
        withdrawal=due.withdrawal,
    )
    return post, refreshed


def fallback(alert: AlertRaised, withdrawal: AlertWithdrawn | None = None) -> str:
    """Return the line that a notification shows: what, how grave, in one sentence, from when."""
    return escape(f"{'Withdrawn: ' if withdrawal else ''}{words.notice(alert)}")


def _blocks(
    alert: AlertRaised, links: Links, updates: Sequence[AlertUpdated], withdrawal: AlertWithdrawn | None
) -> list[dict[str, Any]]:
    """Return the largest layout within the budget: the worst clause first, then as many others as fit."""
    ranked = words.by_importance(alert.changes)
    for sizes in SIZES:
        head = parts.opening(alert, ranked, sizes, updates, withdrawal)
        tail = parts.ending(alert, links, updates, sizes)
        room = BUDGET - size([*head, *tail])
        if room >= RESERVE:
            break
    return [*head, *_others(alert, ranked, links, room), *tail]


def _others(alert: AlertRaised, ranked: Sequence[Change], links: Links, room: int) -> list[dict[str, Any]]:
    """Return the list of the other changes that fit in a room of characters, and what is not shown."""
    items = fitting((parts.item(change, EACH) for change in ranked[1:]), room - RESERVE)
    while True:  # the lines around the items take room too, the count of the others among them
        more = words.more(alert, ranked[: len(items) + 1])
        blocks = parts.others(items, more, links)
        if not items or size(blocks) <= room:
            return blocks
        items.pop()
