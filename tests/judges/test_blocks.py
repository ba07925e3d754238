"""Our Slack messages before Slack's own models, another's, and the documented limits."""

from collections.abc import Callable, Iterable, Iterator

import pytest

from pipeline.events import AlertRaised
from tests.alerts.samples import SEEN, alert, due
from tests.judges import blocks
from tests.judges.cases import Case, alerts_of, demo_pairs, ours, together, told

Judge = Callable[[Iterable[Case]], Iterator[str]]
by_judge = pytest.mark.parametrize(
    "judge", [blocks.by_limits, blocks.by_slack_sdk, blocks.by_slackblocks], ids=lambda judge: judge.__name__
)


@by_judge
def test_every_kind_is_accepted(judge: Judge) -> None:
    """Alerts, updates, withdrawals and hostile texts become messages that Slack takes."""
    assert list(judge(ours())) == []


@pytest.fixture(scope="module")
def demo() -> list[Case]:
    found = alerts_of(demo_pairs(), processes=1)
    cases = [told(pair.name, alert) for pair, alert in found if isinstance(alert, AlertRaised)]
    return [*cases, *together(cases)]


@by_judge
def test_demo_is_accepted(judge: Judge, demo: list[Case]) -> None:
    """Alerts of the demo's real pages, alone and gathered, become messages that Slack takes."""
    assert len(demo) >= 5
    assert list(judge(demo)) == []


class Broken(Case):
    """A delivery whose message breaks a limit: a header of 151 characters."""

    __slots__ = ()

    def messages(self) -> list[dict[str, object]]:
        header = {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}
        return [{"text": "x", "blocks": [header], "metadata": {"event_type": "e", "event_payload": {}}}]


@by_judge
def test_broken_limit_is_seen(judge: Judge) -> None:
    """A message that breaks a documented limit is refused by each judge."""
    assert len(list(judge([Broken("too long", due(alert(raised_at=SEEN)))]))) == 1
