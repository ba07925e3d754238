"""Many alerts in one text."""

from typing import Any

import pytest

from pipeline.alerts.render import text
from pipeline.events import Severity
from tests.alerts import samples
from tests.alerts.samples import alert, alert_of, digest, group, member, story, updated, withdrawn

TERMS = alert_of("X", "Terms", Severity.CRITICAL, counts={"modified": 3, "added": 1})
WHOLE = """\
X: 1 document changed, news of 1 earlier alert, 1 withdrawn
First seen 17 October 2024.

----------------------------------------
Terms  [CRITICAL]
X rewords a clause in its Terms

4. Retention — reworded, critical
    We keep your data for [-30 days-]{+a year+} after you leave.

3 more changes: 1 new, 2 reworded.
Seen 17 October 2024, 09:04 UTC · alt-x-terms
Page: https://example.org/x-terms

----------------------------------------
What became known
· X — Cookies: Reported in the news
  In the news: X lets others train AI (Example Times)
  https://news.example/1

----------------------------------------
Withdrawn
· X — Privacy Policy: Withdrawn on 17 October 2024, 11:04 UTC: the page went back

Delivery: dlv-group
"""


def test_whole_group() -> None:
    """A group reads from what changed to what became known, each with what proves it."""
    news = updated("coverage", alert_id="alt-x-cookies", coverage=(story(),))
    cookies = member(news, alert=alert_of("X", "Cookies"))
    assert text.compose(group(member(TERMS), cookies, member(withdrawn(), alert=alert()))) == WHOLE


def test_digest_lists_first() -> None:
    """A digest of many lists them by severity and service before it tells them, and counts those it does not tell."""
    many = [member(alert_of(f"Service {n:02}", severity=Severity.LOW)) for n in range(30)]
    told = text.compose(digest(member(alert()), *many))
    contents, _, rest = told.partition("-" * 40)
    assert "High\n  X — Privacy Policy (in force 15 November 2024)\nLow\n  Service 00 — Terms\n" in contents
    assert "11 more: 11 low. `clausewire deliveries show dlv-digest` lists them all." in rest


def test_trouble_is_told_whole() -> None:
    """What no clause speaks for, such as a source in trouble, is told with its account."""
    trouble = alert_of(
        "X",
        kind="health",
        changes=(),
        title="X's Terms cannot be read",
        summary="It answers 403 since Monday.",
    )
    assert "X's Terms cannot be read\nIt answers 403 since Monday." in text.compose(group(member(trouble)))


@pytest.mark.parametrize("hostile", samples.HOSTILE)
@pytest.mark.parametrize("gather", [group, digest])
def test_terminal_is_safe(gather: Any, hostile: str) -> None:
    """Whatever a page says, no control character of a gathered message reaches the terminal."""
    bad = samples.hostile(hostile)
    news = updated("coverage", "alt-c", coverage=bad.coverage, reason=hostile)
    gone = withdrawn(hostile, alert_id="alt-b")
    told = text.compose(gather(member(bad), member(news, alert=bad), member(gone, alert=bad)))
    assert all(char.isprintable() or char in "\n\t\u200d\ufe0f" for char in told)
    told.encode()


def test_story_is_named_once() -> None:
    """A story is told by its headline, and then by whom it was reported, not by its headline again."""
    news = alert(kind="story", document=None, changes=(), title="X lets others train AI", coverage=(story(),))
    said = text.compose(group(member(news)))
    assert said.count("X lets others train AI") == 1
    assert "Reported by Example Times\n  https://news.example/1" in said
