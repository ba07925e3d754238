"""Many alerts as one webhook: each member's gist, links and counts, under 20 kB, cut exactly."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook

from pipeline.alerts.render import webhook
from pipeline.alerts.render.words import Links
from pipeline.events import AlertRaised, DeliveryDue, Severity
from tests.alerts import samples
from tests.alerts.samples import alert, alert_of, change, digest, group, member, story, updated, withdrawn
from tests.alerts.test_webhook import SECRET

TERMS = alert_of("X", "Terms", Severity.CRITICAL)


def event(due: DeliveryDue, **also: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(webhook.compose(due, **also))
    return found


def test_cloud_event_and_webhook_at_once() -> None:
    """The body has CloudEvents' required attributes, and Standard Webhooks' type, timestamp and data."""
    found = event(group(member(TERMS), member(alert())))
    assert {name: found[name] for name in ("specversion", "id", "source", "type", "subject")} == {
        "specversion": "1.0",
        "id": "dlv-group",
        "source": "urn:clausewire",
        "type": "clausewire.alerts.gathered",
        "subject": "group:x",
    }
    assert found["time"] == found["timestamp"] == "2024-10-17T09:04:00Z"


def test_members_are_told() -> None:
    """Each member has its id, title, summary, severity, document, links and counts, and its gravest change."""
    data = event(group(member(alert(counts={"added": 1, "modified": 4})), member(TERMS)))["data"]
    assert (data["title"], data["severity"], data["counts"]) == (
        "X: 2 documents changed",
        "critical",
        {"alerts": 2, "updates": 0, "withdrawals": 0, "critical": 1, "high": 1},
    )
    told = data["members"][1]
    assert (told["what"], told["alert_id"], told["title"], told["summary"], told["severity"]) == (
        "alert", "alt-aaaa", alert().title, alert().summary, "high",
    )  # fmt: skip
    assert (told["document"]["id"], told["links"]["page"]) == ("x-privacy", samples.DOCUMENT.url)
    assert (told["counts"], told["changes_total"]) == ({"added": 1, "modified": 4}, 5)
    assert told["gravest"]["redline"] == [["+", samples.COLLABORATORS]]


def test_news_and_withdrawals() -> None:
    """What became known and what was withdrawn are members of their own kind, with when and why."""
    news = updated("coverage", "alt-x-terms", coverage=(story(),))
    data = event(digest(member(withdrawn(), alert=alert()), member(news, alert=TERMS)))["data"]
    gone, known = data["members"]
    assert (gone["what"], gone["reason"], gone["withdrawn_at"]) == (
        "withdrawal", "the page went back", "2024-10-17T11:04:00Z",
    )  # fmt: skip
    assert (known["what"], known["updates"][0]["how"], known["coverage"][0]["outlet"]) == (
        "update", "coverage", "Example Times",
    )  # fmt: skip
    assert (data["period"], data["severity"]) == ("daily", None)


@pytest.mark.parametrize(("count", "least"), [(1, 1), (12, 12), (40, 40), (400, 40)])
def test_truncation_is_exact(count: int, least: int) -> None:
    """Of more members than fit in 20 kB the gravest are told, and the others counted by what they are."""
    many = [alert_of("X", f"Paper {n}", changes=(change("Some words of it. " * 90),)) for n in range(count)]
    body = webhook.compose(digest(*map(member, many), member(TERMS), member(updated(), alert=alert())))
    data = json.loads(body)["data"]
    left = data["members_left_out"]
    assert len(body) <= 20_000
    assert data["members"][0]["alert_id"] == "alt-x-terms"
    assert len(data["members"]) + left == data["members_total"] == count + 2
    assert len(data["members"]) >= least
    assert data["left_out"] == (
        f"{left - 1} more: {left - 1} medium; 1 more update or withdrawal" if left else ""
    )


def test_cut_clause_says_so() -> None:
    """A member whose gravest clause is cut says that it is truncated, and how many words are left out."""
    (told,) = event(group(member(alert_of("X", changes=(change("word " * 900),)))))["data"]["members"]
    assert told["truncated"] is True
    assert told["gravest"]["redline_words_left_out"] > 500


def test_untruncated_says_so() -> None:
    """Where every member is told whole, nothing is said to be cut."""
    data = event(group(member(TERMS), member(alert_of("X", "Cookies"))))["data"]
    assert (data["truncated"], data["members_left_out"], data["left_out"]) == (False, 0, "")


def test_links_lead_on() -> None:
    """The body leads to the list of its deliveries where there is one."""
    links = Links(deliveries="https://cw.example/d/1")
    assert event(group(member(TERMS)), links=links)["data"]["links"] == {"deliveries": links.deliveries}


@pytest.mark.parametrize("text", samples.HOSTILE)
@pytest.mark.parametrize("gather", [group, digest])
def test_hostile_fits(gather: Any, text: str) -> None:
    """Whatever a page says, the body is JSON under 20 kB."""
    bad = samples.hostile(text)
    news = member(updated("coverage", "alt-c", coverage=bad.coverage, reason=text), alert=bad)
    gone = member(withdrawn(text, alert_id="alt-b"), alert=bad)
    body = webhook.compose(gather(*[member(bad)] * 3, news, gone))
    assert len(body) <= 20_000
    assert len(json.loads(body)["data"]["members"]) == 3


@settings(
    suppress_health_check=list(HealthCheck),
    deadline=None,
    max_examples=10,
    phases=(Phase.explicit, Phase.generate),
)
@given(st.lists(samples.alerts, min_size=1, max_size=4), st.sampled_from([group, digest]))
def test_every_body_verifies(told: list[AlertRaised], gather: Any) -> None:
    """The body of any gathered alerts stays under 20 kB, and verifies with Standard Webhooks' library."""
    named = [msgspec.structs.replace(one, alert_id=f"alt-{number}") for number, one in enumerate(told)]
    body = webhook.compose(gather(*map(member, named)))
    headers = webhook.signer([SECRET])("dlv-1", datetime.now(UTC), body)
    data = Webhook(SECRET).verify(body, dict(headers))["data"]
    assert len(body) <= 20_000
    assert len(data["members"]) + data["members_left_out"] == len(told)
