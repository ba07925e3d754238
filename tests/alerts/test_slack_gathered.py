"""Many alerts in one Slack message: gravest first, each with its clause, within every limit, counted exactly."""

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipeline.alerts.render import slack
from pipeline.alerts.render.words import Links
from pipeline.events import AlertRaised, DeliveryDue, Severity
from tests.alerts import samples
from tests.alerts.blockkit import problems, texts
from tests.alerts.samples import (
    alert,
    alert_of,
    change,
    digest,
    due,
    group,
    member,
    story,
    updated,
    withdrawn,
)

ACTIONS = Links(actions="sub-1")
THREE = (alert_of("X", "Terms", Severity.CRITICAL), alert_of("X", "Cookies", Severity.LOW), alert())


def posted(delivery: DeliveryDue, links: Links = ACTIONS) -> dict[str, Any]:
    message, refreshed = slack.compose(delivery, links=links)
    assert refreshed is None
    return message


def read(message: dict[str, Any]) -> str:
    return "".join(str(piece.get("text", piece.get("fallback"))) for piece in texts(message))


def test_group_leads_with_count() -> None:
    """A group opens with the service and how many documents changed, then how grave and since when."""
    header, lead, *_ = posted(group(*map(member, THREE)))["blocks"]
    assert header["text"]["text"] == "X: 3 documents changed"
    assert [piece["text"] for piece in lead["elements"][0]["elements"]] == [
        "CRITICAL", "  ", "1 critical, 1 high, 1 low. First seen 17 October 2024.",
    ]  # fmt: skip


def test_each_document_is_told() -> None:
    """Each document has its link, its sentence, the redline of its worst clause and its dates, gravest first."""
    message = posted(group(*map(member, THREE)))
    links = [piece["text"] for piece in texts(message) if piece["type"] == "link"]
    assert links == ["Terms", "Privacy Policy", "Cookies"]
    assert "X rewords a clause in its Terms" in read(message)
    assert {"strike": True} in [
        piece.get("style") for piece in texts(message) if piece.get("text") == "30 days"
    ]
    assert "In force 15 November 2024, 29 days after it was seen  ·  Seen 17 October 2024, 09:04 UTC" in read(
        message
    )


def test_digest_has_headings() -> None:
    """A digest is headed by severities with their numbers; every document is named with its service."""
    alerts = (alert_of("Meta", severity=Severity.HIGH), alert_of("GitHub", severity=Severity.HIGH), THREE[1])
    told = read(posted(digest(*map(member, alerts))))
    marks = ["High: 2", "GitHub — Terms", "Meta — Terms", "Low: 1", "X — Cookies"]
    assert sorted(marks, key=told.index) == marks


def test_readers_can_answer() -> None:
    """Every document of a group can be opened, acknowledged, muted and asked about; each button says which."""
    rows = [
        block["elements"]
        for block in posted(group(*map(member, THREE)))["blocks"]
        if block["type"] == "actions"
    ]
    assert [[button["action_id"] for button in row] for row in rows] == [
        ["open-page", "ack", "mute-document", "why"]
    ] * 3
    assert [row[1]["value"].split("|")[:2] for row in rows] == [
        ["sub-1", one] for one in ("alt-x-terms", "alt-aaaa", "alt-x-cookies")
    ]


def test_news_and_withdrawn_are_told() -> None:
    """What became known of earlier alerts, and what was withdrawn, stand under headings of their own."""
    news = updated("coverage", alert_id="alt-x-cookies", coverage=(story("A report"),))
    message = posted(
        digest(member(THREE[0]), member(news, alert=THREE[1]), member(withdrawn(), alert=alert()))
    )
    told = read(message)
    assert told.index("What became known") < told.index("A report") < told.index("Withdrawn")
    struck = [piece["text"] for piece in texts(message) if piece.get("style", {}).get("strike")]
    assert {"X — Privacy Policy", alert().title} <= set(struck)


@pytest.mark.parametrize("count", [1, 2, 9, 18, 60, 400])
@pytest.mark.parametrize("gather", [group, digest])
def test_rest_is_exact(gather: Any, count: int) -> None:
    """However many there are, those told in full or in a line and those counted make all, within the budget."""
    alerts = [
        alert_of("X", f"Paper {n:03}", changes=(change("Some words of it. " * 60),)) for n in range(count)
    ]
    message = posted(gather(*map(member, alerts)))
    told = read(message)
    shown = len(set(re.findall(r"Paper \d{3}", told)))
    left = count - shown
    assert (f"{left} more: {left} medium. " in told) == (left > 0)
    assert shown >= min(count, 18)
    assert problems(message) == []
    assert slack.size(message["blocks"]) <= slack.BUDGET


def test_few_use_the_room() -> None:
    """Two documents are told at length, with what their numbers say."""
    long = [alert_of("X", f"Paper {n}", changes=(change("Some words of it. " * 60),)) for n in range(2)]
    assert slack.size(posted(group(*map(member, long)))["blocks"]) > 3_000


def test_way_to_the_rest() -> None:
    """What is not shown can be seen by a link where there is one, else by a command."""
    many = digest(*(member(alert_of("X", f"Paper {n}")) for n in range(90)))
    assert "clausewire deliveries show dlv-digest lists them all." in read(posted(many))
    assert "See them all" in read(posted(many, Links(deliveries="https://cw.example/d/1")))


def test_reply_never_overwrites() -> None:
    """News of an alert that was told in a gathered message is a reply, and leaves that message as it is."""
    post, refreshed = slack.compose(due(updated(), alert=alert(), gathered="group"))
    assert refreshed is None
    assert "Confirmed by a second read" in read(dict(post))


def test_story_leads_to_its_report() -> None:
    """A story in a digest is told by its headline, which leads to the report."""
    told = alert(
        kind="story", document=None, changes=(), title="X and AI", evidence=None, coverage=(story(),) * 3
    )
    message = posted(digest(member(told)))
    first = next(piece for piece in texts(message) if piece["type"] == "link")
    assert (first["text"], first["url"]) == ("X and AI", "https://news.example/1")


@pytest.mark.parametrize("text", samples.HOSTILE)
@pytest.mark.parametrize("gather", [group, digest])
def test_hostile_is_inert(gather: Any, text: str) -> None:
    """Whatever a page says, a gathered message holds no mention, link or markup of its making, within the limits."""
    bad = samples.hostile(text)
    gone = member(withdrawn(text, alert_id="alt-b"), alert=samples.alert(title=text, alert_id="alt-b"))
    news = member(
        updated("coverage", "alt-c", coverage=bad.coverage, reason=text), alert=samples.hostile(text)
    )
    message = posted(gather(member(bad), gone, news))
    assert problems(message) == []
    assert slack.size(message["blocks"]) <= slack.BUDGET
    assert "<" not in message["text"]
    assert not re.search("@(channel|here|everyone)", message["text"])
    assert not {"broadcast", "user", "channel", "usergroup"} & {piece["type"] for piece in texts(message)}


@settings(
    suppress_health_check=list(HealthCheck),
    deadline=None,
    max_examples=30,
    phases=(Phase.explicit, Phase.generate),
)
@given(st.lists(samples.alerts, min_size=1, max_size=6), st.sampled_from([group, digest]), st.data())
def test_limits_hold(told: list[AlertRaised], gather: Any, data: Any) -> None:
    """Every gathered message of any alerts, news and withdrawals keeps Slack's limits and our budget."""
    members = []
    for number, one in enumerate(told):
        named = samples.msgspec.structs.replace(one, alert_id=f"alt-{number}")
        kind = data.draw(st.sampled_from([lambda one: one, updated, withdrawn]))
        what = named if kind not in (updated, withdrawn) else kind(alert_id=named.alert_id)
        members.append(samples.due(what, f"dlv-{number}", alert=named))
    message = posted(gather(*members))
    assert problems(message) == []
    assert slack.size(message["blocks"]) <= slack.BUDGET
