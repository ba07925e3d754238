"""Many alerts in one mail: a subject that counts, a table of contents, both parts equal, always under 100 kB."""

import re
from typing import Any

import pytest

from pipeline.alerts.render import email as mail
from pipeline.alerts.render.email import LIMIT
from pipeline.alerts.render.words import Links
from pipeline.events import DeliveryDue, Severity
from tests.alerts import samples
from tests.alerts.samples import (
    SEEN,
    alert,
    alert_of,
    change,
    digest,
    group,
    member,
    story,
    updated,
    withdrawn,
)
from tests.alerts.test_email import LEAVE, LETTER, Seen, part, raw_header, read

SEVERAL = (
    alert_of("Meta", "Terms", Severity.HIGH),
    alert_of("GitHub", "Privacy", Severity.LOW),
    alert_of("X", "Cookies", Severity.HIGH),
    alert(),
)


def written(due: DeliveryDue, **also: Any) -> bytes:
    return mail.compose(due, **({"letter": LETTER, "sent_at": SEEN} | also)).as_bytes()


def test_subject_counts() -> None:
    """The subject says which digest, how many changes, how many of them grave, and whose."""
    found = read(written(digest(*map(member, SEVERAL))))
    assert found["Subject"] == "Clausewire daily: 4 changes, 3 high — Meta, X, GitHub"


def test_opens_its_own_thread() -> None:
    """A gathered mail answers no other, and keeps the headers of a list that can be left with one click."""
    data = written(digest(*map(member, SEVERAL)))
    found = read(data)
    assert (found["In-Reply-To"], found["References"]) == (None, None)
    assert found["Message-ID"] == "<dlv-digest@example.org>"
    assert raw_header(data, "List-Unsubscribe") == [f"<{LEAVE}>"]
    assert raw_header(data, "List-Unsubscribe-Post") == ["List-Unsubscribe=One-Click"]


def test_contents_come_first() -> None:
    """Both parts list the documents by severity and then by service before they tell the first."""
    data = written(digest(*map(member, SEVERAL)))
    text = part(data, "plain").partition("-----")[0]
    assert text.endswith(
        "High\n  Meta — Terms\n  X — Privacy Policy (in force 15 November 2024)\n  X — Cookies\nLow\n  GitHub — Privacy\n\n"
    )
    page = re.sub(r"<[^>]+>", " ", part(data, "html").partition('class="each"')[0])
    assert " ".join(page.split()).endswith(
        "HIGH Meta Terms X Privacy Policy in force 15 November 2024 Cookies LOW GitHub Privacy <div"
    )


def test_parts_say_the_same() -> None:
    """What the HTML tells, the text tells as well: sentence, clause, counts, dates, news, withdrawal."""
    known = member(updated("coverage", "alt-k", coverage=(story("A report"),)), alert=alert(alert_id="alt-k"))
    gone = member(withdrawn(alert_id="alt-g"), alert=alert_of("Gone", alert_id="alt-g"))
    told = alert(counts={"added": 1, "modified": 2, "moved": 2})
    data = written(group(member(told), member(SEVERAL[0]), known, gone))
    for said in (
        "X, Meta and Gone: 2 documents changed, news of 1 earlier alert, 1 withdrawn",
        alert().title,
        "2 more changes, all reworded; in form only: 2 moved.",
        "In force 15 November 2024, 29 days after it was seen",
        "What became known",
        "A report",
        "Withdrawn on 17 October 2024, 11:04 UTC: the page went back",
        "dlv-group",
    ):
        assert said in " ".join(part(data, "plain").split())
        assert said in " ".join(part(data, "html").split())


def test_redline_without_colour() -> None:
    """The worst clause of each alert is marked by signs in text, by elements in HTML."""
    data = written(group(*map(member, SEVERAL)))
    assert part(data, "plain").count("[-30 days-]{+a year+}") == 3
    assert (
        len(
            re.findall(
                r"<del[^>]*line-through[^>]*>30 days</del> <ins[^>]*underline[^>]*>a year</ins>",
                part(data, "html"),
            )
        )
        == 3
    )


@pytest.mark.parametrize("count", [1, 4, 30, 400])
@pytest.mark.parametrize("gather", [group, digest])
def test_rest_is_exact(gather: Any, count: int) -> None:
    """However many there are, the mail stays under 100 kB, and what is not told in it is counted in both parts."""
    alerts = [
        alert_of("X", f"Paper {n:03}", changes=(change("Some wörds of it. " * 80),)) for n in range(count)
    ]
    data = written(gather(*map(member, alerts)))
    text, page = part(data, "plain"), part(data, "html")
    told = len(set(re.findall(r"^Paper \d{3}  \[", text, re.MULTILINE)))
    assert told == len(set(re.findall(r"<h3[^>]*><a[^>]*>(Paper \d{3})", page)))
    left = count - told
    assert len(data) < LIMIT
    assert told >= min(count, 10)
    assert all((f"{left} more: {left} medium. " in said) == (left > 0) for said in (text, page))


def test_way_to_the_rest() -> None:
    """What is not told can be seen by a link where there is one, else by a command."""
    many = digest(*(member(alert_of("X", f"Paper {n}")) for n in range(200)))
    assert "<code" in part(written(many), "html")
    linked = part(written(many, links=Links(deliveries="https://cw.example/d/1")), "html")
    assert '<a href="https://cw.example/d/1"' in linked


def test_story_stands_by_itself() -> None:
    """A story of a digest has no severity, and leads to its report."""
    told = alert(
        kind="story", document=None, changes=(), title="X and AI", evidence=None, coverage=(story(),)
    )
    page = part(written(digest(member(told))), "html")
    assert re.search(r'<h3[^>]*><a href="https://news\.example/1"[^>]*>X and AI</a></h3>', page)
    assert ">HIGH<" not in page


@pytest.mark.parametrize("text", samples.HOSTILE)
@pytest.mark.parametrize("gather", [group, digest])
def test_hostile_is_inert(gather: Any, text: str) -> None:
    """Whatever a page says, a gathered mail gets no header, recipient or element of its making, under 100 kB."""
    bad = samples.hostile(text)
    news = member(updated("coverage", "alt-c", coverage=bad.coverage, reason=text), alert=bad)
    gone = member(withdrawn(text, alert_id="alt-b"), alert=alert(title=text, alert_id="alt-b"))
    data = written(gather(member(bad), news, gone))
    found = read(data)
    assert len(data) < LIMIT
    assert (found["Bcc"], found["To"]) == (None, "ann@example.net")
    assert not {"script", "b", "img"} & {tag for tag, _ in Seen(part(data, "html")).tags}
    assert max(map(len, data.partition(b"\r\n\r\n")[2].split(b"\r\n"))) <= 76


def test_own_template_is_used() -> None:
    """A template of the user's replaces ours; where it fails, ours is used and both parts say so."""
    data = written(group(*map(member, SEVERAL)), templates={"gathered.html": "<p>{{ headline }}</p>"})
    assert "<p>X, Meta and GitHub: 4 documents changed</p>" in part(data, "html")
    failed = written(group(*map(member, SEVERAL)), templates={"gathered.html": "{{ 1 / 0 }}"})
    assert all("Your template gathered.html failed" in part(failed, kind) for kind in ("plain", "html"))
