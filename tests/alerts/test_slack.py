"""An alert in Slack: within every limit, inert, and led by what a busy person needs."""

import re

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipeline.alerts.render import slack
from pipeline.alerts.render.words import Links
from pipeline.alerts.route import delivery_id
from pipeline.events import AlertRaised, ChangeType
from tests.alerts import samples
from tests.alerts.blockkit import problems, texts
from tests.alerts.samples import alert, change, due, reworded, story, updated, withdrawn

LINKS = Links(redline="https://cw.example/r/1", evidence="https://cw.example/e/1")


def posted(told: AlertRaised, **also: object) -> dict[str, object]:
    return slack.message(told, delivery_id="dlv-1", links=LINKS, **also)  # type: ignore[arg-type]


def read(message: dict[str, object]) -> str:
    """Every word of a message, as one text."""
    return "".join(str(piece.get("text", piece.get("fallback"))) for piece in texts(message))


def test_lead_comes_first() -> None:
    """The message opens with service and document, then severity and the sentence that says what happened."""
    header, lead, *_ = posted(alert())["blocks"]  # type: ignore[misc]
    assert header["text"]["text"] == "X — Privacy Policy"
    assert [piece["text"] for piece in lead["elements"][0]["elements"]] == [
        "HIGH",
        "  ",
        alert().title,
        "\n",
        alert().summary,
    ]


def test_notification_reads_well() -> None:
    """The fallback says what, how grave, in one sentence, and from when."""
    assert posted(alert())["text"] == (
        "X — Privacy Policy (high): X changes its Privacy Policy. "
        "In force 15 November 2024, 29 days after it was seen"
    )


def test_worst_clause_leads() -> None:
    """The gravest clause is shown first, whatever the order it came in."""
    message = posted(alert(reworded("90 days", "18 months"), change()))
    assert read(message).index("Third-party collaborators") < read(message).index("4. Retention")


def test_redline_is_struck_and_bold() -> None:
    """Removed words are struck, added words bold, the rest plain."""
    pieces = {
        piece.get("text"): piece.get("style")
        for piece in texts(posted(alert(reworded("90 days", "18 months"))))
    }
    assert pieces["90 days"] == {"strike": True}
    assert pieces["18 months"] == {"bold": True}
    assert pieces["We keep your data for "] is None


def test_marks_stand_apart() -> None:
    """Struck words and those that came for them are set apart by a blank, so that they do not read as one word."""
    pieces = [piece.get("text") for piece in texts(posted(alert(reworded("rare", "most"))))]
    at = pieces.index("rare")
    assert pieces[at : at + 3] == ["rare", " ", "most"]


def test_rest_is_counted() -> None:
    """What is not shown is counted exactly, by type, with the way to it."""
    told = alert(change(), counts={"added": 1, "modified": 1_204, "moved": 2})
    assert "1,204 more changes, all reworded; in form only: 2 moved. Read them all" in read(posted(told))


def test_many_changes_are_all_accounted_for() -> None:
    """Of more changes than fit, those shown and those counted make all."""
    told = alert(*(reworded("old " * 50, "new " * 50, heading_path=(f"Section {n}",)) for n in range(400)))
    words = read(posted(told))
    shown = sum(f"Section {n}  " in words for n in range(400))
    assert shown > 5
    assert f"{400 - shown} more changes, all reworded." in words


def test_dates_are_exact() -> None:
    """Since when and in force when stand in the message, the time in each reader's own zone."""
    message = posted(alert())
    assert "In force: 15 November 2024, 29 days after it was seen" in read(message)
    assert {"17 October 2024, 09:04 UTC"} == {
        piece["fallback"] for piece in texts(message) if piece["type"] == "date"
    }


def test_buttons_lead_on() -> None:
    """Buttons lead to the page, the full redline and the evidence."""
    (actions,) = [block for block in posted(alert())["blocks"] if block["type"] == "actions"]  # type: ignore[attr-defined]
    assert [button["url"] for button in actions["elements"]] == [
        samples.DOCUMENT.url,
        LINKS.redline,
        LINKS.evidence,
    ]


def test_unconfirmed_says_so() -> None:
    """An alert seen in one read says that it waits for a second."""
    assert "seen in one read so far" in read(posted(alert(confirmed=False)))


def test_past_says_so() -> None:
    """An alert from the archive says that it is about the past."""
    assert "From the archive" in read(posted(alert(replayed=True)))


def test_withdrawn_is_struck() -> None:
    """A withdrawn alert says so first, and its sentence is struck."""
    told, gone = alert(), withdrawn()
    message = posted(told, withdrawal=gone)
    struck = [piece["text"] for piece in texts(message) if piece.get("style", {}).get("strike")]
    assert told.title in struck
    assert message["text"].startswith("Withdrawn: ")  # type: ignore[attr-defined]


def test_update_replies_and_refreshes() -> None:
    """An update is a reply, and the alert's message shows it with those before it."""
    news = updated("coverage", coverage=(story("Second report", story_id="s-2"),))
    event = due(news, "dlv-2", alert=alert(), earlier=(updated("confirmed"),))
    post, refreshed = slack.compose(event)
    assert refreshed is not None
    assert "Second report" in read(dict(post))
    assert "Confirmed by a second read" in read(dict(refreshed))
    assert "Second report" in read(dict(refreshed))


def test_metadata_recognises() -> None:
    """A message carries its delivery's id; a refreshed one keeps that of its alert's delivery."""
    post, refreshed = slack.compose(due(updated(), "dlv-2", alert=alert()))
    assert refreshed is not None
    assert post["metadata"]["event_payload"]["delivery_id"] == "dlv-2"
    assert refreshed["metadata"]["event_payload"]["delivery_id"] == delivery_id("alt-aaaa", "sub-1")


def test_update_without_alert_stands_alone() -> None:
    """An update whose alert is not at hand is a message of its own."""
    post, refreshed = slack.compose(due(updated("in-force")))
    assert refreshed is None
    assert problems(dict(post)) == []


@pytest.mark.parametrize("text", samples.HOSTILE)
def test_hostile_is_inert(text: str) -> None:
    """Whatever a page says, the message holds no mention, link or markup of its making, and keeps the limits."""
    message = posted(samples.hostile(text))
    assert problems(message) == []
    assert "<" not in str(message["text"])
    assert not {"broadcast", "user", "channel", "usergroup"} & {piece["type"] for piece in texts(message)}
    assert all(
        piece["url"].startswith("https://news.example/")
        for piece in texts(message)
        if piece["type"] == "link"
    )


@pytest.mark.parametrize("mention", ["@channel", "@here", "@Everyone"])
def test_fallback_mentions_nobody(mention: str) -> None:
    """A mention in the fallback is broken, so that no setting of a workspace makes it ring."""
    assert mention not in str(posted(alert(title=f"{mention} read"))["text"])


def test_long_clause_keeps_style() -> None:
    """A clause of 60 KB is shown in part, its span closed, and what is left out is told."""
    message = posted(alert(change("word " * 12_000)))
    assert problems(message) == []
    assert re.search(r"… \[11,\d\d\d more words\]", read(message))


@settings(
    suppress_health_check=list(HealthCheck),
    deadline=None,
    max_examples=40,
    phases=(Phase.explicit, Phase.generate),
)
@given(samples.alerts, st.booleans())
def test_limits_hold(told: AlertRaised, gone: bool) -> None:
    """Every message of every alert keeps Slack's limits and our budget."""
    message = posted(told, withdrawal=withdrawn() if gone else None, updates=[updated()] * 3)
    assert problems(message) == []
    assert slack.size(message["blocks"]) <= slack.BUDGET  # type: ignore[arg-type]
    msgspec.json.encode(message)


def test_quiet_changes_come_last() -> None:
    """A change without new words never leads, however it scores."""
    moved = change(type=ChangeType.MOVED, score=99.0, heading_path=("Moved",), redline=(("=", "same"),))
    assert read(posted(alert(moved, change()))).index("Third-party") < read(
        posted(alert(moved, change()))
    ).index("Moved")


@pytest.mark.parametrize("letters", range(20, 120, 7))
def test_budget_counts_every_line(letters: int) -> None:
    """However long the other changes are, the list of them and the count of the rest keep the budget."""
    kinds = list(ChangeType)
    many = [change("x" * letters, type=kinds[number % len(kinds)]) for number in range(90)]
    links = Links(redline="https://cw.example/" + "r" * 120, evidence="https://cw.example/e")
    message = slack.message(alert(*many), delivery_id="dlv-1", links=links)
    assert slack.BUDGET - 1_000 < slack.size(message["blocks"]) <= slack.BUDGET
