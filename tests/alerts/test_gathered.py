"""What a gathered message is about: its members by alert, in the order of a reader, counted exactly."""

import pytest

from pipeline.alerts.render import gathered as told
from pipeline.events import DeliveryDue, Severity
from tests.alerts.samples import alert, alert_of, digest, group, member, story, updated, withdrawn

TERMS = alert_of("X", "Terms", Severity.CRITICAL)
COOKIES = alert_of("X", "Cookies", Severity.LOW)
META = alert_of("Meta", "Terms", Severity.HIGH)
GITHUB = alert_of("GitHub", "Privacy", Severity.HIGH)
NEWS = alert_of(
    "X", kind="story", document=None, changes=(), alert_id="alt-s", title="X and AI", coverage=(story(),)
)
TROUBLE = alert_of("X", "Rules", kind="health", changes=(), title="X's Rules cannot be read")


def names(due: DeliveryDue) -> list[str]:
    return [entry.alert_id for entry in told.gathered(due).told]


def test_group_goes_by_gravity() -> None:
    """A group tells the gravest alert first, stories and sources in trouble after all changes."""
    members = [member(one) for one in (TROUBLE, NEWS, COOKIES, alert(), TERMS)]
    assert names(group(*members)) == ["alt-x-terms", "alt-aaaa", "alt-x-cookies", "alt-s", "alt-x-rules"]


def test_digest_goes_by_service() -> None:
    """A digest tells by severity, and within one by service."""
    found = told.gathered(digest(*(member(one) for one in (COOKIES, META, TERMS, GITHUB))))
    assert [(heading, [entry.alert.service for entry in entries]) for heading, entries in told.sections(found.told)] == [
        ("Critical", ["X"]),
        ("High", ["GitHub", "Meta"]),
        ("Low", ["X"]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("due", "headline", "subject"),
    [
        (group(member(TERMS), member(COOKIES), member(alert())), "X: 3 documents changed", "X: 3 documents changed"),
        (group(member(TERMS)), "X: 1 document changed", "X: 1 document changed"),
        (
            group(member(TERMS), member(alert_of("X", "Terms", alert_id="alt-2"))),
            "X: 2 changes in 1 document",
            "X: 2 changes in 1 document",
        ),
        (
            group(member(TERMS), member(META), member(NEWS), member(withdrawn(), alert=alert())),
            "X and Meta: 2 documents changed, 1 story, 1 withdrawn",
            "X and Meta: 2 documents changed, 1 story, 1 withdrawn",
        ),
        (group(member(updated(), alert=alert())), "X: news of 1 earlier alert", "X: news of 1 earlier alert"),
        (
            digest(*(member(one) for one in (TERMS, COOKIES, META, GITHUB, alert()))),
            "Daily digest: 5 changes, 1 critical, 3 high",
            "Clausewire daily: 5 changes, 1 critical, 3 high — X, GitHub, Meta",
        ),
        (
            digest(member(COOKIES), member(TROUBLE), period="weekly"),
            "Weekly digest: 1 change, 1 source in trouble",
            "Clausewire weekly: 1 change, 1 source in trouble — X",
        ),
        (
            digest(member(TERMS)),
            "Daily digest: 1 critical change",
            "Clausewire daily: 1 critical change — X",
        ),
        (digest(period=""), "Digest: nothing new", "Clausewire digest: nothing new"),
    ],
)  # fmt: skip
def test_headline(due: DeliveryDue, headline: str, subject: str) -> None:
    """The headline and a mail's subject count exactly, in words that a person would write."""
    found = told.gathered(due)
    assert (told.headline(found), told.subject(found)) == (headline, subject)


def test_many_services_are_counted() -> None:
    """Of more services than a line holds, the first are named and the others counted."""
    found = told.gathered(digest(*(member(alert_of(f"Service {n}")) for n in range(6))))
    assert told.subject(found).endswith(" — Service 0, Service 1, Service 2 and 3 more")


def test_alert_and_news_are_one() -> None:
    """An alert and what became known of it meanwhile are told once, as it stands now."""
    now = alert(coverage=(story(),))
    found = told.gathered(group(member(alert()), member(updated("confirmed"), alert=now)))
    (entry,) = found.told
    assert told.state(entry) == ["Confirmed by a second read on 17 October 2024, 10:04 UTC"]
    assert [item.title for item in told.coverage(entry)] == ["X lets others train AI"]
    assert found.known == ()


def test_withdrawn_is_told_once() -> None:
    """An alert that was withdrawn meanwhile is among the withdrawn, and does not count as a change."""
    found = told.gathered(group(member(TERMS), member(alert()), member(withdrawn(), alert=alert())))
    assert [entry.alert_id for entry in found.told] == ["alt-x-terms"]
    assert told.became(found.withdrawn[0]) == (
        "X — Privacy Policy: Withdrawn on 17 October 2024, 11:04 UTC: the page went back"
    )


def test_rest_is_counted() -> None:
    """What is not shown is counted by how grave it is, and stories beside."""
    found = told.gathered(digest(*(member(one) for one in (TERMS, COOKIES, META, NEWS))))
    assert told.more(found.told[1:]) == "3 more: 1 high, 1 low, 1 story"
    assert told.more(()) == ""


def test_notice_reads_well() -> None:
    """The line of a notification says how many, how grave, and the gravest in a sentence."""
    found = told.gathered(group(member(TERMS), member(COOKIES)))
    assert told.notice(found) == (
        "X: 2 documents changed (1 critical, 1 low). X rewords a clause in its Terms"
    )


def test_update_without_alert() -> None:
    """News of an alert that is not at hand is told with the alert's id."""
    found = told.gathered(digest(member(updated("in-force"))))
    assert told.became(found.known[0]) == "Alert alt-aaaa: In force since 17 October 2024"


def test_service_is_spelled_once() -> None:
    """A story that knows its service by another spelling adds no service: documents say how it is written."""
    news = alert(kind="story", document=None, changes=(), service="x", alert_id="alt-s", title="X and AI")
    assert (
        told.headline(told.gathered(group(member(news), member(TERMS)))) == "X: 1 document changed, 1 story"
    )


def test_grades_are_told_once() -> None:
    """A digest whose changes are all grave has said so in its headline, and does not say it again."""
    found = told.gathered(digest(member(TERMS), member(META)))
    assert told.overview(found) == "First seen 17 October 2024."
